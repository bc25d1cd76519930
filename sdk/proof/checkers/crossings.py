"""Where the integers of a rounding rise, and how far they are off an exact product: what several checkers follow.

This file shares no code with provers, converters or the layers themselves.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from .layer_formulas import least_accumulator, rounded
from .statements import integer, integers, need

__all__ = ["follow_deviation", "need_rises"]


def need_rises(what: str, layer: dict[str, Any], channel: int, reach: tuple[int, int], rises: list[int]) -> int:
    """That a channel rises from one integer to the next at these accumulators alone; the integer that it begins with.

    A rounding is monotone, so that both sides of each are enough.
    """
    first, last = (rounded(layer, channel, end) for end in reach)
    need(rises == sorted(rises) and len(rises) == last - first, what, "does not rise so often")
    need(all(reach[0] < each <= reach[1] for each in rises), what, "rises out of its range")
    for k, each in enumerate(rises):
        below, there = rounded(layer, channel, each - 1), rounded(layer, channel, each)
        need(below < first + k + 1 <= there, what, f"does not rise at {each}")
    return first


def follow_deviation(
    what: str, layer: dict[str, Any], channel: int, factor: Fraction, reach: tuple[int, int], claim: dict[str, Any]
) -> Fraction:
    """That a channel rises where a claim says, is as far off clip(accumulator · factor) at worst, and is another
    integer than the nearest as often; how far that is."""
    need(integers(claim["range"]) == list(reach), what, "is claimed over another range")
    rises, zero, rule = integers(claim["crossings"]), layer["zero_point"], layer["rounding"]
    least = need_rises(what, layer, channel, reach, rises)
    most, elsewhere = least + len(rises), 0
    low, high = Fraction(layer["low"] - zero), Fraction(layer["high"] - zero)
    points = {*reach, *rises, *(each - 1 for each in rises)}
    worst: Fraction = max(abs(rounded(layer, channel, a) - zero - min(max(a * factor, low), high)) for a in points)
    need(claim["worst"] == str(worst), what, f"is {worst} off at worst")
    for k, each in enumerate(rises):
        elsewhere += abs(least_accumulator(factor, rule, least + k + 1 - zero, reach) - each)
    for levels, end in ((range(most + 1, layer["high"] + 1), reach[1] + 1), (range(least, layer["low"], -1), reach[0])):
        for level in levels:  # levels that the exact product comes to, and the channel does not
            missed = abs(end - least_accumulator(factor, rule, level - zero, reach))
            elsewhere += missed
            if not missed:
                break
    need(integer(claim["elsewhere"]) == elsewhere, what, f"is rounded elsewhere {elsewhere} times")
    return worst
