"""Integer networks, and what reads any model; small networks that other seeds are made of."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np

from .. import mutators
from .reader import Reader


def _networks() -> list[Any]:
    from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
    from tests.network.random_networks import random_network
    from tests.targets.fpga.forms import int8_network

    generator = np.random.default_rng(7)
    nodes = (
        Node("input", InputQuantizer(4, np.array([0.25]), np.array([1.0]), 0, 8, True)),
        Node("dense", Dense(generator.integers(-1, 2, (3, 4)), 2, generator.integers(-9, 9, 3)), ("input",)),
        Node("act", Threshold(np.sort(generator.integers(-300, 300, (3, 3)), axis=1)), ("dense",)),
        Node("last", Dense(generator.integers(-2, 2, (2, 3)), 3, generator.integers(-4, 4, 2)), ("act",)),
    )
    small = Network("small", nodes, Output(np.array([0.5]), 0, ("a", "b")))
    found = [small, *(random_network(seed, widest=6, deepest=3) for seed in range(6))]
    found += [int8_network(seed, "double_rounding", 6) for seed in range(3)]
    return [*found, *spiking_networks()]


def spiking_networks() -> list[Any]:
    from tests.network.spiking.random_classic import random_classic

    return [random_classic(np.random.default_rng(seed))[0] for seed in range(4)]


def _network_seeds() -> list[bytes]:
    from edgeml.network import network_file as file

    return [file.to_bytes(network) for network in _networks()]


def read_model(path: Path) -> Any:
    from edgeml.frontends import load_model
    from edgeml.frontends.mlp import Mlp
    from edgeml.inspection import describe_mlp, describe_network
    from edgeml.network import Network

    found = load_model(path)
    if isinstance(found, Network):
        json.dumps(describe_network(found))
    elif isinstance(found, Mlp):
        json.dumps(describe_mlp(found))
    return found


@functools.cache
def small() -> Any:
    return _networks()[0]


@functools.cache
def classic() -> Any:
    return spiking_networks()[0]


READERS: dict[str, Reader] = {
    "edgeml": Reader("edgeml", _network_seeds, mutators.safetensors, read_model),
}
