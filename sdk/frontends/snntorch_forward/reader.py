"""A module with snnTorch neurons as an `Snn`: its forward is run and read, and the reading held against more runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...errors import CheckFailed, InputError
from ..snn import Snn
from .agreement import first_unexplained
from .expressions import Expression, OverTime, Signal
from .populations import STATIC, NotThisLayout, Populations, Reading, flat_results
from .recorder import Recorder
from .source import LAYOUTS, ForwardSource, Layout, UsersError, called, copied, further_arguments, pristine

__all__ = ["read_module"]

Floats = npt.NDArray[np.float64]
_STEPS, _SAMPLES = 6, 7
_MOST_SHAPES = 8


class _Run:
    """One recorded run of a module in float64, on events [steps, samples, features]."""

    def __init__(self, module: Any, where: str, layout: Layout, events: Floats) -> None:
        self.events = events
        self.returned: list[int | None] = [None] * further_arguments(module)
        with copied(module) as model:
            recorder = Recorder(model.double(), where)
            further = [torch.zeros(0, dtype=torch.float64) for _ in self.returned]
            for tensor in further:
                recorder.expect_state(tensor)
            with recorder.watching():
                results = self._call(recorder, layout, 0, further, where)
                lengths = Populations(recorder, where, True).chains
                self.one_step = layout.axes == "samples" and all(len(chain) == 1 for chain in lengths)
                if self.one_step:
                    self._follow_states(recorder, further, results, where)
                    first = len(lengths)
                    for step in range(1, len(events)):
                        chosen = [
                            old if at is None else results[at] for old, at in zip(further, self.returned, strict=True)
                        ]
                        results = self._call(recorder, layout, step, chosen, where)
            self.populations = Populations(recorder, where, self.one_step)
            self.results = [recorder.raw(tensor) for tensor in results]
        if self.one_step and len(self.populations.chains) > first:
            for call in recorder.calls:
                self.populations.check_call(call)
            raise InputError(
                where,
                "forward runs one step, and forgets the membranes before the next",
                "Loop over time in forward, keep the states with init_hidden=True, or take and return them",
            )
        if not recorder.calls:
            raise InputError(where, "forward calls none of its spiking neurons")
        if recorder.taken_out is not None:
            value = recorder.taken_out
            raise InputError(
                where, f"uses {value.operation} in {value.where}: what follows from it is not seen", value.remedy
            )

    def _call(self, recorder: Recorder, layout: Layout, step: int, further: list[Any], where: str) -> list[Any]:
        given = layout.tensor(self.events[step:], torch.float64)
        size = layout.features
        if layout.axes == "samples":
            recorder.know(given, Expression.of(Signal("input", step), size))
        else:
            steps = tuple(Expression.of(Signal("input", t), size) for t in range(len(self.events)))
            recorder.know(given, OverTime(steps, layout.axes.split(", ").index("time")))
        return list(flat_results(called(recorder.module, [given, *further], where)))

    def _follow_states(self, recorder: Recorder, further: list[Any], results: list[Any], where: str) -> None:
        """Which results are the states that forward takes as arguments."""
        for position, tensor in enumerate(further):
            if (used := recorder.state_arguments.get(id(tensor))) is None:
                continue
            wanted = Signal(used[1], used[0])
            for number, result in enumerate(results):
                value = recorder.raw(result)
                if isinstance(value, Expression) and value.signal == wanted:
                    self.returned[position] = number
            if self.returned[position] is None:
                raise InputError(
                    where,
                    f"takes the {used[1]} of {recorder.calls[used[0]].where} as argument {position + 2} of forward "
                    "and does not return it",
                    "Return each state that forward takes",
                )


def _events(features: int, steps: int, seed: int) -> Floats:
    """Random events [steps, samples, features]: some like pixels, some like spikes, some of either sign."""
    generator = np.random.default_rng([features, seed])
    events = generator.random((steps, _SAMPLES, features))
    events[:, 1::3] = events[:, 1::3] < 0.4
    events[:, 2::3] = generator.standard_normal(events[:, 2::3].shape) * 3
    result: Floats = events
    return result


def read_module(module: Any, where: str, name: str, example: Any = None) -> Snn:
    """The network that forward computes. The module is left as it is.

    example : an input as forward takes it; without one, sizes of its linear layers are tried, one step or over time.
    Raises InputError naming what cannot be read, or what forward raised; CheckFailed where the reading is wrong.
    """
    clean = pristine(module, where)
    problems: list[InputError] = []
    for layout in _layouts(clean, where, example):
        try:
            with torch.random.fork_rng(devices=[]):
                return _read(clean, where, name, layout)
        except (NotThisLayout, UsersError) as error:
            problems.append(error)
    problems.sort(key=lambda error: isinstance(error, UsersError))
    first = problems[0]
    raise InputError(first.where, first.problem, first.remedy) from first


def _layouts(module: Any, where: str, example: Any) -> list[Layout]:
    given = example if example is not None else getattr(module, "example_input_array", None)
    if given is not None:
        shape = tuple(int(size) for size in np.shape(given))
        if len(shape) < 2 or 0 in shape:
            raise InputError(
                "example", f"has shape {list(shape)}", "Pass [samples, features], with time if there is any"
            )
        found = [Layout(LAYOUTS[0], shape[1:])]
        return found + [Layout(axes, shape[2:]) for axes in LAYOUTS[1:] if len(shape) > 2]
    sizes = dict.fromkeys(part.in_features for part in module.modules() if isinstance(part, torch.nn.Linear))
    if not sizes:
        raise InputError(where, "has no torch.nn.Linear that tells its input size", "Pass an example input")
    return [Layout(axes, (size,)) for size in list(sizes)[:_MOST_SHAPES] for axes in LAYOUTS]


def _read(module: Any, where: str, name: str, layout: Layout) -> Snn:
    run = _Run(module, where, layout, _events(layout.features, _STEPS, 0))
    looped = layout.axes == "samples" and not run.one_step
    reading = _reading(run, name, looped)

    def check(events: Floats) -> None:
        _check(reading, _Run(module, where, layout, events), looped, where)

    source = ForwardSource(module, where, layout, run.one_step, run.returned, reading, check)
    source.steps = len(run.populations.chains[reading.chains[-1]]) if looped else None
    _check(reading, run, looped, where)
    check(_events(layout.features, _STEPS + 3, 1))
    return replace(reading.snn, source=source)


def _reading(run: _Run, name: str, looped: bool) -> Reading:
    if looped:
        for call in run.populations.calls:
            if isinstance(call.given, Expression):
                terms = {_static(signal): weight for signal, weight in call.given.terms.items()}
                call.given = Expression(call.given.features, terms, call.given.constant)
    return run.populations.read(name, run.results)


def _static(signal: Signal) -> Signal:
    return Signal("input", STATIC) if signal.kind == "input" else signal


def _check(reading: Reading, run: _Run, looped: bool, where: str) -> None:
    """Hold every layer's spikes and membranes of a run against the reading's."""
    populations, snn = run.populations, reading.snn
    if max(reading.chains) >= len(populations.chains):
        raise InputError(where, "calls other neurons for other inputs", "Keep Python conditions out of forward")
    steps = len(populations.chains[reading.chains[-1]])
    events = np.repeat(run.events[:1], steps, axis=0) if looped else run.events
    if len(events) != steps or any(len(populations.chains[k]) != steps for k in reading.chains):
        raise InputError(where, "runs other numbers of steps for other inputs", "Keep Python conditions out of forward")
    ran = snn.run(events)
    theirs = [(populations.spikes(number), populations.membranes(number)) for number in reading.chains]
    wrong = first_unexplained(snn, (ran.spikes, ran.membranes), theirs)
    if wrong is not None:
        raise CheckFailed(
            where,
            f"edgeml misread this model, or it gives other numbers each time: {wrong}",
            "If nothing in forward is random, this is a defect of edgeml; please report it",
        )
