"""The thresholds of a layer as lines of one shift: what an `edgeml_threshold_line` computes.

Which lines there are, and that they count exactly, `edgeml.network.threshold_line` proves. Here they get the shift that
they have in common, and offsets that end in zeros, which neither a memory nor an adder has to hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edgeml.network.threshold_line import LinePoints, LineWidths, ThresholdLine, find_line, roundest

from .rounding_as_multiply_add import Line
from .signed_digits import signed_digits

__all__ = ["Correction", "LayerLines", "constant_line", "layer_lines", "trailing_zeros"]

Int64 = npt.NDArray[np.int64]
MOST_EXCEPTIONS = 2
"""Thresholds of a channel that its line may miss."""
_WIDTHS = LineWidths(multiplier_bits=32, offset_bits=60, total_bits=60, shifts=range(45))
_MOST_TRIED = 64
_FURTHER = 3
"""Places beyond the least that a line may have, for a multiplier of fewer digits."""


@dataclass(frozen=True)
class Correction:
    """For first ≤ acc ≤ last of a channel, `change` is added to what its line gives."""

    channel: int
    first: int
    last: int
    change: int


@dataclass(frozen=True, eq=False)
class LayerLines:
    """level[c] = clip((acc[c] · multiplier[c] + offset[c]) >> shift, 0, levels), and what `corrections` add.

    Parameters
    ----------
    multiplier, offset : int64 [channels]; offset may be negative. shift, levels : integers.
    total_bits : two's complement, that acc · multiplier + offset fits for every reachable acc; more than shift.
    """

    multiplier: Int64
    offset: Int64
    shift: int
    levels: int
    total_bits: int
    corrections: tuple[Correction, ...] = ()


def layer_lines(thresholds: Int64, low: Int64, high: Int64) -> LayerLines | None:
    """The lines of thresholds [channels, levels] for accumulators of the ranges low … high [channels].

    None if a channel has none within 44 places and `MOST_EXCEPTIONS` exceptions.
    """
    return _layer_lines(thresholds.shape, *(part.astype(np.int64).tobytes() for part in (thresholds, low, high)))


@lru_cache(maxsize=64)
def _layer_lines(shape: tuple[int, int], *contents: bytes) -> LayerLines | None:
    thresholds, low, high = (np.frombuffer(content, np.int64) for content in contents)
    rows: list[list[int]] = thresholds.reshape(shape).tolist()
    ends = list(zip(low.tolist(), high.tolist(), strict=True))
    found: list[ThresholdLine] = []
    for row, (least, most) in zip(rows, ends, strict=True):
        line = find_line(row, least, most, _WIDTHS, MOST_EXCEPTIONS)
        if line is None:
            return None
        found.append(line)
    shift = max((line.shift for line in found), default=0)
    lines = [_at(row, *end, line, shift) for row, end, line in zip(rows, ends, found, strict=True)]
    totals = [x * line.multiplier + line.offset for line, end in zip(lines, ends, strict=True) for x in end]
    bits = max(max((t if t >= 0 else ~t).bit_length() for t in totals), shift) + 1
    corrections = [run for channel, line in enumerate(lines) for run in _corrections(channel, line)]
    return LayerLines(
        np.array([line.multiplier for line in lines], np.int64),
        np.array([line.offset for line in lines], np.int64),
        shift,
        shape[1],
        bits,
        tuple(corrections),
    )


def _at(row: Sequence[int], low: int, high: int, line: ThresholdLine, shift: int) -> ThresholdLine:
    """The line of a channel at a shift that is no smaller than its own: the one whose offset ends in the most zeros."""
    more = shift - line.shift
    known = ThresholdLine(line.multiplier << more, line.offset << more, shift, line.levels, line.exceptions)
    if line.exceptions:
        return known
    points = LinePoints.of(row, low, high)
    multipliers = points.multipliers(shift, _WIDTHS.multiplier_bits)
    best, most = known, trailing_zeros(known.offset)
    for multiplier in multipliers[:: max(1, len(multipliers) // _MOST_TRIED)]:
        offsets = points.offsets(multiplier, shift)
        if len(offsets):
            offset = roundest(offsets.start, offsets.stop - 1)
            ends = [x * multiplier + offset for x in (low, high)]
            if trailing_zeros(offset) > most and max(map(abs, ends)) < 2 ** (_WIDTHS.total_bits - 1):
                best, most = ThresholdLine(multiplier, offset, shift, line.levels), trailing_zeros(offset)
    return best


def constant_line(within: Sequence[int], low: int, high: int, always: int, levels: int) -> Line | None:
    """The line of a channel whose multiplier has the fewest signed digits, as logic multiplies by constants.

    within : its thresholds in low + 1 … high, ascending; `always` of all its `levels` lie at or below low, the others
        above high. Without exceptions. None if there is no line.
    """
    row = [low] * always + list(within) + [high + 1] * (levels - always - len(within))
    points = LinePoints.of(row, low, high)
    first = points.line(_WIDTHS)
    if first is None:
        return None
    best, fewest = None, 1 << 30
    for shift in range(first.shift, first.shift + _FURTHER + 1):
        multipliers = points.multipliers(shift, _WIDTHS.multiplier_bits)
        for multiplier in multipliers[:: max(1, len(multipliers) // _MOST_TRIED)]:
            digits = len(signed_digits(multiplier))
            offsets = points.offsets(multiplier, shift) if digits < fewest else range(0)
            if len(offsets):
                best, fewest = (multiplier, roundest(offsets.start, offsets.stop - 1), shift), digits
    assert best is not None
    multiplier, offset, shift = best
    return Line(multiplier, offset, offset, shift)


def trailing_zeros(value: int) -> int:
    """The power of two that divides a value; of 0, as many as any value has."""
    return (value & -value).bit_length() - 1 if value else 64


def _corrections(channel: int, line: ThresholdLine) -> list[Correction]:
    """The exceptions of a line as runs of which no two overlap."""
    ends = sorted({end for _, first, beyond, _ in line.exceptions for end in (first, beyond)})
    runs = []
    for first, beyond in pairwise(ends):
        change = sum(change for _, start, stop, change in line.exceptions if start <= first < stop)
        if change:
            runs.append(Correction(channel, first, beyond - 1, change))
    return runs
