"""One trial: what a candidate costs and how well it answers, the cheap questions first.

1. Estimates of a stand-in of the same shape and bits: what breaks a constraint by far goes no further.
2. The float model of the family, trained once for each shape. No network quantized from it is expected to pass its
   quality by more than a slack: what a finished design beats even then goes no further.
3. A short quantization-aware training, and the same question with the gain that full training has brought so far.
4. Full training; estimates of the integers that came out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from .. import plugins
from ..allocation.untrained_models import stand_in_of
from ..allocation.untrained_networks import stand_in
from ..allocation.weight_range import FULL_RANGE_SAMPLES
from ..data.dataset import Dataset
from ..errors import EdgemlError, InputError, MissingTool
from ..frontends.mlp import Mlp
from ..input_encoding import TABLE, stand_in_encoding
from ..judging.scores import answers_of
from ..network import Network, network_file
from ..network.reduction import reduced
from ..profile import Profile
from .candidate import Candidate
from .front import dominates
from .mlp_family import BATCH, train_member
from .objectives import QUALITIES, Constraint, budgets, costs_of, general_estimates, quality

__all__ = ["FLOAT_SLACK", "Failure", "Judged", "Outcome", "Problem", "Trials", "estimates", "run_guarded"]

_STAND_IN_ERROR = 0.3
"""A stand-in's estimate may be wrong by so much; a candidate is refused on it only beyond."""
FLOAT_SLACK = 0.01
"""A network is not expected to answer better than its float model by more."""
_MOST_KEPT = 64


@dataclass(frozen=True, eq=False)
class Problem:
    """What every trial of a search has in common. Sent once to each worker.

    Parameters
    ----------
    data : training samples, and as its held-back ones the validation samples.
    x_test, y_test : samples that choose nothing, or None.
    mlp : the trained model, or None for the family.
    profiles : by the name or path that candidates use.
    objectives : quality first. constraints : all must hold.
    short_steps, full_steps, float_steps : training lengths in steps of 128 samples.
    """

    data: Dataset
    x_test: npt.NDArray[Any] | None
    y_test: npt.NDArray[Any] | None
    mlp: Mlp | None
    profiles: Mapping[str, Profile]
    objectives: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    seed: int
    short_steps: int = 250
    full_steps: int = 1500
    float_steps: int = 1500

    @property
    def full_range(self) -> bool:
        """Whether 2-bit weights that are trained on these samples have all four codes."""
        return len(self.data.x) >= FULL_RANGE_SAMPLES

    @property
    def classes(self) -> int:
        """Number of outputs of the family."""
        assert self.data.y is not None
        assert self.data.y_test is not None
        if self.data.y.ndim == 2:
            return int(self.data.y.shape[1])
        most = int(max(self.data.y.max(), self.data.y_test.max()))
        return max(most + 1, len(self.data.labels), 2)


@dataclass(frozen=True)
class Judged:
    """What earlier trials found, for stopping early: their objective values, and the most that full training gained."""

    values: tuple[tuple[float, ...], ...] = ()
    gain: float = 0.1


@dataclass(frozen=True)
class Outcome:
    """What a trial found.

    Parameters
    ----------
    values : of the objectives. violations : of each constraint, shares of its limit; positive: broken.
    estimates : all that is known of the cost. validation, test : qualities.
    stopped : "", "too_large" or "dominated": then `values` hold the best that was still conceivable, or quality 0.
    short : quality after the short training, or None.
    files : the model file by name.
    """

    values: tuple[float, ...]
    violations: tuple[float, ...]
    estimates: Mapping[str, float]
    validation: Mapping[str, float] = field(default_factory=dict)
    test: Mapping[str, float] | None = None
    stopped: str = ""
    short: float | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """Why a trial has no outcome, in the parts of an `EdgemlError`; `exit_code` not 0: the whole search must end."""

    where: str
    problem: str
    remedy: str
    exit_code: int

    def as_error(self) -> EdgemlError:
        """The error that ends the search."""
        kind = MissingTool if self.exit_code == 3 else InputError
        return kind(self.where, self.problem, self.remedy)


@dataclass(frozen=True, eq=False)
class _Trained:
    network: Network
    files: Mapping[str, bytes]


