"""Lookup tables of one cell as yosys maps it by itself, on each kind of part.

Counters, small sums, chains and comparisons were synthesized one by one; what a whole design makes of them (it joins
what stands between two registers) is left to constants that are fitted.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...budget import Family
from ...estimate.parts import Parts
from .cell_amounts import luts_of_function
from .kept_bits import KeptCell
from .netlist import ONE, ZERO, Bit, CellKind

__all__ = ["SHORTEST_CHAIN", "add_mapped"]

_COUNTS = {(5, 0): 6.0, (5, 1): 10.5, (6, 0): 9.0, (4, 1): 5.0, (4, 2): 6.0, (3, 2): 4.0, (3, 3): 5.0, (2, 3): 5.0}
"""Lookup tables of four inputs of a counter of (bits of weight 1, bits of weight 2): iCE40, and ECP5 where it is not on
the slowest way. Those of up to four bits take one for each output."""
_SMALL_SUMS = {(3, 2): 5.0, (3, 3): 5.0, (4, 1): 6.0, (4, 2): 6.5, (5, 1): 7.0}
"""The same of sums of (bits of a, bits of b)."""
SHORTEST_CHAIN = 5
"""Bits of a sum that ECP5 makes as a carry chain; shorter ones are lookup tables."""
_BITS_OF_CHAIN_CELL = 2
_WITHOUT_CHAIN = 2
"""Places of three bits that are tables of six inputs."""
_OF_SIX_BITS = {5: 2.0, 6: 4.0, 7: 6.5, 8: 12.0}
_AS_TABLES = 8
"""Comparisons of so many bits are together at most the tables of their counts."""


def add_mapped(parts: Parts, cell: KeptCell, family: Family) -> None:
    """Add the logic of a cell of which an output is used: see `estimate.unrolled_amounts`."""
    match cell.kind:
        case CellKind.ADD:
            _add_chain(parts, cell, family)
        case CellKind.ADD3:
            _add_chain_of_three(parts, cell, family)
        case CellKind.REACHED:
            parts.add("compare", _comparisons(cell, family.lut_inputs))
        case CellKind.TABLE:
            _add_table(parts, cell, family)
        case CellKind.COUNT:
            ones, twos = cell.shape
            _add_small(parts, cell, _COUNTS.get((ones, twos)), (ones + 2 * twos).bit_length(), family)
        case CellKind.SMALL_ADD:
            a, b, _ = cell.shape
            _add_small(parts, cell, _SMALL_SUMS.get((max(a, b), min(a, b))), max(a, b) + 1, family)


def _add_small(parts: Parts, cell: KeptCell, together: float | None, outputs: int, family: Family) -> None:
    """A count or a small sum of `outputs` bits, of which some are used."""
    if together is None or len(cell.inputs) <= family.lut_inputs:
        parts.add("narrow", cell.outputs)
    else:
        parts.add("wide", together * min(cell.outputs / outputs, 1.0))


def _add_table(parts: Parts, cell: KeptCell, family: Family) -> None:
    width = len(cell.inputs)
    if width <= family.lut_inputs:
        parts.add("table", 1.0)
    else:
        parts.add("wide_table", luts_of_function(cell.shape[0], width, family))


def _places(cell: KeptCell, rows: int) -> Iterator[tuple[Bit, ...]]:
    """The bits of each used place of a chain, without zeros."""
    length = len(cell.inputs) // rows
    for place in range(cell.outputs):
        bits = (cell.inputs[row * length + place] for row in range(rows))
        yield tuple(bit for bit in bits if bit != ZERO)


def _varies(bits: tuple[Bit, ...]) -> int:
    return sum(bit.cell != -2 for bit in bits)


def _add_chain(parts: Parts, cell: KeptCell, family: Family) -> None:
    """A sum of two rows. A place takes no lookup table where one of its summands is a constant, on parts whose carries
    are beside the tables, and equal places of a chain share one; on ECP5 the chain's own cells are tables, two places
    each, and a short sum takes tables alone."""
    places = list(_places(cell, 2))
    if family.lut_inputs == 4 and family.fitted != "ice40":
        _add_cells_of_chain(parts, cell.outputs)
        return
    parts.add("carry", len({bits for bits in places if _varies(bits) == 2}))
    parts.add("pass", sum(_varies(bits) == 1 for bits in places))
    parts.add("chain", 1.0)


def _add_cells_of_chain(parts: Parts, length: int, joined: int = 0) -> None:
    if length < SHORTEST_CHAIN:
        parts.add("short", float(length - joined))
    else:
        parts.add("carry", _BITS_OF_CHAIN_CELL * -(-length // _BITS_OF_CHAIN_CELL))
        parts.add("chain", 1.0)


def _add_chain_of_three(parts: Parts, cell: KeptCell, family: Family) -> None:
    """Three rows: at each place their sum without carries and the majority of the place below, and a chain of both. On
    Xilinx a table of the chain takes the three bits itself."""
    places = list(_places(cell, 3))
    if len(places) <= _WITHOUT_CHAIN and family.lut_inputs == 6:
        parts.add("narrow", float(len(places)))
        return
    sums = [_varies(bits) >= 2 for bits in places]
    carries = [False, *(_varies(bits) + (ONE in bits) >= 2 and _varies(bits) >= 1 for bits in places[:-1])]
    majority = [False, *(_varies(bits) >= 2 for bits in places[:-1])]
    begin = next((place for place, carry in enumerate(carries) if carry), len(places))
    parts.add("carry3", float(sum(majority)))
    if family.lut_inputs == 6:
        parts.add("carry3", sum(sums[:begin]) + sum(map(bool, places[begin:])))
        return
    parts.add("carry3", float(sum(sums)))
    if family.fitted == "ice40":
        parts.add("carry3", sum(map(bool, places[begin:])) + 0.5 * (len(places) > begin))
    elif begin < len(places):
        # A table of a short sum takes the three bits of its first place itself.
        _add_cells_of_chain(parts, len(places) - begin, joined=1)


def _comparisons(cell: KeptCell, inputs: int) -> float:
    """Lookup tables of `inputs` inputs of comparisons of a number with constants, and of parities of them.

    A comparison asks bit by bit from the lowest one of its constant; constants that end alike begin together.
    """
    width = len(cell.inputs)
    made = float(len({asked for asked in cell.asked if asked}))
    parity = sum(-(-(len(asked) - 1) // (inputs - 1)) for asked in cell.asked if asked)
    if width <= inputs:
        return made
    begun, place = 0.0, inputs
    while place <= width:
        ends = {level & (1 << place) - 1 for level in cell.shape}
        begun += len(ends - {0})
        place += inputs - 1
    rest = width - (place - inputs + 1)
    begun += len(cell.shape) * rest / (inputs - 1)
    whole = begun + parity
    if inputs == 4 and width <= _AS_TABLES:
        whole = min(whole, _OF_SIX_BITS[width] * made)
    elif inputs == 6 and width <= _AS_TABLES + 1:
        whole = min(whole, 2.0 ** (width - inputs) * made)
    return max(whole, made)
