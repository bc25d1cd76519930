"""The cells of a netlist as Verilog: a readable line for each, and the functions that they use."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from ...verilog.writer import Verilog, bus, several
from .netlist import Cell, CellKind

__all__ = ["Functions", "cell_name", "concatenated", "write_cell"]


_CONSTANTS = {"1'b0": "0", "1'b1": "1"}
_BIT = re.compile(r"(~?\w+)\[(\d+)\]")


def cell_name(index: int) -> str:
    """What the outputs of a cell are called."""
    return f"n{index}"


def concatenated(names: Sequence[str]) -> str:
    """Bits as one number, lowest first in the list; bits that follow each other in a signal as one part of it."""
    if len(names) == 1:
        return names[0]
    parts: list[str] = []
    start = 0
    while start < len(names):
        stop, part = _part(names, start)
        parts.append(part)
        start = stop
    if len(parts) == 1 and not parts[0].startswith("~"):
        return parts[0]
    return "{" + ", ".join(reversed(parts)) + "}"


def _part(names: Sequence[str], start: int) -> tuple[int, str]:
    """Where the longest part of one signal or of constants ends that begins at `start`, and the part."""
    stop = start + 1
    if names[start] in _CONSTANTS:
        while stop < len(names) and names[stop] in _CONSTANTS:
            stop += 1
        digits = "".join(_CONSTANTS[name] for name in reversed(names[start:stop]))
        return stop, f"{len(digits)}'b{digits}"
    found = _BIT.fullmatch(names[start])
    if found is None:
        return stop, names[start]
    stem, low = found[1], int(found[2])
    while stop < len(names) and names[stop] == f"{stem}[{low + stop - start}]":
        stop += 1
    return stop, names[start] if stop == start + 1 else f"{stem}[{low + stop - start - 1}:{low}]"


class Functions:
    """The Verilog functions that cells use, each written once to `verilog`."""

    def __init__(self) -> None:
        self.verilog = Verilog(depth=1)
        self._names: set[str] = set()
        self._tables: dict[tuple[int, tuple[int, ...]], str] = {}

    def _is_new(self, name: str) -> bool:
        new = name not in self._names
        self._names.add(name)
        return new

    def count(self, ones: int, twos: int, outputs: int) -> str:
        """Number of ones among `ones` bits, plus twice that among `twos` bits; modulo 2^outputs.

        Tables, not sums: synthesis keeps each output in one lookup table and does not take the counter apart.
        """
        name = f"count_{ones}" + (f"_{twos}" if twos else "") + f"_to_{outputs}"
        if self._is_new(name):
            inputs = ones + twos
            sums = [(x & (2**ones - 1)).bit_count() + 2 * (x >> ones).bit_count() for x in range(2**inputs)]
            tables = [sum(((total >> k) & 1) << x for x, total in enumerate(sums)) for k in range(outputs)]
            also = f", plus twice those among x[{inputs - 1}:{ones}]" if twos else ""
            self._lookup(name, inputs, tables, f"how many ones among x[{ones - 1}:0]{also}")
        return name

    def reached(self, width: int) -> str:
        """Whether a number is at least a constant: an AND or an OR per bit.

        Written as `>=`, synthesis for ECP5 and iCE40 would spend a carry chain of all bits on each constant. Written as
        a loop, yosys would read a module of hundreds of comparisons for minutes.
        """
        name = f"reached_{width}"
        if self._is_new(name):
            with self.verilog.function(name, 0, {"x": width, "level": width}, [], "x >= level"):
                self.verilog.line(f"{name} = 1'b1;")
                for i in range(width):
                    self.verilog.line(f"{name} = level[{i}] ? ({name} & x[{i}]) : ({name} | x[{i}]);")
        return name

    def table(self, inputs: int, tables: Sequence[int]) -> str:
        """Any function of few bits."""
        key = (inputs, tuple(tables))
        if key not in self._tables:
            self._tables[key] = f"table_{inputs}_{len(self._tables)}"
            self._lookup(self._tables[key], inputs, tables, "a table")
        return self._tables[key]

    def _lookup(self, name: str, inputs: int, tables: Sequence[int], what: str) -> None:
        size = 2**inputs
        names = [f"t{k}" for k in range(len(tables))]
        declared = [f"reg {bus(size)}{', '.join(names)}"]
        with self.verilog.function(name, several(len(tables)), {"x": several(inputs)}, declared, what):
            for table, content in zip(names, tables, strict=True):
                self.verilog.line(f"{table} = {size}'h{content:0{max(size // 4, 1)}x};")
            self.verilog.line(f"{name} = {concatenated([f'{table}[x]' for table in names])};")

    def small_add(self, a: int, b: int, outputs: int) -> str:
        """Sum of a number of `a` bits (in the lower bits of x) and one of `b` bits."""
        name = f"add_{a}_{b}_to_{outputs}"
        if self._is_new(name):
            columns: dict[int, list[str]] = defaultdict(list)
            for i in range(a):
                columns[i].append(f"x[{i}]")
            for i in range(b):
                columns[i].append(f"x[{a + i}]")
            self._adders(name, a + b, columns, outputs)
        return name

    def _adders(self, name: str, inputs: int, columns: Mapping[int, list[str]], outputs: int) -> None:
        """A function that adds bits with full and half adders, written as equations."""
        waiting: dict[int, list[str]] = defaultdict(list, {k: list(bits) for k, bits in columns.items()})
        equations: dict[str, str] = {}
        for column in range(outputs):
            while len(waiting[column]) > 1:
                taken, waiting[column] = waiting[column][:3], waiting[column][3:]
                total = f"s{len(equations)}"
                equations[total] = " ^ ".join(taken)
                waiting[column].append(total)
                if column + 1 < outputs:
                    carry = f"c{len(equations)}"
                    a, b, *rest = taken
                    equations[carry] = f"({a} & {b}) | ({rest[0]} & ({a} ^ {b}))" if rest else f"{a} & {b}"
                    waiting[column + 1].append(carry)
        results = [waiting[k][0] if waiting[k] else "1'b0" for k in range(outputs)]
        declared = [f"reg {', '.join(equations)}"] if equations else []
        with self.verilog.function(name, several(outputs), {"x": several(inputs)}, declared):
            for bit, equation in equations.items():
                self.verilog.line(f"{bit} = {equation};")
            self.verilog.line(f"{name} = {concatenated(results)};")


def write_cell(verilog: Verilog, cell: Cell, index: int, names: list[str], functions: Functions) -> None:
    """The wires of cell `index`, whose inputs are the bits `names`, lowest weight first."""
    target, width = cell_name(index), several(cell.outputs)
    match cell.kind:
        case CellKind.ADD3:
            _sum_of_three(verilog, cell, target, names)
            return
        case CellKind.REACHED:
            _reached(verilog, cell, target, names, functions)
            return
        case CellKind.ADD:
            a, b, _ = cell.shape
            numbers = (names[:a], names[a : a + b])
            padded = [bits[: cell.outputs] + ["1'b0"] * (cell.outputs - len(bits)) for bits in numbers]
            verilog.wire(target, width=width, value=" + ".join(map(concatenated, padded)), note=cell.note)
            return
        case CellKind.COUNT:
            ones, twos = cell.shape
            function = functions.count(ones, twos, cell.outputs)
        case CellKind.SMALL_ADD:
            a, b, _ = cell.shape
            function = functions.small_add(a, b, cell.outputs)
        case CellKind.TABLE:
            function = functions.table(len(cell.inputs), cell.shape)
    verilog.wire(target, width=width, value=f"{function}({concatenated(names)})", note=cell.note)


def _sum_of_three(verilog: Verilog, cell: Cell, target: str, names: list[str]) -> None:
    """Three rows by one carry chain: their sum without carries, and their carries one place up."""
    (width,) = cell.shape
    x, y, z = (f"{target}_{letter}" for letter in "abc")
    for k, row in enumerate((x, y, z)):
        bits = concatenated(names[k * width : (k + 1) * width])
        verilog.wire(row, width=several(width), value=bits, note="" if k else cell.note)
    if width == 1:
        verilog.wire(target, width=several(cell.outputs), value=f"{x} ^ {y} ^ {z}")
        return
    part = f"[{width - 2}:0]" if width > 2 else "[0]"
    carries = f"{{({x}{part} & {y}{part}) | ({z}{part} & ({x}{part} ^ {y}{part})), 1'b0}}"
    verilog.wire(f"{target}_m", width=width, value=carries)
    verilog.wire(target, width=several(cell.outputs), value=f"{target}_m + ({x} ^ {y} ^ {z})")


def _reached(verilog: Verilog, cell: Cell, target: str, names: list[str], functions: Functions) -> None:
    """How many constants a number reaches."""
    width = len(cell.inputs)
    compare = functions.reached(width)
    if len(cell.shape) == 1:
        verilog.wire(target, value=f"{compare}({concatenated(names)}, {width}'d{cell.shape[0]})", note=cell.note)
        return
    verilog.wire(f"{target}_x", width=several(width), value=concatenated(names), note=cell.note)
    reached = [f"{target}_{k}" for k in range(len(cell.shape))]
    for name, level in zip(reached, cell.shape, strict=True):
        verilog.wire(name, value=f"{compare}({target}_x, {width}'d{level})")
    # Bit j of the count changes whenever the count passes a multiple of 2^j.
    bits = [" ^ ".join(reached[(1 << j) - 1 :: 1 << j]) for j in range(cell.outputs)]
    verilog.wire(target, width=several(cell.outputs), value=concatenated(bits))
