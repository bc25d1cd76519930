"""What pages are made of: each block is data, with the name of the template that draws it; one without data is left
out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..metrics.json_values import number
from .text import MOST_ROWS, text

__all__ = [
    "Bars",
    "Block",
    "Budget",
    "Cards",
    "Code",
    "Details",
    "Figure",
    "Frame",
    "Group",
    "Head",
    "Heading",
    "Line",
    "Note",
    "Notes",
    "Page",
    "Pairs",
    "Section",
    "Status",
    "Table",
    "share_of",
]

Line = tuple[str, str, str]
"""A line at the top of a page: good, bad, warn or plain; what is the case ("" leaves the line out); more of it."""

_LONG = 28
_PROOF = {"proved": "good", "refuted": "bad", "not proved": "warn", "out of time": "warn"}
_STATUS = {"exact": "good", "mismatch": "bad", "error": "bad", "unavailable": "warn", **_PROOF}


@dataclass(frozen=True)
class Block:
    """A part of a page. A template sees it as `data`, and draws the blocks in it by the filter `drawn`."""

    template: ClassVar[str]

    def __bool__(self) -> bool:
        """Whether there is anything to show."""
        return True


class Container(Block):
    """A part that is made of others, and shown where there is any of them."""

    blocks: Sequence[Block]

    def __bool__(self) -> bool:
        return any(self.blocks)


@dataclass(frozen=True)
class Page(Block):
    """A whole page: style, the choice of light or dark, a policy against scripts and requests, around `blocks`."""

    template = "page.html"
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Frame(Block):
    """A page within a page of others, as notebooks are: styles of neither reach the other."""

    template = "frame.html"
    page: Page


@dataclass(frozen=True)
class Group(Container):
    """Blocks in a box of the style sheet: columns, figures, budgets; "" for one without a style."""

    template = "group.html"
    style: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Section(Container):
    """Blocks under a heading; `lead` is a sentence between them."""

    template = "section.html"
    title: str
    blocks: Sequence[Block]
    lead: str = ""


@dataclass(frozen=True)
class Details(Container):
    """Blocks that can be folded away under their `summary`, with `more` said beside it."""

    template = "details.html"
    summary: str
    blocks: Sequence[Block]
    more: str = ""
    style: str = ""
    is_open: bool = False


@dataclass(frozen=True)
class Head(Block):
    """The title of a page, and what it is about: a form for a target, `about` it, and the rule of the answer."""

    template = "head.html"
    title: str
    form: str = ""
    target: str = ""
    about: str = ""
    rule: str = ""


@dataclass(frozen=True)
class Status(Block):
    """Lines that say what is the case, with signs for good and bad."""

    template = "status.html"
    lines: Sequence[Line]


@dataclass(frozen=True)
class Cards(Block):
    """The numbers that people ask for first: (number, what it is)."""

    template = "cards.html"
    cards: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Heading(Block):
    """A heading within a section."""

    template = "heading.html"
    said: str


@dataclass(frozen=True)
class Note(Block):
    """A paragraph; a soft one is a remark on what stands above it."""

    template = "note.html"
    said: Any
    soft: bool = False

    def __bool__(self) -> bool:
        return bool(self.said != "")


@dataclass(frozen=True)
class Notes(Block):
    """Remarks, one a line."""

    template = "notes.html"
    notes: Sequence[str]

    def __bool__(self) -> bool:
        return bool(self.notes)


@dataclass(frozen=True)
class Code(Block):
    """Lines to copy, under a heading."""

    template = "code.html"
    title: str
    lines: str


@dataclass(frozen=True)
class Figure(Block):
    """A chart, or another block, with its title above it and a note below."""

    template = "figure.html"
    title: str
    drawing: Block
    note: str = ""


@dataclass(frozen=True)
class Table(Block):
    """Rows by column, in a box of its own that scrolls sideways; at most `MOST_ROWS` rows, the rest counted."""

    template = "table.html"
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    label: str = ""

    def __bool__(self) -> bool:
        return bool(self.rows)

    @property
    def cells(self) -> list[list[tuple[str, str]]]:
        """(style, text) of each cell of the rows that are shown."""
        return [[_cell(column, row.get(column, "")) for column in self.columns] for row in self.rows[:MOST_ROWS]]

    @property
    def more(self) -> int:
        """How many rows are not shown."""
        return max(len(self.rows) - MOST_ROWS, 0)


def _cell(column: str, item: Any) -> tuple[str, str]:
    said = text(item)
    style = "number" if isinstance(item, (int, float)) and not isinstance(item, bool) else ""
    if column == "status":
        style = _STATUS.get(str(item), style)
    return style or ("long" if len(said) > _LONG else ""), said


@dataclass(frozen=True)
class Pairs(Block):
    """A table of two columns, of at most `MOST_ROWS` rows."""

    template = "pairs.html"
    values: Mapping[str, Any]

    def __bool__(self) -> bool:
        return bool(self.values)

    @property
    def shown(self) -> list[tuple[str, Any]]:
        """The rows."""
        return list(self.values.items())[:MOST_ROWS]


@dataclass(frozen=True)
class Bars(Block):
    """Horizontal bars (name, value, text beside it) to one scale: the whole width is `full`, else the largest value."""

    template = "bars.html"
    rows: Sequence[tuple[str, float, str]]
    label: str
    full: float | None = None

    def __bool__(self) -> bool:
        return bool(self.rows)

    @property
    def shown(self) -> list[tuple[str, float, str]]:
        """(name, share of the whole width, text) of the rows that are shown."""
        largest = self.full or max(amount for _, amount, _ in self.rows) or 1.0
        return [(name, max(amount, 0.0) / largest, said) for name, amount, said in self.rows[:MOST_ROWS]]

    @property
    def more(self) -> int:
        """How many rows are not shown."""
        return max(len(self.rows) - MOST_ROWS, 0)


@dataclass(frozen=True)
class Budget(Block):
    """One resource: how much of it is used, the margin, and a bar; where there is no budget, that."""

    template = "budget.html"
    name: str
    used: Any
    budget: Any
    unit: str = ""

    @property
    def share(self) -> float | None:
        """used / budget; None where there is no budget."""
        return share_of(self.used, self.budget)

    @property
    def said(self) -> str:
        """The share in words."""
        share = self.share
        return "" if share is None else f"{share:.1%}" if math.isfinite(share) else "over"


def share_of(used: Any, budget: Any) -> float | None:
    """used / budget, or None where either is not a number or there is no budget."""
    above, below = number(used), number(budget)
    if above is None or below is None or below < 0:
        return None
    return above / below if below else (0.0 if above == 0 else math.inf)
