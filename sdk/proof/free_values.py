"""What bits are for random values of the inputs and of what registers give: by that, bits are found that may be equal.

Registers give random values, whatever they were given: bits that are alike then are so by the gates between registers,
and not since few values come so far.
"""

from __future__ import annotations

import numpy as np

from .circuit import looked_up
from .cone import Known, plain

__all__ = ["FreeValues"]


class FreeValues:
    """Values of a circuit's bits, one bit of an integer for each of `samples` random choices.

    mask : a one for each sample. made : of the bits so far, what their gates give. taken : of bits that registers take,
        and of inputs, what gates of later stages take.
    """

    def __init__(self, known: Known, samples: int, seed: int) -> None:
        self.known = known
        self._rng, self._bytes = np.random.default_rng(seed), samples // 8
        self.mask = (1 << samples) - 1
        self.made = [0, self.mask, *(self._drawn() for _ in range(known.gates.input_bits))]
        self.taken = dict(enumerate(self.made))

    def _drawn(self) -> int:
        return int.from_bytes(self._rng.bytes(self._bytes), "little")

    def follow(self, bit: int) -> int:
        """The value of the next bit."""
        gates = self.known.gates
        inputs, table = gates.gates[bit - gates.input_bits - 2]
        stage = gates.stage(bit)
        values = [self.made[each] if gates.stage(each) >= stage else self.later(each) for each in inputs]
        self.made.append(looked_up(table, values, self.mask))
        return self.made[bit]

    def later(self, bit: int) -> int:
        """What gates of later stages take of a bit."""
        literal = self.known.literal(bit)
        held = plain(literal)
        if held not in self.taken:
            self.taken[held] = self._drawn()
        return self.taken[held] if literal >= 0 else self.mask ^ self.taken[held]

    def alike(self, value: int) -> int:
        """A value or its complement: the same of both."""
        return value ^ self.mask if value & 1 else value
