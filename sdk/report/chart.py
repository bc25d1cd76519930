"""Charts as plain SVG: lines over a numeric axis, and spike rasters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["chart"]

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 60, 16, 14, 40
SERIES_COLOURS = ("#2f7ed8", "#d9822b", "#2a9d6f", "#b5479b", "#8a8f98", "#c0302b")
MOST_POINTS = 20_000
WIDEST_SPIKE = 12.0


def chart(data: Mapping[str, Any]) -> str:
    """The SVG of one chart.

    `data` has `title`, `x_label`, `y_label` and `kind`:
    - `line`: `series`, a list of {"name", "x": [numbers], "y": [numbers]};
    - `raster`: `spikes`, a list of [time, neuron], and `steps` and `neurons`, the extents.
    """
    if data["kind"] == "raster":
        return _raster(data)
    return _lines(data)


def _frame(data: Mapping[str, Any], x_range: tuple[float, float], y_range: tuple[float, float], body: str) -> str:
    """Axes with the ends of both ranges marked, around `body`."""
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    middle = (LEFT + right) / 2
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(str(data["title"]))}">'
        f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{bottom}H{right}"/>'
        f'<text x="{LEFT - 8}" y="{bottom}" text-anchor="end">{y_range[0]:.4g}</text>'
        f'<text x="{LEFT - 8}" y="{TOP + 10}" text-anchor="end">{y_range[1]:.4g}</text>'
        f'<text x="{LEFT}" y="{bottom + 16}">{x_range[0]:.4g}</text>'
        f'<text x="{right}" y="{bottom + 16}" text-anchor="end">{x_range[1]:.4g}</text>'
        f'<text x="{middle}" y="{bottom + 32}" text-anchor="middle">{escape(str(data["x_label"]))}</text>'
        f'<text x="14" y="{(TOP + bottom) / 2}" text-anchor="middle" '
        f'transform="rotate(-90 14 {(TOP + bottom) / 2})">{escape(str(data["y_label"]))}</text>'
        f"{body}</svg>"
    )


def _scale(value: float, low: float, high: float, start: float, end: float) -> float:
    return start + (value - low) / ((high - low) or 1.0) * (end - start)


def _lines(data: Mapping[str, Any]) -> str:
    series: Sequence[Mapping[str, Any]] = data["series"]
    xs = [float(x) for line in series for x in line["x"]] or [0.0]
    ys = [float(y) for line in series for y in line["y"]] or [0.0]
    x_range, y_range = (min(xs), max(xs)), (min(ys), max(ys))
    parts = []
    for index, line in enumerate(series):
        colour = SERIES_COLOURS[index % len(SERIES_COLOURS)]
        across = [_scale(float(x), *x_range, LEFT, WIDTH - RIGHT) for x in line["x"]]
        down = [_scale(float(y), *y_range, HEIGHT - BOTTOM, TOP) for y in line["y"]]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True))
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>')
        name = escape(str(line["name"]))
        parts.append(
            f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - BOTTOM - 8 - 15 * index}" text-anchor="end" '
            f'style="fill:{colour}">{name}</text>'
        )
    return _frame(data, x_range, y_range, "".join(parts))


def _raster(data: Mapping[str, Any]) -> str:
    steps, neurons = max(int(data["steps"]), 1), max(int(data["neurons"]), 1)
    width = min(max((WIDTH - LEFT - RIGHT) / steps * 0.8, 1.0), WIDEST_SPIKE)
    height = min(max((HEIGHT - TOP - BOTTOM) / neurons * 0.8, 1.0), WIDEST_SPIKE)
    dots = "".join(
        f"M{_scale(time, 0, steps, LEFT, WIDTH - RIGHT):.1f} {_scale(neuron + 1, 0, neurons, HEIGHT - BOTTOM, TOP):.1f}"
        f"h{width:.1f}v{height:.1f}h-{width:.1f}z"
        for time, neuron in data["spikes"][:MOST_POINTS]
    )
    return _frame(data, (0, steps), (0, neurons), f'<path class="dot" d="{dots}"/>')
