"""What a sensor's raw counts stand for, and the integers that a count becomes an input integer by.

A count c of 16 bits stands for the real number x = origin + unit · c. Its input integer is that of x, by the
quantizer's equation in rational numbers, q = clip(round_half_even((x − offset) / scale) + zero_point, low, high). q is
a staircase in c with at most 2^bits − 1 steps, and is computed as ⌊(gain · c + start) / 2^shift⌋ with integers that
put every step where it belongs: both sides of each are held to it, which proves it for all counts.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from edgeml.errors import InputError
from edgeml.metrics.json_values import mapping
from edgeml.network.layers.input_quantizer import InputQuantizer
from edgeml.options import Option, Structured

__all__ = ["COUNTS", "Count", "CountLine", "count_lines", "counts_of", "read_counts"]

_LOW, _HIGH = -(2**15), 2**15 - 1
_MOST = 2**16
_LARGEST_UNIT = 2**20
_BITS = 61
_MOST_SHIFT = 48
_CONSTANT_SHIFT = 16


@dataclass(frozen=True)
class Count:
    """A count c stands for origin + unit · c."""

    unit: float
    origin: float = 0.0


@dataclass(frozen=True)
class CountLine:
    """q = clip(w, low, high), w = ⌊(gain · c + start) / 2^shift⌋, less 1 where the remainder is below `tie` and
    w − zero_point is odd."""

    gain: int
    start: int
    tie: int
    shift: int

    def integer(self, count: int, zero_point: int, low: int, high: int) -> int:
        """The input integer of a count."""
        level, rest = divmod(self.gain * count + self.start, 1 << self.shift)
        odd = rest < self.tie and (level - zero_point) % 2 != 0
        return min(max(level - odd, low), high)


def read_counts(value: Any) -> tuple[Count, ...]:
    """`UNIT` or `UNIT@ORIGIN`, for all features or one for each, separated by commas; or numbers and pairs of them."""
    if isinstance(value, str):
        given: list[Any] = [each.split("@") for each in value.split(",")]
    elif isinstance(value, (list, tuple)):
        given = [each if isinstance(each, (list, tuple)) else [each] for each in value]
    else:
        given = [[value]]
    if not 0 < len(given) <= _MOST or any(not 1 <= len(each) <= 2 for each in given):
        raise ValueError
    numbers = [[float(number) for number in each] for each in given]
    if any(not math.isfinite(number) for each in numbers for number in each) or any(not each[0] for each in numbers):
        raise ValueError
    return tuple(Count(*each) for each in numbers)


COUNTS = Option(
    "counts",
    Structured(
        "UNIT[@ORIGIN],…",
        "what a sensor's raw count stands for, UNIT or UNIT@ORIGIN (origin + unit · count), for all features or for "
        "each of a frame",
        read_counts,
    ),
    "Also write NAME_counts.c, which makes input integers of raw counts of 16 bits without floating point.",
    otherwise="none is written",
)


def counts_of(manifest: Mapping[str, Any]) -> tuple[Count, ...]:
    """What a bundle's options say of counts; none if nothing is said. InputError if what they say is not sound."""
    value = mapping(manifest.get("options")).get(COUNTS.name)
    return () if value is None else tuple(COUNTS.meant(value))


def count_lines(quantizer: InputQuantizer, counts: Sequence[Count]) -> list[CountLine]:
    """The line of each feature, or one where all are alike; InputError if they do not fit the network."""
    if quantizer.size % len(counts):
        raise InputError(
            "option counts",
            f"says what the counts of {len(counts)} features stand for; the network has {quantizer.size} inputs",
            "Give one for all, one for each input, or one for each feature of the frames that the inputs are",
        )
    scales, offsets = quantizer.scale.tolist(), quantizer.offset.tolist()
    lines: dict[tuple[float, float, Count], CountLine] = {}
    found = []
    for feature in range(quantizer.size if max(len(scales), len(offsets), len(counts)) > 1 else 1):
        scale, offset = scales[feature % len(scales)], offsets[feature % len(offsets)]
        key = scale, offset, counts[feature % len(counts)]
        if key not in lines:
            lines[key] = _line(quantizer, feature, *key)
        found.append(lines[key])
    return found


