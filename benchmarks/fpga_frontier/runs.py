"""Trains what is not in the cache, judges it, and remembers both: a run that broke goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeml.errors import EdgemlError, ToolFailed

from . import data_sets
from .circuits import Circuit, answers, argmax_unit, counted
from .contestants import Contestant
from .ecp5 import known as placed_before
from .ecp5 import placed

__all__ = ["Point", "Workshop", "points"]

_SECONDS = 6 * 3600


@dataclass(frozen=True)
class Point:
    """A circuit judged: its score on the test samples, and what it takes.

    `luts` and `carry` are those to the outputs, `argmax_luts` what the class takes besides; `levels` the cells on the
    longest path to the outputs; `ecp5` what `ecp5.placed` says, where it was asked; `fold` which split of the data set.
    """

    data_set: str
    contestant: str
    seed: int
    settings: dict[str, Any]
    score: float
    validation: float
    luts: int
    carry: int
    levels: int
    argmax_luts: int
    versions: dict[str, str]
    ecp5: dict[str, float] | None = None
    fold: int | None = None


@dataclass(frozen=True)
class Workshop:
    """Where things are: `build` for data, trainings and counts; `python` of the rivals' environment."""

    build: Path
    python: Path
    can_log: Path | None

    def data(self, data_set: str, fold: int | None) -> Path:
        """The file of the data set, or of a fold of it, made where it is missing."""
        return data_sets.data_file(data_set, self.build / "data", self.can_log, fold)


def _place(shop: Workshop, contestant: Contestant, data: Path, settings: dict[str, Any], seed: int) -> Path:
    """The folder of a training, by all that it depends on."""
    key = json.dumps([contestant.name, settings, hashlib.sha256(data.read_bytes()).hexdigest(), seed], sort_keys=True)
    return shop.build / "trained" / hashlib.sha256(key.encode()).hexdigest()[:20]


def _train(
    shop: Workshop, contestant: Contestant, data: Path, folder: Path, settings: dict[str, Any], seed: int
) -> None:
    """Run a contestant's script; ToolFailed with the last line of what it said."""
    script = [str(shop.python), str(Path(__file__).parent / "rivals" / contestant.script)]
    start = script if contestant.script else [sys.executable, "-m", "benchmarks.fpga_frontier.ours"]
    command = [*start, str(data), str(folder), "--seed", str(seed), "--settings", json.dumps(settings)]
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with (folder / "log.txt").open("w") as log:
        status = subprocess.run(
            command, stdout=log, stderr=subprocess.STDOUT, env=environment, timeout=_SECONDS, check=False
        ).returncode
    if status:
        last = (folder / "log.txt").read_text(errors="replace").strip().splitlines()[-1:]
        raise ToolFailed(contestant.name, f"ended with {status}: {' '.join(last)} ({folder / 'log.txt'})")
    (folder / "finished").write_text(contestant.name, encoding="utf-8")


def points(
    shop: Workshop,
    contestant: Contestant,
    data_set: str,
    settings: dict[str, Any],
    seed: int,
    fold: int | None = None,
    *,
    known: bool = False,
    place: bool = False,
) -> Iterator[Point]:
    """Train if need be, and judge each circuit that the training left; if only what is `known` counts, train nothing.

    With `place` each circuit is placed on an ECP5 besides, the smallest first.

    Raises EdgemlError where a circuit's classes are not those that its author's software gave: it has no figure then.
    """
    data_file = shop.data(data_set, fold)
    data = data_sets.load(data_file)
    folder = _place(shop, contestant, data_file, settings, seed)
    if not (folder / "finished").exists():
        if known:
            return
        _train(shop, contestant, data_file, folder, settings, seed)
    designs = sorted(folder.glob("*/design.v"), key=lambda path: path.stat().st_size)
    for design in designs:
        described = json.loads(design.with_name("design.json").read_text(encoding="utf-8"))
        memories = {path.name: path.read_text(encoding="utf-8") for path in design.parent.glob("*.mem")}
        text = design.read_text(encoding="utf-8")
        circuit = Circuit(text, described["output_bits"], described["signed"], described["outputs"], memories)
        kept = design.with_name("judged.json")
        if known and not kept.exists():
            continue
        point = _judged(shop, contestant, data_set, data, circuit, described, seed, kept)
        cells, inputs = shop.build / "cells", data.features * data.bits
        yield replace(point, fold=fold, ecp5=placed(circuit, inputs, cells) if place else placed_before(circuit, cells))


def _judged(
    shop: Workshop,
    contestant: Contestant,
    data_set: str,
    data: data_sets.DataSet,
    circuit: Circuit,
    design: Mapping[str, Any],
    seed: int,
    kept: Path,
) -> Point:
    if kept.exists():
        return Point(**json.loads(kept.read_text(encoding="utf-8")))
    classes = answers(circuit, data.x_test, data.bits).argmax(axis=1)
    wrong = int((classes != np.array(design["test_classes"])).sum())
    if wrong:
        raise EdgemlError(
            contestant.name, f"its circuit and its software differ on {wrong} test samples: {kept.parent}"
        )
    cells = counted(circuit, shop.build / "cells", short=contestant.short)
    point = Point(
        data_set=data_set,
        contestant=contestant.name,
        seed=seed,
        settings=design["settings"],
        score=data_sets.score(data_set, classes, data.y_test),
        validation=design["validation"],
        luts=cells["luts"],
        carry=cells["carry"],
        levels=cells["levels"],
        argmax_luts=counted(argmax_unit(circuit), shop.build / "cells")["luts"],
        versions=design["versions"],
    )
    kept.write_text(json.dumps(point.__dict__), encoding="utf-8")
    return point
