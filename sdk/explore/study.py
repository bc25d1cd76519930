"""The search itself: Optuna proposes, workers judge, a file remembers.

Everything that a trial found lies in `study.db` (SQLite) before the next is asked for, so that a search killed at any
moment goes on with all finished trials; those that were running are queued again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MissingTool
from ..extras import install_extra
from .candidate import Candidate
from .front import non_dominated
from .objectives import costs_of
from .space import Space
from .trial import Failure, Judged, Outcome
from .workers import Handle, Workers

__all__ = ["STORAGE", "Limits", "Record", "Search"]

STORAGE = "study.db"
_POPULATION = 20
_FEWEST_GAINS = 5
_LARGEST_GAIN = 0.1
_NEIGHBOURS_TRIED = 8


@dataclass(frozen=True)
class Limits:
    """When to end: after so many trials in all, or when so many seconds of this run are over."""

    trials: int
    seconds: float | None = None


@dataclass(frozen=True)
class Record:
    """A trial that is over: its number, the candidate, and what was found, without files."""

    number: int
    candidate: Candidate
    outcome: Outcome

    @property
    def feasible(self) -> bool:
        """Whether it was judged to the end and keeps every constraint."""
        return not self.outcome.stopped and all(each <= 0 for each in self.outcome.violations)


class Search:
    """A study in a folder. `start` are candidates to try first, where the study is new."""

    def __init__(self, folder: Path, space: Space, objectives: Sequence[str], seed: int, sampler: str) -> None:
        self.folder, self.space, self.seed = folder, space, seed
        optuna = _optuna()
        from sqlalchemy import URL

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        storage = optuna.storages.RDBStorage(
            URL.create("sqlite", database=str(folder / STORAGE)).render_as_string(hide_password=False)
        )
        directions = ["maximize", *["minimize"] * (len(objectives) - 1)]
        self._study = optuna.create_study(
            storage=storage, study_name="explore", directions=directions, load_if_exists=True
        )
        self._study.sampler = self._sampler(optuna, sampler)
        self._earlier = float(self._study.user_attrs.get("seconds", 0.0))
        self._began = time.monotonic()
        self.records: list[Record] = []
        self.failed = 0
        self._read()

    def _sampler(self, optuna: Any, name: str) -> Any:
        # Another seed after each resumption, or the same proposals would come again.
        seed = (self.seed * 1_000_003 + len(self._study.trials)) % 2**32
        if name == "nsga2":
            return optuna.samplers.NSGAIISampler(population_size=_POPULATION, seed=seed)
        return optuna.samplers.TPESampler(seed=seed)

    @property
    def seconds(self) -> float:
        """Of wall clock, earlier runs included."""
        return self._earlier + time.monotonic() - self._began

    @property
    def is_new(self) -> bool:
        """Whether no trial was ever asked for or queued."""
        return not self._study.trials

    def queue(self, candidates: Sequence[Candidate]) -> None:
        """Try these before anything that the sampler proposes."""
        for candidate in candidates:
            attributes = {"baseline": True} if candidate.baseline else {}
            self._study.enqueue_trial(self.space.parameters(candidate), user_attrs=attributes, skip_if_exists=True)

    def take_up_interrupted(self) -> int:
        """Queue what was running when an earlier run was killed; their number. No other run may be alive."""
        optuna = _optuna()
        interrupted = self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
        for trial in interrupted:
            self._study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            fixed = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
            if fixed:
                baseline = {"baseline": True} if trial.user_attrs.get("baseline") else {}
                self._study.enqueue_trial(fixed, user_attrs=baseline)
        return len(interrupted)

    def run(self, workers: Workers, limits: Limits, found: Callable[[Record, Outcome], None]) -> None:
        """Go on until a limit is reached; `found` is called after each trial that has an outcome."""
        running: dict[Handle, tuple[Any, Candidate]] = {}
        end = None if limits.seconds is None else self._began + limits.seconds
        while True:
            while len(running) < workers.count and self._more(limits, len(running), end):
                self._begin(workers, running, found)
            if not running:
                return
            for handle, outcome in workers.finished(running).items():
                trial, candidate = running.pop(handle)
                self._end(trial, candidate, outcome, found)

    def _more(self, limits: Limits, running: int, end: float | None) -> bool:
        in_time = end is None or time.monotonic() < end
        return in_time and len(self.records) + self.failed + running < limits.trials

    def _begin(self, workers: Workers, running: dict[Handle, Any], found: Callable[[Record, Outcome], None]) -> None:
        self._propose_neighbour()
        trial = self._study.ask()
        baseline = bool(trial.user_attrs.get("baseline"))
        candidate = replace(self.space.suggest(trial), baseline=baseline)
        trial.set_user_attr("candidate", json.dumps(candidate.as_json()))
        known = next((each for each in self.records if each.candidate.as_json() == candidate.as_json()), None)
        if known is not None and (not baseline or not known.outcome.stopped):
            self._end(trial, candidate, known.outcome, found)
            return
        running[workers.start(candidate, self._judged())] = trial, candidate

    def _propose_neighbour(self) -> None:
        """Every other time that nothing is queued: a small change of a design on the front. Optuna's samplers search
        the whole space and learn from tens of trials; a front of trained networks has hardly more."""
        optuna = _optuna()
        number = len(self._study.get_trials(deepcopy=False))
        generator = np.random.default_rng([self.seed, number])
        if number % 2 or self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.WAITING,)):
            return
        feasible = [record for record in self.records if record.feasible]
        front = non_dominated([costs_of(record.outcome.values) for record in feasible])
        known = {json.dumps(record.candidate.as_json()) for record in self.records}
        for _ in range(_NEIGHBOURS_TRIED if front else 0):
            chosen = feasible[front[int(generator.integers(len(front)))]].candidate
            near = self.space.neighbour(chosen, generator)
            if json.dumps(near.as_json()) not in known:
                self._study.enqueue_trial(self.space.parameters(near))
                return

    def _judged(self) -> Judged:
        first = [record.outcome for record in self.records if record.feasible]
        gains = [outcome.values[0] - outcome.short for outcome in first if outcome.short is not None]
        gain = _LARGEST_GAIN if len(gains) < _FEWEST_GAINS else min(max(*gains, 0.0) + 0.005, _LARGEST_GAIN)
        return Judged(tuple(outcome.values for outcome in first), gain)

    def _end(
        self, trial: Any, candidate: Candidate, outcome: Outcome | Failure, found: Callable[[Record, Outcome], None]
    ) -> None:
        optuna = _optuna()
        if isinstance(outcome, Failure):
            if outcome.exit_code:
                raise outcome.as_error()
            trial.set_user_attr("problem", f"{outcome.where}: {outcome.problem}"[:500])
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
            self.failed += 1
            return
        record = Record(trial.number, candidate, replace(outcome, files={}))
        for place, violation in enumerate(outcome.violations):
            trial.set_constraint(f"constraint{place}", violation)
        trial.set_user_attr("outcome", json.dumps({**outcome.__dict__, "files": {}}))
        self.keep_files(trial.number, outcome)
        self._study.tell(trial, list(outcome.values))
        self._study.set_user_attr("seconds", self.seconds)
        self.records.append(record)
        found(record, outcome)

    def keep_files(self, number: int, outcome: Outcome) -> None:
        """Write a trial's model below `points/`."""
        if outcome.files:
            folder = self.folder / "points" / str(number)
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in outcome.files.items():
                (folder / name).write_bytes(content)

    def _read(self) -> None:
        optuna = _optuna()
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state == optuna.trial.TrialState.COMPLETE:
                candidate = _candidate(trial.user_attrs["candidate"], bool(trial.user_attrs.get("baseline")))
                self.records.append(Record(trial.number, candidate, _outcome(trial.user_attrs["outcome"])))
            elif trial.state == optuna.trial.TrialState.FAIL and "problem" in trial.user_attrs:
                self.failed += 1


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingTool("edgeml explore", "needs the package optuna", install_extra("explore")) from error
    return optuna


def _candidate(text: str, baseline: bool) -> Candidate:
    values = json.loads(text)
    lists = {name: tuple(values.get(name, ())) for name in ("hidden", "weight_bits", "act_bits", "fan_in")}
    return Candidate(**{**values, **lists}, baseline=baseline)


def _outcome(text: str) -> Outcome:
    values = json.loads(text)
    return Outcome(**{**values, "values": tuple(values["values"]), "violations": tuple(values["violations"])})
