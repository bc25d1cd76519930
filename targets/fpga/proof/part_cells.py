"""Cells of ECP5 and iCE40 as tables and registers, so that a netlist is read as a circuit.

What a cell does is what yosys's simulation models say of it (`cells_sim.v` of each family); this file is trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from edgeml.errors import InputError

__all__ = ["PART_CELLS", "in_tables"]

_Bit = int | str
_Cell = dict[str, Any]
_Generic = tuple[str, Mapping[str, str], dict[str, list[_Bit]]]
PART_CELLS = {
    "ecp5": ("LUT4", "CCU2C", "PFUMX", "L6MUX21", "TRELLIS_FF"),
    "ice40": ("SB_LUT4", "SB_CARRY", "SB_DFF", "SB_DFFSR", "SB_DFFSS"),
}
"""The cells of a family that are known here."""


def in_tables(module: Mapping[str, Any]) -> dict[str, Any]:
    """A module of yosys's JSON with the cells of a part replaced by `$lut`, `$mux` and `$dff`.

    Raises InputError where a cell is of another kind, or is used in a way that is not known here.
    """
    fresh = iter(range(1 << 40, 1 << 41))
    cells: dict[str, _Cell] = {}
    for name, cell in module["cells"].items():
        if cell["type"] == "$scopeinfo":
            continue
        if cell["type"] not in _MADE:
            raise InputError(f"cell {name}", f"is of kind {cell['type']}, which proofs of netlists do not know")
        for number, (kind, parameters, wires) in enumerate(_MADE[cell["type"]](name, cell, fresh)):
            cells[f"{name}:{number}"] = {"type": kind, "parameters": parameters, "connections": wires}
    return {**module, "cells": cells}


def _lut(table: int, inputs: Sequence[_Bit], output: _Bit) -> _Generic:
    return "$lut", {"LUT": f"{table:0{1 << len(inputs)}b}"}, {"A": list(inputs), "Y": [output]}


def _one(cell: _Cell, port: str) -> _Bit:
    if not cell["connections"].get(port):
        raise InputError(f"a cell of kind {cell['type']}", f"has nothing at {port}")
    found: _Bit = cell["connections"][port][0]
    return found


def _lut4(initial: str, inputs: str, output: str) -> Callable[..., Iterator[_Generic]]:
    ports = inputs.split()

    def made(name: str, cell: _Cell, fresh: Iterator[int]) -> Iterator[_Generic]:
        yield _lut(int(cell["parameters"][initial], 2), [_one(cell, port) for port in ports], _one(cell, output))

    return made


def _table(function: Callable[..., int], inputs: str, output: str) -> Callable[..., Iterator[_Generic]]:
    ports = inputs.split()
    table = sum(function(*((x >> k) & 1 for k in range(len(ports)))) << x for x in range(1 << len(ports)))

    def made(name: str, cell: _Cell, fresh: Iterator[int]) -> Iterator[_Generic]:
        yield _lut(table, [_one(cell, port) for port in ports], _one(cell, output))

    return made


def _ccu2c(name: str, cell: _Cell, fresh: Iterator[int]) -> Iterator[_Generic]:
    """Two lookup tables and the carry through them."""
    carry = _one(cell, "CIN")
    for half in "01":
        table, injected = int(cell["parameters"][f"INIT{half}"], 2), cell["parameters"][f"INJECT1_{half}"] == "YES"
        sums = carries = 0
        for x in range(32):
            lut4, lut2, given = (table >> (x & 15)) & 1, (table >> (x & 3)) & 1, x >> 4
            sums |= (lut4 ^ (0 if injected else given)) << x
            carries |= (given if lut4 else 0 if injected else lut2) << x
        inputs = [_one(cell, f"{port}{half}") for port in "ABCD"] + [carry]
        out: _Bit = next(fresh) if half == "0" or not cell["connections"].get("COUT") else _one(cell, "COUT")
        if cell["connections"].get(f"S{half}"):
            yield _lut(sums, inputs, _one(cell, f"S{half}"))
        yield _lut(carries, inputs, out)
        carry = out


def _register(
    clock: _Bit, data: _Bit, output: _Bit, resets: _Bit, value: int, fresh: Iterator[int]
) -> Iterator[_Generic]:
    """A register of the rising clock that takes `value` where `resets`."""
    taken: _Bit = data
    if resets != "0":
        taken = next(fresh)
        yield "$mux", {}, {"A": [data], "B": [str(value)], "S": [resets], "Y": [taken]}
    yield "$dff", {"CLK_POLARITY": "1"}, {"CLK": [clock], "D": [taken], "Q": [output]}


def _trellis_ff(name: str, cell: _Cell, fresh: Iterator[int]) -> Iterator[_Generic]:
    parameters = {key: value.strip() for key, value in cell["parameters"].items()}
    known = {
        "CEMUX": "1",
        "CLKMUX": "CLK",
        "GSR": "DISABLED",
        "LSRMUX": "LSR",
        "SRMODE": "LSR_OVER_CE",
        "LSRMODE": "LSR",
    }
    other = {key for key, value in known.items() if parameters.get(key, value) != value} | (
        parameters.keys() - known.keys() - {"REGSET"}
    )
    if other or "CEMUX" not in parameters:
        raise InputError(f"register {name}", f"is used in a way that proofs do not know: {', '.join(sorted(other))}")
    value = int(parameters.get("REGSET", "RESET") == "SET")
    clock, data, output, resets = (_one(cell, port) for port in ("CLK", "DI", "Q", "LSR"))
    yield from _register(clock, data, output, resets, value, fresh)


def _sb_dff(port: str, value: int) -> Callable[..., Iterator[_Generic]]:
    def made(name: str, cell: _Cell, fresh: Iterator[int]) -> Iterator[_Generic]:
        resets = _one(cell, port) if port else "0"
        yield from _register(_one(cell, "C"), _one(cell, "D"), _one(cell, "Q"), resets, value, fresh)

    return made


_MADE: dict[str, Callable[[str, _Cell, Iterator[int]], Iterator[_Generic]]] = {
    "LUT4": _lut4("INIT", "A B C D", "Z"),
    "CCU2C": _ccu2c,
    "PFUMX": _table(lambda a, b, c: a if c else b, "ALUT BLUT C0", "Z"),
    "L6MUX21": _table(lambda zero, one, chosen: one if chosen else zero, "D0 D1 SD", "Z"),
    "TRELLIS_FF": _trellis_ff,
    "SB_LUT4": _lut4("LUT_INIT", "I0 I1 I2 I3", "O"),
    "SB_CARRY": _table(lambda a, b, c: int(a + b + c > 1), "I0 I1 CI", "CO"),
    "SB_DFF": _sb_dff("", 0),
    "SB_DFFSR": _sb_dff("R", 0),
    "SB_DFFSS": _sb_dff("S", 1),
}
