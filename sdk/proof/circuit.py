"""Logic that is read from an artifact, as lookups and sums of single bits, and what it gives for all values at once.

Bits are numbers: 0 and 1 are the constants, then come the inputs, then what gates give, each gate after all that it
takes. `~bit` is the complement of a bit. A set of rows (assignments) is carried as one Python integer per bit, row r at
place r, so that a gate is computed for all rows by a few operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

__all__ = ["Circuit", "Dependence", "Gate", "Lookup", "Sum", "all_rows", "looked_up", "summed"]


@dataclass(frozen=True)
class Lookup:
    """Bit `outputs[0]` is bit x of `table`, x the number that the inputs are, lowest first."""

    outputs: tuple[int]
    inputs: tuple[int, ...]
    table: int


@dataclass(frozen=True)
class Sum:
    """The number `outputs` is a + b modulo 2^(how many they are); a and b have as many bits, lowest first."""

    outputs: tuple[int, ...]
    a: tuple[int, ...]
    b: tuple[int, ...]

    @property
    def inputs(self) -> tuple[int, ...]:
        """All bits that it takes."""
        return self.a + self.b


Gate = Lookup | Sum


class Dependence(Exception):
    """A bit depends on an input of the circuit that is not among the leaves."""


@dataclass(frozen=True, eq=False)
class Circuit:
    """Logic without registers.

    Parameters
    ----------
    input_bits : bits 2 … input_bits + 1 are its inputs. gates : in an order in which each can be computed.
    outputs : the bits that it gives. words : bits of each name that the artifact has, lowest first.
    latency : registers that stood on every way from the inputs to the outputs. registered : bits that registers take.
    stages : of each gate, how many registers stood on every way from the inputs to it; empty if nobody counted.
    """

    input_bits: int
    gates: tuple[Gate, ...]
    outputs: tuple[int, ...]
    words: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    latency: int = 0
    registered: frozenset[int] = frozenset()
    stages: tuple[int, ...] = ()

    @cached_property
    def driver(self) -> dict[int, int]:
        """The gate that gives a bit, by its place."""
        return {bit: place for place, gate in enumerate(self.gates) for bit in gate.outputs}

    def gates_between(self, targets: Iterable[int], leaves: Iterable[int]) -> list[int]:
        """Places of the gates that lie between bits and leaves, ascending; Dependence where others are needed."""
        known, found = {0, 1, *leaves}, set()
        waiting = [bit for bit in targets if bit not in known]
        while waiting:
            bit = waiting.pop()
            place = self.driver.get(bit)
            if place is None:
                raise Dependence(f"bit {bit} is an input that is not among the leaves")
            if place not in found:
                found.add(place)
                waiting += [each for each in self.gates[place].inputs if each not in known]
        return sorted(found)

    def rows(self, targets: Sequence[int], leaves: Mapping[int, int], mask: int) -> list[int]:
        """The rows of bits (`~bit`: of complements), given those of leaves; `mask` has a one for each row."""
        wanted = [bit if bit >= 0 else ~bit for bit in targets]
        value = {0: 0, 1: mask, **leaves}
        for place in self.gates_between(wanted, leaves):
            gate = self.gates[place]
            if isinstance(gate, Lookup):
                made = [looked_up(gate.table, [value[bit] for bit in gate.inputs], mask)]
            else:
                made = summed([value[bit] for bit in gate.a], [value[bit] for bit in gate.b])
            # A leaf stays what it was given as, even if another output of its gate is needed.
            for bit, row in zip(gate.outputs, made, strict=True):
                value.setdefault(bit, row)
        return [value[bit] if bit >= 0 else mask ^ value[~bit] for bit in targets]


def all_rows(count: int) -> tuple[list[int], int]:
    """The rows of `count` bits that take all 2^count values, row x the value x; and their mask."""
    size = 1 << count
    mask = (1 << size) - 1
    return [mask // ((1 << (1 << k)) + 1) << (1 << k) for k in range(count)], mask


def looked_up(table: int, inputs: Sequence[int], mask: int) -> int:
    """A table of some bits, for all rows: halves by the last input, down to constants."""
    size = 1 << len(inputs)
    if table == 0:
        return 0
    if table == (1 << size) - 1:
        return mask
    half = size >> 1
    low, high = table & ((1 << half) - 1), table >> half
    rest, last = inputs[:-1], inputs[-1]
    if low == high:
        return looked_up(low, rest, mask)
    if low == high ^ ((1 << half) - 1):
        return looked_up(low, rest, mask) ^ last
    zero, one = looked_up(low, rest, mask), looked_up(high, rest, mask)
    return zero ^ (last & (zero ^ one))


def summed(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """The bits of a + b for all rows, without the last carry."""
    carry, made = 0, []
    for x, y in zip(a, b, strict=True):
        made.append(x ^ y ^ carry)
        carry = (x & y) | (carry & (x ^ y))
    return made
