"""The one writer of Verilog text: modules, signals, instances and blocks, each at its place and indented.

Widths: a signal of `width` w is `[w-1:0]`; of width 0 (the default) it is a single wire.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from .words import comment_text, identifier, string_literal

__all__ = ["CLOCK", "Expression", "Layout", "Parameter", "Port", "Verilog", "bus", "same", "several"]

T = TypeVar("T")
_INDENT = "    "
_WIDEST = 104
CLOCK = {"clk": "clk", "rst": "rst"}
"""The clock and reset ports of a unit of the library, connected to those of the module around it."""


@dataclass(frozen=True)
class Expression:
    """The value of a parameter that is Verilog; a plain text is given as a string literal."""

    text: str


@dataclass(frozen=True)
class Port:
    """A port of a module.

    Parameters
    ----------
    direction : `input` or `output`. width : see the module. note : a comment behind it. attributes : the content of
    `(* … *)` lines before it.
    """

    direction: str
    name: str
    width: int = 0
    note: str = ""
    attributes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Its declaration without a comma: attributes, then the port."""
        port = f"{self.direction:<6} wire {bus(self.width)}{identifier(self.name)}"
        return [*(f"(* {attribute} *)" for attribute in self.attributes), port]


@dataclass(frozen=True)
class Parameter:
    """A parameter of a module and its default, a number or Verilog."""

    name: str
    default: int | str
    width: int = 0
    note: str = ""

    def lines(self) -> list[str]:
        """Its declaration without a comma."""
        return [f"parameter {bus(self.width)}{identifier(self.name)} = {self.default}"]


class Layout(Enum):
    """How an instance is laid out."""

    WRAPPED = "parameters and ports in lines of their own"
    SHORT_HEAD = "parameters in the first line, ports in lines of their own"
    TWO_LINES = "one line for the parameters, one for the ports: for thousands of instances"
    ONE_LINE = "all in one line"


Value = int | str | Expression
Ports = Mapping[str, str] | Sequence[Mapping[str, str]]
Parameters = Mapping[str, Value] | Sequence[Mapping[str, Value]]


def bus(width: int) -> str:
    """`[width-1:0] ` with its blank; nothing for 0, a single wire."""
    return f"[{width - 1}:0] " if width else ""


def several(width: int) -> int:
    """The width of a signal of `width` bits that is a single wire if there is one bit only."""
    return width if width > 1 else 0


def same(*names: str) -> dict[str, str]:
    """Ports that are connected to wires of their own names."""
    return {name: name for name in names}


