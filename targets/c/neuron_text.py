"""The programs of neuron models as C: a statement for each operation, on the neuron `n` of a loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edgeml.network.spiking.models.limits import bounds
from edgeml.network.spiking.models.operations import (
    Approach,
    Compare,
    Count,
    Decay,
    Decayed,
    FireAtOnce,
    Interpreter,
    Limit,
    Operation,
    Restrict,
    Store,
    Subtract,
    Sum,
    Zero,
)

__all__ = ["NeuronText", "decayed", "limited"]

_DECAYS = {
    "multiply": "edgeml_decay_multiply({state}, {factor}, {bits})",
    "multiply_toward_zero": "edgeml_decay_toward_zero({state}, {factor}, {bits})",
    "shift": "edgeml_decay_shift({state}, (unsigned){factor})",
    "subtract": "edgeml_decay_subtract({state}, {factor})",
}
_CHANGES = ("next",)
"""Values that later operations of a step write again; all others are constants of the loop's body."""
_OWN_NAMES = {"input": "in", "current": "u[n]", "membrane": "v[n]"}


def decayed(rule: str, bits: int, state: str, factor: str) -> str:
    """The state one step later, as an expression."""
    return state if rule == "none" else _DECAYS[rule].format(state=state, factor=factor, bits=bits)


def limited(limit: Limit, value: str) -> str:
    """The value within its width, as an expression."""
    if limit.rule == "refuse":
        return value
    if limit.rule == "wrap":
        return f"edgeml_wrap({value}, {1 << (limit.bits - 1)})"
    low, high = bounds(limit.rule, limit.bits)
    return f"edgeml_saturate({value}, {low}, {high})"


class NeuronText(Interpreter):
    """Writes `lines` for the operations that it is given.

    Parameters
    ----------
    constant : gives the name of the array of a parameter, by the parameter's name.
    names : expressions of values, by name, if they are others than the name itself.
    behind_input : statements behind the one that gives `input`.
    given : the expression that counts a neuron's spikes of this step, for neurons that fire at events.
    """

    def __init__(
        self,
        constant: Callable[[str], str],
        names: Mapping[str, str],
        behind_input: Sequence[str] = (),
        given: str = "",
    ) -> None:
        self.constant, self.names = constant, {**_OWN_NAMES, **names}
        self.behind_input, self.given = behind_input, given
        self.lines: list[str] = []

    def text(self, operations: Sequence[Operation]) -> list[str]:
        """The statements of these operations alone."""
        self.lines = []
        self.run(operations)
        return self.lines

    def _parameter(self, name: str) -> str:
        return f"{self.constant(name)}[n]"

    def _value(self, name: str) -> str:
        return self._parameter(name) if name == "bias" else self.names.get(name, name)

    def _decayed(self, of: Decayed) -> str:
        factor = "" if of.rule == "none" else self._parameter(of.factors)
        return decayed(of.rule, of.bits, self._value(of.value), factor)

    def _write(self, name: str, text: str) -> None:
        left = self._value(name)
        if not left.endswith("]"):
            left = f"{'' if name in _CHANGES else 'const '}int32_t {left}"
        self.lines.append(f"{left} = {text};")
        if name == "input":
            self.lines += self.behind_input

    def sum(self, operation: Sum) -> None:
        parts = [] if operation.decayed is None else [self._decayed(operation.decayed)]
        parts += [self._value(name) for name in operation.terms]
        self._write(operation.into, limited(operation.limit, " + ".join(parts) or "0"))

    def decay(self, operation: Decay) -> None:
        self._write(operation.into, limited(operation.limit, self._decayed(operation.decayed)))

    def approach(self, operation: Approach) -> None:
        state, (first, *further) = self._value(operation.decayed.value), operation.terms
        change = f"{self._decayed(operation.decayed)} - {state} + {self._value(first)}"
        self._write("change", limited(operation.limit, change))
        text = "change"
        for name in further:
            text = limited(operation.limit, f"{text} + {self._value(name)}")
        self._write(operation.into, f"{state} + {text}")

    def restrict(self, operation: Restrict) -> None:
        value = self._value(operation.value)
        self.lines.append(f"{value} = {limited(operation.limit, value)};")

    def _above(self, value: str, strict: bool) -> str:
        return f"{value} {'>' if strict else '>='} {self._parameter('threshold')}"

    def compare(self, operation: Compare) -> None:
        value = self._value(operation.value)
        if operation.less:
            value = f"{value} - {operation.less} * {self._parameter('threshold')}"
        self._write(operation.into, self._above(value, operation.strict))

    def count(self, operation: Count) -> None:
        into, value, threshold = operation.into, self._value(operation.value), self._parameter("threshold")
        numerator = f"({value} - 1)" if operation.strict else value
        self.lines += [
            f"int32_t {into} = {self._above(value, operation.strict)} ? {numerator} / {threshold} : 0;",
            f"{into} = {into} > {operation.most} ? {operation.most} : {into};",
        ]

    def zero(self, operation: Zero) -> None:
        text = f"{operation.when} ? 0 : {self._value(operation.value)}"
        if operation.into == operation.value:
            self.lines.append(f"{self._value(operation.into)} = {text};")
        else:
            self._write(operation.into, text)

    def subtract(self, operation: Subtract) -> None:
        self.lines.append(f"{self._value(operation.value)} -= {operation.times} * {self._parameter('threshold')};")

    def store(self, operation: Store) -> None:
        self._write(operation.state, self._value(operation.value))

    def fire_at_once(self, operation: FireAtOnce) -> None:
        state = self._value(operation.state)
        self.lines += [
            f"if ({self._above(state, operation.strict)} && {self.given} < {operation.most}) {{",
            f"    {state} = 0;",
            f"    {self.given}++;",
            "}",
        ]
