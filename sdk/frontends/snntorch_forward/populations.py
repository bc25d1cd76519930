"""From the calls of a recorded run to layers: a population of neurons is a chain of calls, one per time step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ..snn import Snn, SnnLayer
from .expressions import Expression, OverTime, Ranked, Signal, Unreadable, Weight
from .neurons import neuron_layer
from .recorder import Call, Recorder

__all__ = ["STATIC", "NotThisLayout", "Populations", "Reading", "flat_results"]

Floats = npt.NDArray[np.float64]
_MOST_WEIGHTS = 2**26
STATIC = -1
"""Index of the input's signal where one sample stays for all steps."""


class NotThisLayout(InputError):
    """The run makes no sense for this layout of the input; another one may."""


def _unreadable(where: str, value: Unreadable, use: str) -> InputError:
    """The refusal of a value that `use` says what it is needed for."""
    kind = NotThisLayout if value.layout else InputError
    place = "" if value.where in ("forward", "") else f" in {value.where}"
    remedy = value.remedy or "edgeml reads linear layers, batch norm, sums, constant factors and snnTorch's neurons"
    return kind(where, f"{value.operation}{place} is not read, and {use}", remedy)


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read, and where its layers lie in a run.

    Parameters
    ----------
    snn : the network. chains : per layer, its population's number.
    module, calls_per_step, turn : the output layer's module, how often it is called in a step, and which call counts.
    """

    snn: Snn
    chains: tuple[int, ...]
    module: str
    calls_per_step: int
    turn: int


class Populations:
    """The populations of a run, and the network that they form.

    Parameters
    ----------
    where : the model, for errors.
    one_step : whether each run of forward was one step of the network.
    """

    def __init__(self, recorder: Recorder, where: str, one_step: bool) -> None:
        self.calls, self.where, self.one_step = recorder.calls, where, one_step
        self.chains: list[list[int]] = []
        self._links: dict[int, _Link] = {}
        self._of: dict[int, tuple[int, int]] = {}
        for index, call in enumerate(self.calls):
            if call.before is not None and self._of[call.before][1] == len(self.chains[self._of[call.before][0]]) - 1:
                number = self._of[call.before][0]
                self.chains[number].append(index)
            else:
                number = len(self.chains)
                self.chains.append([index])
            self._of[index] = (number, len(self.chains[number]) - 1)

    def check_call(self, call: Call) -> None:
        """Raises InputError where what a neuron was given, or what it went on from, is not read."""
        if isinstance(call.given, Unreadable):
            raise _unreadable(self.where, call.given, f"{call.where} depends on it")
        if call.problem:
            remedy = "Pass the neurons the states that they gave, from zeros on"
            raise InputError(f"{self.where}, {call.where}", call.problem, remedy)

    def spikes(self, number: int) -> Floats:
        """Spikes [steps, samples, neurons] of a population, as the module gave them."""
        return np.stack([self.calls[index].spikes for index in self.chains[number]])

    def membranes(self, number: int) -> Floats:
        """Membranes [steps, samples, neurons] of a population after each step."""
        return np.stack([self.calls[index].membrane for index in self.chains[number]])

    def read(self, name: str, results: Sequence[Any]) -> Reading:
        """The network whose outputs are `results`, values of what forward gave. Raises InputError where it is none."""
        last, readout = self._output(results)
        used: list[int] = []
        self._visit(last, used, [])
        numbers = {number: position for position, number in enumerate(used)}
        names: dict[str, int] = {}
        layers = []
        for number in used:
            call = self.calls[self.chains[number][-1]]
            names[call.name] = names.get(call.name, 0) + 1
            shown = call.name if names[call.name] == 1 else f"{call.name}_{names[call.name]}"
            layers.append(self._layer(number, shown, call, self._links[number]))
        sources = tuple(
            tuple(-1 if source is None else numbers[source] for source in self._links[k].sources) for k in used
        )
        call = self.calls[self.chains[last][-1]]
        step = [c for c in self.calls if c.module is call.module]
        per_step = len(step) // len(self.chains[last])
        turn = step.index(self.calls[self.chains[last][0]])
        snn = Snn(name, tuple(layers), sources=sources, readout=readout)
        return Reading(snn, tuple(used), call.name, per_step, turn)

    # ---- what comes out

    def _output(self, results: Sequence[Any]) -> tuple[int, str]:
        found: dict[int, str] = {}
        for value in results:
            read = self._result(value)
            if read is not None and found.get(read[0]) != "count":
                found[read[0]] = read[1]
        if not found:
            raise InputError(self.where, "gives nothing that spiking neurons computed", "Return their spikes")
        if len(found) > 1:
            ahead: set[int] = set()
            for number in found:
                order: list[int] = []
                self._visit(number, order, [])
                ahead.update(order[:-1])
            found = {number: readout for number, readout in found.items() if number not in ahead}
        if len(found) != 1:
            names = ", ".join(sorted(self.calls[self.chains[number][0]].where for number in found))
            raise InputError(self.where, f"gives what {names} compute; edgeml reads one layer", "Return one of them")
        return next(iter(found.items()))

    def _result(self, value: Any) -> tuple[int, str] | None:
        """Population and readout of one result; None for a state that says nothing by itself."""
        if value is None:
            return None
        if isinstance(value, Unreadable):
            raise _unreadable(self.where, value, "forward gives it")
        largest = isinstance(value, Ranked) and value.operation == "largest"
        value = value.of if isinstance(value, Ranked) else value
        if isinstance(value, OverTime):
            signals = [step.signal if step is not None else None for step in value.steps]
            kinds = {signal.kind if signal else "" for signal in signals}
            parts = [signal for signal in signals if signal is not None]
            if len(kinds) == 1 and len(parts) == len(signals) and kinds <= {"spikes", "membrane", "current"}:
                number = self._whole(parts)
                if number is not None and kinds == {"spikes"} and not largest:
                    return number, "count"
                if number is not None and kinds == {"membrane"}:
                    return number, "largest-membrane" if largest else "last-membrane"
                if kinds == {"current"}:
                    return None
            raise self._no_readout(value.steps[-1])
        return self._one_value(value)

    def _one_value(self, value: Expression) -> tuple[int, str] | None:
        signal = value.signal
        if signal is not None and signal.kind == "current":
            return None
        if signal is not None and signal.kind != "input":
            number, position = self._of[signal.place]
            if position == len(self.chains[number]) - 1 and (self.one_step or signal.kind == "membrane"):
                return number, "count" if signal.kind == "spikes" else "last-membrane"
            if signal.kind == "spikes":
                what = f"gives the spikes of {self.calls[signal.place].where} in one step alone"
                raise InputError(self.where, what, "Return torch.stack of the spikes of all steps")
        factors = list(value.terms.values())
        counted = all(signal.kind == "spikes" for signal in value.terms) and not value.constant.any()
        if value.terms and counted and all(isinstance(f, float) and f == factors[0] and f > 0 for f in factors):
            number_found = self._whole(sorted(value.terms))
            if number_found is not None:
                return number_found, "count"
        raise self._no_readout(value)

    def _no_readout(self, value: Expression | None) -> InputError:
        if value is not None and any(isinstance(weight, np.ndarray) for weight in value.terms.values()):
            return InputError(self.where, "ends in a linear layer without neurons", "Add a Leaky behind it")
        return InputError(
            self.where,
            "gives something other than one layer's spikes of all steps, their sum, or its membrane",
            "Return torch.stack(spikes), or the last membrane",
        )

    def _whole(self, signals: Sequence[Signal]) -> int | None:
        """The population whose steps these are, all of them in order."""
        number = self._of[signals[0].place][0] if signals[0].kind != "input" else -1
        return number if number >= 0 and [s.place for s in signals] == self.chains[number] else None

    # ---- what goes in

    def _visit(self, number: int, done: list[int], open_: list[int]) -> None:
        """Populations in front of one, and then itself, into `done`."""
        if number in done:
            return
        if number in open_:
            names = " and ".join(self.calls[self.chains[k][0]].where for k in open_[open_.index(number) :])
            raise InputError(self.where, f"{names} feed each other in a loop", "A layer may feed back to itself alone")
        if number not in self._links:
            self._links[number] = self._link(number)
        for source in self._links[number].sources:
            if source is not None:
                self._visit(source, done, [*open_, number])
        done.append(number)

    def _link(self, number: int) -> _Link:
        chain = self.chains[number]
        template: dict[tuple[int | None, int], Weight] = {}
        for position, index in enumerate(reversed(chain)):
            call, step = self.calls[index], len(chain) - 1 - position
            terms = self._relative(call, number, step)
            if not position:
                template, constant = terms, _expression(call).constant
            expected = {key: weight for key, weight in template.items() if key[1] <= step}
            same = expected.keys() == terms.keys() and all(_equal(terms[key], expected[key]) for key in terms)
            if not same or not np.array_equal(_expression(call).constant, constant):
                problem = "is not given the same in every step"
                if len([c for c in self.calls if c.module is call.module]) > len(chain):
                    problem += ": it is called more than once in a step and keeps one state"
                raise NotThisLayout(f"{self.where}, {call.where}", problem, "Give each layer neurons of its own")
        return self._checked(number, template)

    def _relative(self, call: Call, number: int, step: int) -> dict[tuple[int | None, int], Weight]:
        """What a call is given: weights by (population, or None for the input; how many steps ago)."""
        where = f"{self.where}, {call.where}"
        self.check_call(call)
        found: dict[tuple[int | None, int], Weight] = {}
        for signal, weight in _expression(call).terms.items():
            if signal.kind == "input":
                found[(None, 0 if signal.place == STATIC else step - signal.place)] = weight
            elif signal.kind == "spikes":
                source, position = self._of[signal.place]
                if len(self.chains[source]) != len(self.chains[number]):
                    for other in self.calls:
                        self.check_call(other)
                    raise InputError(
                        where,
                        f"runs for {len(self.chains[number])} steps, "
                        f"{self.calls[signal.place].where} in front of it for {len(self.chains[source])}",
                        "Begin all layers with zeros, and run them for the same number of steps",
                    )
                found[(source, step - position)] = weight
            else:
                raise InputError(
                    where, f"takes the {signal.kind} of {self.calls[signal.place].where}", "Take its spikes"
                )
        if any(ago < 0 for _, ago in found):
            raise NotThisLayout(where, "takes what comes only later")
        return found

    def _checked(self, number: int, template: dict[tuple[int | None, int], Weight]) -> _Link:
        call = self.calls[self.chains[number][-1]]
        where = f"{self.where}, {call.where}"
        own = template.pop((number, 1), None)
        if any(source == number for source, _ in template):
            raise InputError(where, "takes its own spikes of more than a step before", "Take those of the last step")
        sources = sorted((source for source, _ in template), key=lambda source: -1 if source is None else source)
        if not sources:
            raise InputError(where, "does not depend on the input of the network")
        weights, delays = list(template.values()), {ago for _, ago in template}
        if len(sources) > 1 and (None in sources or not all(_equal(weight, weights[0]) for weight in weights)):
            names = ", ".join("the input" if s is None else self.calls[self.chains[s][0]].where for s in sources)
            raise InputError(
                where,
                f"adds what comes from {names} through different weights",
                "Add the spikes of layers of one size in front of one linear layer",
            )
        if len(delays) > 1:
            raise InputError(where, f"takes spikes of {sorted(delays)} steps before together", "Take those of one step")
        return _Link(tuple(sources), weights[0], delays.pop(), own)

    def _layer(self, number: int, name: str, call: Call, link: _Link) -> SnnLayer:
        where = f"{self.where}, {call.where}"
        given = _expression(call)
        inputs = size = given.features
        if isinstance(link.weight, np.ndarray) and link.weight.ndim == 2:
            inputs = link.weight.shape[1]
        if size * inputs > _MOST_WEIGHTS:
            raise InputError(
                where, f"has {inputs} inputs and {size} neurons", f"At most {_MOST_WEIGHTS} weights are read"
            )
        return neuron_layer(
            name,
            where,
            call.module,
            _matrix(link.weight, size),
            given.constant,
            None if link.own is None else _matrix(link.own, size),
            np.full((size, inputs), link.delay, np.int64) if link.delay else None,
        )


@dataclass(frozen=True, eq=False)
class _Link:
    """What feeds a population: `sources` added together (None: the input), `delay` steps ago, through `weight`; and
    its own spikes of the step before through `own`."""

    sources: tuple[int | None, ...]
    weight: Weight
    delay: int
    own: Weight | None


def _expression(call: Call) -> Expression:
    assert isinstance(call.given, Expression)
    return call.given


def _equal(a: Weight, b: Weight) -> bool:
    return a is b or (np.shape(a) == np.shape(b) and bool(np.array_equal(a, b)))


def _matrix(weight: Weight, size: int) -> Floats:
    if isinstance(weight, float):
        return np.eye(size) * weight
    return np.diag(weight) if weight.ndim == 1 else weight


def flat_results(results: Any) -> Iterable[Any]:
    """The tensors in what forward gave, in order."""
    if isinstance(results, dict):
        results = list(results.values())
    if isinstance(results, (list, tuple)):
        for each in results:
            yield from flat_results(each)
    elif results is not None:
        yield results
