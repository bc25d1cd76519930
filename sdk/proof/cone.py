"""The gates that a claim of two bits follows from, back to where a look at it begins."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from .circuit import all_rows, looked_up
from .gates import Gates

__all__ = ["GATE", "NEAR", "STAGE", "WHOLE", "Cone", "Known", "plain"]

GATE, NEAR, STAGE, WHOLE = "gate", "near", "stage", "whole"
"""How far back: what the gates of both bits take; bits that others equal; what registers give; the inputs."""


@dataclass(frozen=True)
class Cone:
    """What the claim "bit `found` is bit `equal`" (`~`: its complement) follows from.

    Parameters
    ----------
    inner : bits that are computed, `found` among them, ascending. leaves : those that they are computed from.
    through : bits that were taken for what they equal.
    """

    found: int
    equal: int
    inner: tuple[int, ...]
    leaves: tuple[int, ...]
    through: tuple[int, ...]


class Known:
    """What is known of a circuit's bits: literals (a bit or `~` one) of earlier bits that they equal.

    held : bits that registers take, or that such bits equal. merged : bits that others equal.
    """

    def __init__(self, gates: Gates) -> None:
        self.gates = gates
        self.equals: dict[int, int] = {}
        self.held = set(gates.registered)
        self.merged: set[int] = set()

    def enter(self, found: int, equal: int) -> None:
        """From now on a bit is taken for what it equals, which equals nothing else itself."""
        self.equals[found] = equal
        self.merged.add(plain(equal))
        if found in self.held:
            self.held.add(plain(equal))

    def literal(self, bit: int) -> int:
        """The bit, or what it equals."""
        return self.equals.get(bit, bit)

    def cone(self, found: int, equal: int, reach: str) -> Cone:
        """The cone of a claim, as far as `reach`; the bits that are claimed equal are computed in any case."""
        stage, goal = self.gates.stage(found), plain(equal)
        inner, leaves = {found}, set[int]()
        through = set[int]()
        waiting = [goal, *self._taken(found, through)]
        while waiting:
            bit = waiting.pop()
            if bit < 2 or bit in inner or bit in leaves:
                continue
            if self._begins(bit, stage, goal, reach):
                leaves.add(bit)
            else:
                inner.add(bit)
                waiting += self._taken(bit, through)
        return Cone(found, equal, *(tuple(sorted(bits)) for bits in (inner, leaves, through)))

    def _taken(self, bit: int, through: set[int]) -> Collection[int]:
        """What the gate of a bit takes."""
        inputs = self.gates.gates[bit - self.gates.input_bits - 2][0]
        through.update(each for each in inputs if each in self.equals)
        return [plain(self.literal(each)) for each in inputs]

    def _begins(self, bit: int, stage: int, goal: int, reach: str) -> bool:
        """Whether a cone begins at a bit."""
        if self.gates.gate(bit) is None:
            return True
        if reach != WHOLE and bit in self.held and self.gates.stage(bit) < stage:
            return True
        return bit != goal and (reach == GATE or (reach == NEAR and bit in self.merged))

    def holds(self, cone: Cone) -> bool:
        """Whether all rows of a cone's leaves show its claim."""
        patterns, mask = _all_rows(len(cone.leaves))
        value = {0: 0, 1: mask, **dict(zip(cone.leaves, patterns, strict=True))}

        def worth(literal: int) -> int:
            return value[literal] if literal >= 0 else value[~literal] ^ mask

        # `found` is last: what it is claimed to be stands before it.
        for bit in cone.inner:
            inputs, table = self.gates.gates[bit - self.gates.input_bits - 2]
            value[bit] = looked_up(table, [worth(self.literal(each)) for each in inputs], mask)
        return value[cone.found] == worth(cone.equal)


@lru_cache(maxsize=32)
def _all_rows(count: int) -> tuple[list[int], int]:
    return all_rows(count)


def plain(bit: int) -> int:
    """The bit that `bit` is or complements."""
    return bit if bit >= 0 else ~bit
