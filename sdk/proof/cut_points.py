"""Where a circuit is cut into pieces: at bits that have a name, at what sums give, and at its inputs.

Names are hints: they decide which pieces are looked at. A piece is proved from the gates alone, so that a wrong name
makes a proof fail and nothing else.
"""

from __future__ import annotations

from .circuit import Circuit, Sum

__all__ = ["CutPoints"]


class CutPoints:
    """The cuts of a circuit.

    words : the bits of each name, lowest first. word_of : the name that a bit is called by.
    """

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.words: dict[str, tuple[int, ...]] = {}
        self.word_of: dict[int, str] = {}
        # A bit has many names; the one that it was made under is short, and without anything behind it.
        for name in sorted(circuit.words, key=_preferred):
            bits = circuit.words[name]
            fresh = [bit for bit in bits if bit > circuit.input_bits + 1 and bit not in self.word_of]
            for bit in fresh:
                self.word_of[bit] = name
            if len(fresh) == len(set(bits)):
                self.words[name] = bits
        self._supports: dict[int, frozenset[int]] = {}
        self._levels: dict[str | int, int] = {}

    def is_cut(self, bit: int) -> bool:
        """Whether pieces end at this bit."""
        if bit <= self.circuit.input_bits + 1 or bit in self.word_of:
            return True
        return isinstance(self.circuit.gates[self.circuit.driver[bit]], Sum)

    def level(self, bit: int) -> int:
        """How many cuts lie on the longest way to a bit; the bits of one word and those of one sum are as far."""
        place = self.circuit.driver.get(bit)
        if place is None:
            return 0
        gate = self.circuit.gates[place]
        name = self.word_of.get(bit, "")
        together = self.words.get(name, (bit,))
        key: str | int = name if name in self.words else bit
        if isinstance(gate, Sum):
            key, together = gate.outputs[0], gate.outputs
        if key not in self._levels:
            self._levels[key] = 0  # where names run in a circle, any order may fail, and none can prove what is wrong
            behind = [each for one in together if one in self.circuit.driver for each in self.behind(one)]
            self._levels[key] = 1 + max((self.level(each) for each in behind), default=0)
        return self._levels[key]

    def support(self, bit: int) -> frozenset[int]:
        """The cuts that a bit is made from: itself if it is an input, else those that its gate leads to."""
        if bit in (0, 1):
            return frozenset()
        if bit not in self.circuit.driver:
            return frozenset((bit,))
        return self.behind(bit) if not self.is_cut(bit) else frozenset((bit,))

    def behind(self, bit: int) -> frozenset[int]:
        """The cuts that the gate of a bit is made from, whether or not the bit is a cut itself."""
        known = self._supports
        waiting = [bit]
        while waiting:
            here = waiting[-1]
            taken = [each for each in self.circuit.gates[self.circuit.driver[here]].inputs if each not in (0, 1)]
            inner = [each for each in taken if not self.is_cut(each)]
            if missing := [each for each in inner if each not in known]:
                waiting += missing
                continue
            waiting.pop()
            known[here] = frozenset(each for each in taken if self.is_cut(each)).union(*(known[each] for each in inner))
        return known[bit]


def _preferred(name: str) -> tuple[int, int, str, str]:
    """Order of names, the best first: by what follows the names of instances, `instance.signal`."""
    signal = name.rsplit(".", 1)[-1]
    return signal.count("_"), len(signal), signal, name
