"""The levels that a quantized model gives of real numbers: behind lines and clamps in rational numbers, behind other
functions of one number in float64, for the checker of `quantized.py`.

The model computes these functions in float64. Here they are computed in another way, by numpy and Python's `math`, so
that the last bits may differ: of a value so near to a tie that these decide, within some 2^−44 of its size, either
level is taken. Sums, products and quotients are the model's own, each rounded once, and differ in nothing. This file
shares no code with what computes the model, with converters or with provers.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from .soundness import need

__all__ = ["LINES", "counted", "float_levels", "points_of", "rational_level"]

LINES = ("affine", "clamp")
"""Kinds of operator behind which a level is followed in rational numbers."""
_SLACK, _ENDS = 2.0**-44, ("low", "high")
_MOST_POINTS = 2**20
"""Accumulators of a channel that are all looked at."""
_Column = Any
Chain = list[dict[str, Any]]
"""Operators of a model in order, each with its name."""


def _ends(quantizer: dict[str, Any]) -> tuple[int, int]:
    least = -(1 << quantizer["bits"] - 1) if quantizer["signed"] else 0
    return least, least + (1 << quantizer["bits"]) - 1


def points_of(kind: str, fields: dict[str, Any], channel: int, reach: tuple[int, int], lines: bool) -> _Column:
    """The accumulators to look at: all of a range, or behind lines the ends and both sides of all thresholds."""
    low, high = reach
    if lines and kind != "lookup":
        row = fields["thresholds"][channel].tolist()
        return np.array(sorted({low, high} | {at for each in row for at in (each - 1, each) if low <= at <= high}))
    need(high - low < _MOST_POINTS, f"channel {channel}", "has too many accumulators to look at")
    return np.arange(low, high + 1)


def counted(kind: str, fields: dict[str, Any], channel: int, points: _Column) -> _Column:
    """What the network gives of accumulators: thresholds that are reached, or the entries of a table."""
    base = int(fields["base"])
    if kind != "lookup":
        row = np.sort(fields["thresholds"][channel].astype(np.int64))
        return np.asarray(base + np.searchsorted(row, points, side="right"), np.int64)
    need(points[0] >= base and points[-1] < base + len(fields["table"]), f"channel {channel}", "has no entry")
    return np.asarray(fields["table"][points - base], np.int64)


def rational_level(
    name: str, chain: Chain, arrays: dict[str, Any], quantizer: dict[str, Any], x: Fraction, channel: int
) -> int:
    """The level of a real number behind affines and clamps, rounded to the nearest, ties to even, and clipped."""
    for node in chain:
        if node["kind"] == "affine":
            scale, shift = (float(arrays[f"{node['name']}.{key}"][channel]) for key in ("scale", "shift"))
            x = x * Fraction(scale) + Fraction(shift)
        else:
            need(node["kind"] == "clamp", name, f"is behind a {node['kind']}, which no checker knows")
            low, high = (node["attributes"][key] for key in _ENDS)
            x = x if low is None else max(x, Fraction(low))
            x = x if high is None else min(x, Fraction(high))
    least, most = _ends(quantizer)
    return int(min(max(round(x / Fraction(quantizer["scale"])), least), most))


def float_levels(
    name: str,
    chain: Chain,
    arrays: dict[str, Any],
    quantizer: dict[str, Any],
    line: tuple[_Column, Fraction, Fraction],
    channel: int,
) -> tuple[_Column, _Column]:
    """The least and the most that the level may be of integers · scale + bias, a line, behind the operators of a
    chain; one and the same but near ties."""
    given, *numbers = line
    exact = math.lcm(*(each.denominator for each in numbers))
    scale, bias = numbers
    most = int(np.abs(given).max()) * abs(scale * exact) + abs(bias * exact)
    need(most < 2**53 and (exact & (exact - 1)) == 0, name, "has sums that float64 rounds")
    x = given.astype(np.float64) * float(scale) + float(bias)
    off = np.zeros(len(x))
    with np.errstate(over="ignore", under="ignore"):
        for node in chain:
            x, off = _behind(name, node, arrays, channel, x, off)
        nearest = [np.rint((x + side * off) / quantizer["scale"]) for side in (-1.0, 1.0)]
    need(bool(np.isfinite(nearest).all()), name, "is behind what gives no number")
    low, high = (np.clip(each, *_ends(quantizer)).astype(np.int64) for each in nearest)
    return low, high


def _behind(
    name: str, node: dict[str, Any], arrays: dict[str, Any], channel: int, x: _Column, off: _Column
) -> tuple[_Column, _Column]:
    """(what an operator gives, by how much that may be off)."""
    kind, attributes = node["kind"], node.get("attributes", {})
    if kind == "affine":
        scale, shift = (float(arrays[f"{node['name']}.{key}"][channel]) for key in ("scale", "shift"))
        made = x * scale + shift
        return made, np.where(off > 0, off * abs(scale) + (np.abs(x * scale) + abs(shift)) * _SLACK, 0.0)
    if kind == "clamp":
        low, high = (attributes[key] for key in _ENDS)
        return np.clip(x, -math.inf if low is None else low, math.inf if high is None else high), off
    need(not off.any(), name, "is behind a function of a function")
    if kind == "leaky_relu":
        return np.where(x >= 0.0, x, float(arrays[f"{node['name']}.slope"][channel]) * x), off
    function = str(attributes["function"]) if kind == "formula" else str(kind)
    a = float(attributes.get("a", 0.0))
    if function in _ROUNDED_ONCE:
        return _ROUNDED_ONCE[function](x, a), off
    need(function in _OTHERS, name, f"is behind a {function[:40]}, which no checker knows")
    made = _OTHERS[function](x, a)
    return made, (np.abs(x) + np.abs(made) + 1.0) * _SLACK


def _erf(x: _Column) -> _Column:
    return np.array([math.erf(each) for each in x.tolist()])


def _sigmoid(x: _Column) -> _Column:
    return np.exp(-np.logaddexp(0.0, -x))


_ROUNDED_ONCE: dict[str, Any] = {
    "abs": lambda x, a: np.abs(x),
    "cube": lambda x, a: x * x * x,
    "square": lambda x, a: x * x,
    "hard_swish": lambda x, a: x * (np.clip(x + 3.0, 0.0, 6.0) / 6.0),
    "soft_shrink": lambda x, a: x - np.clip(x, -a, a),
    "softsign": lambda x, a: x / (1.0 + np.abs(x)),
}
"""Functions by operations each of which IEEE 754 defines to the last bit, in the model's own order."""
_OTHERS: dict[str, Any] = {
    "tanh": lambda x, a: np.tanh(x),
    "sigmoid": lambda x, a: _sigmoid(x),
    "cos": lambda x, a: np.cos(x),
    "sin": lambda x, a: np.sin(x),
    "elu": lambda x, a: np.where(x > 0.0, x, a * np.expm1(np.minimum(x, 0.0))),
    "erf": lambda x, a: _erf(x),
    "exp": lambda x, a: np.exp(np.minimum(x, 700.0)),
    "gelu": lambda x, a: x * (0.5 * (1.0 + _erf(x / math.sqrt(2.0)))),
    "gelu_tanh": lambda x, a: x * _sigmoid(2.0 * math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)),
    "mish": lambda x, a: x * np.tanh(np.logaddexp(0.0, x)),
    "silu": lambda x, a: x * _sigmoid(x),
    "softplus": lambda x, a: np.logaddexp(0.0, x),
    "tanh_shrink": lambda x, a: x - np.tanh(x),
}
