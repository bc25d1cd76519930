"""explore(): a data set and a part in, a Pareto front of designs out."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import plugins
from ..data.dataset import Dataset, as_values, load_dataset
from ..errors import InputError
from ..frontends.mlp import Linear, Mlp
from ..inputs import read_inputs
from ..network import network_file
from ..network.task import VALUES
from ..profile import load_profile
from ..system.caller_state import preserved
from ..system.files import read_json, write_beside
from ..system.regular_file import read_regular
from .candidate import Candidate, parse_baseline
from .front import read_front, write_front
from .objectives import SHARES, budgets, parse_constraint, parse_objectives
from .results import front_document, point_named, remove_unused
from .sensitivity import Sensitivity, allocate, sensitivity
from .space import FORMS, Space
from .study import SAMPLERS, Limits, Record, Search
from .trial import Outcome, Problem
from .workers import Workers, in_process, processes

__all__ = ["Settings", "convert_point", "explore"]

SETTINGS = "search.json"
_LARGEST_SETTINGS = 2**20
_LARGEST_MODEL = 2**30
_WIDTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_BITS = (1, 2, 3, 4, 6, 8)
_INPUT_BITS = (2, 3, 4, 6, 8)
_VALIDATION = 5
"""One row in so many chooses between candidates and trains none."""
_MOST_VALIDATION = 10_000
_MOST_TEST = 50_000
_FIRST_SHAPES = (((64, 32), 2), ((32, 16), 2), ((16,), 3), ((32,), 4))
"""Where a search of the family begins, with bits, on FPGAs at `_FIRST_HARDWARE`."""
_FIRST_HARDWARE = "folded-256"
_MEAN_BITS = (2, 3, 4, 6)


@dataclass(frozen=True)
class Settings:
    """What a search is asked. A folder belongs to one such question; only the limits may change on resuming.

    Parameters
    ----------
    targets : names or paths of profiles. forms : of quantized, tflite, spiking.
    objectives : such as `accuracy,luts`. constraints : such as `luts<=5%`.
    baselines : designs given by hand, such as `256-128-64-32:2`.
    widths, depth, bits : of the family, and of either the bits. samples : most training samples.
    steps : of full training, of 128 samples each. sampler : tpe or nsga2.
    task, labels, split : as of `convert`; "" and () where nothing is said.
    """

    targets: tuple[str, ...]
    forms: tuple[str, ...] = ("quantized",)
    objectives: str = "accuracy"
    constraints: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()
    seed: int = 0
    widths: tuple[int, ...] = _WIDTHS
    depth: int = 3
    bits: tuple[int, ...] = _BITS
    samples: int = 20_000
    steps: int = 1500
    sampler: str = "tpe"
    task: str = ""
    labels: tuple[str, ...] = ()
    split: str = ""

    def __post_init__(self) -> None:
        for name, low, high in (("depth", 1, 16), ("samples", 2, 10**7), ("steps", 1, 10**6), ("seed", 0, 2**31 - 1)):
            if not low <= getattr(self, name) <= high:
                raise InputError(f"option {name}", f"must lie in {low} … {high}, found {getattr(self, name)}")
        if not self.targets:
            raise InputError("option target", "is needed", "See 'edgeml targets'")
        if unknown := [form for form in self.forms if form not in FORMS]:
            raise InputError(f"option to {unknown[0]!r}", "is no form that can be explored", f"Known: {FORMS}")
        if not self.bits or not all(1 <= bits <= 8 for bits in self.bits):
            raise InputError("option bits", f"must be numbers in 1 … 8, found {self.bits}")
        if not self.widths or not all(1 <= width <= 65536 for width in self.widths):
            raise InputError("option widths", f"must be numbers in 1 … 65536, found {self.widths}")
        if self.sampler not in SAMPLERS:
            raise InputError(f"option sampler {self.sampler!r}", "is not known", f"Known: {', '.join(SAMPLERS)}")


@preserved()
def explore(
    settings: Settings,
    data: Path,
    output: Path,
    *,
    model: Any = None,
    trials: int = 100,
    minutes: float | None = None,
    workers: int = 1,
    ray: str | None = None,
    found: Callable[[Record, Mapping[str, Any]], None] = lambda record, front: None,
    announce: Callable[[str], None] = lambda stage: None,
) -> dict[str, Any]:
    """Search, and leave `front.json` and the models of its points in `output`; returns the front (see `front`).

    A folder that holds an unfinished search of the same settings, data and model is gone on with.

    Parameters
    ----------
    data : with y, classes or values. One fifth of its training rows (rows of equal numbers together) chooses; the
        held-back samples are only reported.
    model : a trained model, whose bits, form and hardware are searched; None: the family of MLPs.
    trials : in all, earlier runs included. minutes : of this run.
    workers : processes; with `ray` (an address, or `local`) remote workers, 0 for as many as the cluster has CPUs.
    found : called after each trial with the front so far. announce : called before long stages.

    Raises
    ------
    InputError : options, data or model are wrong, or the folder holds another search.
    MissingTool : optuna or ray is not installed.
    """
    if trials < 1 or (minutes is not None and minutes <= 0) or not 0 <= workers <= 256:
        raise InputError("options trials, minutes, workers", "must be positive, with at most 256 workers")
    mlp, dataset = _model_and_data(settings, model, data)
    problem = _problem(settings, dataset, mlp)
    space = _space(settings, problem)
    digest = _digest(dataset)
    _require_budgets(problem)
    with _folder_of(output, settings, digest, model):
        search = Search(output, space, problem.objectives, settings.seed, settings.sampler)
        again = search.take_up_interrupted()
        if not search.is_new:
            announce(f"resuming: {len(search.records)} trials kept, {again} interrupted ones run again")
        measured: Sensitivity | None = None
        if mlp is not None:
            announce("measuring the layers' sensitivities")
            assert problem.data.y is not None
            measured = sensitivity(mlp, problem.data.x, problem.data.y, space.bits, settings.seed)
        if search.is_new:
            search.queue(_first(settings, space, measured))
        facts: dict[str, Any] = {
            "data": {"path": str(data), "file": data.name, "sha256": digest, "labels": list(dataset.labels)},
            "sensitivity": None if measured is None else measured.as_json(),
        }

        def document() -> dict[str, Any]:
            state = {**facts, "failed": search.failed, "seconds": search.seconds}
            content = front_document(output, problem, search.records, state)
            write_front(output, content)
            remove_unused(output, content)
            return content

        def after_trial(record: Record, _: Outcome) -> None:
            found(record, document())

        limits = Limits(trials, None if minutes is None else 60.0 * minutes)
        announce("searching")
        with _workers(problem, workers, ray) as running:
            search.run(running, limits, after_trial)
        return document()


def _workers(problem: Problem, count: int, ray: str | None) -> AbstractContextManager[Workers]:
    if ray is not None:
        from .ray_cluster import ray_workers

        return ray_workers(problem, ray, count)
    return in_process(problem) if count <= 1 else processes(problem, count)


def _model_and_data(settings: Settings, model: Any, data: Path) -> tuple[Mlp | None, Dataset]:
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
        raise InputError(str(model), "is no float MLP: its bits are decided already", "Give the model it was made from")
    assert found.data is not None
    return found.source.without_tail(), found.data


def _problem(settings: Settings, dataset: Dataset, mlp: Mlp | None) -> Problem:
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


def _space(settings: Settings, problem: Problem) -> Space:
    baselines = [parse_baseline(text) for text in settings.baselines]
    if problem.mlp is not None and baselines:
        raise InputError("option baseline", "names widths, and a trained model has its own", "Leave one of them out")
    sizes = None
    if problem.mlp is not None:
        linears = [node.operator for node in problem.mlp.nodes if isinstance(node.operator, Linear)]
        sizes = tuple((linear.weight.shape[1], linear.weight.shape[0]) for linear in linears)
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
        _INPUT_BITS,
    )


def _require_budgets(problem: Problem) -> None:
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


def _first(settings: Settings, space: Space, measured: Sensitivity | None) -> list[Candidate]:
    """What to try first: designs given by hand, then the allocations that sensitivities suggest, or a few shapes."""
    candidates = []
    for text in settings.baselines:
        candidates += [replace(each, baseline=True) for each in space.uniform(*parse_baseline(text))]
    if measured is None:
        for hidden, bits in _FIRST_SHAPES:
            near = min(space.bits, key=lambda each: (abs(each - bits), each))
            fitting = tuple(min(space.widths, key=lambda each: (abs(each - width), each)) for width in hidden)
            candidates += space.uniform(fitting[: space.depth], near, _FIRST_HARDWARE)
        return candidates
    for mean in _MEAN_BITS:
        weights = allocate(measured, mean)
        act = min(space.bits, key=lambda each: (abs(each - mean), each))
        candidates += space.allocated((), weights, (act,) * (len(weights) - 1), _FIRST_HARDWARE)
    return list({json.dumps(each.as_json()): each for each in candidates}.values())


def _digest(dataset: Dataset) -> str:
    whole = hashlib.sha256()
    for array in (dataset.x, dataset.y, dataset.x_test, dataset.y_test):
        if array is not None:
            whole.update(f"{array.dtype.str} {array.shape}".encode())
            whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()


@contextmanager
def _folder_of(output: Path, settings: Settings, digest: str, model: Any) -> Iterator[None]:
    """The search's folder, for this process alone; InputError where it holds another search, or one at work."""
    question: dict[str, Any] = {**settings.__dict__, "data": digest, "model": _model_digest(model)}
    question = json.loads(json.dumps(question))
    try:
        output.mkdir(parents=True, exist_ok=True)
        lock = (output / ".lock").open("w")
    except OSError as error:
        raise InputError(str(output), f"cannot be written ({error.strerror or error})") from error
    with lock:
        _take(lock, output)
        _same_question(output, question)
        yield


