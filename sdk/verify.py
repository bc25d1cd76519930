"""Verification: every executor that can run here, on the bundle's test vectors, against golden, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import plugins
from .bundle import Bundle
from .errors import EdgemlError, InputError, MissingTool
from .network import trace as golden_trace

__all__ = ["STATUSES", "Verdict", "verify"]

STATUSES = ("exact", "mismatch", "unavailable", "error")


@dataclass(frozen=True)
class Verdict:
    """What verification found of one executor.

    Parameters
    ----------
    name : the executor.
    status : `exact` (every compared integer equal), `mismatch`, `unavailable` (cannot run here; `detail` says what
        to install), or `error` (it failed; `detail` says how).
    vectors : test vectors run.
    mismatches : vectors with at least one integer that differs, at the output or at a layer.
    layers : how many layers were compared (the output counts as one).
    first_mismatch : {"vector", "layer", "index", "expected", "found"}, or None.
    detail : one line: the tool and its version, or the reason.
    """

    name: str
    status: str
    vectors: int = 0
    mismatches: int = 0
    layers: int = 0
    first_mismatch: dict[str, Any] | None = None
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON-able fields."""
        return asdict(self)


def verify(
    bundle: Bundle,
    names: Sequence[str] = (),
    announce: Callable[[str], None] = lambda name: None,
) -> list[Verdict]:
    """Run the bundle's test vectors on `names` (default: every executor that runs something of this bundle).

    The golden simulator is first held against the stored outputs; every other executor against the golden
    simulator, at each layer that it can show. An executor whose `reference(bundle)` gives another network (a
    .tflite runtime with a rounding of its own) is held against the golden simulator of that one.
    `announce` is called with an executor's name before it runs. Raises InputError for an unknown name.
    """
    loaders = plugins.executors()
    if unknown := [name for name in names if name not in loaders]:
        raise InputError(f"executor {unknown[0]!r}", "is not known", f"Known: {', '.join(loaders)}")
    q, stored = bundle.golden()
    verdicts = []
    for name, loader in loaders.items():
        if names and name not in names:
            continue
        try:
            executor = loader()
        except MissingTool as error:
            verdicts.append(Verdict(name, "unavailable", detail=str(error)))
            continue
        if not executor.applies(bundle):
            if names:
                verdicts.append(Verdict(name, "error", detail="runs nothing that this bundle holds"))
            continue
        announce(name)
        verdicts.append(_verdict(name, executor, bundle, q, stored))
    return verdicts


def _verdict(
    name: str, executor: plugins.Executor, bundle: Bundle, q: npt.NDArray[np.int32], stored: npt.NDArray[np.int32]
) -> Verdict:
    if missing := executor.missing(bundle):
        return Verdict(name, "unavailable", detail=missing)
    try:
        execution = executor.run(bundle, q, trace=True, options={})
        network = executor.reference(bundle) if hasattr(executor, "reference") else bundle.network
    except MissingTool as error:
        return Verdict(name, "unavailable", detail=str(error))
    except EdgemlError as error:
        return Verdict(name, "error", len(q), detail=str(error))
    output = network.nodes[-1].name
    expected: dict[str, npt.NDArray[Any]] = dict(golden_trace(network, q))
    if network is bundle.network:
        expected[output] = stored
    found = {**execution.trace, output: execution.outputs}
    return _compare(name, expected, found, execution.detail)


def _compare(
    name: str, expected: dict[str, npt.NDArray[Any]], found: dict[str, npt.NDArray[Any]], detail: str
) -> Verdict:
    vectors = len(next(iter(expected.values())))
    wrong = np.zeros(vectors, bool)
    first: dict[str, Any] | None = None
    compared = [layer for layer in expected if layer in found]
    for layer in compared:
        want, have = expected[layer], found[layer]
        if want.shape != have.shape:
            problem = f"layer {layer} has shape {list(have.shape)}, expected {list(want.shape)}"
            return Verdict(name, "error", vectors, detail=problem)
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
    return Verdict(name, "mismatch" if mismatches else "exact", vectors, mismatches, len(compared), first, detail)
