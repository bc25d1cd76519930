"""Verification: every executor that can run here, on the bundle's test vectors, against golden, bit for bit."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bundle import Bundle, load
from ..errors import CheckFailed, EdgemlError, MissingTool, OverBudget, printable
from ..network import Monitored, Network, monitored
from ..network import trace as golden_trace
from ..plugins.executor import BoundsItself, Executor, HasReference, NamesSubject, ReceivesReals, RunsMonitor, executors
from ..registry import Registered
from ..system import caller_state
from ..system.time_limit import time_limit as time_limits
from .coverage import check_names
from .coverage import require as check_required
from .reception import compare as compare_reals
from .verdict import STATUSES, Verdict

__all__ = ["STATUSES", "Verdict", "run_executors", "verify"]

_log = logging.getLogger(__name__)


def verify(
    bundle: Bundle | str | os.PathLike[str],
    names: Sequence[str] = (),
    announce: Callable[[str], None] = lambda name: None,
    *,
    require: Sequence[str] = (),
    time_limit: float | None = None,
) -> list[Verdict]:
    """Run the bundle's test vectors on `names` (default: every executor that runs something of this bundle).

    The golden simulator is first held against the stored outputs; every other executor against the golden
    simulator, at each layer that it can show. An executor whose `reference(bundle)` gives another network (a
    .tflite runtime with a rounding of its own) is held against the golden simulator of that one. An executor that
    fails is a verdict of its own, and the others still run. One that bounds itself (Icarus) runs as many vectors as its
    budget of processor time allows, and says how many; none where the budget allows none.

    Parameters
    ----------
    bundle : a bundle, or its folder.
    announce : called with an executor's name before it runs.
    require : executors that must run to their end; they are run beside `names`.
    time_limit : seconds of processor time that each call of a tool may take, instead of the tools' own limits.

    Raises
    ------
    InputError : an unknown name, a wrong time limit, or a folder that holds no sound bundle.
    MissingTool : one of `require` did not run to its end.
    """
    check_names((*names, *require))
    if isinstance(bundle, str | os.PathLike):
        bundle = load(bundle)
    with caller_state.preserved(), time_limits(time_limit):
        verdicts = run_executors(bundle, (*names, *require) if names else (), announce)
    check_required(verdicts, require)
    return verdicts


def run_executors(
    bundle: Bundle, names: Sequence[str] = (), announce: Callable[[str], None] = lambda name: None
) -> list[Verdict]:
    """`verify` without what it does for its caller: the verdicts of `names`, or of all executors that apply."""
    vectors = bundle.golden()
    verdicts = []
    for name, entry in executors(None if names else bundle.words()).items():
        if names and name not in names:
            continue
        found = _verdicts(entry, bundle, vectors, announce)
        if not found and names:
            found = [Verdict(name, "error", detail="runs nothing that this bundle holds")]
        verdicts += found
    return verdicts


def _verdicts(
    entry: Registered[Executor[Bundle]],
    bundle: Bundle,
    vectors: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]],
    announce: Callable[[str], None],
) -> list[Verdict]:
    """One executor's verdict on the integers, and that on real numbers if it receives any; none if it runs nothing
    of this bundle."""
    found = Verdict(entry.name, "unavailable")
    executor: Executor[Bundle] | None = None
    q, stored = vectors

    def integers() -> Verdict | None:
        nonlocal executor, found
        loaded = entry.load()
        if not loaded.applies(bundle):
            return None
        if isinstance(loaded, NamesSubject):
            subject = loaded.subject(bundle)
            found = replace(found, ran=subject.what, of_target=subject.of_target)
        if missing := loaded.missing(bundle):
            return replace(found, detail=missing)
        announce(entry.name)
        executor = loaded
        if isinstance(executor, BoundsItself):
            execution = executor.run_within_budget(bundle, q)
        else:
            execution = executor.run(bundle, q, trace=True, options={})
        rows = np.arange(len(q)) if execution.rows is None else execution.rows
        network = _network(executor, bundle)
        output = network.nodes[-1].name
        expected: dict[str, npt.NDArray[Any]] = dict(golden_trace(network, q[rows]))
        if network is bundle.network:
            expected[output] = stored[rows]
        given = {layer: np.asarray(values) for layer, values in {**execution.trace, output: execution.outputs}.items()}
        if bundle.network.monitor is not None and isinstance(executor, RunsMonitor):
            said = executor.run(bundle, q, trace=False, options={"monitor": True}).monitored
            expected |= _named(monitored(bundle.network, q))
            given |= {} if said is None else _named(said)
        verdict = _compare(found, expected, given, execution.detail)
        if first := verdict.first_mismatch:
            verdict = replace(verdict, first_mismatch={**first, "vector": int(rows[first["vector"]])})
        return verdict

    first = _guarded(lambda: found, len(q), integers)
    if first is None:
        return []
    if first.status not in ("exact", "mismatch") or not isinstance(executor, ReceivesReals):
        return [first]
    receiver, network = executor, _network(executor, bundle)
    second = Verdict(f"{entry.name}, real numbers", "unavailable", question="real numbers")
    compared = _guarded(lambda: second, len(q), lambda: compare_reals(second, receiver, bundle, network))
    return [first] if compared is None else [first, compared]


def _named(what: Monitored) -> dict[str, npt.NDArray[np.int64]]:
    """A monitor's integers beside the layers', under names that no layer has."""
    return {f"monitor, {name}": values for name, values in what.columns.items()}


def _network(executor: object, bundle: Bundle) -> Network:
    """The integer network that an executor is held against."""
    return executor.reference(bundle) if isinstance(executor, HasReference) else bundle.network


def _guarded(so_far: Callable[[], Verdict], vectors: int, judge: Callable[[], Verdict | None]) -> Verdict | None:
    """What `judge` finds; if it fails, what that says of the artifact or of the executor."""
    try:
        return judge()
    except (MissingTool, OverBudget) as error:
        return replace(so_far(), detail=str(error))
    except CheckFailed as error:
        return replace(so_far(), status="error", vectors=vectors, detail=str(error), artifact_wrong=True)
    except EdgemlError as error:
        return replace(so_far(), status="error", vectors=vectors, detail=str(error))
    except OSError as error:
        at = f" at {os.fsdecode(error.filename)}" if isinstance(error.filename, (str, bytes)) else ""
        said_by = f"the system says: {error.strerror or error}{at}. Free space or limits there, then verify again"
        return replace(so_far(), status="error", vectors=vectors, detail=said_by)
    except (
        Exception
    ) as error:  # an executor may be anybody's, and what it fails with is not a reason to stop the others
        _log.debug("executor %s failed", so_far().name, exc_info=True)
        words = printable(f"{type(error).__name__}: {error}", 300)
        return replace(so_far(), status="error", vectors=vectors, detail=f"a defect of the executor ({words})")


def _compare(
    verdict: Verdict, expected: dict[str, npt.NDArray[Any]], found: dict[str, npt.NDArray[Any]], detail: str
) -> Verdict:
    """The verdict of an executor that gave `found`, layer by layer: a hidden layer counts as the output does."""
    vectors = len(next(iter(expected.values())))
    wrong = np.zeros(vectors, bool)
    first: dict[str, Any] | None = None
    compared = [layer for layer in expected if layer in found]
    for layer in compared:
        want, have = expected[layer], found[layer]
        if want.shape != have.shape:
            problem = f"layer {layer} has shape {list(have.shape)}, expected {list(want.shape)}"
            return replace(verdict, status="error", vectors=vectors, detail=problem, artifact_wrong=True)
        differs = want != have
        if first is None and differs.any():
            vector, index = (int(i) for i in np.argwhere(differs)[0])
            first = {
                "vector": vector,
                "layer": layer,
                "index": index,
                "expected": int(want[vector, index]),
                "found": int(have[vector, index]),
            }
        wrong |= differs.any(axis=1)
    mismatches = int(wrong.sum())
    return replace(
        verdict,
        status="mismatch" if mismatches else "exact",
        vectors=vectors,
        mismatches=mismatches,
        layers=len(compared),
        first_mismatch=first,
        detail=detail,
    )
