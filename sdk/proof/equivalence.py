"""That two circuits give the same outputs: bits that equal earlier ones, of one circuit or both, proved one by one.

Which may be equal is seen by random values. That they are follows from what lies between them and earlier pairs, or the
registers before: by all rows of few bits, else by a solver, whose answer is made steps that are followed without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .circuit import looked_up
from .clauses import clauses_of
from .cone import GATE, NEAR, STAGE, WHOLE, Cone, Known, plain
from .free_values import FreeValues
from .gates import Gates, joined
from .solver import Lemmas, Values, solved

__all__ = ["Pair", "Sweep"]

_SAMPLES = 4096
_CONSTANTS = {~0: 1, ~1: 0}
"""One literal for each constant."""
_CANDIDATES = 4
_MOST_LEAVES = 16
_CONFLICTS, _CONFLICTS_OF_ENDS, _CONFLICTS_OF_REFUTING = 2_000, 200_000, 20_000
_BATCHES = 8


@dataclass(frozen=True)
class Pair:
    """Bit `found` is the earlier bit `equal` (`~`: its complement).

    Parameters
    ----------
    leaves : bits whose rows show it, if there are no lemmas. through : bits with pairs of their own that were taken for
        what they equal. lemmas : what shows that it cannot be otherwise.
    """

    found: int
    equal: int
    leaves: tuple[int, ...]
    through: tuple[int, ...]
    lemmas: Lemmas = ()


class Sweep:
    """Compares a circuit with a known one, whose own bits are compared with each other first.

    gates : both, joined (see `joined`). pairs : by the bit that equals an earlier one.
    """

    def __init__(self, known: Gates, other: Gates, seed: int = 0) -> None:
        self.gates = joined(known, other)
        self.outputs = list(zip(self.gates.outputs[len(known.outputs) :], known.outputs, strict=True))
        self.pairs: dict[int, Pair] = {}
        self._first, self._seed = known.bits, seed
        self._wanted = dict(self.outputs)
        self._known = Known(self.gates)
        self._values = FreeValues(self._known, _SAMPLES, seed)
        self._like: dict[int, list[int]] = {}
        for bit in range(known.input_bits + 2):
            self._enter(bit, self._values.made[bit])

    def run(self, out_of_time: Callable[[], bool] = lambda: False) -> bool:
        """Find all pairs that can be proved; whether there was time for all of them."""
        for bit in range(self.gates.input_bits + 2, self.gates.bits):
            if out_of_time():
                return False
            value = self._values.follow(bit)
            pair = next(filter(None, (self._proved(bit, each) for each in self._candidates(bit, value))), None)
            if pair is None:
                self._enter(bit, value)
            else:
                self.pairs[bit] = pair
                self._known.enter(bit, pair.equal)
            if bit in self.gates.registered:
                held = plain(self._known.literal(bit))
                self._enter(held, self._values.later(held))
        return True

    def _enter(self, bit: int, value: int) -> None:
        """Let later bits be compared with one that has a value."""
        alike = self._like.setdefault(self._values.alike(value), [])
        if bit not in alike:
            alike.append(bit)

    def _candidates(self, bit: int, value: int) -> list[int]:
        """Earlier bits that are alike in all samples, `~` of complements; what is wanted of an output comes first."""
        found = self._like.get(self._values.alike(value), [])
        if len(found) > 1:
            wanted, held = self._literal_wanted(bit), bit in self.gates.registered
            found = sorted(found, key=lambda each: (each != wanted, held and each not in self._known.held))
        values = self._values
        same = [value in (values.made[each], values.taken.get(each)) for each in found[:_CANDIDATES]]
        chosen = [each if one else ~each for each, one in zip(found, same, strict=False)]
        return [_CONSTANTS.get(each, each) for each in chosen]

    def _literal_wanted(self, bit: int) -> int:
        return plain(self._known.literal(self._wanted[bit])) if bit in self._wanted else -1

    def proved(self, place: int) -> bool:
        """Whether an output of the second circuit is that of the first."""
        found, equal = self.outputs[place]
        return self._known.literal(found) == self._known.literal(equal)

    def _proved(self, bit: int, equal: int) -> Pair | None:
        """The pair, if it follows from the pairs next to it, else from the registers before it; where it ends at a
        register or an output, else from the inputs."""
        end = bit in self.gates.registered or bit in self._wanted
        tried: list[Cone] = []
        for reach in (GATE, NEAR, STAGE, WHOLE) if end else (GATE, NEAR, STAGE):
            cone = self._known.cone(bit, equal, reach)
            if cone in tried:
                continue
            tried.append(cone)
            if len(cone.leaves) <= _MOST_LEAVES:
                if self._known.holds(cone):
                    return Pair(bit, equal, cone.leaves, cone.through)
            elif bit >= self._first:
                answer = self._solved(cone, _CONFLICTS_OF_ENDS if end and reach == STAGE else _CONFLICTS)
                if isinstance(answer, tuple):
                    return Pair(bit, equal, (), cone.through, answer)
        return None

    def _solved(self, cone: Cone, conflicts: int) -> Lemmas | Values | None:
        return solved(clauses_of(cone, self._known), conflicts)

    def difference(self, places: Sequence[int]) -> tuple[int, int] | None:
        """(the place of an output, inputs as one number for which it differs from the first circuit's), among outputs
        at some places: found by random inputs, or by the solver; None if none was found."""
        rng = np.random.default_rng(self._seed)
        for _ in range(_BATCHES):
            inputs = [int.from_bytes(rng.bytes(_SAMPLES // 8), "little") for _ in range(self.gates.input_bits)]
            if (found := self._differs(places, inputs)) is not None:
                return found
        for place in places:
            output, equal = self.outputs[place]
            if output < self._first:
                continue
            answer = self._solved(self._known.cone(output, self._known.literal(equal), WHOLE), _CONFLICTS_OF_REFUTING)
            if answer is not None and not isinstance(answer, tuple):
                return self._differs([place], [int(answer.get(bit + 2, False)) for bit in range(self.gates.input_bits)])
        return None

    def _differs(self, places: Sequence[int], inputs: list[int]) -> tuple[int, int] | None:
        """The first of some inputs (each one bit of an integer) for which the gates of both give another output."""
        mask = (1 << _SAMPLES) - 1
        values = [0, mask, *inputs]
        for taken, table in self.gates.gates:
            values.append(looked_up(table, [values[bit] for bit in taken], mask))
        for place in places:
            found, equal = self.outputs[place]
            differs = values[found] ^ values[equal]
            if differs:
                at = (differs & -differs).bit_length() - 1
                return place, sum(((value >> at) & 1) << k for k, value in enumerate(inputs))
        return None
