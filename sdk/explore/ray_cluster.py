"""Trials on a Ray cluster: the same function as in the processes of one machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import CheckFailed, InputError, MissingTool
from ..extras import install_extra
from .candidate import Candidate
from .trial import Failure, Judged, Outcome, Problem, Trials, run_guarded
from .workers import Workers

__all__ = ["ray_workers"]


class RemoteTrials:
    """Lives on a node of the cluster, and keeps what its trials share."""

    def __init__(self, problem: Problem) -> None:
        self._trials = Trials(problem)

    def run(self, candidate: Candidate, judged: Judged) -> Outcome | Failure:
        """One trial."""
        return run_guarded(self._trials, candidate, judged)


class _RayWorkers:
    def __init__(self, ray: Any, problem: Problem, count: int) -> None:
        self._ray, self.count = ray, count
        shared = ray.put(problem)
        actor = ray.remote(RemoteTrials)
        self._idle = [actor.options(num_cpus=1).remote(shared) for _ in range(count)]
        self._busy: dict[Any, Any] = {}

    def start(self, candidate: Candidate, judged: Judged) -> Any:
        worker = self._idle.pop()
        handle = worker.run.remote(candidate, judged)
        self._busy[handle] = worker
        return handle

    def finished(self, handles: Iterable[Any]) -> dict[Any, Outcome | Failure]:
        done, _ = self._ray.wait(list(handles), num_returns=1)
        found = {}
        for handle in done:
            try:
                found[handle] = self._ray.get(handle)
            except self._ray.exceptions.RayActorError as error:
                raise CheckFailed(
                    "explore, a Ray worker", "was lost", "Run the same command again: the search goes on from there"
                ) from error
            self._idle.append(self._busy.pop(handle))
        return found


@contextmanager
def ray_workers(problem: Problem, address: str, count: int) -> Iterator[Workers]:
    """Trials on the cluster at `address`, or on one of this machine for `local`; `count` 0: a worker for each CPU.

    Every node needs edgeml of the same version. Raises MissingTool without Ray, InputError where no cluster answers.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingTool("option ray", "needs the package ray", install_extra("explore", "ray")) from error
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    variables = {"env_vars": {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}}
    try:
        if address == "local":
            ray.init(num_cpus=max(count, 1), include_dashboard=False, runtime_env=variables, **quiet)
        else:
            ray.init(address=address, runtime_env=variables, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(f"option ray {address!r}", f"no cluster answers ({error})", "Start one: ray start") from error
    try:
        available = int(ray.cluster_resources().get("CPU", 1))
        yield _RayWorkers(ray, problem, min(count, available) if count else available)
    finally:
        ray.shutdown()
