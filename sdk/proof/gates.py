"""A circuit as lookups of single bits alone: what two circuits are compared as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .circuit import Circuit, Lookup, Sum

__all__ = ["Gates", "flat", "joined"]

_XOR, _XOR3, _AND, _MAJORITY = 0b0110, 0b10010110, 0b1000, 0b11101000
_Add = Callable[[tuple[int, ...], int], int]


@dataclass(frozen=True, eq=False)
class Gates:
    """Lookups alone: bit input_bits + 2 + k is what gate k gives, (inputs, table) each.

    stages : of each gate, the registers that stood on every way from the inputs to it. registered : bits that registers
        take.
    """

    input_bits: int
    gates: Sequence[tuple[tuple[int, ...], int]]
    outputs: tuple[int, ...]
    registered: frozenset[int]
    stages: Sequence[int]

    @property
    def bits(self) -> int:
        """How many bits there are, constants and inputs included."""
        return self.input_bits + 2 + len(self.gates)

    def gate(self, bit: int) -> tuple[tuple[int, ...], int] | None:
        """What gives a bit; None of a constant or an input."""
        place = bit - self.input_bits - 2
        return self.gates[place] if place >= 0 else None

    def stage(self, bit: int) -> int:
        """The stage of the gate that gives a bit; 0 of a constant or an input."""
        place = bit - self.input_bits - 2
        return self.stages[place] if place >= 0 else 0


def flat(circuit: Circuit) -> Gates:
    """The circuit with each sum taken apart: sum 0, carry 0, sum 1, carry 1 … and no last carry.

    Constants are put into the gates that take them, inputs of no matter left out; gates that are then a constant or
    their only input are not there.
    """
    number = {bit: bit for bit in range(circuit.input_bits + 2)}
    gates: list[tuple[tuple[int, ...], int]] = []
    stages: list[int] = []
    stage = 0

    def add(inputs: tuple[int, ...], table: int) -> int:
        inputs, table = folded(inputs, table)
        if not inputs:
            return table
        if (len(inputs), table) == (1, 0b10):
            return inputs[0]
        gates.append((inputs, table))
        stages.append(stage)
        return circuit.input_bits + 1 + len(gates)

    for place, gate in enumerate(circuit.gates):
        stage = circuit.stages[place] if circuit.stages else 0
        if isinstance(gate, Lookup):
            number[gate.outputs[0]] = add(tuple(number[bit] for bit in gate.inputs), gate.table)
        else:
            _add_sum(gate, number, add)
    outputs = tuple(number[bit] for bit in circuit.outputs)
    registered = frozenset(number[bit] for bit in circuit.registered)
    return Gates(circuit.input_bits, gates, outputs, registered, stages)


def joined(known: Gates, other: Gates) -> Gates:
    """Both circuits over the same inputs: the gates of the second behind those of the first, and its outputs too."""
    more = known.bits - other.input_bits - 2

    def bit(each: int) -> int:
        return each if each < other.input_bits + 2 else each + more

    gates = [(tuple(map(bit, inputs)), table) for inputs, table in other.gates]
    registered = known.registered | set(map(bit, other.registered))
    outputs = known.outputs + tuple(map(bit, other.outputs))
    return Gates(known.input_bits, [*known.gates, *gates], outputs, registered, [*known.stages, *other.stages])


def folded(inputs: tuple[int, ...], table: int) -> tuple[tuple[int, ...], int]:
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


def _add_sum(gate: Sum, number: dict[int, int], add: _Add) -> None:
    carry: tuple[int, ...] = ()
    for k, (output, a, b) in enumerate(zip(gate.outputs, gate.a, gate.b, strict=True)):
        taken = tuple(sorted((number[a], number[b], *carry)))
        number[output] = add(taken, _XOR3 if carry else _XOR)
        if k + 1 < len(gate.outputs):
            carry = (add(taken, _MAJORITY if carry else _AND),)
