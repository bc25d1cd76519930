"""A Verilog module as yosys reads it, its submodules put in their places: cells, memories, and who drives each bit.

Bits are numbers: 0 and 1 are the constants, `UNKNOWN` is what no value was given; all others are signals.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgeml.errors import CheckFailed, InputError, printable
from edgeml.system.regular_file import read_regular
from edgeml.system.scratch import ScratchFolder

from ...tools.synthesize import run_yosys
from ..yosys_reader import yosys_version

__all__ = ["UNKNOWN", "Cell", "Memory", "Modules", "Netlist", "read_core"]

UNKNOWN = -1
_CONSTANTS = {"0": 0, "1": 1, "x": UNKNOWN, "z": UNKNOWN}
_LARGEST_NETLIST = 2**31
_FIRST = 2
_OUTPUTS = {"$dff": ("Q",), "$memrd": ("DATA",)}

Bits = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell or kept instance: its kind (of an instance the module's own name), parameters, and bits by port."""

    kind: str
    name: str
    parameters: Mapping[str, int | str]
    ports: Mapping[str, Bits]
    module: str = ""


@dataclass(eq=False)
class Memory:
    """Words of so many bits. content : what it holds from the start, by word; None where nothing is given.

    writes : cells that write to it.
    """

    width: int
    words: int
    content: list[int | None] = field(default_factory=list)
    writes: list[Cell] = field(default_factory=list)


class Modules:
    """All modules of a design, with their parameters settled, as yosys's JSON has them."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content

    def own_name(self, module: str) -> str:
        """The name of a module in the Verilog, without what yosys adds for its parameters."""
        given = str(self.content[module]["attributes"].get("hdlname", module))
        return given.rsplit("\\", 1)[-1].strip()

    def parameters(self, module: str) -> dict[str, int | str]:
        """The values of a module's parameters: integers, and text."""
        given = self.content[module].get("parameter_default_values", {})
        return {name: _parameter(value) for name, value in given.items()}

    def below(self, module: str) -> list[str]:
        """A module and all that it is made of."""
        found, waiting = [module], [module]
        while waiting:
            for cell in self.content[waiting.pop()]["cells"].values():
                if cell["type"] in self.content and cell["type"] not in found:
                    found.append(cell["type"])
                    waiting.append(cell["type"])
        return found


def read_core(files: Mapping[str, bytes], top: str, sources: Sequence[str]) -> Modules:
    """What yosys reads of `top` in files by name: Verilog in `sources`, and memories that it loads.

    Raises ToolFailed where yosys finds the text wrong.
    """
    yosys_version()
    with ScratchFolder("proof") as folder:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        script = f"read_verilog -defer {' '.join(sources)}; hierarchy -top {top}; proc -noopt; write_json read.json"
        run_yosys(script, folder)
        try:
            return Modules(json.loads(read_regular(folder / "read.json", _LARGEST_NETLIST))["modules"])
        except (ValueError, KeyError) as error:
            raise InputError(f"module {top}", f"is not in what yosys read ({printable(error)})") from error


def _parameter(value: str) -> int | str:
    """A parameter as yosys writes it: bits of an integer of 32 bits, or text."""
    if value and set(value) <= {"0", "1"}:
        number = int(value, 2)
        return number - (1 << 32) if len(value) == 32 and number >> 31 else number
    return value.strip()


