"""Netlists of unrolled networks give the golden simulator's integers."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate
from edgeml.targets.fpga.architectures.unrolled.netlist import CellKind
from edgeml.targets.fpga.architectures.unrolled.network_logic import Logic, network_logic
from edgeml.targets.fpga.architectures.unrolled.reuse import parents_of
from edgeml.targets.fpga.architectures.unrolled.sharing import cost, share
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.executors.verilator import compile_design
from edgeml.targets.fpga.tools.programs import compiler, find_verilator
from tests.network.random_networks import random_inputs

from ...designs import small_network
from ...forms import int8_network
from .evaluation import evaluate


def matrix(seed: int, inputs: int, outputs: int, weights: tuple[int, int], bits: int) -> Network:
    """One dense layer of random weights on unsigned inputs."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(weights[0], weights[1] + 1, (outputs, inputs))
    bias = rng.integers(-9, 10, outputs)
    quantizer = InputQuantizer(inputs, np.array([1.0]), np.array([0.0]), 0, bits, False)
    nodes = (Node("input", quantizer), Node("fc", Dense(weight, 8, bias), ("input",)))
    return Network("matrix", nodes, Output(np.array([1.0])))


@pytest.mark.parametrize("seed", range(7))
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
    if bits == 1:
        assert any(cell.kind is CellKind.TABLE for cell in logic.netlist.cells), (
            "pairs of 1-bit numbers save nothing: triples"
        )


@pytest.mark.parametrize("inputs", [48, 64])
@pytest.mark.parametrize("weights", [(-1, 1), (-2, 1)])
def test_sums_of_many_single_bits_are_exact(inputs: int, weights: tuple[int, int]) -> None:
    """A part that is too wide for a table, and that one sum alone uses, is an input of that sum's table: it stays."""
    for seed in range(2):
        network = matrix(seed, inputs, 12, weights, 1)
        q = random_inputs(network, 100, seed)
        np.testing.assert_array_equal(evaluate(network_logic(network), q), simulate(network, q.astype(np.int32)))


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


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("table_inputs", [4, 8])
def test_flat_graphs_are_exact_and_their_tables_no_wider_than_asked(seed: int, table_inputs: int) -> None:
    network = small_network(seed, widest=14, deepest=3)
    q = random_inputs(network, 300, seed)
    logic = network_logic(network, adder_graph="flat", table_inputs=table_inputs)
    np.testing.assert_array_equal(evaluate(logic, q), simulate(network, q.astype(np.int32)))
    levels = [
        cell
        for node in network.layers
        if node.layer.kind == "threshold"
        for cell in (logic.netlist.cells[index] for index in logic.layer_cells[node.name])
        if cell.kind is CellKind.TABLE and cell.outputs > 1
    ]
    assert all(len(cell.inputs) <= max(table_inputs, 3) for cell in levels)


def test_flat_graphs_have_fewer_levels() -> None:
    network = activated(0, np.random.default_rng(0).integers(-2, 2, (24, 32)))
    flat, shared = (network_logic(network, adder_graph=graph, table_inputs=8) for graph in ("flat", "edgeml"))
    assert flat.netlist.depth < shared.netlist.depth


def activated(seed: int, weight: np.ndarray, bits: int = 2) -> Network:
    """A dense layer whose outputs are compared with three thresholds each, and a second layer."""
    rng = np.random.default_rng(seed)
    outputs, inputs = weight.shape
    quantizer = InputQuantizer(inputs, np.array([1.0]), np.array([0.0]), 0, bits, False)
    x = rng.integers(0, 2**bits, (500, inputs))
    bias = rng.integers(-5, 5, outputs)
    levels = np.sort(np.quantile(x @ weight.T + bias, [0.3, 0.6, 0.9], axis=0).T.round().astype(np.int64), axis=1)
    nodes = (
        Node("input", quantizer),
        Node("fc", Dense(weight, 8, bias), ("input",)),
        Node("act", Threshold(levels), ("fc",)),
        Node("out", Dense(rng.integers(-2, 3, (3, outputs)), 8, np.zeros(3, np.int64)), ("act",)),
    )
    return Network("activated", nodes, Output(np.array([1.0])))


def exact(network: Network) -> Logic:
    q = random_inputs(network, 400, 1)
    logic = network_logic(network)
    np.testing.assert_array_equal(evaluate(logic, q), simulate(network, q.astype(np.int32)))
    return logic


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_neurons_with_few_inputs_are_one_table_each(bits: int) -> None:
    rng = np.random.default_rng(bits)
    weight = np.zeros((8, 20), np.int64)
    for row in weight:
        row[rng.choice(20, 6 // bits, replace=False)] = rng.choice([-3, -1, 1, 2], 6 // bits)
    network = activated(bits, weight, bits)
    after = network.nodes[-1].layer
    assert isinstance(after, Dense)
    taken = np.flatnonzero(after.weight.any(axis=0))
    assert len(taken) >= 7
    logic = exact(network)
    first = [logic.netlist.cells[index] for name in ("fc", "act") for index in logic.layer_cells[name]]
    assert [cell.kind for cell in first] == [CellKind.TABLE] * len(taken)
    assert [cell.note.split()[1] for cell in first] == [f"fc[{k}]" for k in taken]


def test_neurons_that_differ_little_are_made_from_one_another() -> None:
    rng = np.random.default_rng(4)
    weight = np.repeat(rng.integers(-2, 3, (3, 24)), 5, axis=0)
    weight[np.arange(15), rng.integers(0, 24, 15)] += 1
    parents = parents_of(weight, [(0, 3)] * 24)
    assert parents is not None
    assert sum(parent is not None for parent in parents) == 12
    for network in (activated(4, weight), replace(activated(4, weight), nodes=activated(4, weight).nodes[:2])):
        logic = exact(network)
        made = {cell.note.partition(" from ")[2] for cell in logic.netlist.cells} - {""}
        assert len(made) >= 3, "three families"


def test_equal_neurons_cost_nothing() -> None:
    weight = np.random.default_rng(5).integers(-2, 3, (4, 24))
    once = exact(activated(5, weight)).layer_cells["fc"]
    assert len(exact(activated(5, np.repeat(weight, 3, axis=0))).layer_cells["fc"]) == len(once)


def test_reuse_is_left_where_nothing_is_alike() -> None:
    assert parents_of(np.random.default_rng(6).integers(-2, 2, (32, 64)), [(0, 3)] * 64) is None


@pytest.mark.skipif(find_verilator() is None or compiler() is None, reason="needs Verilator and a C++ compiler")
def test_tables_and_reuse_are_exact_in_verilator(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    weight = np.repeat(rng.integers(-2, 3, (4, 16)), 4, axis=0)
    weight[np.arange(16), rng.integers(0, 16, 16)] += 1
    weight[:6] *= rng.random((6, 16)) < 0.2
    network = activated(8, weight)
    q = random_inputs(network, 500, 1).astype(np.int32)
    simulation = compile_design(build(network, Design("unrolled")), tmp_path)
    outputs, _ = simulation.run(q, seed=3, resets=2, input_pause=60, output_pause=90)
    np.testing.assert_array_equal(outputs, simulate(network, q))
