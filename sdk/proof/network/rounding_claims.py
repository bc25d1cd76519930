"""What a rounding by integers does beside the exact one: multiplier and shift against the rational factor they are.

With e = (m + f·2^−22) · 2^(s − 31), the layer gives y(a) = clip(R(a) + zero point) of an accumulator a. R is monotone:
each of its steps is (a product with a number ≥ 0, a shift with rounding, a mirroring at zero). So y rises at its
crossings alone, T[k] the least accumulator in range that gives at least k; between two of them it is constant, a·e is a
line, and what lies farthest from it lies beside a crossing. Looking at both sides of every crossing, in rational
numbers, is looking at every accumulator in range.

The rule says where exact ties go, and so what the nearest integer is; `elsewhere` counts the accumulators in range that
the layer gives another integer for. `worst` is the largest distance of y from a·e + zero point, clipped as y is, and no
rule may pass its bound: half a step, and what its own steps lose.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

import numpy as np

from ...network.layers.requantize import Requantize
from ...network.rounding import FRACTION_BITS
from ...network.value_range import ValueRange
from ..claim import PROVED, REFUTED
from ..place_claims import PlaceClaims

__all__ = ["beside_exact", "bound_of", "crossings_of", "exact_crossing", "factor_of", "rounding_claims"]

_STATEMENT = (
    "for every accumulator a in range, |y - clip(a·e + zero point)| <= worst, e = (m + f·2^-22)·2^(s-31); y is another "
    "integer than the nearest for so many a as `elsewhere` says"
)
HALF = Fraction(1, 2)


def factor_of(layer: Requantize, channel: int) -> Fraction:
    """e of a channel, exactly."""
    assert layer.fraction is not None
    at = channel if layer.multiplier.size > 1 else 0
    whole = (int(layer.multiplier[at]) << FRACTION_BITS) + int(layer.fraction[at])
    return Fraction(whole, 1 << FRACTION_BITS) * Fraction(2) ** (int(layer.shift[at]) - 31)


def bound_of(rule: str, shift: int, largest: int) -> Fraction:
    """How far a rule's integer, of a size of at most `largest`, may lie from a·e.

    `shift` rounds once. The two of 31 bits round twice where s < 0: the first loses half of a unit of 2^s. A float64
    product loses one part in 2^53, a float32 one one part in 2^24 twice.
    """
    if rule in ("double_rounding", "ruy_half_up"):
        return HALF + (Fraction(1, 2 << -shift) if shift < 0 else 0)
    lost = {"shift": Fraction(0), "float64_away": Fraction(1, 2**52), "fp32_rne": Fraction(1, 2**22)}[rule]
    return HALF + (largest + 1) * lost


def exact_crossing(rule: str, factor: Fraction, level: int) -> int | None:
    """The least integer a whose exact a·e rounds to `level` or more, ties as the rule has them; None if none does."""
    if factor == 0:
        return None
    at = (level - HALF) / factor
    up = {"shift": True, "ruy_half_up": True, "fp32_rne": level % 2 == 0}.get(rule, level > 0)
    return -(-at.numerator // at.denominator) if up else at.numerator // at.denominator + 1


def rounding_claims(name: str, layer: Requantize, reach: ValueRange, seen: dict[Any, dict[str, Any]]) -> PlaceClaims:
    """The claims of a layer, one for each channel; `seen` keeps those of equal channels."""
    before = time.process_time()
    crossings, base = crossings_of(layer, reach)
    claims = []
    for channel in range(reach.channels):
        at = channel if layer.multiplier.size > 1 else 0
        low, high = int(reach.low[channel]), int(reach.high[channel])
        constants = layer.multiplier[at], layer.shift[at], layer.rounding, layer.zero_point, layer.low, layer.high
        key = (*map(str, constants), str(factor_of(layer, channel)), low, high)
        if key not in seen:
            seen[key] = _claim(layer, channel, (low, high), base, crossings[channel])
        claims.append(seen[key])
    elsewhere = sum(claim["elsewhere"] for claim in claims)
    worst = max(Fraction(claim["worst"]) for claim in claims)
    exact = "the nearest integer everywhere" if not elsewhere else f"{elsewhere:,} accumulators rounded elsewhere"
    method = f"both sides of all crossings, in rationals: {exact}, at most {float(worst):.7f} off"
    return PlaceClaims(f"{name}, rounding", _STATEMENT, method, claims, time.process_time() - before)


def crossings_of(layer: Requantize, reach: ValueRange) -> tuple[list[list[int]], list[int]]:
    """By channel, the accumulators in range at which the layer's integer rises, once for each unit, and the least
    integer."""
    counted = layer.as_threshold(reach)
    least = layer.output_range(reach).low
    rows = []
    for row, first, last in zip(counted.thresholds.tolist(), reach.low.tolist(), reach.high.tolist(), strict=True):
        rows.append([each for each in row if first < each <= last])
    return rows, least.tolist()


def _claim(
    layer: Requantize, channel: int, reach: tuple[int, int], base: list[int], crossings: list[int]
) -> dict[str, Any]:
    factor, rule = factor_of(layer, channel), layer.rounding
    at = channel if layer.multiplier.size > 1 else 0
    worst, place, elsewhere = beside_exact(layer, reach, base[channel] - layer.zero_point, crossings, factor)
    largest = max(abs(layer.low - layer.zero_point), abs(layer.high - layer.zero_point))
    held = worst <= bound_of(rule, int(layer.shift[at]), largest)
    claim: dict[str, Any] = {
        "status": PROVED if held else REFUTED,
        "range": list(reach),
        "crossings": crossings,
        "worst": str(worst),
        "elsewhere": elsewhere,
    }
    if not held:
        found = layer.evaluate(np.full((1, max(layer.multiplier.size, 1)), place))[0, at]
        claim["counterexample"] = f"accumulator {place} gives {found}, {float(worst):.4f} from {float(place * factor)}"
    return claim


def beside_exact(
    layer: Requantize, reach: tuple[int, int], least: int, crossings: list[int], factor: Fraction
) -> tuple[Fraction, int, int]:
    """(the largest distance from a·factor, clipped; an accumulator a where it is; how often the integer is another).

    least : the integer of the least accumulator in range, without the zero point. crossings : where it rises by one.
    """
    sides = [(reach[0], least), (reach[1], least + len(crossings))]
    elsewhere = 0
    for k, crossing in enumerate(crossings):
        level = least + k + 1
        sides += [(crossing - 1, level - 1)] if k == 0 or crossings[k - 1] < crossing else []
        sides += [(crossing, level)] if k + 1 == len(crossings) or crossing < crossings[k + 1] else []
        exact = exact_crossing(layer.rounding, factor, level)
        exact = reach[1] + 1 if exact is None else min(max(exact, reach[0]), reach[1] + 1)
        elsewhere += abs(exact - crossing)
    ends = Fraction(layer.low - layer.zero_point), Fraction(layer.high - layer.zero_point)
    worst, place = max((abs(given - min(max(a * factor, ends[0]), ends[1])), -a) for a, given in sides)
    return worst, -place, elsewhere + _missed(layer, factor, reach, least, len(crossings))


def _missed(layer: Requantize, factor: Fraction, reach: tuple[int, int], least: int, count: int) -> int:
    """Accumulators in range that exactly would pass integers that the layer does not give in this range."""
    missed = 0
    low, high = layer.low - layer.zero_point, layer.high - layer.zero_point
    for level in range(least + count + 1, high + 1):
        exact = exact_crossing(layer.rounding, factor, level)
        if exact is None or exact > reach[1]:
            break
        missed += reach[1] + 1 - max(exact, reach[0])
    for level in range(least, low, -1):
        exact = exact_crossing(layer.rounding, factor, level)
        if exact is None or exact <= reach[0]:
            break
        missed += min(exact, reach[1] + 1) - reach[0]
    return missed
