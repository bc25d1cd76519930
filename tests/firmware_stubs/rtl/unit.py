"""A module of the RTL library with parameters, and what its header says of its ports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

__all__ = ["RTL", "Unit", "packed", "ports_of", "signed", "slowly", "sources_of", "units", "unpacked"]

RTL = Path(__file__).parents[3] / "firmware_stubs" / "rtl"

_PORT = re.compile(r"^    (input|output) +(?:wire|reg) *(?:signed)? *(?:\[(.+?):0\])? +(\w+)\b", re.MULTILINE)
_PARAMETER = re.compile(r"^    parameter +(?:signed +)?(?:\[.*?\] +)?(\w+) = ([^,\n]*)", re.MULTILINE)
_SHOWN = 12
"""Letters of a parameter's value in the name of a unit."""
_CHOICE = re.compile(r"\((.+?)\) \? (.+?) : (.+)")


@dataclass(frozen=True)
class Unit:
    """A module with parameters.

    Parameters
    ----------
    module : name of the module and, with `.v`, of its file.
    parameters : (name, value); a text is taken as Verilog's string unless it is a number with a base (`32'sd5`).
    files : (parameter that names a file, the words of the memory that it fills).
    slow : compiled with the other slow units, and started only by tests marked slow.
    """

    module: str
    parameters: tuple[tuple[str, int | str], ...] = ()
    files: tuple[tuple[str, tuple[int, ...]], ...] = ()
    slow: bool = False

    def __str__(self) -> str:
        return "-".join([self.module.removeprefix("edgeml_"), *(str(value)[:_SHOWN] for _, value in self.parameters)])

    def __getitem__(self, name: str) -> Any:
        return dict(self.parameters)[name]

    def words(self, name: str) -> tuple[int, ...]:
        """What the memory holds whose file this parameter names."""
        return dict(self.files)[name]


def units(module: str, *parameters: Mapping[str, int | str], slow: bool = False, **files: Sequence[int]) -> list[Unit]:
    """A unit for each set of parameters, one without any if there is none; all with the same `files`."""
    kept = tuple((name, tuple(words)) for name, words in files.items())
    return [Unit(module, tuple(values.items()), kept, slow) for values in parameters or [{}]]


def slowly(units: Iterable[Unit]) -> list[Unit]:
    """The same units for the long sweeps."""
    return [replace(unit, slow=True) for unit in dict.fromkeys(units)]


def packed(values: Sequence[int], bits: int) -> int:
    """A word of values of so many bits each, the first in the lowest; negative ones in two's complement."""
    return sum((value & (1 << bits) - 1) << place * bits for place, value in enumerate(values))


def unpacked(word: int, bits: int, count: int, is_signed: bool) -> list[int]:
    """The values that `packed` put into a word."""
    numbers = [word >> place * bits & (1 << bits) - 1 for place in range(count)]
    return [signed(number, bits) for number in numbers] if is_signed else numbers


def signed(value: int, bits: int) -> int:
    """The number that `bits` bits are in two's complement."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def sources_of(module: str) -> list[str]:
    """Names of the files that a module needs: its own first, then those of the modules in it."""
    found: list[str] = []
    left = [module]
    while left:
        name = left.pop()
        if name not in found:
            found.append(name)
            text = (RTL / f"{name}.v").read_text("utf-8")
            left += re.findall(r"^ +(edgeml_\w+) (?:#\(|\w+ \()", text, re.MULTILINE)
    return [f"{name}.v" for name in found]


def ports_of(unit: Unit) -> list[tuple[str, str, int]]:
    """(direction, name, bits) of a unit's ports, in the order of its header."""
    text = (RTL / f"{unit.module}.v").read_text("utf-8")
    given = dict(unit.parameters)
    values: dict[str, Any] = {}
    for name, default in _PARAMETER.findall(text):
        if name in given:
            values[name] = given[name]
        elif '"' not in default and "'" not in default:
            values[name] = _evaluated(default.partition("//")[0].strip(), values)
    ports = [
        (direction, name, _evaluated(upper, values) + 1 if upper else 1)
        for direction, upper, name in _PORT.findall(text)
    ]
    assert len(ports) == len(re.findall(r"^    (?:input|output) ", text, re.MULTILINE)), f"{unit.module}: ports"
    return ports


def _evaluated(expression: str, values: Mapping[str, Any]) -> int:
    """The value of a constant expression in a header of ours: sums, products, `$clog2` and a choice."""
    text = _CHOICE.sub(r"((\2) if (\1) else (\3))", expression.replace("$clog2", "clog2"))
    names = {"__builtins__": {}, "clog2": lambda number: (int(number) - 1).bit_length()}
    return int(eval(text, names, dict(values)))
