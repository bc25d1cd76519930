"""Thresholds on lines in the forms that C computes (`firmware_stubs/c/edgeml/threshold_line.h`): the integers that they
store, chosen so that all that is computed fits 32 bits. The search for lines is `edgeml.network.threshold_line`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edgeml.network import ValueRange
from edgeml.network.threshold_line import LinePoints, LineWidths, ThresholdLine, find_points

__all__ = ["StoredLines", "stored_lines"]

MOST_EXCEPTIONS = 2
"""Thresholds of a channel that its line may miss."""

_MOST_TRIED = 24
_SHIFTS_TRIED = 4
_HALF = 16
_MOST_SHIFT = 24
_BASES = 24

Exceptions = tuple[tuple[int, int, int, int], ...]
"""(channel, first, beyond, change) as in `ThresholdLine`."""


@dataclass(frozen=True, eq=False)
class StoredLines:
    """What a kernel of `threshold_line.h` is handed for a layer.

    Parameters
    ----------
    kernel : its name.
    arrays : (end of the name, type, integers [channels], comment) of each array.
    arguments : further arguments of the kernel, the same for all channels.
    exceptions : of all channels.
    """

    kernel: str
    arrays: tuple[tuple[str, str, npt.NDArray[np.int64], str], ...]
    arguments: tuple[int, ...]
    exceptions: Exceptions


def stored_lines(thresholds: npt.NDArray[np.int32], acc: ValueRange, vectors: bool) -> StoredLines | None:
    """The lines of thresholds [channels, levels], in the fewest bytes, or as processors with vectors take them; None
    where a channel is on no line."""
    return _stored(thresholds.tobytes(), thresholds.shape, acc.low.tobytes(), acc.high.tobytes(), vectors)


@lru_cache(maxsize=64)
def _stored(thresholds: bytes, shape: tuple[int, ...], low: bytes, high: bytes, vectors: bool) -> StoredLines | None:
    ends = zip(np.frombuffer(low, np.int64).tolist(), np.frombuffer(high, np.int64).tolist(), strict=True)
    rows = np.frombuffer(thresholds, np.int32).reshape(shape).tolist()
    points: list[LinePoints] = []
    for row, (least, most) in zip(rows, ends, strict=True):
        found = find_points(row, least, most, most_exceptions=MOST_EXCEPTIONS)
        if found is None:
            return None
        points.append(found)
    return _wide(points) if vectors else _one_word(points) or _half(points) or _wide(points)


def _one_word(points: Sequence[LinePoints]) -> StoredLines | None:
    """Multiplier and offset in one word, if the line fits 32 bits all over the range of the accumulators."""
    widest = max((shift for shift in range(31) if all(each.multipliers(shift, _HALF) for each in points)), default=0)
    for shift in range(widest, max(widest - _SHIFTS_TRIED, -1), -1):
        found = _words(points, shift)
        if found is not None:
            words, place, lines = found
            comment = f"multiplier + 65536 * offset; what is added is the word >> {place}"
            arrays = (("lines", "uint32_t", words, comment),)
            return StoredLines("edgeml_threshold_line_packed", arrays, (place, shift), _exceptions(lines))
    return None


def _words(points: Sequence[LinePoints], shift: int) -> tuple[npt.NDArray[np.int64], int, list[ThresholdLine]] | None:
    """The words of all channels, the place that they share, and the lines that they hold."""
    tried = [_candidates(each, shift) for each in points]
    for place in range(_HALF, -1, -1):
        chosen = []
        for each, candidates in zip(points, tried, strict=True):
            word = _word(each, candidates, place, shift)
            if word is None:
                break
            chosen.append(word)
        else:
            return np.array([word for word, _ in chosen], np.int64), place, [line for _, line in chosen]
    return None


def _candidates(points: LinePoints, shift: int) -> list[tuple[int, range]]:
    multipliers = points.multipliers(shift, _HALF)
    step = -(-len(multipliers) // _MOST_TRIED) or 1
    return [(multiplier, points.offsets(multiplier, shift)) for multiplier in multipliers[::step]]


def _word(
    points: LinePoints, candidates: Sequence[tuple[int, range]], place: int, shift: int
) -> tuple[int, ThresholdLine] | None:
    """A word that holds a line: what the multiplier leaves in the offset, shifted, is part of it."""
    step = 1 << (_HALF - place)
    for multiplier, offsets in candidates:
        low = multiplier >> place
        upper = -(-(offsets.start - low) // step)
        offset = upper * step + low
        if offset not in offsets or not -(1 << 15) <= upper < 1 << 15:
            continue
        ends = [x * multiplier + plus for x in (points.low, points.high) for plus in (0, offset)]
        if min(ends) >= -(2**31) and max(ends) < 2**31:
            line = ThresholdLine(multiplier, offset, shift, points.levels)
            return ((upper % (1 << _HALF)) << _HALF) + multiplier, points.completed(line)
    return None


def _scale(points: Sequence[LinePoints]) -> tuple[int, int]:
    """The power of two, itself within 32 bits, that fills 32 bits with the largest accumulator, and the places of a
    product below that of its high word."""
    largest = max(max(abs(each.low), abs(each.high)) for each in points)
    places = min(max(31 - largest.bit_length(), 0), 30)
    return 1 << places, 32 - places


def _wide(points: Sequence[LinePoints]) -> StoredLines | None:
    """A multiplier of 31 bits, and an offset of 32 that is added to the high word of the product."""
    scale, places = _scale(points)
    for shift in range(_MOST_SHIFT, 7, -1):
        widths = LineWidths(31, 32 + places, places, 0, 32 + places, [places + shift])
        lines = _all(each.line(widths) for each in points)
        if lines is not None:
            return _two_words(lines, "s32", places, (scale, 1, 0, shift))
    return None


def _half(points: Sequence[LinePoints]) -> StoredLines | None:
    """The same with offsets of 16 bits, base + step · offset: some base often lets all channels have theirs."""
    scale, places = _scale(points)
    rough = _wide(points)
    if rough is None:
        return None
    shift, farthest = rough.arguments[-1], int(np.abs(rough.arrays[1][2]).max())
    least = max(farthest.bit_length() - 15, 0)
    for step in (least, least + 1):
        for part in range(_BASES):
            base = (part << step) // _BASES
            widths = LineWidths(31, 16 + step + places, places + step, base << places, 32 + places, [places + shift])
            lines = _all(each.line(widths) for each in points)
            if lines is not None:
                return _two_words(lines, "s16", places, (scale, 1 << step, base, shift))
    return None


def _two_words(
    lines: Sequence[ThresholdLine], stored: str, places: int, arguments: tuple[int, int, int, int]
) -> StoredLines:
    _, step, base, _ = arguments
    multipliers = np.array([line.multiplier for line in lines], np.int64)
    offsets = np.array([((line.offset >> places) - base) // step for line in lines], np.int64)
    unit = "" if step == 1 else f", less {base}, in units of {step}"
    arrays = (
        ("multipliers", "int32_t", multipliers, "of the lines of thresholds"),
        ("offsets", f"int{stored[1:]}_t", offsets, f"of the lines{unit}"),
    )
    return StoredLines(f"edgeml_threshold_line_{stored}", arrays, arguments, _exceptions(lines))


def _all(lines: Iterable[ThresholdLine | None]) -> list[ThresholdLine] | None:
    """All of them, or None at the first that is None."""
    found = []
    for line in lines:
        if line is None:
            return None
        found.append(line)
    return found


def _exceptions(lines: Sequence[ThresholdLine]) -> Exceptions:
    return tuple(
        (channel, first, beyond, change)
        for channel, line in enumerate(lines)
        for _, first, beyond, change in line.exceptions
    )