class Verilog:
    """Lines of Verilog, written one after the other at the indentation of the block that is open.

    Names that are declared are checked to be identifiers and comments to be one line, whatever a user called his
    layers: see `words`.
    """

    def __init__(self, depth: int = 0) -> None:
        self._lines: list[str] = []
        self._indent = _INDENT * depth

    def text(self) -> str:
        """All lines, each with its end."""
        return "".join(f"{line}\n" for line in self._lines)

    def insert(self, other: Verilog) -> None:
        """The lines of `other`, indented as they are there."""
        self._lines += other._lines

    def line(self, text: str, note: str = "") -> None:
        """A line of Verilog, and a comment behind it."""
        self._lines.append(f"{self._indent}{text}{_note(note)}")

    def lines(self, text: str) -> None:
        """Several lines as they are written in the source of the generator, indented anew."""
        for line in textwrap.dedent(text).strip("\n").split("\n"):
            self._lines.append(f"{self._indent}{line}" if line else "")

    def blank(self) -> None:
        """An empty line."""
        self._lines.append("")

    def comment(self, *lines: str) -> None:
        """Lines of comment."""
        for line in lines:
            self._lines.append(f"{self._indent}// {comment_text(line)}" if line else f"{self._indent}//")

    def layer(self, what: str, origin: str = "") -> None:
        """The comment above the hardware of a layer: what it is, and where it stands in the user's model."""
        self.blank()
        self.comment(what, *([f"from {origin}"] if origin else []))

    def header(self, *lines: str, facts: Mapping[str, object] | None = None) -> None:
        """The comment at the head of a file, `facts` as `key: value` at its end."""
        self.comment(*lines, *(f"{key}: {value}" for key, value in (facts or {}).items()))

    @contextmanager
    def block(self, head: str, end: str = "end", note: str = "") -> Iterator[None]:
        """`head`, what is written meanwhile, indented, and `end`."""
        self.line(head, note)
        outer, self._indent = self._indent, self._indent + _INDENT
        yield
        self._indent = outer
        self.line(end)

    def clocked(self, clock: str = "clk") -> AbstractContextManager[None]:
        """The block of what happens at each rising edge of a clock."""
        return self.block(f"always @(posedge {clock}) begin")

    @contextmanager
    def module(self, name: str, ports: Sequence[Port] = (), parameters: Sequence[Parameter] = ()) -> Iterator[None]:
        """A module, in which every signal must be declared."""
        self.line("`default_nettype none")
        head = f"module {identifier(name)} "
        if parameters:
            self.line(f"{head}#(")
            self._declarations(parameters)
            head = ") "
        if ports:
            self.line(f"{head}(")
            self._declarations(ports)
            head = ")"
        with self.block(f"{head.rstrip()};", "endmodule"):
            yield
        self.line("`default_nettype wire")

    def _declarations(self, items: Sequence[Port | Parameter]) -> None:
        """Items separated by commas, their notes below each other."""
        declared = [item.lines() for item in items]
        for lines in declared[:-1]:
            lines[-1] += ","
        column = max((len(lines[-1]) for lines, item in zip(declared, items, strict=True) if item.note), default=0)
        for lines, item in zip(declared, items, strict=True):
            *attributes, last = lines
            for text in attributes:
                self._lines.append(f"{self._indent}{_INDENT}{text}")
            self._lines.append(f"{self._indent}{_INDENT}{last.ljust(column) if item.note else last}{_note(item.note)}")

    def wire(self, *names: str, width: int = 0, value: str = "", note: str = "") -> None:
        """Wires of one width; a single one may have its value at once."""
        self._signal("wire", names, width, value, note)

    def reg(self, *names: str, width: int = 0, value: str = "", note: str = "") -> None:
        """Registers of one width; a single one may have an initial value."""
        self._signal("reg", names, width, value, note)

    def _signal(self, kind: str, names: tuple[str, ...], width: int, value: str, note: str) -> None:
        listed = ", ".join(identifier(name) for name in names)
        self.line(f"{kind} {bus(width)}{listed}{f' = {value}' if value else ''};", note)

    def assign(self, target: str, value: str) -> None:
        """A continuous assignment."""
        self.line(f"assign {target} = {value};")

    @contextmanager
    def function(
        self, name: str, width: int, inputs: Mapping[str, int], declared: Sequence[str] = (), note: str = ""
    ) -> Iterator[None]:
        """A function of `width` bits; `inputs` by name with their widths, `declared` its variables, as Verilog."""
        with self.block(f"function {bus(width)}{identifier(name)};", "endfunction", note):
            for argument, bits in inputs.items():
                self.line(f"input {bus(bits)}{identifier(argument)};")
            for variable in declared:
                self.line(f"{variable};")
            with self.block("begin"):
                yield

    def instance(
        self, module: str, name: str, ports: Ports, parameters: Parameters = (), layout: Layout = Layout.WRAPPED
    ) -> None:
        """An instance of `module`; ports and parameters by name. Of several mappings each begins a line."""
        head = f"{identifier(module)} "
        values = _connected([{key: _literal(value) for key, value in group.items()} for group in _groups(parameters)])
        wires = _connected(_groups(ports))
        unit = identifier(name)
        match layout:
            case Layout.TWO_LINES:
                self.line(f"{head}#({_joined(values)})")
                self.line(f"{_INDENT}{unit} ({_joined(wires)});")
                return
            case Layout.ONE_LINE:
                self.line(f"{head}{f'#({_joined(values)}) ' if values else ''}{unit} ({_joined(wires)});")
                return
            case Layout.SHORT_HEAD:
                head += f"#({_joined(values)}) "
            case Layout.WRAPPED if values:
                self.line(f"{head}#(")
                self._wrapped(values)
                head = ") "
        self.line(f"{head}{unit} (")
        self._wrapped(wires)
        self.line(");")

    def _wrapped(self, groups: list[list[str]]) -> None:
        for group in groups:
            line = ""
            for item in group:
                if line and len(line) + 1 + len(item) > _WIDEST:
                    self.line(f"{_INDENT}{line}")
                    line = item
                else:
                    line = f"{line} {item}".strip()
            self.line(f"{_INDENT}{line}")


def _note(note: str) -> str:
    return f"  // {comment_text(note)}" if note else ""


def _literal(value: Value) -> str:
    if isinstance(value, Expression):
        return value.text
    return string_literal(value) if isinstance(value, str) else str(value)


def _groups(given: Mapping[str, T] | Sequence[Mapping[str, T]]) -> list[Mapping[str, T]]:
    return [given] if isinstance(given, Mapping) else list(given)


def _connected(groups: list[Mapping[str, str]]) -> list[list[str]]:
    """`.name(value)` with the commas between them, group by group; no empty groups."""
    connected = [[f".{key}({value})," for key, value in group.items()] for group in groups if group]
    if connected:
        connected[-1][-1] = connected[-1][-1][:-1]
    return connected


def _joined(groups: list[list[str]]) -> str:
    return " ".join(item for group in groups for item in group)
