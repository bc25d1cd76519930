"""Writes the measured part of docs/fpga-frontier.md, between two marks, and the picture beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from edgeml.errors import InputError

from .contestants import CONTESTANTS
from .picture import front, picture
from .runs import Point

__all__ = ["rows", "write_page"]

_DOCS = Path("docs")
_BEGIN, _END = "<!-- measured -->", "<!-- end of what was measured -->"


def rows(points: Sequence[Point]) -> Iterable[str]:
    """A table for each data set: the front of each contestant, seed by seed."""
    for name in dict.fromkeys(point.data_set for point in points):
        yield f"\n### {name}\n"
        yield "| how | score | LUT | carry | LUT for the class | levels | seed |"
        yield "|---|---|---|---|---|---|---|"
        for contestant in CONTESTANTS:
            own = [point for point in points if (point.data_set, point.contestant) == (name, contestant.name)]
            for point in front(own):
                yield (
                    f"| {contestant.name} | {point.score:.1%} | {point.luts:,} | {point.carry:,} | {point.argmax_luts} "
                    f"| {point.levels} | {point.seed} |"
                )


def write_page(points: Sequence[Point]) -> None:
    """Renew the tables, the versions and the picture; InputError where the page has lost its marks."""
    if not points:
        raise InputError("option write", "there is nothing measured to write")
    page = _DOCS / "fpga-frontier.md"
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise InputError(str(page), f"has no part between {_BEGIN} and {_END}")
    versions = sorted({f"{name} {version}" for point in points for name, version in point.versions.items()})
    body = "\n".join([*rows(points), "", f"Versions: {', '.join(versions)}.", ""])
    page.write_text(f"{before}{begin}\n{body}\n{end}{after}", encoding="utf-8")
    (_DOCS / "fpga-frontier.svg").write_text(picture(points), encoding="utf-8")
