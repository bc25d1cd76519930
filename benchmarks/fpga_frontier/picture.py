"""The picture: score over lookup tables (logarithmic), a panel for each data set; the same points, the same bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from .contestants import CONTESTANTS
from .measured import Mean, front

__all__ = ["picture"]

_WIDTH, _HEIGHT, _LEFT, _BELOW, _ABOVE = 460, 320, 52, 44, 30


def picture(points: Sequence[Mean]) -> str:
    """An SVG of all points, with a line along each contestant's front."""
    names = list(dict.fromkeys(point.data_set for point in points))
    columns = min(len(names), 2)
    rows = -(-len(names) // columns)
    legend = 22 * ((len(CONTESTANTS) + 2) // 3) + 8
    width, height = columns * _WIDTH, rows * _HEIGHT + legend
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        f'<rect width="{width}" height="{height}" fill="white"/><g font-family="sans-serif" font-size="12">',
    ]
    for number, contestant in enumerate(CONTESTANTS):
        x, y = 20 + number % 3 * (width // 3), 18 + number // 3 * 22
        parts.append(f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{contestant.colour}"/>')
        parts.append(f'<text x="{x + 12}" y="{y}">{escape(contestant.name)}</text>')
    for number, name in enumerate(names):
        row, column = divmod(number, columns)
        panel = _panel(name, [point for point in points if point.data_set == name])
        parts.append(f'<g transform="translate({column * _WIDTH},{legend + row * _HEIGHT})">{panel}</g>')
    return "\n".join([*parts, "</g></svg>", ""])


def _panel(name: str, points: Sequence[Mean]) -> str:
    right, bottom = _WIDTH - 16, _HEIGHT - _BELOW
    logs = [math.log10(max(point.luts, 1)) for point in points]
    low, high = math.floor(min(logs) * 2) / 2, math.ceil(max(logs) * 2 + 1e-9) / 2
    best = max(point.score for point in points)
    least = max(min(point.score for point in points), best - 0.12)
    span = max(best - least, 0.01) * 1.1

    def place(luts: int, score: float) -> tuple[float, float]:
        x = _LEFT + (math.log10(max(luts, 1)) - low) / max(high - low, 0.5) * (right - _LEFT)
        return round(x, 1), round(_ABOVE + (best + 0.05 * span - score) / span * (bottom - _ABOVE), 1)

    parts = [f'<text x="{_LEFT}" y="{_ABOVE - 12}" font-weight="bold">{escape(name)}</text>']
    for exponent in range(math.ceil(low * 2), math.floor(high * 2) + 1):
        luts = round(10 ** (exponent / 2))
        x, _ = place(luts, best)
        parts.append(f'<line x1="{x}" y1="{_ABOVE}" x2="{x}" y2="{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{luts:,}</text>')
    step = next(one for one in (0.005, 0.01, 0.02, 0.05) if span / one <= 8)
    for number in range(math.ceil(least / step), math.floor(best / step) + 1):
        _, y = place(1, number * step)
        parts.append(f'<line x1="{_LEFT}" y1="{y}" x2="{right}" y2="{y}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{number * step * 100:.1f}</text>')
    parts.append(f'<text x="{(_LEFT + right) // 2}" y="{_HEIGHT - 10}" text-anchor="middle">lookup tables</text>')
    for contestant in CONTESTANTS:
        own = [point for point in points if point.contestant == contestant.name and point.score >= least]
        for point in own:
            x, y = place(point.luts, point.score)
            parts.append(f'<circle cx="{x}" cy="{y}" r="3.5" fill="{contestant.colour}"/>')
        line = " ".join("{},{}".format(*place(point.luts, point.score)) for point in front(own))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{contestant.colour}" stroke-width="1.5"/>')
    return "".join(parts)
