"""That two circuits give the same outputs: points of one that equal points of the other, each proved from earlier ones.

Points are found by what random inputs give, and proved by all rows of a few bits that both follow from. What was proved
of a point is used for those behind it, so that each is looked at through the gates next to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .circuit import Circuit, Lookup, Sum, all_rows, looked_up

__all__ = ["Gates", "Pair", "Sweep", "flat"]

_SAMPLES = 4096
_CANDIDATES = 4
_MOST_LEAVES = 14
_MOST_REGISTERS = 20
_XOR, _XOR3, _AND, _MAJORITY = 0b0110, 0b10010110, 0b1000, 0b11101000


@dataclass(frozen=True, eq=False)
class Gates:
    """A circuit of lookups alone: bit input_bits + 2 + k is what gate k gives, (inputs, table) each."""

    input_bits: int
    gates: Sequence[tuple[tuple[int, ...], int]]
    outputs: tuple[int, ...]
    registered: frozenset[int] = frozenset()

    def gate(self, bit: int) -> tuple[tuple[int, ...], int] | None:
        """What gives a bit; None of a constant or an input."""
        place = bit - self.input_bits - 2
        return self.gates[place] if place >= 0 else None


def flat(circuit: Circuit) -> Gates:
    """The circuit with each sum taken apart: sum 0, carry 0, sum 1, carry 1 … and no last carry.

    Constants are put into the gates that take them, inputs of no matter left out; gates that are then a constant or
    their only input are not there, and none is there twice.
    """
    number = {bit: bit for bit in range(circuit.input_bits + 2)}
    gates: list[tuple[tuple[int, ...], int]] = []
    there: dict[tuple[tuple[int, ...], int], int] = {}

    def add(inputs: tuple[int, ...], table: int) -> int:
        inputs, table = _folded(inputs, table)
        if not inputs:
            return table
        if (len(inputs), table) == (1, 0b10):
            return inputs[0]
        following = circuit.input_bits + 2 + len(gates)
        if there.setdefault((inputs, table), following) == following:
            gates.append((inputs, table))
        return there[inputs, table]

    for gate in circuit.gates:
        if isinstance(gate, Lookup):
            number[gate.outputs[0]] = add(tuple(number[bit] for bit in gate.inputs), gate.table)
        else:
            _add_sum(gate, number, add)
    outputs = tuple(number[bit] for bit in circuit.outputs)
    return Gates(circuit.input_bits, gates, outputs, frozenset(number[bit] for bit in circuit.registered))


def _folded(inputs: tuple[int, ...], table: int) -> tuple[tuple[int, ...], int]:
    """A gate without its constant inputs and those that do not matter."""
    for k in reversed(range(len(inputs))):
        rows = 1 << len(inputs)
        zero = sum(1 << x for x in range(rows) if not (x >> k) & 1) if k < len(inputs) - 1 else (1 << (rows >> 1)) - 1
        if inputs[k] > 1 and (table ^ (table >> (1 << k))) & zero:
            continue
        chosen = [x for x in range(rows) if (x >> k) & 1 == (inputs[k] == 1)]
        table = sum(((table >> x) & 1) << place for place, x in enumerate(chosen))
        inputs = inputs[:k] + inputs[k + 1 :]
    return inputs, table


def _add_sum(gate: Sum, number: dict[int, int], add: object) -> None:
    assert callable(add)
    carry: tuple[int, ...] = ()
    for k, (output, a, b) in enumerate(zip(gate.outputs, gate.a, gate.b, strict=True)):
        taken = tuple(sorted((number[a], number[b], *carry)))
        number[output] = add(taken, _XOR3 if carry else _XOR)
        if k + 1 < len(gate.outputs):
            carry = (add(taken, _MAJORITY if carry else _AND),)


@dataclass(frozen=True)
class Pair:
    """Bit `found` of the second circuit is bit `equal` of the first (`~`: its complement): both follow from `leaves`,
    bits of the first, in all rows."""

    found: int
    equal: int
    leaves: tuple[int, ...]
    through: tuple[int, ...]
    """Bits of the second circuit, with pairs of their own, that `found` was followed to."""


class Sweep:
    """Compares a circuit with a known one, gate by gate.

    pairs : by bit of the second circuit. signatures : of each circuit's bits, a bit for each sample of inputs.
    """

    def __init__(self, known: Gates, other: Gates, seed: int = 0) -> None:
        self.known, self.other = known, other
        self.mask = (1 << _SAMPLES) - 1
        rng = np.random.default_rng(seed)
        self.samples = [int.from_bytes(rng.bytes(_SAMPLES // 8), "little") for _ in range(known.input_bits)]
        self.signatures = [_signatures(gates, self.samples, self.mask) for gates in (known, other)]
        self.pairs: dict[int, Pair] = {bit: Pair(bit, bit, (bit,), ()) for bit in range(known.input_bits + 2)}
        self._merged = set(range(known.input_bits + 2))
        self._like: dict[int, list[int]] = {}
        for bit, signature in enumerate(self.signatures[0]):
            self._like.setdefault(self._canonical(signature), []).append(bit)

    def _canonical(self, signature: int) -> int:
        return signature ^ self.mask if signature & 1 else signature

    def run(self, out_of_time: Callable[[], bool] = lambda: False) -> bool:
        """Find all pairs that can be proved; whether there was time for all of them."""
        for bit in range(self.other.input_bits + 2, len(self.signatures[1])):
            if out_of_time():
                return False
            for candidate in self._candidates(bit):
                same = self.signatures[0][candidate] == self.signatures[1][bit]
                pair = self._proved(bit, candidate if same else ~candidate)
                if pair is not None:
                    self.pairs[bit] = pair
                    self._merged.add(candidate)
                    break
        return True

    def _candidates(self, bit: int) -> list[int]:
        """Bits of the first circuit that are alike in all samples, those near to what the bit is made from first."""
        found = self._like.get(self._canonical(self.signatures[1][bit]), [])
        if len(found) > _CANDIDATES:
            near = max((_plain(self.pairs[each].equal) for each in self._inside(bit)[1]), default=0)
            found = sorted(found, key=lambda each: abs(each - near) if each > 1 else -1)
        if bit in self.other.registered:
            found = sorted(found, key=lambda each: each not in self.known.registered)
        return found[:_CANDIDATES]

    def output(self, place: int) -> Pair | None:
        """That an output is the first circuit's; None if it is not proved."""
        bit, equal = self.other.outputs[place], self.known.outputs[place]
        if self.pairs.get(bit, Pair(-1, -1, (), ())).equal == equal:
            return self.pairs[bit]
        return self._proved(bit, equal)

    def difference(self, place: int) -> int | None:
        """Inputs, as one number, for which an output differs from the first circuit's; None if no sample does."""
        differs = self.signatures[0][self.known.outputs[place]] ^ self.signatures[1][self.other.outputs[place]]
        if not differs:
            return None
        at = (differs & -differs).bit_length() - 1
        return sum(((sample >> at) & 1) << k for k, sample in enumerate(self.samples))

    def _proved(self, bit: int, equal: int) -> Pair | None:
        """The pair, if all rows of some leaves show it: those next to it; else those of the registers before it."""
        found = self._from_near(bit, equal)
        if found is not None or (bit not in self.other.registered and bit not in self.other.outputs):
            return found
        inner, through = self._inside(bit, registers=True)
        targets = {_plain(self.pairs[each].equal) for each in through}
        ends = {target for target in targets if target in self.known.registered or self.known.gate(target) is None}
        leaves = {end for end in ends if end > 1}
        for each in (_plain(equal), *(targets - ends)):
            leaves |= self._behind(each, ends, registers=True)
        if len(leaves) <= _MOST_REGISTERS and self._holds(bit, equal, inner, through, leaves):
            return Pair(bit, equal, tuple(sorted(leaves)), tuple(sorted(through)))
        return None

    def _from_near(self, bit: int, equal: int) -> Pair | None:
        """Leaves are replaced by what they are made from until the rows show the pair."""
        inner, through = self._inside(bit)
        targets = {_plain(self.pairs[each].equal) for each in through}
        leaves = {target for target in targets if target > 1} | self._behind(_plain(equal), targets)
        while len(leaves) <= _MOST_LEAVES:
            if self._holds(bit, equal, inner, through, leaves):
                return Pair(bit, equal, tuple(sorted(leaves)), tuple(sorted(through)))
            grown = self._grown(leaves)
            if grown is None:
                return None
            leaves = grown
        return None

    def _inside(self, bit: int, *, registers: bool = False) -> tuple[list[int], set[int]]:
        """(bits of the second circuit between a bit and those with pairs, ascending; those); with `registers`, those
        with pairs that registers take. Nothing stands before an input or a constant: it has a pair itself."""
        gate = self.other.gate(bit)
        if gate is None:
            return [], {bit}
        inner, through = {bit}, set()
        waiting = list(gate[0])
        while waiting:
            here = waiting.pop()
            ends = not registers or here in self.other.registered or self.other.gate(here) is None
            if here in self.pairs and ends:
                through.add(here)
            elif here not in inner:
                inner.add(here)
                gate = self.other.gate(here)
                waiting += gate[0] if gate else ()
        return sorted(inner), through

    def _behind(self, bit: int, targets: set[int], *, registers: bool = False) -> set[int]:
        """Bits of the first circuit that a bit follows from: those with pairs, or of `targets`."""
        found, seen = set(), set()
        waiting = [bit]
        while waiting:
            here = waiting.pop()
            gate = self.known.gate(here)
            if here in (0, 1) or here in seen:
                continue
            seen.add(here)
            ends = here in (self.known.registered if registers else self._merged)
            if gate is None or (here != bit and (ends or here in targets)):
                found.add(here)
            else:
                waiting += gate[0]
        return found

    def _grown(self, leaves: set[int]) -> set[int] | None:
        """Leaves with one of them replaced by what it is made from: one that adds none, else the last of them."""
        best: tuple[bool, int, set[int]] | None = None
        for leaf in leaves:
            gate = self.known.gate(leaf)
            if gate is not None:
                taken = {each for each in gate[0] if each > 1}
                best = max(best or (False, 0, taken), (taken <= leaves, leaf, taken), key=lambda each: each[:2])
        return None if best is None else leaves - {best[1]} | best[2]

    def _holds(self, bit: int, equal: int, inner: Sequence[int], through: set[int], leaves: set[int]) -> bool:
        patterns, mask = all_rows(len(leaves))
        value = {0: 0, 1: mask, **dict(zip(sorted(leaves), patterns, strict=True))}
        plain = _plain(equal)
        needed = [plain, *(_plain(self.pairs[each].equal) for each in through)]
        if not _evaluate(self.known, needed, value, mask):
            return False
        there = {each: _complemented(value, self.pairs[each].equal, mask) for each in through} | {0: 0, 1: mask}
        for each in inner:
            gate = self.other.gate(each)
            assert gate is not None
            there[each] = looked_up(gate[1], [there[taken] for taken in gate[0]], mask)
        return there[bit] == _complemented(value, equal, mask)


def _plain(bit: int) -> int:
    return bit if bit >= 0 else ~bit


def _complemented(value: Mapping[int, int], bit: int, mask: int) -> int:
    return value[bit] if bit >= 0 else value[~bit] ^ mask


def _signatures(gates: Gates, samples: Sequence[int], mask: int) -> list[int]:
    found = [0, mask, *samples]
    for inputs, table in gates.gates:
        found.append(looked_up(table, [found[bit] for bit in inputs], mask))
    return found


def _evaluate(gates: Gates, targets: Sequence[int], value: dict[int, int], mask: int) -> bool:
    """Give `value` the rows of targets; False where one follows from an input that is not given."""
    needed: set[int] = set()
    waiting = [bit for bit in targets if bit not in value]
    while waiting:
        bit = waiting.pop()
        gate = gates.gate(bit)
        if gate is None:
            return False
        if bit not in needed:
            needed.add(bit)
            waiting += [each for each in gate[0] if each not in value]
    for bit in sorted(needed):
        gate = gates.gate(bit)
        assert gate is not None
        value[bit] = looked_up(gate[1], [value[each] for each in gate[0]], mask)
    return True
