"""When windows become an alarm: evidence that adds up, in integers, and a threshold for a wanted rate of false alarms.

For each attack c the outputs o of the network give a margin, and its excess over a drift is the evidence of a window.
It adds up, never below 0 nor above twice the threshold (CUSUM; Page, Continuous inspection schemes, 1954):

    m_c = min(o_c − o_normal − drift_c, half_c)            half_c = (threshold_c + 1) // 2
    s_c = min(max(s_c + m_c, 0), 2 · threshold_c)

The alarm c is raised when s_c has reached its threshold, stands until s_c is 0, and is raised again only after that: a
flood is one alarm. No window raises it by itself. Of attacks that reach their thresholds in the same window the first
is named. While an alarm stands and for 8 windows after, no other is raised: the true frames that follow an injected
one of their identifier come too early and with another payload than the last, and would be an attack for themselves.
What is still above its threshold after that is raised then.

**Drift** is set on validation traffic without attacks in it, nor in the 8 windows before: the margin that one normal
window in a thousand passes (at least 0).

**Threshold.** In the same traffic s has a largest value between two zeros; of a random walk with negative drift those
are spread like exponentials far enough out, so they reach h λ · exp(−(h − u) / β) times an hour, where u is the least
of the largest 20, β their mean excess over it and λ their number an hour. The least whole h at which that is the wanted
rate, shared evenly among the attacks, above all that the validation traffic reached, and at least 2, is an
extrapolation: some seconds of traffic do not hold an hour. So where attacks stand clear of normal traffic the threshold
is in between: h, or if that is more half of what nine in ten of the attack's injections in validation traffic give in
their first windows, as many as see a single injected frame. Nine in ten, because the state that the network sees begins
anew with validation traffic: an injection at its start has none.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

__all__ = ["EVIDENCE", "Accumulator", "Evidence", "Raised", "fit", "follow", "stretches"]

EVIDENCE = "evidence.json"
QUIET = 8
"""Windows after an alarm in which no other is raised."""
_ONE_IN = 1000
_PEAKS = 20
_FEWEST_PEAKS = 3
_SELDOM = 0.1
_LARGEST = 2**30


@dataclass(frozen=True)
class Evidence:
    """The rule's integers, one of each for each attack, in the order of the network's outputs after the first."""

    drift: tuple[int, ...]
    threshold: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("drift", "threshold"):
            values = getattr(self, name)
            least = 2 if name == "threshold" else 0
            if not all(isinstance(each, int) and least <= each <= _LARGEST for each in values):
                raise InputError(f"evidence, {name}", f"must be whole numbers from {least} to 2^30, found {values}")
        if len(self.drift) != len(self.threshold) or not self.drift:
            raise InputError("evidence", f"has {len(self.drift)} drifts and {len(self.threshold)} thresholds")

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps({"drift": self.drift, "threshold": self.threshold}) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Evidence:
        """Read what `save` wrote; InputError where it is not that."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls(tuple(found["drift"]), tuple(found["threshold"]))
        except OSError as error:
            raise InputError(str(path), f"cannot be read ({error.strerror or error})", "Run train first") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(str(path), "is not what train writes: lists drift and threshold") from error