class Netlist:
    """A module, whole.

    Parameters
    ----------
    keep : names of modules whose instances stay cells.
    """

    def __init__(self, modules: Modules, module: str, keep: Iterable[str] = ()) -> None:
        self.modules, self.keep = modules, frozenset(keep)
        self.cells: list[Cell] = []
        self.memories: dict[str, Memory] = {}
        self.words: dict[str, Bits] = {}
        self.driver: dict[int, tuple[Cell, str, int]] = {}
        self._next = _FIRST
        self.ports: dict[str, Bits] = {}
        ports = modules.content[module]["ports"]
        numbers: dict[int, int] = {}
        for name, port in ports.items():
            self.ports[name] = self._bits(port["bits"], numbers)
        self._given = {bit for name, port in ports.items() if port["direction"] == "input" for bit in self.ports[name]}
        self._add(module, "", numbers)

    def _bits(self, given: Sequence[int | str], numbers: dict[int, int]) -> Bits:
        found = []
        for bit in given:
            if isinstance(bit, str):
                found.append(_CONSTANTS[bit])
                continue
            if bit not in numbers:
                numbers[bit] = self._next
                self._next += 1
            found.append(numbers[bit])
        return tuple(found)

    def _add(self, module: str, prefix: str, numbers: dict[int, int]) -> None:
        content = self.modules.content[module]
        for name, memory in content.get("memories", {}).items():
            self.memories[prefix + name] = Memory(memory["width"], memory["size"], [None] * memory["size"])
        for name, cell in content["cells"].items():
            ports = {port: self._bits(bits, numbers) for port, bits in cell["connections"].items()}
            kind = cell["type"]
            if kind in self.modules.content:
                if self.modules.own_name(kind) in self.keep:
                    self._instance(prefix + name, kind, ports)
                else:
                    inner = self.modules.content[kind]["ports"]
                    self._add(kind, f"{prefix}{name}.", self._joined(prefix + name, inner, ports))
                continue
            parameters = {key: _parameter(value) for key, value in cell["parameters"].items()}
            self._cell(Cell(kind, prefix + name, parameters, ports), prefix)
        for name, net in content["netnames"].items():
            if not net.get("hide_name"):
                self.words[prefix + name] = self._bits(net["bits"], numbers)

    def _joined(self, name: str, inner: Mapping[str, Any], ports: Mapping[str, Bits]) -> dict[int, int]:
        """Numbers of a submodule's bits: those of its ports are what they are joined to."""
        numbers: dict[int, int] = {}
        for port, about in inner.items():
            outer = ports.get(port)
            if outer is None:
                continue
            for bit, joined in zip(about["bits"], outer, strict=True):
                if isinstance(bit, str):
                    self._join(name, _CONSTANTS[bit], joined)
                elif numbers.setdefault(bit, joined) != joined:
                    self._join(name, numbers[bit], joined)
        return numbers

    def _join(self, name: str, source: int, target: int) -> None:
        """A port that is a constant inside, or the same as another port: a cell that passes it on."""
        self._cell(Cell("$pos", name, {"A_SIGNED": 0}, {"A": (source,), "Y": (target,)}), "")

    def _instance(self, name: str, module: str, ports: Mapping[str, Bits]) -> None:
        about = self.modules.content[module]["ports"]
        cell = Cell(self.modules.own_name(module), name, self.modules.parameters(module), ports, module)
        self._enter(cell, [port for port, each in about.items() if each["direction"] == "output"])

    def _cell(self, cell: Cell, prefix: str) -> None:
        if cell.kind.startswith("$mem"):
            memory = self.memories[prefix + str(cell.parameters["MEMID"]).lstrip("\\")]
            if cell.kind == "$meminit_v2":
                self._content(cell, memory)
                return
            cell = Cell(cell.kind, cell.name, {**cell.parameters, "MEMID": self._key(memory)}, cell.ports)
            if cell.kind == "$memwr_v2":
                memory.writes.append(cell)
                return
        self._enter(cell, _OUTPUTS.get(cell.kind, ("Y",)))

    def _key(self, memory: Memory) -> str:
        return next(name for name, each in self.memories.items() if each is memory)

    def _enter(self, cell: Cell, outputs: Iterable[str]) -> None:
        self.cells.append(cell)
        for port in outputs:
            for place, bit in enumerate(cell.ports.get(port, ())):
                if bit == UNKNOWN:
                    continue
                if bit in (0, 1) or bit in self.driver or bit in self._given:
                    raise CheckFailed(f"signal {self.name_of(bit)}", "is driven twice")
                self.driver[bit] = (cell, port, place)

    @staticmethod
    def _content(cell: Cell, memory: Memory) -> None:
        address, data, enabled = (cell.ports[port] for port in ("ADDR", "DATA", "EN"))
        if any(bit > 1 for bit in address):
            return
        first = sum(bit << k for k, bit in enumerate(address))
        for word in range(int(cell.parameters["WORDS"])):
            bits = data[word * memory.width : (word + 1) * memory.width]
            known = all(bit in (0, 1) for bit in bits) and all(bit == 1 for bit in enabled)
            if first + word < memory.words:
                memory.content[first + word] = sum(bit << k for k, bit in enumerate(bits)) if known else None

    def name_of(self, bit: int) -> str:
        """A name for a bit, for people."""
        names = [name for name, bits in self.words.items() if bit in bits]
        return min(names, key=len, default=f"bit {bit}")

    def word(self, name: str) -> Bits:
        """The bits of a name. CheckFailed if the module has no such name."""
        if name not in self.words:
            raise CheckFailed(f"signal {name}", "is not there")
        return self.words[name]