class Trials:
    """Runs trials of one problem, and keeps what several of them can use: float models and trained networks."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._members: dict[tuple[int, ...], tuple[Mlp, float]] = {}
        self._trained: dict[tuple[Any, ...], _Trained] = {}

    def run(self, candidate: Candidate, judged: Judged) -> Outcome:
        """Judge a candidate. Raises EdgemlError where it cannot be built for the part at all."""
        problem = self.problem
        kept = self._trained.get((candidate.training_key, problem.full_steps))
        early = kept is None and not candidate.baseline
        estimates: dict[str, float] = {}
        if kept is None and candidate.form != "tflite" and self._can_stand_in() and candidate.encode != TABLE:
            encoding = None
            if candidate.encode:
                features = problem.data.features
                encoding = stand_in_encoding(candidate.encode, features, candidate.input_bits).integer_layer()
            bits = candidate.weight_bits, candidate.act_bits, candidate.input_bits
            more = encoding, candidate.fan_in, problem.full_range
            if problem.mlp is None:
                network = stand_in((problem.data.features, *candidate.hidden, problem.classes), *bits, *more)
            else:
                network = stand_in_of(problem.mlp, *bits, *more, join_bits=max(candidate.act_bits, default=8))
            estimates = self._estimates(self._in_form(network, candidate), candidate, measured=False)
        costs_known = all(name in estimates for name in problem.objectives[1:])
        if early and estimates:
            violations = self._violations(estimates, {}, candidate)
            if max(violations, default=0.0) > _STAND_IN_ERROR:
                return self._stopped("too_large", 0.0, estimates, violations)
        mlp, float_quality = self._member(candidate)
        if early and costs_known and not candidate.encode:  # bits may tell more than the float model's sums
            best = min(float_quality + FLOAT_SLACK, 1.0)
            if self._beaten(best, estimates, judged):
                return self._stopped("dominated", best, estimates, self._violations(estimates, {}, candidate))
        short = None
        if early and self._trains(candidate):
            first = self._train(mlp, candidate, problem.short_steps)
            short = self._quality(first.network)[problem.objectives[0]]
            best = min(short + judged.gain, 1.0)
            found = self._estimates(self._in_form(first.network, candidate), candidate, measured=False)
            if all(name in found for name in problem.objectives[1:]) and self._beaten(best, found, judged):
                return self._stopped("dominated", best, found, self._violations(found, {}, candidate), short)
        return self._finished(mlp, candidate, short)

    def _finished(self, mlp: Mlp, candidate: Candidate, short: float | None) -> Outcome:
        problem = self.problem
        trained = self._train(mlp, candidate, problem.full_steps)
        network = self._in_form(trained.network, candidate)
        estimates = self._estimates(network, candidate, measured=True)
        for name in problem.objectives[1:]:
            if name not in estimates:
                raise InputError(
                    f"objective {name}",
                    f"is nothing that target {candidate.target} estimates",
                    f"It estimates: {', '.join(sorted(estimates))}",
                )
        validation = self._quality(trained.network)
        test = None
        if problem.x_test is not None and problem.y_test is not None:
            test = _answers_quality(trained.network, problem.x_test, problem.y_test)
        values = (validation[problem.objectives[0]], *(estimates[name] for name in problem.objectives[1:]))
        violations = self._violations(estimates, validation, candidate)
        return Outcome(values, violations, estimates, validation, test, "", short, trained.files)

    def _stopped(
        self,
        why: str,
        best: float,
        estimates: Mapping[str, float],
        violations: tuple[float, ...],
        short: float | None = None,
    ) -> Outcome:
        values = (best, *(estimates.get(name, 0.0) for name in self.problem.objectives[1:]))
        return Outcome(values, violations, dict(estimates), stopped=why, short=short)

    def _beaten(self, best: float, estimates: Mapping[str, float], judged: Judged) -> bool:
        row = costs_of((best, *(estimates[name] for name in self.problem.objectives[1:])))
        return any(dominates(costs_of(other), row) for other in judged.values)

    def _violations(
        self, estimates: Mapping[str, float], found: Mapping[str, float], candidate: Candidate
    ) -> tuple[float, ...]:
        budget = budgets(self.problem.profiles[candidate.target])
        known = {**estimates, **found}
        return tuple(each.violation(known, budget) for each in self.problem.constraints)

    def _can_stand_in(self) -> bool:
        """Whether a network of the model's structure can be made untrained: layers in a row, or what shares weights."""
        mlp = self.problem.mlp
        if mlp is None or all(len(node.inputs) == 1 for node in mlp.nodes):
            return True
        return any(linear.gather is not None for linear in mlp.linears.values())

    def _member(self, candidate: Candidate) -> tuple[Mlp, float]:
        """The float model and its validation quality."""
        key = candidate.hidden
        if key not in self._members:
            problem, data = self.problem, self.problem.data
            mlp = problem.mlp
            if mlp is None:
                assert data.y is not None
                mlp = train_member(
                    data.x, data.y, candidate.hidden, problem.classes, problem.float_steps, problem.seed, data.labels
                )
            assert data.y_test is not None
            found = quality(answers_of(mlp, data.x_test), data.y_test)[problem.objectives[0]]
            _forget_oldest(self._members)
            self._members[key] = mlp, found
        return self._members[key]

    def _trains(self, candidate: Candidate) -> bool:
        """Whether bits are so few that the form trains; 8 bits are calibrated, which is quick."""
        return min(candidate.weight_bits + candidate.act_bits) < (5 if candidate.form == "tflite" else 8)

    def _train(self, mlp: Mlp, candidate: Candidate, steps: int) -> _Trained:
        key = (candidate.training_key, steps)
        if key in self._trained:
            return self._trained[key]
        data = self.problem.data
        epochs = max(1, round(steps / math.ceil(len(data.x) / BATCH))) if self._trains(candidate) else 0
        options: dict[str, Any] = {"epochs": epochs, "seed": self.problem.seed}
        if candidate.encode:
            options["encode"] = f"all={candidate.encode}"
        if candidate.form == "tflite":
            options["weight_bits"] = candidate.weight_bits[0]
        else:
            layers = list(mlp.linears)
            options |= {
                "weight_bits": max(candidate.weight_bits),
                "act_bits": max(candidate.act_bits, default=8),
                "input_bits": candidate.input_bits,
                "layer_bits": candidate.layer_bits(layers),
            }
            if limits := candidate.limits(layers):
                options["fan_in"] = limits
        form = "tflite" if candidate.form == "tflite" else "quantized"
        conversion = plugins.converters(form).convert(mlp, data, options, _silent)
        if form == "tflite":
            content = next(content for name, content in conversion.files.items() if name.endswith(".tflite"))
            files = {"model.tflite": content}
        else:
            files = {"network.edgeml": network_file.to_bytes(conversion.network)}
        _forget_oldest(self._trained)
        self._trained[key] = _Trained(conversion.network, files)
        return self._trained[key]

    def _in_form(self, network: Network, candidate: Candidate) -> Network:
        """The network as it goes to the target: as spikes where that is the form."""
        if candidate.form != "spiking":
            return network
        converter = plugins.converters("spiking")
        encoding = {"encoding": candidate.options.get("encoding", "unary")}
        if not isinstance(converter, plugins.AdoptsNetworks):
            return network
        conversion = converter.adopt(None, network, None, encoding)
        return conversion.network if conversion is not None else network

    def _estimates(self, network: Network, candidate: Candidate, *, measured: bool) -> dict[str, float]:
        return estimates(self.problem, network, candidate, measured=measured)

    def _quality(self, network: Network) -> dict[str, float]:
        data = self.problem.data
        assert data.y_test is not None
        return _answers_quality(network, data.x_test, data.y_test)


