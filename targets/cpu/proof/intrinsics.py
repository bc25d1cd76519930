"""What LLVM calls instead of an instruction: operations of its own, and a processor's that it has no words for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .context import Context
from .floating import FLOATING_CALLS
from .ir_module import Instruction
from .ir_types import Integer, Type, Vector
from .neon import NEON
from .numbers import Stopped
from .vectors import Vec, from_elements, of_elements
from .x86 import X86

__all__ = ["INTRINSICS"]

Rule = Callable[[Context, Instruction, list[Any]], Any]


def _on_elements(function: Callable[..., Any], count: int) -> Rule:
    """The same of each element, of vectors or of integers: function(numbers, bits, …)."""

    def rule(machine: Context, instruction: Instruction, values: list[Any]) -> Any:
        numbers, type_ = machine.numbers, instruction.type
        if not isinstance(type_, Vector):
            assert isinstance(type_, Integer)
            return function(numbers, type_.bits, *values[:count])
        bits = type_.bits
        columns = [of_elements(numbers, value, bits) for value in values[:count]]
        found = [
            None if any(each is None for each in row) else function(numbers, bits, *row)
            for row in zip(*columns, strict=True)
        ]
        return from_elements(found, bits)

    return rule


def _extreme(comparison: str) -> Callable[..., Any]:
    def extreme(numbers: Any, bits: int, a: Any, b: Any) -> Any:
        return numbers.select(numbers.compare(comparison, bits, a, b), bits, a, b)

    return extreme


def _absolute(numbers: Any, bits: int, a: Any) -> Any:
    return numbers.select(numbers.compare("slt", bits, a, 0), bits, numbers.binary("sub", bits, 0, a), a)


def _ones(numbers: Any, bits: int, a: Any) -> Any:
    """How many bits are 1."""
    if isinstance(a, int):
        return a.bit_count()
    if bits != 64:
        return numbers.make("ones", numbers.zeros(a, bits))
    return numbers.joined(numbers.add(*(numbers.make("ones", word) for word in numbers.pair(a))), 0)


def _saturating(name: str, signed: bool) -> Callable[..., Any]:
    def saturating(numbers: Any, bits: int, a: Any, b: Any) -> Any:
        if bits > 16:
            raise Stopped(f"saturation to {bits} bits is not followed")
        cut = numbers.signs if signed else numbers.zeros
        exact = numbers.make(name, cut(a, bits), cut(b, bits))
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
        return numbers.saturated(exact, low, high)

    return saturating


def _sum(machine: Context, instruction: Instruction, values: list[Any]) -> Any:
    type_ = instruction.types[0]
    assert isinstance(type_, Vector)
    total: Any = 0
    for each in of_elements(machine.numbers, values[0], type_.bits):
        total = machine.numbers.binary("add", type_.bits, total, each)
    return total


def _filled(machine: Context, instruction: Instruction, values: list[Any]) -> Any:
    address, byte, count = values[:3]
    size = machine.constant(count, "a number of bytes")
    if size:
        found, at = machine.memory.place(machine.constant(address, "an address"), size, write=True)
        machine.memory.write(found, at, [machine.constant(byte, "a byte")] * size)


def _copied(machine: Context, instruction: Instruction, values: list[Any]) -> Any:
    target, source, count = values[:3]
    size = machine.constant(count, "a number of bytes")
    if size:
        found, at = machine.memory.place(machine.constant(source, "an address"), size, write=False)
        cells = found.cells[at : at + size]
        found, at = machine.memory.place(machine.constant(target, "an address"), size, write=True)
        machine.memory.write(found, at, cells)


def _mask(machine: Context, mask: Vec) -> list[int]:
    return [machine.constant(lane, "a mask of memory") & 1 for lane in mask.lanes]


def _element(type_: Type) -> Type:
    assert isinstance(type_, Vector)
    return type_.element


def _masked_load(machine: Context, instruction: Instruction, values: list[Any]) -> Any:
    address, mask, otherwise = values[-3:]
    type_ = instruction.type
    element, bits = _element(type_), instruction.type.bits  # type: ignore[attr-defined]
    rest = of_elements(machine.numbers, otherwise, bits)
    at = machine.constant(address, "an address")
    found = [
        machine.memory.load(element, at + place * element.bytes, 1) if holds else rest[place]
        for place, holds in enumerate(_mask(machine, mask))
    ]
    return from_elements(found, bits)


def _masked_store(machine: Context, instruction: Instruction, values: list[Any]) -> Any:
    value, address, mask = values[0], values[1], values[-1]
    type_ = instruction.types[0]
    element = _element(type_)
    elements = of_elements(machine.numbers, value, type_.bits)  # type: ignore[attr-defined]
    at = machine.constant(address, "an address")
    for place, holds in enumerate(_mask(machine, mask)):
        if holds:
            machine.memory.store(element, elements[place], at + place * element.bytes, 1)


def _nothing(machine: Context, instruction: Instruction, values: list[Any]) -> Any:
    return None


INTRINSICS: dict[str, Rule] = {
    "llvm.umin": _on_elements(_extreme("ult"), 2),
    "llvm.umax": _on_elements(_extreme("ugt"), 2),
    "llvm.smin": _on_elements(_extreme("slt"), 2),
    "llvm.smax": _on_elements(_extreme("sgt"), 2),
    "llvm.abs": _on_elements(_absolute, 1),
    "llvm.ctpop": _on_elements(_ones, 1),
    "llvm.sadd.sat": _on_elements(_saturating("add", True), 2),
    "llvm.ssub.sat": _on_elements(_saturating("sub", True), 2),
    "llvm.uadd.sat": _on_elements(_saturating("add", False), 2),
    "llvm.usub.sat": _on_elements(_saturating("sub", False), 2),
    "llvm.vector.reduce.add": _sum,
    "llvm.memset": _filled,
    "llvm.memcpy": _copied,
    "llvm.masked.load": _masked_load,
    "llvm.masked.store": _masked_store,
    "llvm.assume": _nothing,
    **X86,
    **NEON,
    **FLOATING_CALLS,
}
"""By the beginning of the name."""
