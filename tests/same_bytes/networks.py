"""The fixed networks: integer ones of every kind of layer, and float ones whose sums are exact in any order.

Their numbers come from `Generator.integers`, which is the same with every version of numpy; the float ones are
multiples of 1/16, so that no processor's order of summation shows in a byte.
"""

from __future__ import annotations

import numpy as np
import torch

from edgeml.network import Add, Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize
from tests.network.spiking.random_classic import random_classic

ROUNDINGS = ("double_rounding", "ruy_half_up", "float64_away", "fp32_rne", "shift")


def _input(size: int, bits: int, signed: bool, zero_point: int = 0) -> Node:
    return Node("input", InputQuantizer(size, np.array([0.125]), np.array([0.5]), zero_point, bits, signed))


def thresholds(weight_bits: int = 2, residual: bool = True) -> Network:
    """12-10-10-4: dense and threshold layers of 3 to 7 levels, with a sum of two paths."""
    rng = np.random.default_rng(weight_bits)
    high = 2 ** (weight_bits - 1)

    def dense(outputs: int, inputs: int) -> Dense:
        weight = rng.integers(-high, high, (outputs, inputs))
        return Dense(weight if weight_bits > 1 else 2 * weight + 1, weight_bits, rng.integers(-6, 7, outputs))

    def levels(channels: int, count: int, base: int) -> Threshold:
        return Threshold(np.sort(rng.integers(-25, 26, (channels, count)), axis=1), base)

    nodes = [
        _input(12, 4, True),
        Node("first", dense(10, 12), ("input",)),
        Node("first_act", levels(10, 3, 0), ("first",)),
        Node("second", dense(10, 10), ("first_act",)),
        Node("second_act", levels(10, 3, -1), ("second",)),
    ]
    last = "second_act"
    if residual:
        nodes += [Node("sum", Add(), ("first_act", "second_act")), Node("sum_act", levels(10, 7, 0), ("sum",))]
        last = "sum_act"
    nodes.append(Node("last", dense(4, 10), (last,)))
    return Network(f"thresholds_{weight_bits}", tuple(nodes), Output(np.array([0.25]), labels=("a", "b", "c", "d")))


def int8(rounding: str) -> Network:
    """9-8-6-3 with weights of 8 bits, requantized by the rule, and a table."""
    rng = np.random.default_rng(ROUNDINGS.index(rounding))

    def requantize(channels: int) -> Requantize:
        multiplier = rng.integers(2**30, 2**31, channels)
        shift = rng.integers(-9, -5, channels)
        fraction = None
        if rounding == "fp32_rne":
            multiplier = multiplier >> 7 << 7
        if rounding == "shift":
            multiplier, shift = np.full(channels, 2**30), np.full(channels, -6)
        if rounding == "float64_away":
            fraction = rng.integers(0, 2**22, channels)
        return Requantize(multiplier, shift, rounding, 3, -128, 127, fraction)

    table = Lookup(np.sort(rng.integers(-128, 128, 256)).astype(np.int32), -128)
    nodes = (
        _input(9, 8, True, -5),
        Node("first", Dense(rng.integers(-128, 128, (8, 9)), 8, rng.integers(-900, 900, 8), -5), ("input",)),
        Node("first_scale", requantize(8), ("first",)),
        Node("table", table, ("first_scale",)),
        Node("second", Dense(rng.integers(-128, 128, (6, 8)), 8, rng.integers(-900, 900, 6), 3), ("table",)),
        Node("second_scale", requantize(6), ("second",)),
        Node("last", Dense(rng.integers(-128, 128, (3, 6)), 8, rng.integers(-900, 900, 3), 3), ("second_scale",)),
        Node("last_scale", requantize(3), ("last",)),
    )
    return Network(f"int8_{rounding}", nodes, Output(np.array([0.5])))


def leaky(seed: int) -> Network:
    """Neurons over time, every choice of their model at random."""
    return random_classic(np.random.default_rng(seed))[0]


def torch_mlp(activation: type[torch.nn.Module] = torch.nn.ReLU) -> torch.nn.Module:
    """8-12-6-3 with a batch norm whose factors are powers of two."""
    rng = np.random.default_rng(4)
    layers = [torch.nn.Linear(8, 12), torch.nn.BatchNorm1d(12, eps=0.0), activation(), torch.nn.Linear(12, 6)]
    model = torch.nn.Sequential(*layers, activation(), torch.nn.Linear(6, 3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.from_numpy(rng.integers(-16, 17, parameter.shape) / 16.0))
        norm = layers[1]
        assert isinstance(norm, torch.nn.BatchNorm1d)
        norm.running_mean = torch.from_numpy(rng.integers(-8, 9, 12) / 16.0).float()
        norm.running_var = torch.from_numpy(4.0 ** rng.integers(-1, 2, 12)).float()
    return model.eval()


def samples() -> dict[str, np.ndarray]:
    """96 samples for `torch_mlp`, of three classes."""
    rng = np.random.default_rng(5)
    return {"x": rng.integers(-32, 33, (96, 8)) / 16.0, "y": rng.integers(0, 3, 96)}
