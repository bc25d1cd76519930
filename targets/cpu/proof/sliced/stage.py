"""The function of a whole chain of Boolean functions, run for so many samples: what it leaves as sums of bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..ir_module import Module
from ..ir_types import Integer
from ..memory import Byte
from ..numbers import Stopped
from .bits import LITERAL, Bits
from .gates import TRUE, VALUES
from .machine import BitMachine
from .numbers import BitNumbers

__all__ = ["ChainRun", "ChainStage", "Form"]

_WORD = 32


@dataclass(frozen=True)
class Form:
    """constant + Σ factor · gate, an exact integer; what a word of 32 bits stands for, modulo 2^32."""

    constant: int
    terms: tuple[tuple[int, int], ...]


@dataclass
class ChainRun:
    """What a call for some samples left.

    Parameters
    ----------
    forms : of each sample, of each output; a text where it is no sum of functions of the sample's own inputs.
    stopped : why it was not followed to its end. broken : undefined behaviour that may be.
    """

    forms: list[list[Form | str]]
    stopped: str = ""
    broken: tuple[str, ...] = ()
    steps: int = 0
    accesses: int = 0
    obligations: int = 0


class ChainStage:
    """The function `name` of a module, that takes x, y, scratch memory and a number of samples.

    inputs, outputs : of a sample, bytes and integers of 32 bits. scratch : bytes of scratch memory of each of `tile`
    samples; one alone has that of one.
    """

    def __init__(self, module: Module, name: str, inputs: int, outputs: int, scratch: int, tile: int) -> None:
        self.numbers = BitNumbers()
        self.gates = self.numbers.gates
        self.machine = BitMachine(module, self.numbers)
        self._name, self._inputs, self._outputs, self._scratch, self._tile = name, inputs, outputs, scratch, tile
        tables = [sum(1 << value for value in range(VALUES) if value >> k & 1) for k in range(8)]
        self._bits = [[self.gates.of_input(source, table) for table in tables] for source in range(inputs)]

    def run(self, samples: int, until: float) -> ChainRun:
        """Follow it; until : processor time at which to stop."""
        machine, numbers, new = self.machine, self.numbers, self.machine.memory.new
        machine.until = until
        before = machine.steps, machine.memory.accesses, numbers.obligations
        x = new("the input of the samples", self._given(samples), writable=False)
        y = new("the output of the samples", [None] * (4 * samples * self._outputs), 4)
        scratch = new("scratch memory", self._left(self._scratch * (self._tile if samples > 1 else 1)), 64)
        found = ChainRun([])
        try:
            machine.run(self._name, [x.address, y.address, scratch.address, samples])
            for sample in range(samples):
                at = y.address + 4 * sample * self._outputs
                found.forms.append([self._form(at + 4 * output, sample + 1) for output in range(self._outputs)])
        except (Stopped, RecursionError) as error:
            found.stopped, found.forms = str(error), []
        for each in (x, y, scratch):
            machine.memory.end(each)
        found.broken = tuple(numbers.broken)
        numbers.broken.clear()
        found.steps, found.accesses = machine.steps - before[0], machine.memory.accesses - before[1]
        found.obligations = numbers.obligations - before[2]
        return found

    def _given(self, samples: int) -> list[Byte]:
        given: list[Any] = [
            Bits([n << _WORD | bit for bit in bits]) for n in range(1, samples + 1) for bits in self._bits
        ]
        return [(each, 0) for each in given]

    def _left(self, size: int) -> list[Byte]:
        """Bytes that may be anything."""
        unknown = self.numbers.store.unknown
        cells: list[Byte] = []
        for _ in range(-(-size // 4)):
            word: Any = Bits([unknown() for _ in range(_WORD)])
            cells += [(word, place) for place in range(4)]
        return cells[:size]

    def _form(self, address: int, sample: int) -> Form | str:
        word = self.machine.memory.load(Integer(_WORD), address, 4)
        if word is None:
            return "nobody wrote it"
        line = self.numbers.linear(word, _WORD)
        constant, terms = line.constant, dict[int, int]()
        for bit, factor in line.terms.items():
            if bit < 0 or bit >> _WORD != sample:
                return "it depends on what is not of its sample"
            if bit & TRUE:
                constant, factor = constant + factor, -factor
            gate = (bit & LITERAL) >> 1
            terms[gate] = terms.get(gate, 0) + factor
        return Form(constant, tuple(sorted((gate, factor) for gate, factor in terms.items() if factor)))
