"""Charts as plain SVG: lines, spike rasters, histograms, thresholds by channel, and the front of a search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["chart", "figure", "histogram", "scatter", "thresholds"]

WIDTH, HEIGHT = 420, 240
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 40
SERIES = 6
"""Colours there are; the style sheet defines them for light and dark."""
MOST_POINTS = 4000
"""Points drawn of one chart: a report stays small however large the network is."""
WIDEST_SPIKE, HIGHEST_SPIKE = 28.0, 9.0
_LONGEST_LABEL = 16


def chart(data: Mapping[str, Any]) -> str:
    """The SVG of one chart.

    `data` has `title`, `x_label`, `y_label` and `kind`:
    - `line`: `series`, a list of {"name", "x": [numbers], "y": [numbers]};
    - `raster`: `spikes`, a list of [time, neuron], and `steps` and `neurons`, the extents.
    """
    if data["kind"] == "raster":
        return _raster(data)
    return _lines(data)


def figure(title: str, svg: str, note: str = "") -> str:
    """A chart with its title above it and a note below."""
    said = f'<p class="soft">{escape(note)}</p>' if note else ""
    return f"<figure><figcaption>{escape(str(title))}</figcaption>{svg}{said}</figure>\n"


def histogram(title: str, edges: tuple[float, float], counts: Sequence[int], x_label: str, y_label: str) -> str:
    """Bars of `counts`, evenly spread from the first to the second of `edges`; few bars carry their count."""
    most, bars = max(counts, default=0) or 1, len(counts)
    step = (WIDTH - LEFT - RIGHT) / max(bars, 1)
    parts, labels = [], []
    few = bars <= 8 and edges[1] - edges[0] == bars - 1  # one bar for each value
    for index, count in enumerate(counts):
        if not count:
            continue
        top = _scale(count, 0, most, HEIGHT - BOTTOM, TOP + 14)
        left = LEFT + index * step + min(step * 0.08, 3)
        parts.append(
            f"M{left:.1f} {HEIGHT - BOTTOM}V{top:.1f}h{max(step - 2 * min(step * 0.08, 3), 0.6):.1f}V{HEIGHT - BOTTOM}z"
        )
        if few:
            middle = LEFT + (index + 0.5) * step
            labels.append(f'<text x="{middle:.1f}" y="{top - 4:.1f}" text-anchor="middle">{count:,}</text>')
    if few:
        values = [edges[0] + index * (edges[1] - edges[0]) / max(bars - 1, 1) for index in range(bars)]
        labels += [
            f'<text x="{LEFT + (index + 0.5) * step:.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">'
            f"{_tick(value)}</text>"
            for index, value in enumerate(values)
        ]
    body = f'<path class="dot" d="{"".join(parts)}"/>{"".join(labels)}'
    return _frame(title, x_label, y_label, None if few else edges, (0, most), body)


def thresholds(title: str, rows: Sequence[tuple[float, float, Sequence[float]]], x_label: str, y_label: str) -> str:
    """One line per channel: the range that its accumulator can take near its thresholds, and a mark at each of them.

    `rows` holds (lowest value, highest value, thresholds); marks outside the range, which no value reaches,
    are left out.
    """
    reached = [place for first, last, values in rows for place in values if first <= place <= last] or [0.0]
    room = (max(reached) - min(reached)) / 3 or 1.0
    low = max(min((row[0] for row in rows), default=0.0), min(reached) - room)
    high = min(max((row[1] for row in rows), default=1.0), max(reached) + room)
    low, high = math.floor(low), math.ceil(high)
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
    body = f'<path class="range" d="{"".join(ranges)}"/><path class="mark" d="{"".join(marks)}"/>'
    return _frame(title, x_label, y_label, (low, high), (len(rows), 0), body)


def scatter(
    title: str,
    points: Sequence[tuple[float, float]],
    front: Sequence[tuple[float, float, str]],
    x_label: str,
    y_label: str,
) -> str:
    """All `points` pale, the `front` dark; those of it that lead in these two alone are joined and labelled.

    x is a cost, less is better; y is a quality, more is better. Costs over more than a decade are drawn by
    their logarithm.
    """
    everything = [*points, *((x, y) for x, y, _ in front)] or [(0.0, 0.0)]
    xs, ys = [x for x, _ in everything], [y for _, y in everything]
    x_range, y_range = (min(xs), max(xs)), (min(ys), max(ys))
    logarithmic = x_range[0] > 0 and x_range[1] > 10 * x_range[0]

    def place(x: float, y: float) -> tuple[float, float]:
        across = (math.log(x), math.log(x_range[0]), math.log(x_range[1])) if logarithmic else (x, *x_range)
        return _scale(*across, LEFT + 10, WIDTH - RIGHT - 10), _scale(y, *y_range, HEIGHT - BOTTOM - 10, TOP + 14)

    pale = "".join(
        f'<circle class="pale" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in (place(*p) for p in points[:MOST_POINTS])
    )
    dots = "".join(
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
        for x, y in (place(x, y) for x, y, _ in front[:MOST_POINTS])
    )
    leading: list[tuple[float, float, str]] = []
    for x, y, name in sorted(front[:MOST_POINTS], key=lambda point: (point[0], -point[1])):
        if not leading or y > leading[-1][1]:
            leading.append((x, y, name))
    placed = [(*place(x, y), name) for x, y, name in leading]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in placed)
    line = f'<polyline class="line s0" points="{path}"/>' if len(placed) > 1 else ""
    names, last = [], -100.0
    for x, y, name in placed:
        if x - last >= 34:
            said = escape(name[:_LONGEST_LABEL])
            names.append(f'<text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle">{said}</text>')
            last = x
    label = f"{x_label}, logarithmic" if logarithmic else x_label
    return _frame(title, label, y_label, x_range, y_range, pale + line + dots + "".join(names))


def _frame(
    title: Any,
    x_label: Any,
    y_label: Any,
    x_range: tuple[float, float] | None,
    y_range: tuple[float, float],
    body: str,
    right: float = WIDTH - RIGHT,
) -> str:
    """Axes with the ends of both ranges marked, around `body`."""
    bottom = HEIGHT - BOTTOM
    middle = (LEFT + right) / 2
    named = escape(str(title))
    ends = (
        ""
        if x_range is None
        else (
            f'<text x="{LEFT}" y="{bottom + 17}">{_tick(x_range[0])}</text>'
            f'<text x="{right:g}" y="{bottom + 17}" text-anchor="end">{_tick(x_range[1])}</text>'
        )
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{named}"><title>{named}</title>'
        f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{bottom}H{right:g}"/>'
        f'<text x="{LEFT - 7}" y="{bottom}" text-anchor="end">{_tick(y_range[0])}</text>'
        f'<text x="{LEFT - 7}" y="{TOP + 10}" text-anchor="end">{_tick(y_range[1])}</text>'
        f'{ends}<text x="{middle:g}" y="{bottom + 34}" text-anchor="middle">{escape(str(x_label))}</text>'
        f'<text x="14" y="{(TOP + bottom) / 2:g}" text-anchor="middle" '
        f'transform="rotate(-90 14 {(TOP + bottom) / 2:g})">{escape(str(y_label))}</text>'
        f"{body}</svg>"
    )


def _tick(value: float) -> str:
    said = f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e7 else f"{value:.4g}"
    return said.replace("-", "−")


def _scale(value: float, low: float, high: float, start: float, end: float) -> float:
    return start + (value - low) / ((high - low) or 1.0) * (end - start)


def _thinned(values: Sequence[Any], most: int) -> Sequence[Any]:
    """At most `most` of the values, evenly taken, the last among them."""
    if len(values) <= most:
        return values
    return [values[index * (len(values) - 1) // (most - 1)] for index in range(most)]


def _lines(data: Mapping[str, Any]) -> str:
    series: Sequence[Mapping[str, Any]] = data["series"][: 4 * SERIES]
    share = max(MOST_POINTS // max(len(series), 1), 2)
    lines = [
        (
            str(line["name"]),
            [float(x) for x in _thinned(line["x"], share)],
            [float(y) for y in _thinned(line["y"], share)],
        )
        for line in series
    ]
    all_x = [x for _, xs, _ in lines for x in xs] or [0.0]
    all_y = [y for _, _, ys in lines for y in ys] or [0.0]
    x_range, y_range = (min(all_x), max(all_x)), (min(all_y), max(all_y))
    # Names stand at the ends of their lines, moved apart where they would lie on each other.
    names = [name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + "…" for name, _, _ in lines]
    room = min(max((len(name) for name in names), default=0) * 6.6 + 10, WIDTH * 0.34)
    right = WIDTH - RIGHT - room
    parts, ends = [], []
    for index, (_, xs, ys) in enumerate(lines):
        across = [_scale(x, *x_range, LEFT, right) for x in xs]
        down = [_scale(y, *y_range, HEIGHT - BOTTOM, TOP + 4) for y in ys]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=False))
        parts.append(f'<polyline class="line s{index % SERIES}" points="{points}"/>')
        if len(xs) == 1:
            parts.append(f'<circle class="end s{index % SERIES}" cx="{across[0]:.1f}" cy="{down[0]:.1f}" r="3"/>')
        ends.append((down[-1] if down else 0.0, index))
    last = TOP - 4.0
    overflow = max(TOP + 14.0 * len(ends) - (HEIGHT - BOTTOM), 0.0)
    for place, index in sorted(ends):
        last = max(place + 4 - overflow, last + 14)
        parts.append(
            f'<text class="name s{index % SERIES}" x="{right + 6:.1f}" y="{last:.1f}">{escape(names[index])}</text>'
        )
    return _frame(data["title"], data["x_label"], data["y_label"], x_range, y_range, "".join(parts), right)


def _raster(data: Mapping[str, Any]) -> str:
    steps, neurons = max(int(data["steps"]), 1), max(int(data["neurons"]), 1)
    width = min(max((WIDTH - LEFT - RIGHT) / steps * 0.8, 1.0), WIDEST_SPIKE)
    height = min(max((HEIGHT - TOP - BOTTOM) / neurons * 0.8, 1.0), HIGHEST_SPIKE)
    dots = "".join(
        f"M{_scale(time, 0, steps, LEFT, WIDTH - RIGHT):.1f} {_scale(neuron + 1, 0, neurons, HEIGHT - BOTTOM, TOP):.1f}"
        f"h{width:.1f}v{height:.1f}h-{width:.1f}z"
        for time, neuron in data["spikes"][:MOST_POINTS]
    )
    frame = (data["title"], data["x_label"], data["y_label"], (0, steps), (0, neurons))
    return _frame(*frame, f'<path class="dot" d="{dots}"/>')
