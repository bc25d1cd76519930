"""What a neuron does in a time step, as data: a list of operations on named integers, one of each per neuron.

A `Program` is the only place that says what a neuron model computes. It is interpreted three times: on numpy arrays
(`spiking/dynamics`, which is the definition), on intervals (`spiking/ranges`), and as C text
(`targets/c/neuron_text`). An interpreter has one method for each kind of operation.

The integers by name:

| name | what it is |
|---|---|
| arriving | what the synapses bring in this step, in units of the state |
| event | what one event brings, for programs that take events one by one |
| current, membrane | the states: they are kept from step to step |
| total, input, past, kept, next, fired | values of this step alone; `input` is what the membrane gets |

and the parameters of the layer: bias, threshold, current_decay, membrane_decay.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "PARAMETERS",
    "STATES",
    "Approach",
    "Compare",
    "Count",
    "Decay",
    "Decayed",
    "FireAtOnce",
    "Interpreter",
    "Limit",
    "Operation",
    "Program",
    "Restrict",
    "Store",
    "Subtract",
    "Sum",
    "Zero",
    "live",
]

STATES = ("current", "membrane")
PARAMETERS = ("bias", "threshold", "current_decay", "membrane_decay")


@dataclass(frozen=True)
class Limit:
    """A width: `bits`, and the rule (`models/limits`) for a value that passes it."""

    rule: str = "refuse"
    bits: int = 32


@dataclass(frozen=True)
class Decayed:
    """A value one step later: by a rule (`models/decay`) with the parameter `factors` of `bits` fraction bits."""

    value: str
    rule: str
    bits: int
    factors: str

    @property
    def reads(self) -> tuple[str, ...]:
        """The names that it reads."""
        return (self.value,) if self.rule == "none" else (self.value, self.factors)


class Operation(ABC):
    """One operation; frozen dataclasses below, the equation in the docstring."""

    @property
    @abstractmethod
    def writes(self) -> str:
        """The name that it writes."""

    @property
    @abstractmethod
    def reads(self) -> tuple[str, ...]:
        """The names that it reads, parameters among them."""

    @abstractmethod
    def run(self, on: Interpreter) -> None:
        """Call the method of the interpreter for this kind of operation."""


@dataclass(frozen=True)
class Sum(Operation):
    """into = limit(decayed + Σ terms); 0 without any."""

    into: str
    terms: tuple[str, ...]
    decayed: Decayed | None = None
    limit: Limit = Limit()

    @property
    def writes(self) -> str:
        return self.into

    @property
    def reads(self) -> tuple[str, ...]:
        return (*(self.decayed.reads if self.decayed else ()), *self.terms)

    def run(self, on: Interpreter) -> None:
        on.sum(self)


@dataclass(frozen=True)
class Decay(Operation):
    """into = limit(decayed), of a value of this step."""

    into: str
    decayed: Decayed
    limit: Limit = Limit()

    @property
    def writes(self) -> str:
        return self.into

    @property
    def reads(self) -> tuple[str, ...]:
        return self.decayed.reads

    def run(self, on: Interpreter) -> None:
        on.decay(self)


@dataclass(frozen=True)
class Approach(Operation):
    """into = x + change, for x = decayed.value: the change decayed − x + terms[0] is limited, and again after each
    further term that is added to it."""

    into: str
    decayed: Decayed
    terms: tuple[str, ...]
    limit: Limit

    @property
    def writes(self) -> str:
        return self.into

    @property
    def reads(self) -> tuple[str, ...]:
        return (*self.decayed.reads, *self.terms)

    def run(self, on: Interpreter) -> None:
        on.approach(self)


@dataclass(frozen=True)
class Restrict(Operation):
    """value = limit(value)."""

    value: str
    limit: Limit

    @property
    def writes(self) -> str:
        return self.value

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.value,)

    def run(self, on: Interpreter) -> None:
        on.restrict(self)


@dataclass(frozen=True)
class Compare(Operation):
    """into = [x > threshold] if `strict`, else [x ≥ threshold]; x = value, less the threshold if `less` is 1."""

    into: str
    value: str
    strict: bool
    less: str = ""

    @property
    def writes(self) -> str:
        return self.into

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.value, "threshold", *((self.less,) if self.less else ()))

    def run(self, on: Interpreter) -> None:
        on.compare(self)


@dataclass(frozen=True)
class Count(Operation):
    """into = how often the threshold can be taken off `value` before the comparison fails, at most `most` times."""

    into: str
    value: str
    strict: bool
    most: int

    @property
    def writes(self) -> str:
        return self.into

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.value, "threshold")

    def run(self, on: Interpreter) -> None:
        on.count(self)


@dataclass(frozen=True)
class Zero(Operation):
    """into = 0 if `when` is 1, else value."""

    into: str
    value: str
    when: str

    @property
    def writes(self) -> str:
        return self.into

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.value, self.when)

    def run(self, on: Interpreter) -> None:
        on.zero(self)


@dataclass(frozen=True)
class Subtract(Operation):
    """value = value − times · threshold."""

    value: str
    times: str

    @property
    def writes(self) -> str:
        return self.value

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.value, self.times, "threshold")

    def run(self, on: Interpreter) -> None:
        on.subtract(self)


@dataclass(frozen=True)
class Store(Operation):
    """state = value, for the next step."""

    state: str
    value: str

    @property
    def writes(self) -> str:
        return self.state

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.value,)

    def run(self, on: Interpreter) -> None:
        on.store(self)


@dataclass(frozen=True)
class FireAtOnce(Operation):
    """At an event: if the state is past its threshold (`strict` as in `Compare`) and the neuron has fired less than
    `most` times in this step, it fires once more and the state is 0."""

    state: str
    strict: bool
    most: int

    @property
    def writes(self) -> str:
        return self.state

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.state, "threshold")

    def run(self, on: Interpreter) -> None:
        on.fire_at_once(self)


class Interpreter(ABC):
    """What carries operations out: on arrays, on intervals, as text."""

    def run(self, operations: Sequence[Operation]) -> None:
        """Carry out operations in their order."""
        for operation in operations:
            operation.run(self)

    @abstractmethod
    def sum(self, operation: Sum) -> None:
        """See `Sum`."""

    @abstractmethod
    def decay(self, operation: Decay) -> None:
        """See `Decay`."""

    @abstractmethod
    def approach(self, operation: Approach) -> None:
        """See `Approach`."""

    @abstractmethod
    def restrict(self, operation: Restrict) -> None:
        """See `Restrict`."""

    @abstractmethod
    def compare(self, operation: Compare) -> None:
        """See `Compare`."""

    @abstractmethod
    def count(self, operation: Count) -> None:
        """See `Count`."""

    @abstractmethod
    def zero(self, operation: Zero) -> None:
        """See `Zero`."""

    @abstractmethod
    def subtract(self, operation: Subtract) -> None:
        """See `Subtract`."""

    @abstractmethod
    def store(self, operation: Store) -> None:
        """See `Store`."""

    @abstractmethod
    def fire_at_once(self, operation: FireAtOnce) -> None:
        """See `FireAtOnce`."""


@dataclass(frozen=True)
class Program:
    """The step of a neuron.

    Parameters
    ----------
    before : carried out before the events of a step, by programs that take events one by one.
    event : carried out at each event, in the order of their index; empty if what a step brings is summed.
    step : carried out once, behind them.
    emitted : the name of what the neuron sends: `fired`, or `next` for one that gives its membrane.
    single : whether an event of the number n is taken as n events, one after the other.
    """

    before: tuple[Operation, ...] = ()
    event: tuple[Operation, ...] = ()
    step: tuple[Operation, ...] = ()
    emitted: str = "fired"
    single: bool = False


def live(operations: Sequence[Operation], wanted: Sequence[str]) -> tuple[Operation, ...]:
    """The operations without those whose result nothing reads: neither a later one, nor a state, nor `wanted`."""
    needed, kept = {*wanted, *STATES}, []
    for operation in reversed(operations):
        if operation.writes in needed:
            kept.append(operation)
            needed.update(operation.reads)
    return tuple(reversed(kept))
