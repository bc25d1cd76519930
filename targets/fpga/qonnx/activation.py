"""Integer thresholds as what QONNX can say: a scale, a shift and a rounding, the same for every accumulator value; and
functions of one integer as MultiThresholds: every one of them is a sum of steps up and steps down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Steps", "affine_of_thresholds", "steps_of_table"]

_ROUNDS = 200


def affine_of_thresholds(
    thresholds: npt.NDArray[np.int64], base: int, low: int, high: int
) -> tuple[np.float32, np.float32] | None:
    """(scale, shift) in float32 such that round(scale · a + shift) = base + #{k : a ≥ thresholds[k]} for low ≤ a ≤ high
    once clipped to base … base + levels; None where there are none, because the thresholds are not evenly spaced.

    With step g = 1 / scale and h = shift / scale, level k is reached at a exactly if a + h > (k − ½) · g: two linear
    inequalities per threshold. The g with the widest room for h is found by ternary search (the room is concave in
    g), and the result is checked in float32 at both sides of every threshold.
    """
    levels = np.arange(1, len(thresholds) + 1) - 0.5
    reachable = (thresholds > low) & (thresholds <= high)
    # Levels that are always reached bind at the lowest value only, unreachable ones at the highest only.
    reached_at = np.where(thresholds <= low, low, thresholds).astype(np.float64)
    lower = thresholds <= high
    not_at = np.where(thresholds > high, high, thresholds - 1).astype(np.float64)
    upper = thresholds > low

    def room(step: float) -> tuple[float, float]:
        """Room for h at this step, and its middle."""
        least = np.max(levels[lower] * step - reached_at[lower], initial=-1e12)
        most = np.min(levels[upper] * step - not_at[upper], initial=1e12)
        if least == -1e12:
            least = most - 1.0
        if most == 1e12:
            most = least + 1.0
        return most - least, (most + least) / 2

    left, right = 1e-3, 2.0 * (high - low + 2)
    if reachable.sum() > 1:
        spread = thresholds[reachable]
        average = max(float(spread[-1] - spread[0]) / (len(spread) - 1), 0.05)
        left, right = max(average * 0.2, 1e-3), average * 3 + 2
    for _ in range(_ROUNDS):
        third = (right - left) / 3
        if room(left + third)[0] < room(right - third)[0]:
            left += third
        else:
            right -= third
    width, middle = room((left + right) / 2)
    if width <= 0:
        return None
    step = (left + right) / 2
    scale, shift = np.float32(1.0 / step), np.float32(middle / step + base)
    around = np.clip(np.concatenate([thresholds, thresholds - 1, [low, high]]), low, high)
    got = np.rint(around.astype(np.float32) * scale + shift)
    want = base + (around[:, None] >= thresholds).sum(axis=1)
    return (scale, shift) if np.array_equal(np.clip(got, base, base + len(thresholds)), want) else None


@dataclass(frozen=True, eq=False)
class Steps:
    """y(x) = base + #{k : x ≥ up[k]} − #{k : x ≥ down[k]}; int64, ascending, a step as often as it is high."""

    base: int
    up: npt.NDArray[np.int64]
    down: npt.NDArray[np.int64]


def steps_of_table(table: npt.NDArray[np.int32], first: int, low: int, high: int) -> Steps:
    """The function y(x) = table[x − first] for low ≤ x ≤ high."""
    values = table[low - first : high - first + 1].astype(np.int64)
    rises = np.diff(values)
    places = np.arange(low + 1, high + 1)
    return Steps(int(values[0]), np.repeat(places, np.maximum(rises, 0)), np.repeat(places, np.maximum(-rises, 0)))
