"""Vectors on words of 32 bits: lanes of 1, 8, 16 or 32 bits, of each of which a word's lowest bits count.

A vector of wider elements is one of lanes of 32 bits; a lane that is None is not defined.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgeml.proof.words.dataflow import Operand

from .ir_types import Integer, Type, Vector
from .numbers import Numbers, Stopped, Wide

__all__ = ["Vec", "from_elements", "gathered", "lanes_of", "of_elements", "recast"]

Lane = Operand | None


class Vec:
    """Lanes of so many bits each."""

    __slots__ = ("bits", "lanes")

    def __init__(self, bits: int, lanes: Sequence[Lane]) -> None:
        self.bits, self.lanes = bits, list(lanes)

    def __repr__(self) -> str:
        return f"Vec({self.bits}, {self.lanes})"


def lanes_of(numbers: Numbers, vector: Vec, bits: int) -> list[Lane]:
    """The same bits as lanes of another size."""
    if vector.bits == bits:
        return vector.lanes
    if 1 in (vector.bits, bits) or bits > 32:
        raise Stopped(f"{numbers.where} takes lanes of {vector.bits} bits as {bits}")
    if vector.bits < bits:
        many = bits // vector.bits
        return [gathered(numbers, vector.lanes[i : i + many], vector.bits) for i in range(0, len(vector.lanes), many)]
    many = vector.bits // bits
    return [_part(numbers, lane, place * bits) for lane in vector.lanes for place in range(many)]


def _part(numbers: Numbers, lane: Lane, place: int) -> Lane:
    """A lane from some bit on: what is above the smaller lane does not count."""
    if lane is None or place == 0:
        return lane
    return lane >> place if isinstance(lane, int) else numbers.make("shr", lane, place)


def gathered(numbers: Numbers, lanes: Sequence[Lane], bits: int) -> Lane:
    """Lanes side by side in one word, the first lowest."""
    total: Operand = 0
    for place, lane in enumerate(lanes):
        if lane is None:
            return None
        part = numbers.zeros(lane, bits)
        if place:
            part = part << bits * place if isinstance(part, int) else numbers.make("shl", part, bits * place)
        total = numbers.add(total, part)
    return total


def of_elements(numbers: Numbers, vector: Vec, bits: int) -> list[Any]:
    """The elements of a vector as integers of so many bits."""
    if bits != 64:
        lanes = lanes_of(numbers, vector, bits)
        mask = (1 << bits) - 1
        return [lane & mask if isinstance(lane, int) else lane for lane in lanes]
    words = lanes_of(numbers, vector, 32)
    return [
        None if low is None or high is None else numbers.joined(low, high)
        for low, high in zip(words[::2], words[1::2], strict=True)
    ]


def from_elements(elements: Sequence[Any], bits: int) -> Vec:
    """A vector of integers of so many bits."""
    if bits != 64:
        return Vec(bits, elements)
    lanes: list[Lane] = []
    for element in elements:
        if element is None:
            lanes += [None, None]
        elif isinstance(element, Wide):
            lanes += [element.low, element.high]
        else:
            lanes += [element & 0xFFFF_FFFF, element >> 32]
    return Vec(32, lanes)


def recast(numbers: Numbers, before: Type, after: Type, value: Any) -> Any:
    """The same bits as another type."""
    if before == after or value is None:
        return value
    if isinstance(before, Vector) and isinstance(after, Vector):
        if (before.bits == 1) != (after.bits == 1):
            raise Stopped("a vector of bits is taken as one of integers")
        return value
    if isinstance(before, Vector):
        lanes = value.lanes
        if before.bits == 1:
            if any(lane is None for lane in lanes):
                return None
            if all(isinstance(lane, int) for lane in lanes):
                return sum((lane & 1) << place for place, lane in enumerate(lanes))
            return numbers.of_mask(value)
        size = 8 * before.bytes
        return of_elements(numbers, value, size)[0]
    if isinstance(after, Vector):
        if after.bits == 1:
            return value if isinstance(value, Vec) else Vec(1, [value >> k & 1 for k in range(after.count)])
        return from_elements([value], before.bits if isinstance(before, Integer) else 64)
    return value
