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
from .runs import Point

__all__ = ["MEASURED", "Mean", "front", "means", "merged", "read", "write"]

MEASURED = Path(__file__).with_name("measured.json")


@dataclass(frozen=True)
class Mean:
    """Circuits of one training's settings over its seeds; a circuit alone where a training leaves several.

    `least` and `most` are scores of single seeds; the cells are means, rounded. On an
    ECP5 they are means of those that were placed, None where none was.
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


def _training(point: Point) -> tuple[str, str, str]:
    return point.data_set, point.contestant, json.dumps(point.settings, sort_keys=True)


def _circuit(point: Point) -> tuple[object, ...]:
    return *_training(point), point.seed, point.luts, point.score


def means(points: Sequence[Point]) -> list[Mean]:
    """One for each training's settings, in the order of the points."""
    groups: dict[tuple[object, ...], list[Point]] = {}
    for point in points:
        alone = sum((_training(one), one.seed) == (_training(point), point.seed) for one in points) == 1
        groups.setdefault((_training(point), None if alone else (point.seed, point.luts)), []).append(point)
    return [_mean(group) for group in groups.values()]


def _mean(group: Sequence[Point]) -> Mean:
    def of(name: str) -> float:
        return float(sum(getattr(point, name) for point in group) / len(group))

    scores = [point.score for point in group]
    placed = [point.ecp5 for point in group if point.ecp5]
    luts, carry, levels, argmax_luts = (round(of(name)) for name in ("luts", "carry", "levels", "argmax_luts"))
    return Mean(
        data_set=group[0].data_set,
        contestant=group[0].contestant,
        seeds=tuple(sorted(point.seed for point in group)),
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
    renewed = {(_training(point), point.seed) for point in new}
    points = [point for point in old if (_training(point), point.seed) not in renewed] + new
    order = {contestant.name: place for place, contestant in enumerate(CONTESTANTS)}
    known = {contestant.name: contestant for contestant in CONTESTANTS}
    points = [
        point
        for point in points
        if point.contestant in known
        and point.settings in settings_of(known[point.contestant], point.data_set, quick=False)
    ]
    sets = ("digits", "cancer", "mnist", "can")
    return sorted(points, key=lambda one: (sets.index(one.data_set), order[one.contestant], one.seed, one.luts))


def read(path: Path = MEASURED) -> list[Point]:
    """The points of the file; none where there is no file."""
    if not path.exists():
        return []
    return [Point(**each) for each in json.loads(path.read_text(encoding="utf-8"))]


def write(points: Sequence[Point], path: Path = MEASURED) -> None:
    """A line for each point."""
    lines = ",\n".join(json.dumps(asdict(point), sort_keys=True) for point in points)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
