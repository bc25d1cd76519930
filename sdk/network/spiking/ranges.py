"""How far the states of leaky neurons can go: the programs of neuron models on intervals, step after step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..value_range import ValueRange
from .leaky_layer import LeakyLayer
from .models.decay import decay
from .models.limits import bounds
from .models.operations import (
    PARAMETERS,
    Approach,
    Compare,
    Count,
    Decay,
    Decayed,
    FireAtOnce,
    Interpreter,
    Limit,
    Restrict,
    Store,
    Subtract,
    Sum,
    Zero,
)

__all__ = ["arriving_range", "state_ranges"]

Int64 = npt.NDArray[np.int64]
_FAR = 2**40


def arriving_range(layer: LeakyLayer, x: ValueRange) -> tuple[Int64, Int64]:
    """Smallest and largest sum that arrives in a step, int64 [neurons]: any input of any step, or silence, may arrive
    at once."""
    low = np.minimum(x.low.reshape(layer.steps, layer.inputs).min(axis=0), 0)
    high = np.maximum(x.high.reshape(layer.steps, layer.inputs).max(axis=0), 0)
    weight = layer.weight.astype(np.int64)
    positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)
    least, most = positive @ low + negative @ high, positive @ high + negative @ low
    drop, shift = layer.model.dropped_bits, layer.model.weight_shift
    least, most = least >> drop, most >> drop
    if layer.recurrent is not None:
        # Each delay is a sum of its own and may lose up to one unit; that many units cover all of them.
        lost = (layer.neurons if layer.recurrent_delays is not None else 1) if drop else 0
        recurrent = layer.recurrent.astype(np.int64)
        least = least + ((layer.most_spikes * np.minimum(recurrent, 0).sum(axis=1)) >> drop) - lost
        most = most + ((layer.most_spikes * np.maximum(recurrent, 0).sum(axis=1)) >> drop) + lost
    return least << shift, most << shift


def _limited(limit: Limit, value: Int64) -> Int64:
    """The interval after a limit: its bounds; a sum so large that wrapping once is not enough stays outside."""
    if limit.rule == "refuse":
        return value
    (low, high, *_), (least, most) = value, bounds(limit.rule, limit.bits)
    if limit.rule == "wrap":
        turn = 1 << limit.bits
        return _interval(np.minimum(least, low + turn), np.maximum(most, high - turn))
    return _interval(np.full_like(low, least), np.full_like(high, most))


def _interval(low: Int64, high: Int64, past: Int64 | None = None) -> Int64:
    return np.stack([low, high, low if past is None else past])


class _Intervals(Interpreter):
    """The operations on int64 [3, neurons]: the smallest value, the largest, and the smallest behind a membrane that is
    just at its threshold: the least that is left when a late reset takes the threshold off.

    Every rule of decay is monotone, so the ends of an interval give the ends. A reset only ever takes a membrane that
    is past its threshold. A limit of the membrane comes last, as a reset never takes a value out of it.
    """

    def __init__(self, parameters: Mapping[str, Int64], initial: Int64) -> None:
        self.parameters = parameters
        zero = np.zeros_like(initial)
        self.values = {
            "membrane": _interval(initial, initial, parameters["threshold"]),
            "current": np.stack([zero] * 3),
        }
        self.widest = {"input": (zero, zero), "membrane": (np.minimum(initial, 0), np.maximum(initial, 0))}
        self.resets, self.last = False, Limit()

    def _widen(self, name: str, value: Int64) -> None:
        low, high = self.widest[name]
        self.widest[name] = np.minimum(low, value[0]), np.maximum(high, value[1])

    def step(self, layer: LeakyLayer, arriving: Int64) -> None:
        """One time step, of the sums that arrive."""
        program = layer.program
        self.values["arriving"] = self.values["input"] = self.values["event"] = arriving
        self.resets, self.last = False, Limit()
        self.run((*program.before, *program.event, *program.step))
        low, high, _ = self.values["membrane"]
        kept = _limited(self.last, _interval(np.minimum(low, 0) if self.resets else low, high))
        self._widen("input", self.values["input"])
        self._widen("membrane", kept)
        self.values["membrane"] = _interval(kept[0], kept[1], self.parameters["threshold"])

    def _value(self, name: str) -> Int64:
        return self.parameters[name] if name in self.parameters else self.values[name]

    def _decayed(self, of: Decayed) -> Int64:
        return decay(of.rule, self.values[of.value], self.parameters[of.factors], of.bits)

    def _write(self, name: str, value: Int64, limit: Limit) -> None:
        if name == "membrane":
            self.last = limit
        else:
            value = _limited(limit, value)
        self.values[name] = value

    def sum(self, operation: Sum) -> None:
        total = np.zeros_like(self.values["membrane"])
        if operation.decayed is not None:
            total = self._decayed(operation.decayed)
        for name in operation.terms:
            total = total + self._value(name)
        self._write(operation.into, total, operation.limit)

    def decay(self, operation: Decay) -> None:
        """A value on the way to the result counts as well."""
        before, after = self.values[operation.decayed.value], self._decayed(operation.decayed)
        ends = _interval(np.minimum(before[0], after[0]), np.maximum(before[1], after[1]))
        self._write(operation.into, ends, operation.limit)

    def approach(self, operation: Approach) -> None:
        """A change that is limited ends on the way."""
        self.sum(Sum(operation.into, operation.terms, operation.decayed))

    def restrict(self, operation: Restrict) -> None:
        self.last = operation.limit

    def compare(self, operation: Compare) -> None:
        """Either may be."""

    def count(self, operation: Count) -> None:
        """Any number may be."""

    def zero(self, operation: Zero) -> None:
        self.resets = True
        low, high, _ = self.values[operation.value]
        value = _interval(np.minimum(low, 0), high)
        self.values[operation.into] = self._at_most_threshold(value) if operation.when == "fired" else value

    def subtract(self, operation: Subtract) -> None:
        low, high, past = self.values[operation.value]
        if operation.times == "past":
            self.values[operation.value] = _interval(np.minimum(low, past - self.parameters["threshold"]), high)
        else:
            self.resets = True

    def store(self, operation: Store) -> None:
        self.values[operation.state] = self.values[operation.value]

    def fire_at_once(self, operation: FireAtOnce) -> None:
        self.resets = True
        self.values[operation.state] = self._at_most_threshold(self.values[operation.state])

    def _at_most_threshold(self, value: Int64) -> Int64:
        """What stays after a comparison is at most the threshold; before it, the high end was reached."""
        low, high = self.widest["membrane"]
        self.widest["membrane"] = low, np.maximum(high, value[1])
        return _interval(value[0], np.maximum(np.minimum(value[1], self.parameters["threshold"]), 0))


def state_ranges(layer: LeakyLayer, x: ValueRange) -> tuple[ValueRange, ValueRange]:
    """Ranges of current and membrane over all steps, for inputs within x [steps · inputs].

    Sound, and close if inputs are independent. Stops early, past 2^40, if the states grow without bound.
    """
    parameters = {name: getattr(layer, name).astype(np.int64) for name in PARAMETERS}
    arriving = _interval(*arriving_range(layer, x))
    if layer.program.event:
        arriving = _limited(Limit(layer.model.current_limit, layer.model.bits), arriving)
    intervals = _Intervals(parameters, layer.initial.astype(np.int64))
    for _ in range(layer.steps):
        before = {name: intervals.values[name] for name in ("current", "membrane")}
        intervals.step(layer, arriving)
        if max(int(np.abs(end).max()) for ends in intervals.widest.values() for end in ends) > _FAR:
            break
        if all(np.array_equal(value, intervals.values[name]) for name, value in before.items()):
            break
    return ValueRange(*intervals.widest["input"]), ValueRange(*intervals.widest["membrane"])
