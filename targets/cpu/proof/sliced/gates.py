"""Boolean functions of the inputs of one sample: gates, equal ones entered once.

A literal is 2 · gate, or 2 · gate + 1 for its complement; 0 and 1 are the constants. A table of n inputs is an integer
of 2^n bits: bit x of it is the function where input k is bit k of x.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["FALSE", "MOST_INPUTS", "TRUE", "VALUES", "Gate", "Gates", "masks_of", "of_masks"]

FALSE, TRUE = 0, 1
VALUES = 256
"""Of an input, a byte."""
MOST_INPUTS = 8
"""Of a gate."""


@dataclass(frozen=True)
class Gate:
    """A function of the byte of input number `source` (`table` has a bit for each of its 256 values), or of gates
    before; one with neither is a bit of which nothing is known."""

    table: int
    inputs: tuple[int, ...] = ()
    source: int = -1


def masks_of(inputs: int) -> list[int]:
    """The tables of the inputs themselves."""
    rows = 1 << inputs
    return [sum(1 << x for x in range(rows) if x >> k & 1) for k in range(inputs)]


def of_masks(table: int, masks: Sequence[int], every: int) -> int:
    """A function where its inputs are columns of bits; every : the column of ones."""
    if not masks:
        return every if table & 1 else 0
    half = 1 << (len(masks) - 1)
    low, high = table & (1 << half) - 1, table >> half
    last, rest = masks[-1], masks[:-1]
    zero, one = of_masks(low, rest, every), of_masks(high, rest, every)
    return (zero & ~last) | (one & last)


class Gates:
    """All gates so far, in order: each stands behind its inputs. Gate 0 is the constant."""

    def __init__(self) -> None:
        self.gates = [Gate(0)]
        self._found: dict[Gate, int] = {}
        self._known: dict[tuple[int, tuple[int, ...]], int] = {}

    def opaque(self) -> int:
        """The literal of a new gate of which nothing is known."""
        self.gates.append(Gate(0))
        return 2 * (len(self.gates) - 1)

    def of_input(self, source: int, table: int) -> int:
        """The literal of a function of one input."""
        found = self._of_input(source, table)
        return found if isinstance(found, int) else self._entered(*found)

    def known_input(self, source: int, table: int) -> int | None:
        """The same of a gate that there is already."""
        return self._if_known(self._of_input(source, table))

    @staticmethod
    def _of_input(source: int, table: int) -> int | tuple[Gate, int]:
        every, inverted = (1 << VALUES) - 1, table & 1
        table = table ^ every if inverted else table
        return (Gate(table, (), source), inverted) if table else FALSE ^ inverted

    def function(self, table: int, literals: tuple[int, ...]) -> int:
        """The literal of a function of others."""
        key = (table, literals)
        found = self._known.get(key)
        if found is None:
            made = self._function(table, literals)
            found = self._known[key] = made if isinstance(made, int) else self._entered(*made)
        return found

    def known_function(self, table: int, literals: tuple[int, ...]) -> int | None:
        """The same of a gate that there is already."""
        return self._if_known(self._function(table, literals))

    def _if_known(self, found: int | tuple[Gate, int]) -> int | None:
        if isinstance(found, int):
            return found
        return 2 * self._found[found[0]] ^ found[1] if found[0] in self._found else None

    def _function(self, table: int, literals: tuple[int, ...]) -> int | tuple[Gate, int]:
        """A literal, or a gate and whether its complement is meant."""
        inputs = sorted({literal >> 1 for literal in literals} - {0})
        sources = {self.gates[each].source for each in inputs}
        if len(sources) == 1 and -1 not in sources:
            every = (1 << VALUES) - 1
            columns = [self.gates[x >> 1].table ^ (every if x & 1 else 0) for x in literals]
            return self._of_input(sources.pop(), of_masks(table, columns, every))
        rows, masks = (1 << (1 << len(inputs))) - 1, masks_of(len(inputs))
        of_input = {0: 0, **dict(zip(inputs, masks, strict=True))}
        made = of_masks(table, [of_input[x >> 1] ^ (rows if x & 1 else 0) for x in literals], rows)
        for place in range(len(inputs) - 1, -1, -1):
            made, inputs = _without(made, inputs, place)
        if not inputs:
            return made & 1
        inverted = made & 1
        if inverted:
            made ^= (1 << (1 << len(inputs))) - 1
        return inputs[0] * 2 ^ inverted if len(inputs) == 1 else (Gate(made, tuple(inputs)), inverted)

    def _entered(self, gate: Gate, inverted: int) -> int:
        if gate not in self._found:
            self._found[gate] = len(self.gates)
            self.gates.append(gate)
        return 2 * self._found[gate] ^ inverted

    def columns(self, of_input: Callable[[int, int], int], every: int) -> list[int]:
        """Each gate for several samples at once, as a column of bits. of_input : what a table of an input is, given its
        number and the table; every : the column of ones."""
        found: list[int] = []
        for gate in self.gates:
            if gate.inputs:
                found.append(of_masks(gate.table, [found[each] for each in gate.inputs], every))
            else:
                found.append(of_input(gate.source, gate.table) if gate.source >= 0 else 0)
        return found


def _without(table: int, inputs: list[int], place: int) -> tuple[int, list[int]]:
    """A function without an input on which it does not depend."""
    size, step = 1 << len(inputs), 1 << place
    zero = [table >> x & 1 for x in range(size) if not x & step]
    one = [table >> x & 1 for x in range(size) if x & step]
    if zero != one:
        return table, inputs
    return sum(bit << x for x, bit in enumerate(zero)), inputs[:place] + inputs[place + 1 :]
