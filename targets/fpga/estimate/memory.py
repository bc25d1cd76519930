"""Which cells yosys makes of a memory: lookup tables, distributed RAM, block RAM or flip-flops.

It takes what costs least by its own tables (`memory_libmap`): a bit in flip-flops costs 1, a bit of a ROM in logic
1/16, a cell of distributed RAM or a block RAM what its library file says; each port that is read in the clock of its
address costs 8 more there (found by looking at what it chose).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from ..budget import Family
from .parts import Parts, block_rams, counter_bits

__all__ = [
    "add_fifo",
    "add_memory",
    "add_rom",
    "add_rom_apart",
    "add_rom_in_logic",
    "add_table",
    "distinct_columns",
    "distinct_of_random",
    "rom_luts",
    "table_luts",
]

_ROM_BITS_PER_COST = 16
_CHOICES_THAT_ARE_WIRES = 2
_ROM_COLUMNS = {
    "xilinx": ((32, 1.0), (48, 2.9), (64, 3.1), (80, 4.2), (117, 7.9), (160, 11.3)),
    "ecp5": ((16, 1.0), (20, 2.0), (32, 2.0), (48, 4.8), (64, 4.8), (80, 8.6), (117, 12.8), (160, 18.3)),
    "ice40": ((16, 1.0), (20, 2.0), (32, 3.7), (48, 6.6), (64, 8.4), (80, 11.2), (117, 17.7), (160, 21.8)),
}
"""(words, lookup tables of a column): of ROMs of 24 random columns behind a counter, each synthesized by itself."""
_BLOCK_COST = {"xc7": 129, "xcup": 129, "ecp5": 128, "ice40": 64}
_PORT_COST = 8


@dataclass(frozen=True)
class _Distributed:
    """A cell of distributed RAM: its depth, its bits with a port to write and one to read, what it costs and whether a
    part of it costs less, its lookup tables."""

    depth: int
    bits: int
    cost: int
    by_part: bool
    luts: int


_DISTRIBUTED = {
    "xc7": _Distributed(32, 6, 8, True, 4),
    "xcup": _Distributed(32, 14, 16, True, 8),
    "ecp5": _Distributed(16, 4, 4, False, 4),
}


def distinct_columns(rows: npt.NDArray[np.int64], bits: int) -> int:
    """How many different columns a memory of values [words, lanes] of `bits` bits has; constant ones do not count."""
    planes = ((rows[:, :, None] >> np.arange(bits)) & 1).astype(np.uint8).reshape(len(rows), -1)
    columns = np.unique(np.packbits(planes, axis=0), axis=1)
    constant = np.all(planes == planes[:1], axis=0)
    return int(columns.shape[1]) - len(np.unique(planes[0, constant]))


def table_luts(words: int, family: Family) -> float:
    """Lookup tables of one output of a table of `words` words that is mapped by itself."""
    return max(words / 2**family.lut_inputs, 1.0) if words > 2 else 0.0


@cache
def rom_luts(words: int, family: Family) -> float:
    """Lookup tables of one column of random bits of a ROM that is mapped together with the logic around it: yosys
    makes logic of its tree of choices, and finds few of its tables again."""
    if words <= _CHOICES_THAT_ARE_WIRES:
        return 0.0
    points = _ROM_COLUMNS["xilinx" if family.lut_inputs == 6 else family.fitted]
    (last, most) = points[-1]
    if words >= last:
        return most * words / last
    return float(np.interp(words, [point[0] for point in points], [point[1] for point in points]))


def _in_blocks(words: int, width: int, family: Family) -> bool:
    """Whether a ROM that is read into a register becomes block RAM."""
    return words * width > _ROM_BITS_PER_COST * _BLOCK_COST[family.fitted] * block_rams(words, width, family)


def add_rom(parts: Parts, rows: npt.NDArray[np.int64], bits: int, family: Family, *, kind: str = "rom") -> None:
    """A ROM of values [words, lanes] that is read into a register; `kind` of its logic."""
    used = distinct_columns(rows, bits)
    add_table(parts, len(rows), rows.shape[1] * bits, family, used=used, kind=kind)


def add_rom_apart(
    parts: Parts, rows: npt.NDArray[np.int64], bits: int, family: Family, *, in_logic: bool = False
) -> None:
    """An `edgeml_rom` of values [words, lanes]: mapped by itself, its lookup tables can be counted.

    A different column is a tree of tables, whose multiplexers are free on Xilinx and ECP5; on iCE40 two tables choose
    among four, and equal parts of trees are made once. Columns that are the same in all words are not stored.
    in_logic : whether it stays out of block RAM.
    """
    planes = ((rows[:, :, None] >> np.arange(bits)) & 1).reshape(len(rows), -1)
    stored = int(np.any(planes != planes[:1], axis=0).sum())
    if not in_logic and _in_blocks(len(rows), stored, family):
        parts.block_rams += block_rams(len(rows), stored, family)
        return
    columns = distinct_columns(rows, bits)
    parts.flip_flops += columns
    parts.luts += _trees(planes, family) if family.name == "ice40" else columns * table_luts(len(rows), family)


def _trees(planes: npt.NDArray[np.int64], family: Family) -> float:
    """Lookup tables of columns [words, columns] of bits as trees: those of the lowest bits of the address, and two for
    each three choices between two unlike branches."""
    words, columns = planes.shape
    if words <= 2:
        return 0.0
    leaf = 2**family.lut_inputs
    count = 2 ** max(-(-words // leaf) - 1, 0).bit_length()
    padded = np.zeros((count * leaf, columns), np.uint8)
    padded[:words] = planes
    blocks = np.packbits(padded.reshape(count, leaf, columns), axis=1).transpose(0, 2, 1).reshape(count * columns, -1)
    kinds, which = np.unique(blocks, axis=0, return_inverse=True)
    constant = np.all(kinds == kinds[:, :1], axis=1) & np.isin(kinds[:, 0], (0, 255))
    tables, branches = float(np.sum(~constant)), which.reshape(count, columns)
    while len(branches) > 1:
        pairs = np.stack([branches[::2].ravel(), branches[1::2].ravel()], axis=1)
        kinds, which = np.unique(pairs, axis=0, return_inverse=True)
        tables += 2 / 3 * float(np.sum(kinds[:, 0] != kinds[:, 1]))
        # Equal branches are no choice: what stands for them is that branch, in numbers behind those of choices.
        which = np.where(pairs[:, 0] == pairs[:, 1], len(kinds) + pairs[:, 0], which.ravel())
        branches = np.unique(which, return_inverse=True)[1].reshape(len(branches) // 2, columns)
    return tables


def add_table(
    parts: Parts,
    words: int,
    width: int,
    family: Family,
    *,
    used: int | None = None,
    kind: str = "rom",
    luts: float | None = None,
) -> None:
    """A ROM that is read into a register, `used` of whose columns differ (all of them: None).

    kind : of its logic, where that is fitted. luts : lookup tables that its content takes, where those are counted.
    """
    if _in_blocks(words, width, family):
        parts.block_rams += block_rams(words, width, family)
        return
    columns = width if used is None else used
    parts.flip_flops += columns
    if luts is None:
        parts.add(kind, columns * rom_luts(words, family))
    else:
        parts.luts += luts


def add_memory(
    parts: Parts,
    depth: int,
    width: int,
    readers: int,
    family: Family,
    *,
    used: int | None = None,
    choice: str = "select",
) -> None:
    """A memory with one port to write and `readers` ports that read within the clock of their address.

    Cells of distributed RAM are exactly what yosys takes, and their lookup tables are counted.

    used : how many bits of a word differ, where some are always equal: as registers these are one. None: all.
    choice : the kind of logic that chooses among registers.
    """
    in_registers = float(depth * width)
    blocks = readers * block_rams(depth, width, family)
    in_blocks = _BLOCK_COST[family.fitted] * blocks + readers * _PORT_COST
    cell = _DISTRIBUTED.get(family.fitted) if family.distributed_ram else None
    if cell is not None:
        rows, wide = -(-depth // cell.depth), -(-width // cell.bits)
        cost = readers * (cell.cost * rows * (width / cell.bits if cell.by_part else wide) + _PORT_COST)
        if depth > 1 and cost < min(in_registers, in_blocks):
            parts.luts += readers * cell.luts * rows * wide
            return
    if in_registers > in_blocks:
        parts.block_rams += blocks
        # What is written while its place is read passes the block RAM by.
        parts.flip_flops += readers * width
        parts.add("select", readers * width)
        return
    kept = width if used is None else used
    parts.flip_flops += depth * kept
    parts.add(choice, (depth - 1) * kept * readers)


def distinct_of_random(columns: int, words: int, bits: int = 1) -> float:
    """How many different columns random memory has that are not the same in all words.

    N = 2^(words · bits) contents, c columns: (N − 2^bits) · (1 − (1 − 1/N)^c).
    """
    if words * bits >= 40:
        return float(columns)
    contents = 2.0 ** (words * bits)
    return (contents - 2.0**bits) * -_power_minus_one(1 - 1 / contents, columns)


def _power_minus_one(base: float, exponent: int) -> float:
    return base**exponent - 1 if base > 0 else -1.0


def add_rom_in_logic(parts: Parts, words: int, used: float, family: Family) -> None:
    """A memory in logic, with a register behind it: tables of its address for `used` columns that differ."""
    parts.flip_flops += used
    parts.add("rom", used * rom_luts(words, family))


def add_fifo(parts: Parts, depth: int, width: int, family: Family) -> None:
    """An `edgeml_fifo`: memory, two indices, of which yosys makes the one to read by twice, and two counters."""
    counters = 2 * counter_bits(depth) + 2 * depth.bit_length()
    parts.flip_flops += counters + counter_bits(depth) + 2  # and whether there is room, and some value
    parts.add("stream", counters + 6.0)
    add_memory(parts, depth, width, 1, family)
