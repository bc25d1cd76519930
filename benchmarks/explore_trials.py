"""How many trials `edgeml explore` takes to the front that it had without allocation, on a given trained model.

    python -m benchmarks.explore_trials [--data digits watch] [--seeds 0 1] [--trials 30] [--steps 150]

Each search is run twice from the same settings, on the same training and validation samples: begun as before
allocation (every width of bits for all layers), for `--trials` trials; and begun with what is best under several
limits of the first cost. A front's worth is the area that it dominates, of accuracy over the logarithm of lookup
tables on an XCZU7EV. It is reached at 99 % of the area that the first search ended with. Trainings are short
(`--steps`), alike in both. Beside that stands what the front loses when its most accurate designs have one validation
sample less right, and how the fronts compare on the test samples, which chose nothing.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeml.explore.first_candidates import start_of, uniform
from edgeml.explore.front import non_dominated
from edgeml.explore.mlp_family import train_member
from edgeml.explore.objectives import costs_of
from edgeml.explore.preparation import model_and_data, problem_of, space_of
from edgeml.explore.settings import Settings
from edgeml.explore.study import Limits, Search
from edgeml.explore.trial import Problem
from edgeml.explore.workers import in_process

from .training_data import DATA_SETS

__all__ = ["area", "trials_to"]

_HIDDEN = (64, 32)
_PART = "xczu7ev"
_REACHED = 0.99
_DEPTH = 0.25
"""Accuracies so far below the best count for nothing."""

Values = list[tuple[float, ...]]


@dataclass(frozen=True)
class Course:
    """What a search found, trial by trial: (accuracy, lookup tables), None for a trial that was stopped early; and the
    accuracy on test samples instead."""

    found: list[tuple[float, ...] | None]
    tested: list[tuple[float, ...] | None]
    seconds: float

    def until(self, trials: int) -> Values:
        """What the first so many trials found."""
        return [each for each in self.found[:trials] if each is not None]

    def front_tested(self) -> Values:
        """The test accuracies of the designs that validation samples put on the front: nothing is chosen by them."""
        there = [place for place, each in enumerate(self.found) if each is not None]
        kept = non_dominated([costs_of(self.found[place] or ()) for place in there])
        return [found for place in kept if (found := self.tested[there[place]]) is not None]


def area(found: Values, worst: tuple[float, float]) -> float:
    """What points (accuracy, lookup tables) dominate before the point `worst`, of accuracy over log10 of tables."""
    front = [found[place] for place in non_dominated([costs_of(each) for each in found])]
    total, accuracy = 0.0, worst[0]
    for each in sorted(front, key=lambda each: each[1]):
        if each[0] > accuracy and each[1] < worst[1]:
            total += (each[0] - accuracy) * math.log10(worst[1] / each[1])
            accuracy = each[0]
    return total


def trials_to(course: Course, wanted: float, worst: tuple[float, float]) -> int | None:
    """After how many trials the area is `wanted`; None if never."""
    for trials in range(1, len(course.found) + 1):
        if area(course.until(trials), worst) >= wanted:
            return trials
    return None


def searched(settings: Settings, problem: Problem, trials: int, *, allocated: bool) -> Course:
    """A search, begun with allocations or without."""
    start = time.process_time()
    space = space_of(settings, problem)
    with tempfile.TemporaryDirectory(prefix="edgeml_trials_") as folder, in_process(problem) as workers:
        search = Search(Path(folder), space, problem.objectives, settings.seed, settings.sampler)
        search.queue(start_of(settings, space, problem).candidates if allocated else uniform(space))
        search.run(workers, Limits(trials), lambda record, outcome: None)
        made = {record.number: record.outcome for record in search.records if record.feasible}
    found = [made[number].values if number in made else None for number in range(trials)]
    tests = [made[number].test if number in made else None for number in range(trials)]
    quality = problem.objectives[0]
    tested = [(test[quality], *each[1:]) if test and each else None for test, each in zip(tests, found, strict=True)]
    return Course(found, tested, time.process_time() - start)


def compare(name: str, seed: int, trials: int, steps: int) -> str:
    """The row of a data set and a seed."""
    split = next(iter(DATA_SETS[name](seed)))
    settings = Settings((_PART,), objectives="accuracy,luts", seed=seed, steps=steps)
    with tempfile.TemporaryDirectory(prefix="edgeml_trials_") as folder:
        path = Path(folder) / "data.npz"
        np.savez(path, x=split.x, y=split.y, x_test=split.x_test, y_test=split.y_test)
        model = train_member(split.x, split.y, _HIDDEN, split.classes, 600, seed)
        _, dataset = model_and_data(settings, None, path)
    problem = problem_of(settings, dataset, model)
    before = searched(settings, problem, trials, allocated=False)
    now = searched(settings, problem, trials, allocated=True)
    ended = before.until(trials)
    worst = max(each[0] for each in ended) - _DEPTH, max(each[1] for each in [*ended, *now.until(trials)]) * 1.1
    whole = area(ended, worst)
    wanted = _REACHED * whole
    ends = area(now.until(trials), worst) / whole
    reached = trials_to(before, wanted, worst), trials_to(now, wanted, worst)
    assert problem.data.y_test is not None
    highest, sample = max(each[0] for each in ended), 1 / len(problem.data.y_test)
    without = [(each[0] - sample if each[0] == highest else each[0], *each[1:]) for each in ended]
    tested, tested_before = now.front_tested(), before.front_tested()
    at_last = reached[1] or f"not in {trials}"
    return (
        f"{name}, seed {seed}: without allocation {reached[0]} trials of {trials}, {before.seconds:.0f} s of processor "
        f"time in all; with it {at_last}, {now.seconds:.0f} s; {ends:.3f} of the other's area; "
        f"one of {len(problem.data.y_test)} samples is {1 - area(without, worst) / whole:.1%} of that; on test samples "
        f"{area(tested, worst) / area(tested_before, worst):.3f} of its area, the best {max(tested)[0]:.1%} and "
        f"{max(tested_before)[0]:.1%}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Print a row for each data set and seed; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=list(DATA_SETS), default=["digits", "watch"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--steps", type=int, default=150)
    options = parser.parse_args(arguments)
    for name in options.data:
        for seed in options.seeds:
            print(compare(name, seed, options.trials, options.steps), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
