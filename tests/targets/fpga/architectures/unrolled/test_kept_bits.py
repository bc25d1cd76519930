"""What estimates hold for equal in a netlist is equal for every input, and what equal thresholds and sums leave."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.targets.fpga.architectures.unrolled.estimate import graph_amounts
from edgeml.targets.fpga.architectures.unrolled.kept_bits import kept_bits
from edgeml.targets.fpga.architectures.unrolled.netlist import Bit, CellKind, Netlist
from edgeml.targets.fpga.architectures.unrolled.network_logic import Logic
from edgeml.targets.fpga.architectures.unrolled.stages import Stages, stages_by_depth
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.verilog.element import Element

from .evaluation import bit_values

INPUT_BITS = 6


def logic_of(netlist: Netlist, ends: list[Bit]) -> Logic:
    return Logic(
        netlist, Element(1, False), Element(len(ends), False), [ends], {"layer": range(len(netlist.cells))}, {}
    )


def random_netlist(rng: np.random.Generator) -> Netlist:
    """Cells of all kinds over few bits: some constant, some inverted, many twice."""
    netlist = Netlist(INPUT_BITS)
    bits = [Bit(-1, place) for place in range(INPUT_BITS)] + [Bit(-2, 0), Bit(-2, 1)]

    def some(count: int) -> list[Bit]:
        near = rng.choice(len(bits), 4)
        chosen = [bits[near[int(rng.integers(4))]] for _ in range(count)]
        return [~bit if rng.random() < 0.2 else bit for bit in chosen]

    for _ in range(25):
        kind = CellKind(str(rng.choice([kind.value for kind in CellKind])))
        if kind is CellKind.COUNT:
            ones, twos = int(rng.integers(1, 5)), int(rng.integers(0, 3))
            made = netlist.add(kind, some(ones + twos), (ones, twos), (ones + 2 * twos).bit_length())
        elif kind in (CellKind.ADD, CellKind.SMALL_ADD):
            width = int(rng.integers(1, 4))
            made = netlist.add(kind, some(2 * width), (width, width, 0), width + 1)
        elif kind is CellKind.ADD3:
            width = int(rng.integers(1, 5))
            made = netlist.add(kind, some(3 * width), (width,), width)
        elif kind is CellKind.REACHED:
            width, count = int(rng.integers(2, 6)), int(rng.integers(1, 8))
            levels = np.sort(rng.integers(1, 2**width, count) if rng.random() < 0.5 else rng.integers(1, 3, count))
            made = netlist.add(kind, some(width), levels.tolist(), count.bit_length())
        else:
            width, count = int(rng.integers(1, 7)), int(rng.integers(1, 3))
            tables = [int.from_bytes(rng.bytes(8), "little") & (1 << (1 << width)) - 1 for _ in range(count)]
            made = netlist.add(kind, some(width), tables, count)
        bits.extend(made)
    return netlist


@pytest.mark.parametrize("register_every", [0, 1, 3])
def test_bits_that_stand_for_others_equal_them_for_every_input(register_every: int) -> None:
    numbers = np.arange(2**INPUT_BITS)
    inputs = [numbers >> place & 1 for place in range(INPUT_BITS)]
    replaced = 0
    for seed in range(20):
        netlist = random_netlist(np.random.default_rng(seed))
        value = bit_values(netlist, inputs)
        kept = kept_bits(logic_of(netlist, [Bit(len(netlist.cells) - 1, 0)]), stages_by_depth(netlist, register_every))
        for found in (kept.alike, kept.function):
            assert len(found) == sum(cell.outputs for cell in netlist.cells)
            for (cell, output), bit in found.items():
                replaced += bit != Bit(cell, output)
                assert np.array_equal(value(Bit(cell, output)), value(bit)), (seed, netlist.cells[cell], output, bit)
    assert replaced > 200


def test_equal_thresholds_are_one_comparison_and_one_register() -> None:
    """Fifteen thresholds at one place: four bits that are the same."""
    netlist = Netlist(INPUT_BITS)
    count = netlist.add(CellKind.REACHED, [Bit(-1, place) for place in range(INPUT_BITS)], (21,) * 15, 4)
    last = netlist.add(CellKind.TABLE, count, (1 << 15,), 1)
    kept = kept_bits(logic_of(netlist, last), Stages((0, 1), 2))
    (reached,) = kept.cells  # the table of four equal bits is a copy
    assert (reached.shape, reached.outputs) == ((21,), 1)
    assert kept.taps[Bit(0, 0)] == {1}
    assert sum(max(delays) for delays in kept.taps.values()) == 2


def test_what_is_seen_within_a_stage_alone_keeps_its_register() -> None:
    """A count of a bit and its complement is 1: a table for synthesis, which leaves a register that never changes."""
    netlist = Netlist(2)
    first = netlist.add(CellKind.COUNT, [Bit(-1, 0), ~Bit(-1, 0)], (2, 0), 2)
    second = netlist.add(CellKind.COUNT, [first[0], Bit(-1, 1)], (2, 0), 2)
    together = kept_bits(logic_of(netlist, second), Stages((0, 0), 1))
    apart = kept_bits(logic_of(netlist, second), Stages((0, 1), 2))
    assert together.function[1, 0] == ~Bit(-1, 1)
    assert [cell.kind for cell in together.cells] == []
    assert Bit(0, 0) not in together.taps
    assert apart.taps[Bit(0, 0)] == {1}
    assert [cell.kind for cell in apart.cells] == [CellKind.COUNT]


def test_a_bit_that_a_count_takes_twice_weighs_two() -> None:
    netlist = Netlist(INPUT_BITS)
    bits = [Bit(-1, place) for place in (0, 1, 1, 2, 3)]
    ends = netlist.add(CellKind.COUNT, bits, (5, 0), 3)
    (cell,) = kept_bits(logic_of(netlist, ends), Stages((0,), 1)).cells
    assert (cell.shape, cell.inputs, cell.outputs) == ((3, 1), tuple(Bit(-1, place) for place in (0, 2, 3, 1)), 3)


def test_outputs_that_nothing_takes_need_no_logic() -> None:
    netlist = Netlist(INPUT_BITS)
    rows = [Bit(-1, place) for place in range(6)]
    low = netlist.add(CellKind.ADD, rows, (3, 3, 0), 4)[:2]
    netlist.add(CellKind.COUNT, rows, (6, 0), 3)
    logic = logic_of(netlist, low)
    kept = kept_bits(logic, Stages((0, 0), 1))
    (chain,) = kept.cells
    assert chain.outputs == 2
    assert Bit(-1, 2) not in kept.taps
    assert graph_amounts(kept, logic, FAMILIES["xc7"])["layer"].logic["carry"] == 2


def test_a_table_that_copies_its_inputs_is_no_logic_and_its_constants_take_no_registers() -> None:
    """As where an output of seven bits gets the sign that an offset of 128 took from it."""
    netlist = Netlist(INPUT_BITS)
    inputs = [Bit(-1, place) for place in range(INPUT_BITS)]
    names = [sum((x >> place & 1) << x for x in range(64)) for place in range(INPUT_BITS)]
    full = 2**64 - 1
    made = netlist.add(CellKind.TABLE, inputs, (*names, full ^ names[2], 0, full, 0b1011), INPUT_BITS + 4, "copies")
    logic = logic_of(netlist, made)
    kept = kept_bits(logic, stages_by_depth(netlist, 1))
    assert [cell.shape for cell in kept.cells] == [(0b1011,)]
    assert kept.ends == INPUT_BITS + 2
    for output, bit in enumerate((*inputs, ~inputs[2], Bit(-2, 0), Bit(-2, 1))):
        assert kept.function[0, output] == bit
