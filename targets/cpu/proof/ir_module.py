"""Programs in LLVM's intermediate form: globals, functions, blocks, instructions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .ir_types import VOID, Type

__all__ = [
    "POISON",
    "Block",
    "Constant",
    "Function",
    "Global",
    "Instruction",
    "Local",
    "Module",
    "Operand",
    "Symbol",
    "Unread",
]


class Unread(Exception):
    """Text that is not of the form that is followed; says what."""


class _Poison:
    def __repr__(self) -> str:
        return "poison"


POISON: Any = _Poison()
"""An element that may be anything."""


@dataclass(frozen=True)
class Local:
    """A value of a function, by its name."""

    name: str


@dataclass(frozen=True)
class Symbol:
    """The address of a global or a function, and so many bytes behind it."""

    name: str
    offset: int = 0


@dataclass(frozen=True)
class Constant:
    """An integer, a list of elements, bytes, None for zeros, or `POISON`."""

    value: Any


Operand = Local | Symbol | Constant


@dataclass
class Instruction:
    """One instruction. kind : its word. kinds of comparison, flags and the like are in `extra`."""

    kind: str
    target: str = ""
    type: Type = VOID
    operands: list[Operand] = field(default_factory=list)
    types: list[Type] = field(default_factory=list)
    flags: frozenset[str] = frozenset()
    extra: Any = None
    text: str = ""


@dataclass
class Block:
    """Instructions that follow each other."""

    name: str
    instructions: list[Instruction] = field(default_factory=list)


@dataclass
class Function:
    """A function that is defined. parameters : (name, type)."""

    name: str
    parameters: list[tuple[str, Type]]
    blocks: list[Block] = field(default_factory=list)


@dataclass
class Global:
    """An object of the whole program."""

    name: str
    type: Type
    value: Operand
    constant: bool
    alignment: int


@dataclass
class Module:
    """All of it."""

    globals: dict[str, Global] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    types: dict[str, Type] = field(default_factory=dict)