class Accumulator:
    """The rule, window by window."""

    def __init__(self, rule: Evidence) -> None:
        self._rules = list(zip(rule.drift, rule.threshold, strict=True))
        self.restart()

    def restart(self) -> None:
        """Forget all evidence."""
        self.scores = [0] * len(self._rules)
        self.standing = [False] * len(self._rules)
        self._quiet = 0

    def add(self, outputs: list[int]) -> int:
        """Take the network's outputs for the next window; the attack, 1 and up, whose alarm this raises, else 0."""
        raised = 0
        for attack, (drift, threshold) in enumerate(self._rules):
            margin = min(outputs[attack + 1] - outputs[0] - drift, (threshold + 1) // 2)
            score = self.scores[attack] = min(max(self.scores[attack] + margin, 0), 2 * threshold)
            if score == 0:
                self.standing[attack] = False
            elif score >= threshold and not self._quiet:
                self.standing[attack] = True
                raised = raised or attack + 1
        self._quiet = QUIET if any(self.standing) else max(self._quiet - 1, 0)
        return raised


class Raised(NamedTuple):
    """An alarm by windows: the first whose evidence is in it, the one that raised it, the one that cleared it."""

    attack: int
    first: int
    at: int
    cleared: int


def follow(rule: Evidence, outputs: npt.NDArray[Any], position: npt.NDArray[np.int64]) -> list[Raised]:
    """The alarms of windows [windows, classes]; evidence begins anew where windows do not follow one another."""
    if outputs.shape[1] != len(rule.drift) + 1:
        raise InputError("evidence", f"is for {len(rule.drift)} attacks, the network has {outputs.shape[1]} outputs")
    accumulator, alarms = Accumulator(rule), list[Raised]()
    first, open_alarms = [0] * len(rule.drift), dict[int, tuple[int, int]]()
    rows, joined = outputs.tolist(), np.concatenate([[False], np.diff(position) == 1]).tolist()
    for number, row in enumerate(rows):
        if not joined[number]:
            accumulator.restart()
        before = list(accumulator.scores)
        raised = accumulator.add(row)
        for attack, score in enumerate(before):
            first[attack] = number if score == 0 else first[attack]
            if attack in open_alarms and not accumulator.standing[attack]:
                alarms.append(Raised(attack + 1, *open_alarms.pop(attack), number))
        if raised:
            open_alarms[raised - 1] = (first[raised - 1], number)
    alarms += [Raised(attack + 1, *since, len(rows)) for attack, since in open_alarms.items()]
    return sorted(alarms, key=lambda each: each.at)


def fit(
    outputs: npt.NDArray[Any],
    y: npt.NDArray[np.int64],
    position: npt.NDArray[np.int64],
    seconds: float,
    per_hour: float,
    size: int,
) -> Evidence:
    """Drift and threshold from outputs [windows, classes] of validation traffic; `y` int64 [windows]: the class of
    each, of `size` frames. InputError where a rate cannot be had."""
    if not per_hour > 0 or not seconds > 0:
        raise InputError("option false-alarms", f"must be a rate an hour above 0, found {per_hour:g}")
    present = _with_aftermath(y > 0, position)
    drifts, thresholds = [], []
    wanted = per_hour / (outputs.shape[1] - 1)
    for attack in range(1, outputs.shape[1]):
        margins = outputs[:, attack].astype(np.int64) - outputs[:, 0].astype(np.int64)
        drift = max(0, math.ceil(float(np.quantile(margins[~present], 1 - 1 / _ONE_IN))))
        peaks = _peaks(margins - drift, present, position)
        threshold = 2 + int(peaks[0]) if len(peaks) else 2
        largest = peaks[:_PEAKS]
        if len(largest) >= _FEWEST_PEAKS:
            beta = float(np.mean(largest - largest[-1]))
            hourly = len(largest) / seconds * 3600
            threshold = max(threshold, math.ceil(float(largest[-1]) + beta * max(0.0, math.log(hourly / wanted))))
        given = _given(margins - drift, y == attack, position, size)
        if given:
            threshold = max(threshold, int(np.quantile(given, _SELDOM)) // 2)
        drifts.append(drift)
        thresholds.append(threshold)
    return Evidence(tuple(drifts), tuple(thresholds))


def stretches(called: npt.NDArray[np.bool_], position: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """(first, past the last) of every run of windows that are `called` and follow one another on the bus."""
    if not len(called):
        return []
    starts = np.flatnonzero(called & np.concatenate([[True], ~called[:-1] | (np.diff(position) != 1)]))
    ends = np.flatnonzero(called & np.concatenate([~called[1:] | (np.diff(position) != 1), [True]])) + 1
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def _given(
    evidence: npt.NDArray[np.int64], injected: npt.NDArray[np.bool_], position: npt.NDArray[np.int64], size: int
) -> list[int]:
    """The largest sum that each injection reaches in its first `size` windows."""
    found = []
    for start, end in stretches(injected, position):
        score = most = 0
        for amount in evidence[start : min(end, start + size)].tolist():
            score = max(score + amount, 0)
            most = max(most, score)
        found.append(most)
    return found


def _with_aftermath(present: npt.NDArray[np.bool_], position: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Windows in which an injected frame is `present`, and those that follow them in which no alarm is raised."""
    last = np.maximum.accumulate(np.where(present, position, -QUIET - 1))
    found: npt.NDArray[np.bool_] = (position >= last) & (position - last <= QUIET)
    return found


def _peaks(
    evidence: npt.NDArray[np.int64], present: npt.NDArray[np.bool_], position: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The largest sum of every stretch between zeros in which no injected frame is, largest first."""
    peaks, score, peak, clean = [], 0, 0, True
    joined = np.concatenate([[False], np.diff(position) == 1]).tolist()
    for amount, follows, injected in zip(evidence.tolist(), joined, present.tolist(), strict=True):
        score = max((score if follows else 0) + amount, 0)
        if score == 0 or not follows:
            if peak and clean:
                peaks.append(peak)
            peak, clean = 0, True
        peak, clean = max(peak, score), clean and not injected
    if peak and clean:
        peaks.append(peak)
    return np.sort(np.array(peaks, np.int64))[::-1]
