"""What a search begins with: model and data, the problem that trials judge, the space, and what to try first."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import plugins
from ..allocation.distortion import ALL
from ..allocation.within_budget import FAN_IN
from ..data.dataset import Dataset, as_values, load_dataset
from ..errors import InputError
from ..frontends.mlp import Mlp
from ..input_encoding import stand_in_encoding, takes_encoding
from ..inputs import read_inputs
from ..network.task import VALUES
from ..profile import load_profile
from .candidate import parse_baseline
from .objectives import SHARES, budgets, parse_constraint, parse_objectives
from .settings import Settings, explored
from .space import Space
from .trial import Problem

__all__ = ["model_and_data", "problem_of", "require_budgets", "space_of"]

_VALIDATION = 5
"""One row in so many chooses between candidates and trains none."""
_MOST_VALIDATION = 10_000
_MOST_TEST = 50_000
_INPUT_BITS = 8
_MOST_ENCODED = 4096
"""Inputs of a network, bits and levels counted, up to which encodings are tried."""


def model_and_data(settings: Settings, model: Any, data: Path) -> tuple[Mlp | None, Dataset]:
    """The trained model, if there is one, without what changes no decision; and the data as its task takes it."""
    split = settings.split or None
    if model is None:
        dataset = load_dataset(data, labels=settings.labels, split=split)
        y = dataset.y
        if settings.task == VALUES and y is not None:
            y_test = None if dataset.y_test is None else as_values(dataset.y_test)
            return None, replace(dataset, y=as_values(y), y_test=y_test)
        if settings.task and settings.task != VALUES and y is not None and y.ndim == 2:
            raise InputError("option task", f"{settings.task}, but y holds real numbers", "Use --task values")
        if y is not None and y.ndim == 1 and int(y.min()) < 0:
            raise InputError("data, y", f"holds class {y.min()}", "Count classes from 0, or say --task values")
        return None, dataset
    found = read_inputs(model, data, task=settings.task or None, labels=settings.labels, split=split)
    if not isinstance(found.source, Mlp):
        raise InputError(
            str(model), "is not a float MLP: its bits are decided already", "Give the model it was made from"
        )
    assert found.data is not None
    return found.source.without_tail(), found.data


def problem_of(settings: Settings, dataset: Dataset, mlp: Mlp | None) -> Problem:
    """What every trial has in common; InputError if the data cannot tell candidates apart by the objective."""
    if dataset.y is None:
        raise InputError("data", "holds no y; candidates are judged by how well they answer it")
    objectives = parse_objectives(settings.objectives)
    values = dataset.y.ndim == 2
    if values == (objectives[0] in SHARES):
        known = "r2" if values else " or ".join(SHARES)
        raise InputError(
            f"objective {objectives[0]}",
            f"does not judge y, which holds {'values' if values else 'classes'}",
            f"Use {known}",
        )
    chooses = _chooses(dataset.x, settings.seed)
    training, validation = np.flatnonzero(~chooses), np.flatnonzero(chooses)
    generator = np.random.default_rng(settings.seed)
    training = _some(training, settings.samples, generator)
    validation = _some(validation, _MOST_VALIDATION, generator)
    if len(training) < 2 or len(validation) < 2:
        raise InputError("data", f"gives {len(training)} samples to train and {len(validation)} to choose by; too few")
    test = _some(np.arange(len(dataset.x_test)), _MOST_TEST, generator)
    return Problem(
        Dataset(dataset.x[training], dataset.x[validation], dataset.y[training], dataset.y[validation], dataset.labels),
        None if dataset.y_test is None else dataset.x_test[test],
        None if dataset.y_test is None else dataset.y_test[test],
        mlp,
        {name: load_profile(name) for name in dict.fromkeys(settings.targets)},
        objectives,
        tuple(parse_constraint(text) for text in settings.constraints),
        settings.seed,
        max(settings.steps // 6, 1),
        settings.steps,
        settings.steps,
    )


def _chooses(x: npt.NDArray[Any], seed: int) -> npt.NDArray[np.bool_]:
    """Which rows choose between candidates: by a hash of their numbers, so that equal rows (oversampled classes) never
    stand on both sides."""
    rows = np.ascontiguousarray(x)
    return np.array([zlib.crc32(row.tobytes(), seed) % _VALIDATION == 0 for row in rows])


def _some(rows: npt.NDArray[np.int64], most: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    return rows if len(rows) <= most else np.sort(generator.choice(rows, most, replace=False))


def space_of(settings: Settings, problem: Problem) -> Space:
    """The ranges of all choices, those of designs given by hand among them."""
    baselines = [parse_baseline(text) for text in settings.baselines]
    if problem.mlp is not None and baselines:
        raise InputError("option baseline", "names widths, and a trained model has its own", "Leave one of them out")
    sizes = None
    if problem.mlp is not None:
        linears = list(problem.mlp.linears.values())
        sizes = tuple((linear.weight.shape[1], linear.positions * len(linear.weight)) for linear in linears)
    widths = {*settings.widths, *(width for hidden, _ in baselines for width in hidden)}
    bits = {*settings.bits, *(bits for _, bits in baselines)}
    return Space(
        problem.profiles,
        tuple(dict.fromkeys(settings.forms)),
        problem.data.features,
        problem.classes,
        sizes,
        tuple(sorted(widths)),
        max([settings.depth, *(len(hidden) for hidden, _ in baselines)]),
        tuple(sorted(bits)),
        explored("quantized", "input_bits"),
        _encodings(settings, problem),
        (0,) if sizes is None else (*(limit for limit in FAN_IN if limit != ALL), ALL),
    )


def _encodings(settings: Settings, problem: Problem) -> tuple[str, ...]:
    """Those asked for, if the model begins with linear layers, and does not become too wide by them."""
    if problem.mlp is not None and not takes_encoding(problem.mlp):
        return ("",)
    features = problem.data.features
    found = []
    for each in settings.encode:
        size = features if each == "" else features * stand_in_encoding(each, 1, _INPUT_BITS).outputs
        if size <= max(_MOST_ENCODED, features):
            found.append(each)
    return tuple(found) or ("",)


def require_budgets(problem: Problem) -> None:
    """Constraints in percent need a budget of some part; found out before the first trial."""
    parts = [budgets(profile) for profile in problem.profiles.values()]
    for profile in problem.profiles.values():
        plugins.targets(profile.kind)
    for constraint in problem.constraints:
        if all(constraint.absolute(part) is None for part in parts):
            raise InputError(
                f"constraint {constraint}",
                "is in percent, and no profile has such a budget",
                f"They have: {', '.join(sorted(set().union(*parts))) or 'none'}",
            )
