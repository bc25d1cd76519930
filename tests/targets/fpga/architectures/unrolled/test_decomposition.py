"""Functions of seven and eight bits become a few tables of six, and give what they gave."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate
from edgeml.targets.fpga.architectures.unrolled.decomposition import decomposed_bits
from edgeml.targets.fpga.architectures.unrolled.netlist import Bit, CellKind, Netlist
from edgeml.targets.fpga.architectures.unrolled.network_logic import Logic, network_logic
from edgeml.targets.fpga.verilog.element import type_of

from .evaluation import evaluate


def sums_of(seed: int, inputs: int, levels: int) -> list[int]:
    """How many thresholds a weighted sum of single bits reaches, by the bits' number."""
    rng = np.random.default_rng(seed)
    weight = rng.choice([-1, 1], inputs) * rng.integers(1, 8, inputs)
    sums = (np.arange(1 << inputs)[:, None] >> np.arange(inputs) & 1) @ weight
    thresholds = np.quantile(sums, rng.uniform(0.3, 0.8, levels)).round()
    return [int((thresholds <= total).sum()) for total in sums]


def decomposed(results: list[int], width: int) -> Logic:
    """The netlist of a function of so many bits; it is the function's."""
    inputs = (len(results) - 1).bit_length()
    netlist = Netlist(inputs)
    bits = decomposed_bits(netlist, [Bit(-1, k) for k in range(inputs)], results, width, "f")
    logic = Logic(netlist, type_of(0, 1), type_of(0, 2**width - 1), [bits], {"f": range(len(netlist.cells))}, {})
    q = np.arange(1 << inputs)[:, None] >> np.arange(inputs) & 1
    np.testing.assert_array_equal(evaluate(logic, q)[:, 0], results)
    return logic


def tables_of(logic: Logic) -> int:
    """Tables that the netlist has; all of them are of at most six bits."""
    assert all(cell.kind is CellKind.TABLE and len(cell.inputs) <= 6 for cell in logic.netlist.cells)
    return sum(cell.outputs for cell in logic.netlist.cells)


@pytest.mark.parametrize(("inputs", "levels", "most"), [(7, 1, 3), (7, 3, 4), (8, 1, 3), (8, 3, 5)])
def test_sums_against_thresholds_are_few_tables_and_exact(inputs: int, levels: int, most: int) -> None:
    for seed in range(12):
        assert tables_of(decomposed(sums_of(seed, inputs, levels), levels.bit_length())) <= most


@pytest.mark.parametrize(("inputs", "width"), list(product((7, 8), (1, 2))))
def test_any_function_is_exact(inputs: int, width: int) -> None:
    """A random one has a class for almost every row: still no more tables than a tree of multiplexers has."""
    for seed in range(3):
        results = np.random.default_rng(seed).integers(0, 2**width, 1 << inputs).tolist()
        assert tables_of(decomposed(results, width)) <= width * (3 if inputs == 7 else 5)


def test_inputs_that_do_not_matter_and_results_that_are_alike_cost_nothing() -> None:
    x = np.arange(256)
    assert tables_of(decomposed([0] * 256, 2)) == 0
    assert tables_of(decomposed((x >> 3 & 1).tolist(), 1)) == 0
    assert tables_of(decomposed(((x & 63) > 20).astype(int).tolist(), 1)) == 1
    results = sums_of(1, 8, 1)
    assert tables_of(decomposed([3 * result for result in results], 2)) == tables_of(decomposed(results, 1))


@pytest.mark.parametrize(("bits", "levels"), [(1, 1), (1, 3), (2, 3)])
def test_neurons_of_seven_and_eight_bits_are_tables_in_a_network(bits: int, levels: int) -> None:
    """Without an adder, exact; with more levels they are sums as before."""
    rng = np.random.default_rng(bits + levels)
    weight = np.zeros((12, 20), np.int64)
    for row, limit in zip(weight, [8, 7] * 6, strict=True):
        count = limit // bits
        row[rng.choice(20, count, replace=False)] = rng.choice([-5, -3, -1, 1, 2, 7], count)
    q = rng.integers(0, 1 << bits, (400, 20))

    def network(levels: int) -> Network:
        thresholds = np.sort(np.quantile(q @ weight.T, rng.uniform(0.3, 0.8, levels), axis=0).T.round(), axis=1)
        nodes = (
            Node("input", InputQuantizer(20, np.array([1.0]), np.array([0.0]), 0, bits, False)),
            Node("fc", Dense(weight, 4, np.zeros(12, np.int64)), ("input",)),
            Node("act", Threshold(thresholds.astype(np.int64)), ("fc",)),
        )
        return Network("few", nodes, Output(np.array([1.0])))

    for wanted in (network(levels), network(7)):
        made = network_logic(wanted)
        np.testing.assert_array_equal(evaluate(made, q), simulate(wanted, q.astype(np.int32)))
        found = {cell.kind for cell in made.netlist.cells}
        assert (found == {CellKind.TABLE}) == (wanted.ranges["act"].high.max() <= 3)
