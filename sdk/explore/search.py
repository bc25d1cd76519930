"""explore(): a data set and a part in, a Pareto front of designs out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ..allocation.distortion import ALL, Distortion, distortion
from ..options import read_values
from ..system.caller_state import preserved
from .first_candidates import start_of
from .front import write_front
from .preparation import model_and_data, problem_of, require_budgets, space_of
from .results import front_document, remove_unused
from .search_folder import data_digest, search_folder
from .settings import LIMITS, Settings
from .space import Space
from .study import Limits, Record, Search
from .trial import Outcome, Problem
from .workers import Workers, in_process, processes

__all__ = ["explore"]


@preserved()
def explore(
    settings: Settings,
    data: Path,
    output: Path,
    *,
    model: Any = None,
    trials: int | None = None,
    minutes: float | None = None,
    workers: int | None = None,
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
    trials : in all, earlier runs included. minutes : of this run. See `settings.LIMITS` for ranges and defaults.
    workers : processes; with `ray` (an address, or `local`) remote workers, 0 for as many as the cluster has CPUs.
    found : called after each trial with the front so far. announce : called before long stages.

    Raises
    ------
    InputError : options, data or model are wrong, or the folder holds another search.
    MissingTool : optuna or ray is not installed.
    """
    chosen = read_values(LIMITS, {"trials": trials, "minutes": minutes, "workers": workers})
    mlp, dataset = model_and_data(settings, model, data)
    problem = problem_of(settings, dataset, mlp)
    space = space_of(settings, problem)
    digest = data_digest(dataset)
    require_budgets(problem)
    with search_folder(output, settings, digest, model):
        search, measured = _begun(settings, problem, space, output, announce)
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

        limits = Limits(chosen["trials"], None if chosen["minutes"] is None else 60.0 * chosen["minutes"])
        announce("searching")
        with _workers(problem, chosen["workers"], ray) as running:
            search.run(running, limits, after_trial)
        return document()


def _begun(
    settings: Settings, problem: Problem, space: Space, output: Path, announce: Callable[[str], None]
) -> tuple[Search, Distortion | None]:
    """The search in its folder, new or taken up again, and the sensitivities of the model's layers, if there is one."""
    search = Search(output, space, problem.objectives, settings.seed, settings.sampler)
    again = search.take_up_interrupted()
    if not search.is_new:
        announce(f"resuming: {len(search.records)} trials kept, {again} interrupted ones run again")
    if not search.is_new:
        if problem.mlp is None:
            return search, None
        announce("measuring the layers' sensitivities")
        return search, distortion(problem.mlp, problem.data.x, space.bits, (ALL,), (max(space.bits),), settings.seed)
    if problem.mlp is not None:
        announce("measuring the layers' sensitivities")
    start = start_of(settings, space, problem)
    search.queue(start.candidates)
    return search, None if start.allocator is None else start.allocator.measured


def _workers(problem: Problem, count: int, ray: str | None) -> AbstractContextManager[Workers]:
    if ray is not None:
        from .ray_cluster import ray_workers

        return ray_workers(problem, ray, count)
    return in_process(problem) if count <= 1 else processes(problem, count)
