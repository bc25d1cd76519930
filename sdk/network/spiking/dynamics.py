"""Time steps of a layer of leaky neurons, many samples at once: the programs of neuron models on numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .leaky_layer import LeakyLayer
from .models.decay import decay
from .models.limits import limit
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
from .synapses import arriving, events, recurrent_parts, returning

__all__ = ["Record", "run_layer"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Record:
    """States of one layer after each step, int64 [steps, samples, neurons] each; `current` is what u was."""

    current: Int64
    membrane: Int64
    spikes: Int64


def _above(value: Int64, threshold: Int64, strict: bool) -> npt.NDArray[np.bool_]:
    result: npt.NDArray[np.bool_] = value > threshold if strict else value >= threshold
    return result


def _limited(to: Limit, value: Int64) -> Int64:
    return limit(to.rule, value, to.bits)


class _Arrays(Interpreter):
    """The operations on int64 [samples, neurons], by name; what an operation writes is a new array."""

    def __init__(self, parameters: Mapping[str, Int64], values: dict[str, Int64]) -> None:
        self.parameters, self.values = parameters, values
        self.zeros = np.zeros_like(values["membrane"])

    def _value(self, name: str) -> Int64:
        return self.parameters[name] if name in self.parameters else self.values[name]

    def _decayed(self, of: Decayed) -> Int64:
        return decay(of.rule, self.values[of.value], self.parameters[of.factors], of.bits)

    def sum(self, operation: Sum) -> None:
        terms = [self._value(name) for name in operation.terms]
        if operation.decayed is not None:
            terms.insert(0, self._decayed(operation.decayed))
        total = terms[0] if terms else self.zeros
        for term in terms[1:]:
            total = total + term
        self.values[operation.into] = _limited(operation.limit, total)

    def decay(self, operation: Decay) -> None:
        self.values[operation.into] = _limited(operation.limit, self._decayed(operation.decayed))

    def approach(self, operation: Approach) -> None:
        state = self.values[operation.decayed.value]
        change = self._decayed(operation.decayed) - state
        for name in operation.terms:
            change = _limited(operation.limit, change + self._value(name))
        self.values[operation.into] = state + change

    def restrict(self, operation: Restrict) -> None:
        self.values[operation.value] = _limited(operation.limit, self.values[operation.value])

    def compare(self, operation: Compare) -> None:
        value, threshold = self.values[operation.value], self.parameters["threshold"]
        if operation.less:
            value = value - self.values[operation.less] * threshold
        self.values[operation.into] = _above(value, threshold, operation.strict).astype(np.int64)

    def count(self, operation: Count) -> None:
        value, threshold = self.values[operation.value], self.parameters["threshold"]
        times = (value - 1) // threshold if operation.strict else value // threshold
        self.values[operation.into] = np.clip(times, 0, operation.most)

    def zero(self, operation: Zero) -> None:
        self.values[operation.into] = self.values[operation.value] * (1 - self.values[operation.when])

    def subtract(self, operation: Subtract) -> None:
        taken = self.values[operation.times] * self.parameters["threshold"]
        self.values[operation.value] = self.values[operation.value] - taken

    def store(self, operation: Store) -> None:
        self.values[operation.state] = self.values[operation.value]

    def fire_at_once(self, operation: FireAtOnce) -> None:
        state, given = self.values[operation.state], self.values["fired"]
        fires = (self.values["here"] > 0) & _above(state, self.parameters["threshold"], operation.strict)
        fires &= given < operation.most
        self.values[operation.state] = np.where(fires, 0, state)
        self.values["fired"] = given + fires


def run_layer(layer: LeakyLayer, spikes: Int64) -> Record:
    """Run spikes [steps, samples, inputs] through one layer; its docstring and its model's program say what is
    computed."""
    steps, samples = spikes.shape[:2]
    shape = (steps, samples, layer.neurons)
    by_events = bool(layer.program.event)
    given = np.zeros(shape, np.int64) if by_events else arriving(layer, spikes)
    record = Record(given, np.empty(shape, np.int64), np.zeros(shape, np.int64))
    parameters = {name: getattr(layer, name).astype(np.int64) for name in PARAMETERS}
    start = np.repeat(layer.initial.astype(np.int64)[None], samples, axis=0)
    neurons = _Arrays(parameters, {"membrane": start, "current": np.zeros_like(start)})
    parts = [] if by_events else recurrent_parts(layer)
    for step in range(steps):
        values = neurons.values
        values["arriving"] = sum(returning(layer, parts, record.spikes, step), start=given[step])
        values["fired"] = neurons.zeros
        neurons.run(layer.program.before)
        if by_events:
            _take_events(layer, neurons, events(layer, spikes, record.spikes, step))
        neurons.run(layer.program.step)
        record.current[step] = values.get("input", neurons.zeros)
        record.membrane[step], record.spikes[step] = values["membrane"], values["fired"]
    return record


def _take_events(layer: LeakyLayer, neurons: _Arrays, arrived: list[tuple[Int64, Int64]]) -> None:
    """Events of a step, one by one."""
    for spikes, brought in arrived:
        turns = [spikes > turn for turn in range(int(spikes.max()))] if layer.program.single else [spikes]
        for here in turns:
            neurons.values["here"], neurons.values["event"] = here.astype(np.int64), here * brought
            neurons.run(layer.program.event)
