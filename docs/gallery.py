"""Draws the pictures of `docs/gallery.md` from the tables of the examples' own pages: `python -m docs.gallery`.

No figure stands here: a picture shows what the README of its example says, and a test holds them together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["FOLDER", "bars", "digits", "main", "pictures", "table"]

_ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "gallery"
_COLOURS = ("#888888", "#00796b", "#9467bd", "#ff7f0e")
_WIDTH, _LEFT, _RIGHT, _BAR, _GAP = 720, 110, 60, 11, 12
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")


def table(text: str, first: str, columns: int) -> tuple[list[str], list[tuple[str, list[float]]]]:
    """A table that a session shows: the names of its columns of percentages, and its rows.

    Parameters
    ----------
    text : the page that shows it.
    first : the name of the table's first column, with which its head begins.
    columns : how many columns of percentages a row has; of a row with more, the first ones.

    Raises
    ------
    ValueError : there is no such table.
    """
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if line.split()[:1] == [first]), None)
    if start is None:
        raise ValueError(f"no table whose first column is {first!r}")
    rows = []
    for line in lines[start + 1 :]:
        found = [float(value) for value in _PERCENT.findall(line)]
        if len(found) < columns or not line.startswith(" "):
            break
        rows.append((line.split()[0], found[:columns]))
    return re.split(r"\s{2,}", lines[start].strip())[-columns:], rows


def bars(title: str, names: Sequence[str], rows: Sequence[tuple[str, Sequence[float]]]) -> str:
    """An SVG of bars from 0 to 100 %: a group for each row, a bar for each of `names` with its value behind it."""
    group = len(names) * (_BAR + 2) + _GAP
    height = 62 + group * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/><g font-family="sans-serif" font-size="12">',
        f'<text x="{_LEFT}" y="20" font-weight="bold">{escape(title)}</text>',
    ]
    for place, name in enumerate(names if len(names) > 1 else ()):
        x = _LEFT + place * 140
        parts.append(f'<rect x="{x}" y="31" width="10" height="10" fill="{_COLOURS[place]}"/>')
        parts.append(f'<text x="{x + 15}" y="40">{escape(name)}</text>')
    for number, (row, values) in enumerate(rows):
        top = 54 + number * group
        middle = top + (group - _GAP) / 2 + 4
        parts.append(f'<text x="{_LEFT - 8}" y="{middle:g}" text-anchor="end">{escape(row)}</text>')
        for place, value in enumerate(values):
            y, long = top + place * (_BAR + 2), (_WIDTH - _LEFT - _RIGHT) * value / 100
            colour = _COLOURS[place if len(names) > 1 else 1]
            parts.append(f'<rect x="{_LEFT}" y="{y}" width="{long:.1f}" height="{_BAR}" fill="{colour}"/>')
            parts.append(f'<text x="{_LEFT + long + 5:.1f}" y="{y + 10}" font-size="11">{value:g} %</text>')
    return "\n".join([*parts, "</g></svg>", ""])


def digits(images: npt.NDArray[np.float64]) -> str:
    """An SVG of grey images [images, rows, columns] of 0 … 16 side by side, one path for each grey."""
    cell, (count, high, wide) = 8, images.shape
    width, height = count * (wide + 1) * cell - cell, high * cell
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        "<title>handwritten digits of 8 by 8 points</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for grey in range(1, 17):
        places = np.argwhere(images == grey)
        squares = "".join(f"M{(n * (wide + 1) + x) * cell} {y * cell}h{cell}v{cell}h-{cell}z" for n, y, x in places)
        if squares:
            shade = 255 - grey * 255 // 16
            parts.append(f'<path fill="#{shade:02x}{shade:02x}{shade:02x}" d="{squares}"/>')
    return "\n".join([*parts, "</svg>", ""])


def pictures() -> dict[str, str]:
    """Name of each picture's file → its SVG."""
    from sklearn.datasets import load_digits

    watch = (_ROOT / "examples" / "wearable" / "README.md").read_text("utf-8")
    bus = (_ROOT / "examples" / "can_ids" / "README.md").read_text("utf-8")
    _, classes = table(bus, "class", 1)
    return {
        "digits.svg": digits(load_digits().images[:10]),
        "wearable.svg": bars("recall on three people whom no model has seen", *table(watch, "exercise", 4)),
        "can_ids.svg": bars("recall of a network of 2 bits, mean of 3 seeds", ["recall"], classes),
    }


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, svg in pictures().items():
        (FOLDER / name).write_text(svg, "utf-8")
        print(f"docs/gallery/{name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
