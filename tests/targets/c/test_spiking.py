"""The C of spiking networks computes golden's integers, at every layer."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import InputQuantizer, Network, Node, Output, golden, simulate
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.spiking.models import NeuronModel, tinyodin
from edgeml.targets.c import generate
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_network import NativeNetwork
from tests.sweeps import cases, seeds

from ...network.spiking.random_classic import random_classic
from ...network.spiking.random_networks import ENCODINGS, random_network
from ..neuromorphic.random_chips import loihi_network, xylo_network

FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-O1")


def native(network) -> NativeNetwork:
    if find_compiler() is None:
        pytest.skip("no C compiler")
    return NativeNetwork(network, flags=FLAGS)


def assert_equal(network, q) -> None:
    compiled = native(network)
    expected = golden.trace(network, q)
    for name, values in compiled.trace(q).items():
        assert np.array_equal(values, expected[name]), name
    assert np.array_equal(compiled.invoke(q), simulate(network, q))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_exact_encodings(encoding: str) -> None:
    for seed in range(4):
        assert_equal(*random_network(np.random.default_rng(seed), encoding))


def test_layers_behind_a_population_follow_its_events() -> None:
    network, _ = random_network(np.random.default_rng(1), "ttfs")
    kernels = [
        stage.code.kernel for stage in generate(network, CPU_DIALECT).layout.stages if stage.name.startswith("dense")
    ]
    assert kernels
    assert set(kernels) == {"events"}


def classic_with_c(seeds: range) -> int:
    """Compare as many random classic networks as have C; their number."""
    compared = 0
    for seed in seeds:
        network, q = random_classic(np.random.default_rng(seed))
        try:
            generate(network, CPU_DIALECT)
        except InputError:
            continue
        assert_equal(network, q)
        compared += 1
    return compared


@pytest.mark.parametrize("reset", ["none", "subtract", "zero"])
def test_membranes_that_are_read_and_no_threshold_is_met(reset: str) -> None:
    """A constant that nothing reads would end the compilation."""
    rng = np.random.default_rng(0)
    model = NeuronModel(emission="membrane", reset=reset)
    layer = LeakyNeurons(model, 4, rng.integers(-3, 4, (3, 2)), 3, np.ones(3, int), *[np.zeros(3, int)] * 4)
    nodes = [Node("input", InputQuantizer(8, np.ones(1), np.zeros(1), 0, 1, False)), Node("last", layer, ("input",))]
    network = Network("membranes", tuple(nodes), Output(np.ones(1)))
    assert_equal(network, rng.integers(0, 2, (5, 8)).astype(np.int32))


def test_classic_models_of_any_choice() -> None:
    assert classic_with_c(range(12)) >= 6


@pytest.mark.slow(scaled=True)
def test_two_hundred_classic_networks() -> None:
    assert classic_with_c(seeds(1000, 200)) >= cases(100)


@pytest.mark.parametrize("make", [xylo_network, loihi_network])
def test_chips_models(make) -> None:
    for seed in range(2):
        assert_equal(*make(np.random.default_rng(seed)))


def test_what_has_no_c_is_refused_by_its_layer() -> None:
    rng = np.random.default_rng(0)
    model = NeuronModel(accumulation="per_event")
    layer = LeakyNeurons(
        model, 3, np.ones((1, 2), int), 2, np.ones(1, int), *[np.zeros(1, int)] * 4, None, rng.integers(0, 2, (1, 2))
    )
    nodes = (Node("input", InputQuantizer(6, np.ones(1), np.zeros(1), 0, 1, False)), Node("late", layer, ("input",)))
    with pytest.raises(InputError, match=r"late.*delays.*no C"):
        generate(Network("n", nodes, Output(np.ones(1))), CPU_DIALECT)


def test_neurons_that_fire_on_every_event() -> None:
    rng = np.random.default_rng(0)
    layer = LeakyNeurons(
        tinyodin(), 20, rng.integers(-8, 8, (9, 6)), 4, rng.integers(3, 30, 9), np.zeros(9, int),
        rng.integers(0, 5, 9), np.zeros(9, int), np.zeros(9, int), rng.integers(-8, 8, (9, 9)),
    )  # fmt: skip
    nodes = (Node("input", InputQuantizer(120, np.ones(1), np.zeros(1), 0, 2, False)), Node("odin", layer, ("input",)))
    q = rng.integers(0, 4, (8, 120)).astype(np.int32)
    network = Network("odin", nodes, Output(np.ones(1)))
    assert simulate(network, q).sum() > 100
    assert_equal(network, q)
