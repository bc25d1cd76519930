"""What a detector is worth: recall per class with its interval, and by attack found or not, when, and at what false
alarms an hour; not accuracy alone.

A window is right when the class with the largest output is its own. An **injection** is a run of windows in which its
class is present. It is found when an alarm (`evidence.py`) is raised in one of its windows, or stands there. It is
**false** when none of the windows that its evidence came from has an injected frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.terminal import Terminal

from .confidence import poisson_upper, wilson
from .evidence import Evidence, Raised, follow, stretches
from .windows import Windows

__all__ = ["ClassMeasure", "Measures", "measure", "show_measures", "spread"]


@dataclass(frozen=True)
class ClassMeasure:
    """Of one class: its windows and how many of them were called so (recall with Wilson's 95 % interval); windows that
    were called so at all; injections, how many were found, and the time to each, in frames (1: the first injected one)
    and in milliseconds after the first injected frame."""

    name: str
    windows: int
    right: int
    called: int
    injections: int
    found: int
    frames_to_alarm: tuple[int, ...]
    milliseconds_to_alarm: tuple[float, ...]

    @property
    def recall(self) -> float | None:
        """None without a window."""
        return self.right / self.windows if self.windows else None

    @property
    def precision(self) -> float | None:
        """None where no window was called so."""
        return self.right / self.called if self.called else None


@dataclass(frozen=True)
class Measures:
    """Of a detector on windows that it has not seen.

    Parameters
    ----------
    classes : by class.
    confusion : windows [true class][said class].
    false_alarms : as above.
    seconds : of traffic, each moment once.
    """

    classes: tuple[ClassMeasure, ...]
    confusion: tuple[tuple[int, ...], ...]
    false_alarms: int
    seconds: float

    @property
    def macro_recall(self) -> float:
        """Mean recall of the classes that there are."""
        return float(np.mean([each.recall for each in self.classes if each.recall is not None]))

    @property
    def normal_recall(self) -> float:
        """Of the class `normal`."""
        return self.classes[0].recall or 0.0

    @property
    def false_alarms_per_hour(self) -> float:
        """At the bus load of the log."""
        return self.false_alarms / self.seconds * 3600 if self.seconds > 0 else float("nan")

    @property
    def most_false_alarms_per_hour(self) -> float:
        """Upper 95 % bound of the rate, exact for a Poisson count."""
        return poisson_upper(self.false_alarms) / self.seconds * 3600 if self.seconds > 0 else float("nan")

    def as_json(self) -> dict[str, Any]:
        """JSON-able fields."""
        return {
            "classes": [
                {**asdict(each), "recall": each.recall, "interval": wilson(each.right, each.windows)}
                for each in self.classes
            ],
            "confusion": [list(row) for row in self.confusion],
            "macro_recall": self.macro_recall,
            "false_alarms": self.false_alarms,
            "seconds": self.seconds,
            "false_alarms_per_hour": self.false_alarms_per_hour,
            "most_false_alarms_per_hour": self.most_false_alarms_per_hour,
        }


def measure(
    windows: Windows,
    outputs: npt.NDArray[np.int64],
    said: npt.NDArray[np.int64],
    classes: Sequence[str],
    rule: Evidence,
) -> Measures:
    """Measures of a network's integers `outputs` [windows, classes] and decisions `said` int64 [windows]."""
    table = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(table, (windows.y, said), 1)
    raised = follow(rule, outputs, windows.position)
    per_class = []
    for number, name in enumerate(classes):
        runs = stretches(windows.y == number, windows.position) if number else []
        delays = [each for run in runs if (each := _delay(windows, run, raised)) is not None]
        per_class.append(
            ClassMeasure(
                name,
                int(table[number].sum()),
                int(table[number, number]),
                int(table[:, number].sum()),
                len(runs),
                len(delays),
                tuple(frames for frames, _ in delays),
                tuple(milliseconds for _, milliseconds in delays),
            )
        )
    present = windows.y > 0
    false = sum(not present[each.first : each.at + 1].any() for each in raised)
    return Measures(tuple(per_class), tuple(tuple(int(cell) for cell in row) for row in table), false, windows.seconds)


def _delay(windows: Windows, run: tuple[int, int], raised: Sequence[Raised]) -> tuple[int, float] | None:
    """(frames, milliseconds) to the first alarm that meets the run; None if none does."""
    start, end = run
    at = min((max(each.at, start) for each in raised if each.at < end and each.cleared > start), default=None)
    if at is None:
        return None
    return at - start + 1, float(windows.time[at] - windows.time[start]) * 1e3


def show_measures(terminal: Terminal, measures: Measures, name: str) -> None:
    """Print a table by class, and what the alarms are worth."""
    columns = ["class", "windows", "recall (95 %)", "precision", "injections found", "to the alarm: median", "worst"]
    rows: list[list[object]] = []
    for number, each in enumerate(measures.classes):
        low, high = wilson(each.right, each.windows)
        recall = f"{_percent(each.recall)} ({low:.1%} … {high:.1%})"
        row: list[object] = [each.name, f"{each.windows:,}", recall, _percent(each.precision)]
        if number:
            row.append(f"{each.found} of {each.injections}")
            row += [_delays(each, np.median), _delays(each, np.max)]
        else:
            row += ["", "", ""]
        rows.append(row)
    terminal.table("", columns, rows)
    terminal.plain(
        f"{name}: macro recall {measures.macro_recall:.2%}, normal recall {measures.normal_recall:.2%}; "
        f"{measures.false_alarms} false alarms in {measures.seconds:.1f} s of bus time, "
        f"{measures.false_alarms_per_hour:,.0f} an hour (95 %: at most {measures.most_false_alarms_per_hour:,.0f})"
    )


def _delays(each: ClassMeasure, of: Any) -> str:
    if not each.found:
        return "–"
    return f"{of(each.frames_to_alarm):g} frames, {of(each.milliseconds_to_alarm):.1f} ms"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"


def spread(terminal: Terminal, measures: Sequence[Measures]) -> None:
    """Print mean and least … most of several detectors, one for each seed."""

    def over(values: Sequence[float], form: str) -> str:
        return f"{np.mean(values):{form}} ({min(values):{form}} … {max(values):{form}})"

    rows: list[list[object]] = []
    for number, each in enumerate(measures[0].classes):
        same = [one.classes[number] for one in measures]
        row: list[object] = [each.name, over([one.recall or 0.0 for one in same], ".2%")]
        row.append(f"{', '.join(str(one.found) for one in same)} of {each.injections}" if number else "")
        frames = [max(one.frames_to_alarm, default=0) for one in same]
        row.append(f"{max(frames)} frames" if number else "")
        rows.append(row)
    terminal.table("", ["class", f"recall, {len(measures)} seeds", "injections found", "worst time to the alarm"], rows)
    terminal.plain(
        f"macro recall {over([each.macro_recall for each in measures], '.2%')}, "
        f"normal recall {over([each.normal_recall for each in measures], '.2%')}, "
        f"false alarms in {measures[0].seconds:.1f} s: {', '.join(str(each.false_alarms) for each in measures)}"
    )
