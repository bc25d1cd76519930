"""Writes the measured part of docs/fpga-frontier.md, between two marks, and the picture beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from edgeml.errors import InputError

from .contestants import CONTESTANTS
from .measured import Mean, front, means
from .picture import picture
from .runs import Point

__all__ = ["against", "rows", "write_page"]

_DOCS = Path("docs")
_BEGIN, _END = "<!-- measured -->", "<!-- end of what was measured -->"


def rows(found: Sequence[Mean]) -> Iterable[str]:
    """A table for each data set: the front of each contestant."""
    for name in dict.fromkeys(mean.data_set for mean in found):
        yield f"\n### {name}\n"
        yield (
            "| how | score | trainings: least … most | LUT | carry | LUT for the class | levels "
            "| ECP5: LUT | ns | LUT × ns |"
        )
        yield "|---|---|---|---|---|---|---|---|---|---|"
        for contestant in CONTESTANTS:
            for mean in front([one for one in found if (one.data_set, one.contestant) == (name, contestant.name)]):
                trainings = len(mean.seeds) * mean.folds
                spread = f"{trainings}: {mean.least:.1%} … {mean.most:.1%}" if trainings > 1 else "1"
                yield (
                    f"| {contestant.name} | {mean.score:.1%} | {spread} | {mean.luts:,} | {mean.carry:,} "
                    f"| {mean.argmax_luts} | {mean.levels} {_on_ecp5(mean)}"
                )


def _on_ecp5(mean: Mean) -> str:
    """Three cells of a table; empty where the circuit was not placed."""
    if mean.ecp5_luts is None or mean.nanoseconds is None:
        return "| | | |"
    product = mean.ecp5_luts * mean.nanoseconds
    return f"| {mean.ecp5_luts:,} | {mean.nanoseconds:.1f} | {product:,.0f} |"


def against(found: Sequence[Mean]) -> Iterable[str]:
    """A table: for each circuit on a rival's front our smallest that scores as much, by means over seeds."""
    yield "\n### At the score of each rival\n"
    yield "| data | rival | its score | its LUT | ours: score | ours: LUT | ours over its |"
    yield "|---|---|---|---|---|---|---|"
    rivals = [contestant.name for contestant in CONTESTANTS if contestant.script]
    for name in dict.fromkeys(mean.data_set for mean in found):
        here = [mean for mean in found if mean.data_set == name]
        ours = [mean for mean in here if mean.contestant not in rivals]
        for rival in rivals:
            for its in front([mean for mean in here if mean.contestant == rival]) if ours else []:
                least = min((mean for mean in ours if mean.score >= its.score), key=lambda one: one.luts, default=None)
                answer = f"{least.score:.1%} | {least.luts:,} | {least.luts / max(its.luts, 1):.2f}" if least else ""
                best = max(ours, key=lambda one: one.score)
                answer = answer or f"at most {best.score:.1%} | {best.luts:,} | not reached"
                yield f"| {name} | {rival} | {its.score:.1%} | {its.luts:,} | {answer} |"


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
    found = means(points)
    body = "\n".join([*rows(found), *against(found), "", f"Versions: {', '.join(versions)}.", ""])
    page.write_text(f"{before}{begin}\n{body}\n{end}{after}", encoding="utf-8")
    (_DOCS / "fpga-frontier.svg").write_text(picture(found), encoding="utf-8")
