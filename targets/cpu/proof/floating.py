"""Vectors of floating point: lanes are the bits of their numbers, rounded to the nearest with ties to even.

A float64 is a word of 64 bits. That no processor state changes the rounding is what C says of a program that does not
ask for another.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from struct import pack, unpack
from typing import Any

from .context import Context
from .frame import Frame
from .ir_module import Instruction
from .ir_types import Integer, Named, Vector
from .numbers import NotFollowed, Number, Numbers
from .vectors import Vec, from_elements, of_elements

__all__ = ["FLOATING", "FLOATING_CALLS"]

Operation = Callable[[list[Any]], None]
Rule = Callable[[Context, Instruction, list[Any]], Any]
_NEAREST, _AS_IT_IS = 8, 4
"""Immediate operands of AVX-512: to the nearest without exceptions; as the processor is set."""
_SIGN = {32: 1 << 31, 64: 1 << 63}


def made(numbers: Numbers, name: str, bits: int, *operands: Number) -> Number:
    """`add`, `mul` or `of_s32`: a number of so many bits."""
    if bits == 32:
        return numbers.make(f"f32_{name}", *operands)  # type: ignore[arg-type]
    words = [word for operand in operands for word in (numbers.pair(operand) if name != "of_s32" else (operand,))]
    low, high = (numbers.make(f"f64_{name}_{half}", *words) for half in ("low", "high"))  # type: ignore[arg-type]
    return numbers.joined(low, high)


def less(numbers: Numbers, bits: int, a: Number, b: Number) -> Any:
    """1 where a < b, else 0."""
    if bits == 32:
        return numbers.make("f32_less", a, b)  # type: ignore[arg-type]
    return numbers.make("f64_less", *numbers.pair(a), *numbers.pair(b))


def _smaller(numbers: Numbers, bits: int, a: Number, b: Number) -> Any:
    """VMINPS, VMINPD: the second where neither is less."""
    return numbers.select(less(numbers, bits, a, b), bits, a, b)


def _larger(numbers: Numbers, bits: int, a: Number, b: Number) -> Any:
    return numbers.select(less(numbers, bits, b, a), bits, a, b)


def _difference(numbers: Numbers, bits: int, a: Number, b: Number) -> Any:
    return made(numbers, "add", bits, a, numbers.binary("xor", bits, b, _SIGN[bits]))


def _fused(numbers: Numbers, bits: int, a: Number, b: Number, c: Number) -> int:
    """a · b + c, rounded once: of constants."""
    if bits != 64 or not (isinstance(a, int) and isinstance(b, int) and isinstance(c, int)):
        raise NotFollowed("a product and a sum that are rounded once, of what depends on inputs")
    one, other, third = (Fraction(unpack("<d", pack("<Q", each))[0]) for each in (a, b, c))
    return int(unpack("<Q", pack("<d", float(one * other + third)))[0])


def _bits_of(type_: Any) -> int:
    if isinstance(type_, Vector) and isinstance(type_.element, Named):
        return type_.bits
    raise NotFollowed("floating point outside of vectors is not followed")


def _on_lanes(numbers: Numbers, bits: int, values: list[Vec], function: Callable[..., Any]) -> Vec:
    columns = [of_elements(numbers, value, bits) for value in values]
    rows = zip(*columns, strict=True)
    found = [None if any(each is None for each in row) else function(numbers, bits, *row) for row in rows]
    return from_elements(found, bits)


def _instruction(function: Callable[..., Any]) -> Callable[[Frame, Instruction], Operation]:
    def build(frame: Frame, instruction: Instruction) -> Operation:
        bits, numbers = _bits_of(instruction.type), frame.machine.numbers
        if instruction.flags:
            raise NotFollowed(f"flags of {instruction.text[:80]}")
        places = [frame.operand(operand, instruction.type) for operand in instruction.operands]
        target = frame.target(instruction)

        def run(frame: list[Any]) -> None:
            frame[target] = _on_lanes(numbers, bits, [frame[place] for place in places], function)

        return run

    return build


def _from_integers(frame: Frame, instruction: Instruction) -> Operation:
    """`sitofp` of integers of 32 bits."""
    before, after = instruction.types[0], instruction.type
    bits, numbers = _bits_of(after), frame.machine.numbers
    if not isinstance(before, Vector) or before.element != Integer(32) or instruction.flags:
        raise NotFollowed(f"floating point of other integers: {instruction.text[:80]}")
    place, target = frame.operand(instruction.operands[0], before), frame.target(instruction)

    def run(frame: list[Any]) -> None:
        frame[target] = _converted(numbers, bits, frame[place])

    return run


def _converted(numbers: Numbers, bits: int, integers: Vec) -> Vec:
    lanes = of_elements(numbers, integers, 32)
    return from_elements([None if each is None else made(numbers, "of_s32", bits, each) for each in lanes], bits)


def _called(function: Callable[..., Any], count: int, *modes: int) -> Rule:
    """The same, called by name, with how it rounds behind its operands where `modes` says which are known."""

    def rule(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
        if modes and values[count] not in modes:
            raise NotFollowed(f"another rounding: {instruction.text[:80]}")
        return _on_lanes(machine.numbers, _bits_of(instruction.type), values[:count], function)

    return rule


def _converted_by_name(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
    if values[1] != _NEAREST:
        raise NotFollowed(f"another rounding: {instruction.text[:80]}")
    return _converted(machine.numbers, _bits_of(instruction.type), values[0])


def _to_integers(bits: int, mode: int) -> Rule:
    """VCVTPS2DQ and VCVTTPD2DQ of all lanes: signed integers, by rounding and by cutting off."""

    def rule(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
        numbers, (real, _, mask, how) = machine.numbers, values
        lanes = of_elements(numbers, real, bits)
        if how != mode or not isinstance(mask, int) or mask & (1 << len(lanes)) - 1 != (1 << len(lanes)) - 1:
            raise NotFollowed(f"another conversion: {instruction.text[:80]}")
        name = f"s32_of_f{bits}"
        words = [None if x is None else (x,) if bits == 32 else numbers.pair(x) for x in lanes]
        return Vec(32, [None if each is None else numbers.make(name, *each) for each in words])

    return rule


def _sum(numbers: Numbers, bits: int, a: Number, b: Number) -> Any:
    return made(numbers, "add", bits, a, b)


def _product(numbers: Numbers, bits: int, a: Number, b: Number) -> Any:
    return made(numbers, "mul", bits, a, b)


def _rounded_lanes(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
    """VCVTPS2DQ as the processor is set."""
    lanes = of_elements(machine.numbers, values[0], 32)
    return Vec(32, [None if x is None else machine.numbers.make("s32_of_f32", x) for x in lanes])


FLOATING: dict[str, Callable[[Frame, Instruction], Operation]] = {
    "fadd": _instruction(_sum),
    "fsub": _instruction(_difference),
    "fmul": _instruction(_product),
    "sitofp": _from_integers,
}
"""Instructions by name."""

FLOATING_CALLS: dict[str, Rule] = {
    "llvm.fma": _called(_fused, 3),
    "llvm.x86.avx512.mul.ps": _called(_product, 2, _NEAREST, _AS_IT_IS),
    "llvm.x86.avx512.mul.pd": _called(_product, 2, _NEAREST, _AS_IT_IS),
    "llvm.x86.avx512.add.pd": _called(_sum, 2, _NEAREST, _AS_IT_IS),
    "llvm.x86.avx512.min.ps": _called(_smaller, 2, _NEAREST, _AS_IT_IS),
    "llvm.x86.avx512.min.pd": _called(_smaller, 2, _NEAREST, _AS_IT_IS),
    "llvm.x86.avx512.max.ps": _called(_larger, 2, _NEAREST, _AS_IT_IS),
    "llvm.x86.avx512.max.pd": _called(_larger, 2, _NEAREST, _AS_IT_IS),
    "llvm.x86.avx.min.ps.256": _called(_smaller, 2),
    "llvm.x86.avx.max.ps.256": _called(_larger, 2),
    "llvm.x86.avx.cvt.ps2dq.256": _rounded_lanes,
    "llvm.x86.avx512.sitofp.round": _converted_by_name,
    "llvm.x86.avx512.mask.cvtps2dq": _to_integers(32, _NEAREST),
    "llvm.x86.avx512.mask.cvttpd2dq": _to_integers(64, _AS_IT_IS),
}
"""What is called, by the beginning of its name."""