def _same_question(output: Path, question: dict[str, Any]) -> None:
    """Write the question down, or hold it against the one that stands there."""
    path = output / SETTINGS
    if not path.exists():
        write_beside(path, (json.dumps(question, indent=2) + "\n").encode())
        return
    kept = read_json(path, _LARGEST_SETTINGS, "Name another folder")
    same = isinstance(kept, dict)
    changed = sorted(key for key in question if not same or kept.get(key) != question[key])
    if changed:
        raise InputError(
            str(output),
            f"holds a search with other {', '.join(changed)}",
            "Name another folder, or repeat the options of that search to go on with it",
        )


def _take(lock: Any, output: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: two searches in one folder are not kept apart there.
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise InputError(str(output), "another search is at work in this folder", "Wait for it, or end it") from error


def _model_digest(model: Any) -> str:
    if model is None:
        return ""
    path = Path(str(model).partition(":")[0])
    return hashlib.sha256(read_regular(path, _LARGEST_MODEL)).hexdigest() if path.is_file() else str(model)


def convert_point(folder: Path, number: int, output: Path | None = None, **arguments: Any) -> Any:
    """Convert a point of a finished search into a bundle, as it stands; returns the `Bundle`."""
    from ..pipeline import convert

    document = read_front(folder)
    point = point_named(document, number)
    candidate = point.get("candidate")
    model, data = point.get("model"), document.get("data", {}).get("path")
    options = candidate.get("options") if isinstance(candidate, dict) else None
    if (
        not isinstance(candidate, dict)
        or not isinstance(options, dict)
        or not isinstance(model, str)
        or not isinstance(data, str)
    ):
        raise InputError(f"{folder}, point {number}", "is not sound: it lacks its candidate, model or data")
    path = (folder / model).resolve()
    if not path.is_relative_to(folder.resolve()) or path.suffix not in (".edgeml", ".tflite"):
        raise InputError(f"{folder}, point {number}", f"names a model outside of its folder: {model!r:.80}")
    if path.suffix == ".edgeml":
        network_file.read(path)
    return convert(
        path,
        to=str(candidate.get("form")),
        target=str(candidate.get("target")),
        data=data if Path(data).exists() else None,
        output=output or folder / "bundles" / str(number),
        options=options,
        **arguments,
    )


def labels_of(values: Sequence[str]) -> tuple[str, ...]:
    """Options that may be repeated or hold commas, as one flat tuple."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())
