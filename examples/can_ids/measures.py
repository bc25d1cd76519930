"""What a detector is worth: per class, and in false alarms per hour, not in accuracy alone.

A window calls an attack when its class is not `normal`. An **alarm** is raised when `need` windows in a row call one:
an injected frame is seen by n windows in a row, a mistake of the network usually by one or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.terminal import Terminal

from .windows import Windows

__all__ = ["ClassMeasure", "Measures", "alarms", "confusion", "measure", "show_measures"]

FEW = 200
"""Windows of a class below which its figures are marked: one window is half a point or more."""


@dataclass(frozen=True)
class ClassMeasure:
    """Of one class: held-back windows; recall, precision and F1 (None: nothing to divide by); injections (runs of
    windows in which the class is present) and how many of them raised an alarm."""

    name: str
    windows: int
    recall: float | None
    precision: float | None
    f1: float | None
    injections: int
    found: int


@dataclass(frozen=True)
class Measures:
    """Of a detector on held-back windows.

    Parameters
    ----------
    classes : by class.
    confusion : windows [true class][said class].
    false_windows : normal windows called an attack.
    false_alarms : alarms without an injected frame in any of the windows that raised them.
    seconds : held back, each moment once.
    need : windows in a row that raise an alarm.
    """

    classes: tuple[ClassMeasure, ...]
    confusion: tuple[tuple[int, ...], ...]
    false_windows: int
    false_alarms: int
    seconds: float
    need: int

    @property
    def false_alarms_per_hour(self) -> float:
        """At the bus load of the log."""
        return self.false_alarms / self.seconds * 3600 if self.seconds > 0 else float("nan")

    @property
    def macro_recall(self) -> float:
        """Mean recall of the classes that were held back."""
        return float(np.mean([each.recall for each in self.classes if each.recall is not None]))

    def as_json(self) -> dict[str, Any]:
        """JSON-able fields."""
        return {
            "classes": [vars(each) for each in self.classes],
            "confusion": [list(row) for row in self.confusion],
            "macro_recall": self.macro_recall,
            "false_windows": self.false_windows,
            "false_alarms": self.false_alarms,
            "seconds": self.seconds,
            "false_alarms_per_hour": self.false_alarms_per_hour,
            "windows_in_a_row": self.need,
        }


def confusion(y: npt.NDArray[np.int64], said: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.int64]:
    """Windows [true class, said class]."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (y, said), 1)
    return table


def _runs(called: npt.NDArray[np.bool_], position: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """(first, past the last) of every run of windows that are `called` and follow one another on the bus."""
    if not len(called):
        return []
    starts = np.flatnonzero(called & np.concatenate([[True], ~called[:-1] | (np.diff(position) != 1)]))
    ends = np.flatnonzero(called & np.concatenate([~called[1:] | (np.diff(position) != 1), [True]])) + 1
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def alarms(said: npt.NDArray[np.int64], position: npt.NDArray[np.int64], need: int) -> list[tuple[int, int]]:
    """(first, past the last) window of every run that raises an alarm."""
    return [(start, end) for start, end in _runs(said > 0, position) if end - start >= need]


def measure(windows: Windows, said: npt.NDArray[np.int64], classes: Sequence[str], need: int = 4) -> Measures:
    """Measures of the classes `said` int64 [windows] against those of `windows`."""
    table = confusion(windows.y, said, len(classes))
    raised = alarms(said, windows.position, need)
    alarmed = np.zeros(len(said), np.bool_)
    for start, end in raised:
        alarmed[start:end] = True
    present = windows.y > 0
    per_class = []
    for number, name in enumerate(classes):
        right, true, called = int(table[number, number]), int(table[number].sum()), int(table[:, number].sum())
        runs = _runs(windows.y == number, windows.position) if number else []
        per_class.append(
            ClassMeasure(
                name,
                true,
                right / true if true else None,
                right / called if called else None,
                2 * right / (true + called) if true + called else None,
                len(runs),
                sum(bool(alarmed[start:end].any()) for start, end in runs),
            )
        )
    return Measures(
        tuple(per_class),
        tuple(tuple(int(cell) for cell in row) for row in table),
        int(table[0, 1:].sum()),
        sum(not present[start:end].any() for start, end in raised),
        windows.seconds,
        need,
    )


def show_measures(terminal: Terminal, named: dict[str, Measures]) -> None:
    """Print a table by class for several detectors on the same windows, and their false alarms."""
    first = next(iter(named.values()))
    columns = ["class", "windows", "injections"]
    for name in named:
        columns += [f"{name}: recall", "precision", "F1", "found"]
    rows: list[list[object]] = []
    for number, each in enumerate(first.classes):
        row: list[object] = [each.name, f"{each.windows:,}{' (few)' if each.windows < FEW else ''}", each.injections]
        for measures in named.values():
            found = measures.classes[number]
            row += [_percent(found.recall), _percent(found.precision), _percent(found.f1)]
            row.append(f"{found.found} of {found.injections}" if number else "")
        rows.append(row)
    terminal.table("", columns, rows)
    for name, measures in named.items():
        terminal.plain(
            f"{name}: macro recall {measures.macro_recall:.2%}; {measures.false_windows} normal windows called an "
            f"attack; {measures.false_alarms} false alarms ({measures.need} windows in a row) in "
            f"{measures.seconds:.1f} s of bus time, {measures.false_alarms_per_hour:,.0f} an hour at that load"
        )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"