def _line(quantizer: InputQuantizer, feature: int, scale: float, offset: float, count: Count) -> CountLine:
    """The line of one feature."""
    unit = Fraction(count.unit) / Fraction(scale)
    zero = (Fraction(count.origin) - Fraction(offset)) / Fraction(scale)
    where = f"option counts, feature {feature}"
    if abs(unit) > _LARGEST_UNIT:
        problem = f"a count is {float(abs(unit)):.3g} steps of the input's integers, which have {quantizer.bits} bits"
        raise InputError(where, problem, "Say what one count stands for in the units that the model was trained on")
    steps = _steps(quantizer, abs(unit), zero, -_HIGH if unit < 0 else _LOW)
    found = _found(steps, abs(unit), zero + quantizer.zero_point, unit < 0, quantizer.zero_point)
    if found is None:
        raise InputError(where, "no line of 64-bit integers puts every step where it belongs", "Round unit or origin")
    return found


@dataclass(frozen=True)
class _Step:
    """Counts from `first` on give at least `level`; `tie`: `first` − 1 lies halfway and is rounded down to even."""

    level: int
    first: int
    tie: bool


def _steps(quantizer: InputQuantizer, unit: Fraction, zero: Fraction, least: int) -> list[_Step]:
    """The steps that lie within 2^16 counts from `least` on, and the last before them and the first behind."""
    steps = []
    for level in range(quantizer.low + 1, quantizer.high + 1):
        whole = level - quantizer.zero_point
        place = (Fraction(2 * whole - 1, 2) - zero) / unit
        tie = place.denominator == 1 and whole % 2 != 0
        steps.append(_Step(level, math.ceil(place) + tie, tie))
    inside = [step for step in steps if least < step.first <= least + _MOST - 1]
    before = [step for step in steps if step.first <= least][-1:]
    behind = [step for step in steps if step.first > least + _MOST - 1][:1]
    return (
        [_Step(step.level, least, False) for step in before]
        + inside
        + [_Step(step.level, least + _MOST, False) for step in behind]
    )


def _found(steps: list[_Step], unit: Fraction, start: Fraction, falling: bool, zero_point: int) -> CountLine | None:
    """Gain, start, tie and shift for counts whose sign is turned where the line falls."""
    least = -_HIGH if falling else _LOW
    if all(step.first in (least, least + _MOST) for step in steps):  # the same integer for all counts
        level = max((step.level for step in steps if step.first == least), default=steps[0].level - 1)
        return CountLine(0, level << _CONSTANT_SHIFT, 0, _CONSTANT_SHIFT)
    shift = min(_MOST_SHIFT, _BITS - math.ceil(math.log2(unit * _MOST + abs(start) + 1)))
    exact = [step.first - step.tie for step in steps]
    for gain in (math.floor(unit * 2**shift), math.ceil(unit * 2**shift)):
        for firsts, tie in (([step.first for step in steps], 0), (exact, 2**shift >> 20)):
            begin = _begin(steps, firsts, gain, shift, least)
            if begin is None or gain < tie:
                continue
            line = CountLine(gain, begin, tie, shift)
            if not tie or _tells_halves(line, steps, zero_point, least):
                return CountLine(-gain, begin, tie, shift) if falling else line
    return None


def _tells_halves(line: CountLine, steps: list[_Step], zero_point: int, least: int) -> bool:
    """Whether a line that rounds halves up, but for those that it tells by their remainder, is right about the counts
    beside each step: only the first count that reaches a level can have so small a remainder."""
    levels, firsts = [steps[0].level - 1, *(step.level for step in steps)], [step.first for step in steps]
    near = (step.first - step.tie + by for step in steps for by in (-1, 0, 1))
    return all(
        line.integer(count, zero_point, levels[0], levels[-1]) == levels[bisect_right(firsts, count)]
        for count in near
        if least <= count < least + _MOST
    )


def _begin(steps: list[_Step], firsts: list[int], gain: int, shift: int, least: int) -> int | None:
    """The least start with which a line reaches each step's level at its first count and not before; None if there is
    none."""
    reached = [step.level * 2**shift - gain * first for step, first in zip(steps, firsts, strict=True)]
    low = max(start for start, first in zip(reached, firsts, strict=True) if first < least + _MOST)
    high = min(start + gain - 1 for start, first in zip(reached, firsts, strict=True) if first > least)
    return low if low <= high else None
