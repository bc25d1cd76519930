"""What was measured: kept in a small file, so that tables and picture can be drawn again without training; and means
over seeds.

`measured.json` holds the figures of each circuit, not the circuits. A training that is not one of `contestants` any
more is dropped from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .contestants import CONTESTANTS, settings_of
from .data_sets import folds
from .runs import Point

__all__ = ["MEASURED", "Mean", "front", "means", "merged", "read", "write"]

MEASURED = Path(__file__).with_name("measured.json")


@dataclass(frozen=True)
class Mean:
    """Circuits of one training's settings over its seeds and folds; where a training leaves several, those of equal
    place by their lookup tables.

    `least` and `most` are scores of single trainings; the cells are means, rounded. On an
    ECP5 they are means of those that were placed, None where none was. `folds` says how many splits of the data set.
    """

    data_set: str
    contestant: str
    seeds: tuple[int, ...]
    score: float
    least: float
    most: float
    validation: float
    luts: int
    carry: int
    levels: int
    argmax_luts: int
    ecp5_luts: int | None = None
    nanoseconds: float | None = None
    folds: int = 1


def _training(point: Point) -> tuple[str, str, str]:
    return point.data_set, point.contestant, json.dumps(point.settings, sort_keys=True)


def _run(point: Point) -> tuple[object, ...]:
    return *_training(point), point.seed, point.fold


def _circuit(point: Point) -> tuple[object, ...]:
    return *_run(point), point.luts, point.score


def means(points: Sequence[Point]) -> list[Mean]:
    """One for each circuit of each training's settings, in the order of the points; none where a fold is missing."""
    runs: dict[tuple[object, ...], list[Point]] = {}
    for point in points:
        runs.setdefault(_run(point), []).append(point)
    groups: dict[tuple[object, ...], list[Point]] = {}
    for run in runs.values():
        for place, point in enumerate(sorted(run, key=lambda one: one.luts)):
            groups.setdefault((_training(point), place), []).append(point)
    return [_mean(group) for group in groups.values() if _whole(group)]


def _whole(group: Sequence[Point]) -> bool:
    """Whether each seed has each fold of the data set."""
    expected = set(folds(group[0].data_set))
    return all({one.fold for one in group if one.seed == point.seed} == expected for point in group)


def _mean(group: Sequence[Point]) -> Mean:
    def of(name: str) -> float:
        return float(sum(getattr(point, name) for point in group) / len(group))

    scores = [point.score for point in group]
    placed = [point.ecp5 for point in group if point.ecp5]
    luts, carry, levels, argmax_luts = (round(of(name)) for name in ("luts", "carry", "levels", "argmax_luts"))
    return Mean(
        data_set=group[0].data_set,
        contestant=group[0].contestant,
        seeds=tuple(sorted({point.seed for point in group})),
        score=of("score"),
        least=min(scores),
        most=max(scores),
        validation=of("validation"),
        luts=luts,
        carry=carry,
        levels=levels,
        argmax_luts=argmax_luts,
        ecp5_luts=round(sum(each["luts"] for each in placed) / len(placed)) if placed else None,
        nanoseconds=sum(each["ns"] for each in placed) / len(placed) if placed else None,
        folds=len({point.fold for point in group}),
    )


def front(means: Sequence[Mean]) -> list[Mean]:
    """Those that no other of the same contestant beats in both, fewest lookup tables first."""
    kept: list[Mean] = []
    for mean in sorted(means, key=lambda one: (one.luts, -one.score)):
        if not kept or mean.score > kept[-1].score:
            kept.append(mean)
    return kept


def merged(old: Sequence[Point], new: Iterable[Point]) -> list[Point]:
    """`old` with the trainings of `new` in their place, without those that no contestant has any more, in order.

    A circuit that came out as before (by lookup tables and score) keeps where it was placed."""
    placed = {_circuit(point): point.ecp5 for point in old}
    new = [point if point.ecp5 else replace(point, ecp5=placed.get(_circuit(point))) for point in new]
    renewed = {_run(point) for point in new}
    points = [point for point in old if _run(point) not in renewed] + new
    order = {contestant.name: place for place, contestant in enumerate(CONTESTANTS)}
    known = {contestant.name: contestant for contestant in CONTESTANTS}
    points = [
        point
        for point in points
        if point.contestant in known
        and point.fold in folds(point.data_set)
        and point.settings in settings_of(known[point.contestant], point.data_set, quick=False)
    ]
    sets = ("digits", "cancer", "mnist", "can")
    return sorted(
        points, key=lambda one: (sets.index(one.data_set), order[one.contestant], one.seed, one.fold or 0, one.luts)
    )


def read(path: Path = MEASURED) -> list[Point]:
    """The points of the file; none where there is no file."""
    if not path.exists():
        return []
    return [Point(**each) for each in json.loads(path.read_text(encoding="utf-8"))]


def write(points: Sequence[Point], path: Path = MEASURED) -> None:
    """A line for each point."""
    lines = ",\n".join(json.dumps(asdict(point), sort_keys=True) for point in points)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
