"""Charts as data for SVG: lines, spike rasters, histograms, thresholds by channel, and the front of a search.

Places are in the units of the picture, `WIDTH` × `HEIGHT`, from its upper left corner. A chart gives where things
stand and what is written; its template (`templates/*.svg`) draws them within the axes of `frame.svg`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .blocks import Block

__all__ = ["Axes", "Chart", "Histogram", "Lines", "Raster", "Scatter", "Thresholds", "chart"]

WIDTH, HEIGHT = 420, 240
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 40
SERIES = 6
"""Colours there are; the style sheet defines them for light and dark."""
MOST_POINTS = 4000
"""Points drawn of one chart: a report stays small however large the network is."""
WIDEST_SPIKE, HIGHEST_SPIKE = 28.0, 9.0
_LONGEST_LABEL = 16
_LEAST_BETWEEN_NAMES = 34
_FLOOR = HEIGHT - BOTTOM

Place = tuple[float, float]
Range = tuple[float, float]


@dataclass(frozen=True)
class Axes:
    """What is written at the axes, and the ends of both (None: the chart itself says what stands along it)."""

    title: str
    x_label: str
    y_label: str
    x_range: Range | None
    y_range: Range
    right: float = WIDTH - RIGHT
    """Where the x axis ends."""

    width: ClassVar[int] = WIDTH
    height: ClassVar[int] = HEIGHT
    left: ClassVar[int] = LEFT
    top: ClassVar[int] = TOP
    floor: ClassVar[int] = _FLOOR

    @property
    def middle(self) -> Place:
        """The middle of the space between the axes."""
        return (LEFT + self.right) / 2, (TOP + _FLOOR) / 2

    @property
    def x_ends(self) -> tuple[str, str] | None:
        """What stands at the ends of the x axis."""
        return None if self.x_range is None else (tick(self.x_range[0]), tick(self.x_range[1]))

    @property
    def y_ends(self) -> tuple[str, str]:
        """What stands at the ends of the y axis."""
        return tick(self.y_range[0]), tick(self.y_range[1])


@dataclass(frozen=True)
class Chart(Block):
    """Anything within axes."""

    axes: Axes


def chart(data: Mapping[str, Any]) -> Chart:
    """The chart that a converter or a target describes.

    `data` has `title`, `x_label`, `y_label` and `kind`:
    - `line`: `series`, a list of {"name", "x": [numbers], "y": [numbers]};
    - `raster`: `spikes`, a list of [time, neuron], and `steps` and `neurons`, the extents.
    """
    return Raster.of(data) if data["kind"] == "raster" else Lines.of(data)


@dataclass(frozen=True)
class Histogram(Chart):
    """Bars; few of them carry their count and their value."""

    template = "histogram.svg"
    path: str
    labels: Sequence[tuple[float, float, str]]

    @classmethod
    def of(cls, title: str, edges: tuple[int, int], counts: Sequence[int], x_label: str, y_label: str) -> Histogram:
        """Bars of `counts`, evenly spread from the first to the second of `edges`."""
        most, bars = max(counts, default=0) or 1, len(counts)
        step = (WIDTH - LEFT - RIGHT) / max(bars, 1)
        gap = min(step * 0.08, 3)
        few = bars <= 8 and edges[1] - edges[0] == bars - 1  # one bar for each value
        path, labels = [], []
        for index, count in enumerate(counts):
            top = _scale(count, 0, most, _FLOOR, TOP + 14)
            if count:
                path.append(
                    f"M{LEFT + index * step + gap:.1f} {_FLOOR}V{top:.1f}h{max(step - 2 * gap, 0.6):.1f}V{_FLOOR}z"
                )
            if count and few:
                labels.append((LEFT + (index + 0.5) * step, top - 4, f"{count:,}"))
        if few:
            labels += [(LEFT + (place + 0.5) * step, _FLOOR + 17.0, tick(edges[0] + place)) for place in range(bars)]
        axes = Axes(title, x_label, y_label, None if few else edges, (0, most))
        return cls(axes, "".join(path), labels)


@dataclass(frozen=True)
class Thresholds(Chart):
    """One line per channel: the range that its accumulator can take near its thresholds, and a mark at each of them."""

    template = "thresholds.svg"
    ranges: str
    marks: str

    @classmethod
    def of(
        cls, title: str, rows: Sequence[tuple[float, float, Sequence[float]]], x_label: str, y_label: str
    ) -> Thresholds:
        """`rows` holds (lowest value, highest value, thresholds); marks outside the range, which no value reaches,
        are left out."""
        reached = [place for first, last, values in rows for place in values if first <= place <= last] or [0.0]
        room = (max(reached) - min(reached)) / 3 or 1.0
        low = math.floor(max(min((row[0] for row in rows), default=0.0), min(reached) - room))
        high = math.ceil(min(max((row[1] for row in rows), default=1.0), max(reached) + room))
        ranges, marks = [], []
        step = (HEIGHT - TOP - BOTTOM) / max(len(rows), 1)
        for index, (first, last, values) in enumerate(rows):
            middle = TOP + (index + 0.5) * step
            start, end = (_scale(min(max(place, low), high), low, high, LEFT, WIDTH - RIGHT) for place in (first, last))
            ranges.append(f"M{start:.1f} {middle:.1f}H{end:.1f}")
            for place in values:
                if first <= place <= last:
                    across = _scale(place, low, high, LEFT, WIDTH - RIGHT)
                    marks.append(f"M{across:.1f} {middle - step * 0.42:.1f}v{step * 0.84:.1f}")
        return cls(Axes(title, x_label, y_label, (low, high), (len(rows), 0)), "".join(ranges), "".join(marks))


@dataclass(frozen=True)
class Scatter(Chart):
    """Points pale, the front of them dark; those of it that lead are joined and have names."""

    template = "scatter.svg"
    points: Sequence[Place]
    front: Sequence[Place]
    leading: Sequence[Place]
    names: Sequence[tuple[float, float, str]]

    @classmethod
    def of(
        cls,
        title: str,
        points: Sequence[Place],
        front: Sequence[tuple[float, float, str]],
        x_label: str,
        y_label: str,
    ) -> Scatter:
        """All `points`, and the `front` (x, y, name); those of it that lead in these two alone are joined.

        x is a cost, less is better; y is a quality, more is better. Costs over more than a decade are drawn by
        their logarithm.
        """
        everything = [*points, *((x, y) for x, y, _ in front)] or [(0.0, 0.0)]
        x_range, y_range = _extent([x for x, _ in everything]), _extent([y for _, y in everything])
        logarithmic = x_range[0] > 0 and x_range[1] > 10 * x_range[0]

        def place(x: float, y: float) -> Place:
            across = (math.log(x), math.log(x_range[0]), math.log(x_range[1])) if logarithmic else (x, *x_range)
            return _scale(*across, LEFT + 10, WIDTH - RIGHT - 10), _scale(y, *y_range, _FLOOR - 10, TOP + 14)

        leading: list[tuple[float, float, str]] = []
        for x, y, name in sorted(front[:MOST_POINTS], key=lambda point: (point[0], -point[1])):
            if not leading or y > leading[-1][1]:
                leading.append((x, y, name))
        placed = [(*place(x, y), name) for x, y, name in leading]
        names: list[tuple[float, float, str]] = []
        for x, y, name in placed:
            if not names or x - names[-1][0] >= _LEAST_BETWEEN_NAMES:
                names.append((x, y - 9, name[:_LONGEST_LABEL]))
        axes = Axes(title, f"{x_label}, logarithmic" if logarithmic else x_label, y_label, x_range, y_range)
        drawn = [place(x, y) for x, y in points[:MOST_POINTS]]
        best = [place(x, y) for x, y, _ in front[:MOST_POINTS]]
        return cls(axes, drawn, best, [(x, y) for x, y, _ in placed], names)


@dataclass(frozen=True)
class Line:
    """One line of a chart, in the colour of that number, and where its name stands."""

    colour: int
    points: Sequence[Place]
    name: str
    name_height: float


@dataclass(frozen=True)
class Lines(Chart):
    """Lines, each with its name at its end."""

    template = "lines.svg"
    lines: Sequence[Line]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Lines:
        """The chart of `data["series"]`; names are moved apart where they would lie on each other."""
        series: Sequence[Mapping[str, Any]] = data["series"][: 4 * SERIES]
        share = max(MOST_POINTS // max(len(series), 1), 2)
        xs = [[float(x) for x in _thinned(line["x"], share)] for line in series]
        ys = [[float(y) for y in _thinned(line["y"], share)] for line in series]
        x_range, y_range = (_extent([each for line in values for each in line] or [0.0]) for values in (xs, ys))
        names = [_short(str(line["name"])) for line in series]
        room = min(max((len(name) for name in names), default=0) * 6.6 + 10, WIDTH * 0.34)
        right = WIDTH - RIGHT - room
        points = [
            [
                (_scale(x, *x_range, LEFT, right), _scale(y, *y_range, _FLOOR, TOP + 4))
                for x, y in zip(*line, strict=False)
            ]
            for line in zip(xs, ys, strict=True)
        ]
        heights = _apart([line[-1][1] if line else 0.0 for line in points])
        lines = zip(points, names, heights, strict=True)
        drawn = [Line(index % SERIES, *each) for index, each in enumerate(lines)]
        return cls(Axes(data["title"], data["x_label"], data["y_label"], x_range, y_range, right), drawn)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + "…"


def _apart(heights: Sequence[float]) -> list[float]:
    """Where names stand that belong to these heights: a line of text below each other at least."""
    found = [0.0] * len(heights)
    last = TOP - 4.0
    overflow = max(TOP + 14.0 * len(heights) - _FLOOR, 0.0)
    for height, index in sorted((height, index) for index, height in enumerate(heights)):
        last = found[index] = max(height + 4 - overflow, last + 14)
    return found


@dataclass(frozen=True)
class Raster(Chart):
    """A mark at the time step and the neuron of each spike."""

    template = "raster.svg"
    path: str

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Raster:
        """The chart of `data["spikes"]`."""
        steps, neurons = max(int(data["steps"]), 1), max(int(data["neurons"]), 1)
        width = min(max((WIDTH - LEFT - RIGHT) / steps * 0.8, 1.0), WIDEST_SPIKE)
        height = min(max((HEIGHT - TOP - BOTTOM) / neurons * 0.8, 1.0), HIGHEST_SPIKE)
        path = "".join(
            f"M{_scale(time, 0, steps, LEFT, WIDTH - RIGHT):.1f} {_scale(neuron + 1, 0, neurons, _FLOOR, TOP):.1f}"
            f"h{width:.1f}v{height:.1f}h-{width:.1f}z"
            for time, neuron in data["spikes"][:MOST_POINTS]
        )
        return cls(Axes(data["title"], data["x_label"], data["y_label"], (0, steps), (0, neurons)), path)


def tick(value: float) -> str:
    """A number at an axis."""
    said = f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e7 else f"{value:.4g}"
    return said.replace("-", "−")


def _extent(values: Sequence[float]) -> Range:
    return min(values), max(values)


def _scale(value: float, low: float, high: float, start: float, end: float) -> float:
    return start + (value - low) / ((high - low) or 1.0) * (end - start)


def _thinned(values: Sequence[Any], most: int) -> Sequence[Any]:
    """At most `most` of the values, evenly taken, the last among them."""
    if len(values) <= most:
        return values
    return [values[index * (len(values) - 1) // (most - 1)] for index in range(most)]
