"""`edgeml bench`: executors of one bundle timed side by side; of emulated processors, their instructions counted."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .bundle import Bundle
from .errors import InputError, MissingTool
from .metrics import Measures
from .plugins.executor import CountsInstructions, Executor, NeedsDevice, StartsProcess, TimesItself, executors

__all__ = ["ROUNDS", "instructions", "measure"]

ROUNDS = 15
"""Each executor is timed this often, in turn with the others; the median counts."""
_ROUND_SECONDS = 0.02


def measure(
    bundle: Bundle, batches: Sequence[int], announce: Callable[[str], None] = lambda name: None
) -> list[dict[str, Any]]:
    """Median time per inference, in µs, of every executor that can run here, called from Python.

    Rounds of all executors are interleaved, so that a disturbance of the machine meets all of them; `ratio` is
    the golden simulator's time over the executor's at the same batch. An executor that
    follows `plugins.TimesItself` gets a second row. One that follows `plugins.StartsProcess` gets only the time that
    `benchmark` takes there; `setup_microseconds` is told apart. Left out are those that count instructions
    (`instructions`), as an emulator's own time says nothing of the processor's, and those that need a device.
    """
    if any(batch < 1 or batch > 2**20 for batch in batches):
        raise InputError("--batch", f"must be 1 … 2^20, found {list(batches)}")
    q, _ = bundle.golden()
    timed = {name: executor for name, executor in _ready(bundle) if not _counts(executor)}
    rows: list[dict[str, Any]] = []
    for batch in batches:
        samples = np.resize(q, (batch, q.shape[1])).astype(np.int32)
        timers: dict[str, Callable[[], float]] = {}
        details: dict[str, str] = {}
        setups: dict[str, float] = {}
        for name, executor in timed.items():
            announce(f"warming up {name}")
            details[name] = executor.run(bundle, samples, trace=False, options={}).detail
            if isinstance(executor, StartsProcess):
                setups[name] = executor.setup(bundle)
                timers[name] = _compiled(executor, bundle, samples)
                continue
            timers[name] = _wall_clock(executor, bundle, samples)
            if isinstance(executor, TimesItself):
                timers[f"{name}, compiled loop"] = _compiled(executor, bundle, samples)
        times: dict[str, list[float]] = {name: [] for name in timers}
        for turn in range(ROUNDS):
            announce(f"batch {batch}, round {turn + 1} of {ROUNDS}")
            for name, timer in timers.items():
                times[name].append(timer())
        golden = statistics.median(times["golden"])
        for name, values in times.items():
            seconds = statistics.median(values)
            row: dict[str, Any] = {
                "executor": name,
                "batch": batch,
                "microseconds": round(seconds * 1e6, 4),
                "ratio": round(golden / seconds, 2),
                "detail": details.get(name, ""),
            }
            if name in setups:
                row["setup_microseconds"] = round(setups[name] * 1e6)
                row["detail"] += f"; timed in its own process, whose start took {1e3 * setups[name]:.0f} ms"
            rows.append(row)
    return rows


def instructions(bundle: Bundle, announce: Callable[[str], None] = lambda name: None) -> list[dict[str, Any]]:
    """Instructions of one inference, in all (`layer` is empty) and by layer, on every emulated processor that can run
    the bundle here (`plugins.CountsInstructions`). For dense layers, also their multiply-accumulates (`macs`); in all,
    also `cycles`, `microseconds` and `microjoules` by a model of the core, where there is one."""
    q, _ = bundle.golden()
    macs = {node.name: node.layer.multiplications for node in bundle.network.nodes}
    before = {node.name: node.inputs for node in bundle.network.nodes}

    def work_of(layer: str, counted: Mapping[str, float]) -> int:
        """Its own, and that of layers before it that are computed with it."""
        return macs.get(layer, 0) + sum(work_of(name, counted) for name in before.get(layer, ()) if name not in counted)

    rows: list[dict[str, Any]] = []
    for name, executor in _ready(bundle):
        if not _counts(executor):
            continue
        announce(f"counting on {name}")
        done = executor.run(bundle, q[:1], trace=False, options={})
        found = Measures.from_json(done.measures)
        if found.instructions is None:
            continue
        for layer, count in {"": found.instructions, **found.instructions_by_layer}.items():
            work = work_of(layer, found.instructions_by_layer) if layer else sum(macs.values())
            row = {"executor": name, "layer": layer, "instructions": count, "macs": work, "detail": done.detail}
            modelled = {} if layer else found.modelled
            rows.append({**row, "instructions_per_mac": round(count / work, 3) if work else None, **modelled})
    return rows


def _counts(executor: Executor[Bundle]) -> bool:
    return isinstance(executor, CountsInstructions) and executor.counts_instructions


def _ready(bundle: Bundle) -> Iterator[tuple[str, Executor[Bundle]]]:
    """The executors that run something of this bundle and can do so here."""
    for name, entry in executors(bundle.words()).items():
        try:
            executor = entry.load()
        except MissingTool:
            continue
        absent = isinstance(executor, NeedsDevice) and executor.needs_device
        if not absent and executor.applies(bundle) and not executor.missing(bundle):
            yield name, executor


def _wall_clock(executor: Executor[Bundle], bundle: Bundle, samples: Any) -> Callable[[], float]:
    def timer() -> float:
        calls, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < _ROUND_SECONDS or not calls:
            executor.run(bundle, samples, trace=False, options={})
            calls += 1
        return elapsed / calls / len(samples)

    return timer


def _compiled(executor: TimesItself[Bundle], bundle: Bundle, samples: Any) -> Callable[[], float]:
    return lambda: float(executor.benchmark(bundle, samples))
