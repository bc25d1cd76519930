"""What the command line shows: tables on stdout, progress on stderr where that is a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from .errors import printable
from .progress_lines import progress_lines
from .verification.verdict import Verdict

__all__ = ["Terminal"]

_STYLE = {"exact": "green", "mismatch": "bold red", "error": "bold red", "unavailable": "yellow"}
_SAID = {"error": "failed"}
_LONGEST_LINE = 10_000


@dataclass(frozen=True)
class Terminal:
    """Where a command's results go.

    Parameters
    ----------
    as_json : print one JSON document and nothing else on stdout.
    quiet : print results only, no progress and no remarks.
    """

    as_json: bool = False
    quiet: bool = False

    @property
    def _out(self) -> Console:
        # Without a terminal, rich assumes 80 columns and folds; a pipe has no such edge.
        return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 160)

    def result(self, document: Mapping[str, Any], show: Callable[[], None]) -> None:
        """The command's result: `document` if JSON was asked for, else whatever `show` prints."""
        if self.as_json:
            print(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            show()

    def line(self, text: str = "") -> None:
        """A line of the result for people (rich markup)."""
        if not self.as_json:
            self._out.print(text)

    def plain(self, text: str) -> None:
        """A line that may hold the user's own text: printed as it stands, without markup."""
        if not self.as_json:
            self._out.print(_plain(text))

    def warning(self, text: str) -> None:
        """What must not be overlooked, in a colour of its own; nothing for an empty text."""
        if text and not self.as_json:
            self._out.print(_plain(f"! {text}"), style="bold yellow")

    def remark(self, text: str) -> None:
        """Something beside the result: on stderr, unless quiet."""
        if not self.quiet:
            Console(stderr=True, highlight=False, soft_wrap=True).print(_plain(text), style="dim")

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table; columns whose every cell is a number are aligned right. Text is shown as it stands, without markup
        and control characters: it may be the user's own, or a file's."""
        if self.as_json:
            return
        table = Table(
            title=_plain(title) if title else None,
            title_justify="left",
            title_style="bold",
            header_style="bold",
            box=None,
        )
        for position, column in enumerate(columns):
            numbers = rows and all(isinstance(row[position], (int, float)) for row in rows)
            table.add_column(_plain(column), justify="right" if numbers else "left", overflow="fold")
        for row in rows:
            table.add_row(*(cell if isinstance(cell, Text) else _plain(_number(cell)) for cell in row))
        self._out.print(table)

    def verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """The table of what verification found."""
        rows: list[list[object]] = []
        for verdict in verdicts:
            style = _STYLE[verdict.status]
            ran = verdict.status in ("exact", "mismatch")
            rows.append(
                [
                    verdict.name,
                    Text(_SAID.get(verdict.status, verdict.status), style=style),
                    str(verdict.vectors) if ran else "",
                    str(verdict.mismatches) if ran else "",
                    str(verdict.layers) if ran else "",
                    _mismatch(verdict) or verdict.detail,
                ]
            )
        self.table("", ["executor", "status", "vectors", "mismatches", "layers", "detail"], rows)

    @contextmanager
    def progress(self, *, lines: bool = False) -> Iterator[tuple[Callable[..., None], Callable[[str], None]]]:
        """(progress, announce) to hand to long work; a bar on stderr where that is a terminal, else silence, or with
        `lines` a plain line of what takes seconds."""
        if self.quiet or not (lines or sys.stderr.isatty()):
            yield _ignore, _ignore
            return
        if not sys.stderr.isatty():
            with progress_lines(self.remark) as announce_lines:
                yield _ignore, announce_lines
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[values]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None, values="")

            def advance(stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
                text = "  ".join(f"{key} {value:.4g}" for key, value in values.items())
                bar.update(task, description=stage, completed=done, total=total, values=text)

            def announce(stage: str) -> None:
                bar.update(task, description=stage, completed=0, total=None, values="")

            yield advance, announce


def _ignore(*_: object) -> None:
    return None


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)


def _plain(text: str) -> Text:
    return Text("\n".join(printable(line, _LONGEST_LINE) for line in text.splitlines()))


def _mismatch(verdict: Verdict) -> str:
    first = verdict.first_mismatch
    if first is None:
        return ""
    return (
        f"vector {first['vector']}, layer {first['layer']}, index {first['index']}: "
        f"expected {first['expected']}, found {first['found']}"
    )