_MEASURED = {"instructions"}
"""Asked for, these make a target build and run its code."""


def estimates(problem: Problem, network: Network, candidate: Candidate, *, measured: bool) -> dict[str, float]:
    """Costs of a network by name, on the part of a candidate. `measured` builds and runs where an objective or a
    constraint needs it."""
    network, profile = reduced(network), problem.profiles[candidate.target]
    hardware = plugins.targets(profile.kind)
    found: dict[str, float] = {}
    if isinstance(hardware, plugins.Estimates):
        found = dict(hardware.estimate(network, profile, candidate.target_options))
    found |= general_estimates(network, profile, found)
    wanted = {*problem.objectives[1:], *(each.name for each in problem.constraints)} - set(QUALITIES)
    if measured and wanted & _MEASURED and isinstance(hardware, plugins.Measures):
        found |= hardware.measure(network, profile, candidate.target_options)
    return found


def run_guarded(trials: Trials, candidate: Candidate, judged: Judged) -> Outcome | Failure:
    """A trial's outcome, or why this candidate cannot be built: a value instead of an error, to cross processes."""
    try:
        return trials.run(candidate, judged)
    except EdgemlError as error:
        fatal = error.exit_code == 3 or error.where.startswith("objective")
        return Failure(error.where, error.problem, error.remedy, error.exit_code if fatal else 0)


def _answers_quality(network: Network, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> dict[str, float]:
    return quality(answers_of(network, x), y)


def _forget_oldest(kept: dict[Any, Any]) -> None:
    while len(kept) >= _MOST_KEPT:
        kept.pop(next(iter(kept)))


def _silent(stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
    return None
