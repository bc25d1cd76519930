"""Instructions of AArch64 that LLVM calls by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .context import Context
from .ir_module import Instruction
from .ir_types import Vector
from .vectors import Vec, from_elements, of_elements

__all__ = ["NEON"]

Rule = Callable[[Context, Instruction, list[Any]], Any]


def _paired(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
    """ADDP: sums of neighbours, of the first vector, then of the second."""
    numbers = machine.numbers
    assert isinstance(instruction.type, Vector)
    bits = instruction.type.bits
    both = [lane for value in values for lane in of_elements(numbers, value, bits)]
    return from_elements([numbers.binary("add", bits, *both[at : at + 2]) for at in range(0, len(both), 2)], bits)


def _paired_long(cast: str) -> Rule:
    """SADDLP and UADDLP: sums of neighbours, in twice as many bits."""

    def rule(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
        numbers = machine.numbers
        assert isinstance(instruction.type, Vector)
        bits = instruction.type.bits
        lanes = [numbers.cast(cast, bits // 2, bits, lane) for lane in of_elements(numbers, values[0], bits // 2)]
        sums = [numbers.binary("add", bits, lanes[at], lanes[at + 1]) for at in range(0, len(lanes), 2)]
        return from_elements(sums, bits)

    return rule


def _long_product(cast: str) -> Rule:
    """SMULL and UMULL: products in twice as many bits."""

    def rule(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
        numbers = machine.numbers
        assert isinstance(instruction.type, Vector)
        bits = instruction.type.bits
        a, b = ([numbers.cast(cast, bits // 2, bits, x) for x in of_elements(numbers, v, bits // 2)] for v in values)
        return from_elements([numbers.binary("mul", bits, x, y) for x, y in zip(a, b, strict=True)], bits)

    return rule


def _table_of_bytes(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
    """TBL of one register: 0 where an index passes it."""
    numbers = machine.numbers
    table, indices = of_elements(numbers, values[0], 8), of_elements(numbers, values[1], 8)
    found: list[Any] = []
    for index in indices:
        inside = numbers.zeros(index, 8)
        if isinstance(inside, int):
            found.append(table[inside] if inside < len(table) else 0)
        else:
            found.append(numbers.settled(numbers.flow.lookup(inside, 0, 1, table)))
    return Vec(8, found)


NEON: dict[str, Rule] = {
    "llvm.aarch64.neon.addp": _paired,
    "llvm.aarch64.neon.saddlp": _paired_long("sext"),
    "llvm.aarch64.neon.uaddlp": _paired_long("zext"),
    "llvm.aarch64.neon.smull": _long_product("sext"),
    "llvm.aarch64.neon.umull": _long_product("zext"),
    "llvm.aarch64.neon.tbl1": _table_of_bytes,
}
