"""Netlists of unrolled networks give the golden simulator's integers."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, simulate
from edgeml.targets.fpga.unrolled.build import network_logic
from edgeml.targets.fpga.unrolled.netlist import CellKind
from edgeml.targets.fpga.unrolled.sharing import cost, share
from tests.network.random_networks import random_inputs

from ..designs import small_network
from ..forms import int8_network
from .evaluation import evaluate


def matrix(seed: int, inputs: int, outputs: int, weights: tuple[int, int], bits: int) -> Network:
    """One dense layer of random weights on unsigned inputs."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(weights[0], weights[1] + 1, (outputs, inputs))
    bias = rng.integers(-9, 10, outputs)
    quantizer = InputQuantizer(inputs, np.array([1.0]), np.array([0.0]), 0, bits, False)
    nodes = (Node("input", quantizer), Node("fc", Dense(weight, 8, bias), ("input",)))
    return Network("matrix", nodes, Output(np.array([1.0])))


@pytest.mark.parametrize("seed", range(12))
def test_random_networks_are_exact(seed: int) -> None:
    network = small_network(seed, widest=24, deepest=4)
    q = random_inputs(network, 300, seed)
    np.testing.assert_array_equal(evaluate(network_logic(network), q), simulate(network, q.astype(np.int32)))


@pytest.mark.parametrize("rounding", ["fp32_rne", "shift"])
def test_int8_networks_are_exact(rounding: str) -> None:
    network = int8_network(3, rounding)
    q = random_inputs(network, 300, 3)
    np.testing.assert_array_equal(evaluate(network_logic(network), q), simulate(network, q.astype(np.int32)))


@pytest.mark.parametrize("bits", [1, 2, 3])
@pytest.mark.parametrize("weights", [(-1, 1), (-2, 1), (-7, 7)])
def test_shared_sums_of_dense_layers_are_exact(bits: int, weights: tuple[int, int]) -> None:
    network = matrix(bits, 20, 16, weights, bits)
    q = random_inputs(network, 300, 1)
    logic = network_logic(network)
    np.testing.assert_array_equal(evaluate(logic, q), simulate(network, q.astype(np.int32)))
    if bits < 3:
        assert any(cell.kind is CellKind.TABLE for cell in logic.netlist.cells), "triples are tables"


def test_sharing_never_costs_more_than_none() -> None:
    for bits in (1, 2):
        for density in (0.2, 0.6, 1.0):
            rng = np.random.default_rng(bits)
            weight = rng.integers(-2, 2, (24, 24)) * (rng.random((24, 24)) < density)
            bounds, constants = [(0, 2**bits - 1)] * 24, [0] * 24
            assert cost(share(weight, bounds, constants)) <= cost(share(weight, bounds, constants, sharing=False))


@pytest.mark.skipif(importlib.util.find_spec("da4ml") is None, reason="pip install da4ml")
@pytest.mark.parametrize("seed", range(8))
def test_adder_graphs_of_da4ml_are_exact(seed: int) -> None:
    network = small_network(seed, widest=12, deepest=3)
    q = random_inputs(network, 300, seed)
    logic = network_logic(network, adder_graph="da4ml")
    np.testing.assert_array_equal(evaluate(logic, q), simulate(network, q.astype(np.int32)))
