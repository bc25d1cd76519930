"""What layers give, once more: the formulas that several checkers take, in Python's integers and fractions.

This file shares no code with provers, converters or the layers themselves: ranges of each kind of layer by its fields,
the five rules of rounding as the docs state them, and what an encode layer reads of one value.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from .soundness import need

__all__ = ["FOLLOWED_KINDS", "HALF", "READ", "Ends", "least_accumulator", "range_of", "rounded"]

Ends = tuple[list[int], list[int]]
"""The least and the largest integer of each channel."""
HALF = Fraction(1, 2)
READ = (lambda v, at: v, lambda v, at: v >> at & 1, lambda v, at: v >= at, lambda v, at: v == at)
"""By the rule of an encode layer, what it reads of a value (an integer, or an array of them) with operand `at`."""


# Ranges.


def _of_input(layer: dict[str, Any]) -> list[tuple[int, int]]:
    bits = layer["bits"]
    one = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if layer["signed"] else (0, 2**bits - 1)
    return [one] * layer["size"]


def _of_dense(layer: dict[str, Any], x: Ends) -> list[tuple[int, int]]:
    weight, zero = layer["weight"].astype(object), layer["input_zero_point"]
    low, high = (np.array(side, object) - zero for side in x)
    rising = np.where(weight > 0, weight, 0)
    falling = weight - rising
    bias = layer["bias"].astype(object)
    return list(zip(rising @ low + falling @ high + bias, rising @ high + falling @ low + bias, strict=True))


def _of_tables(layer: dict[str, Any], x: Ends) -> list[tuple[int, int]]:
    total = np.stack([layer["bias"], layer["bias"]]).astype(np.int64)
    for source in sorted(set(layer["source"].tolist())):
        values = np.arange(x[0][source], x[1][source] + 1)
        need(values[0] >= 0 and values[-1] < layer["rows"].shape[1], "tables", "have no row for a value")
        rows = [layer["rows"][f][values] for f in np.flatnonzero(layer["source"] == source)]
        sums = sum(layer["entries"][row].astype(np.int64) for row in rows)
        total += np.stack([np.min(sums, axis=0), np.max(sums, axis=0)])
    return list(zip(*total.tolist(), strict=True))


def _of_add(layer: dict[str, Any], a: Ends, b: Ends) -> list[tuple[int, int]]:
    return [(p + r, q + s) for p, q, r, s in zip(*a, *b, strict=True)]


def _of_product(layer: dict[str, Any], a: Ends, b: Ends) -> list[tuple[int, int]]:
    """Linear in each factor: the ends are among the products of ends."""
    corners = [[p * r, p * s, q * r, q * s] for p, q, r, s in zip(*a, *b, strict=True)]
    return [(min(each), max(each)) for each in corners]


def _of_levels(layer: dict[str, Any], x: Ends) -> list[tuple[int, int]]:
    def count(row: list[int], value: int) -> int:
        return int(layer["base"]) + sum(value >= each for each in row)

    return [(count(row, a), count(row, b)) for row, a, b in zip(layer["thresholds"].tolist(), *x, strict=True)]


def _of_rounding(layer: dict[str, Any], x: Ends) -> list[tuple[int, int]]:
    return [(rounded(layer, c, a), rounded(layer, c, b)) for c, (a, b) in enumerate(zip(*x, strict=True))]


def _of_table(layer: dict[str, Any], x: Ends) -> list[tuple[int, int]]:
    base, table = layer["base"], layer["table"].tolist()
    need(min(x[0]) >= base and max(x[1]) < base + len(table), "lookup", "has no entry for a value")
    parts = [table[a - base : b - base + 1] for a, b in zip(*x, strict=True)]
    return [(min(part), max(part)) for part in parts]


def _of_bits(layer: dict[str, Any], x: Ends) -> list[tuple[int, int]]:
    found = []
    for source, rule, operand in zip(*(layer[key].tolist() for key in ("source", "rule", "operand")), strict=True):
        low, high = x[0][source], x[1][source]
        need(rule != 1 or low >= 0, "encode", "takes bits below zero")
        # Between these a function keeps its value, or comes to one that it has at one of them.
        points = {low, high, operand, ((low >> operand) + 1) << operand if rule == 1 else low}
        values = [int(READ[rule](value, operand)) for value in points if low <= value <= high]
        found.append((min(values), max(values)))
    return found


def _of_functions(layer: dict[str, Any], x: Ends) -> list[tuple[int, int]]:
    """Every choice of the inputs that a function has, each of which it may name twice."""
    need(min(x[0]) >= 0 and max(x[1]) <= 1, "logic", "takes other values than 0 and 1")
    found = []
    for sources, table in zip(layer["sources"].tolist(), layer["tables"].tolist(), strict=True):
        named = sorted(set(sources))
        values = set()
        for chosen in product(*(range(x[0][source], x[1][source] + 1) for source in named)):
            value = dict(zip(named, chosen, strict=True))
            values.add(table[sum(value[source] << place for place, source in enumerate(sources))])
        found.append((min(values), max(values)))
    return found


def _of_positions(layer: dict[str, Any], x: Ends) -> list[tuple[int, int]]:
    """Position by position; those that gather the same ranges have one range."""
    sides = [[*side, int(layer["padding"])] for side in x]  # −1 is the last one
    found: list[tuple[int, int]] = []
    known: dict[tuple[tuple[int, ...], ...], list[tuple[int, int]]] = {}
    for places in layer["gather"].tolist():
        taken = tuple(tuple(side[place] for place in places) for side in sides)
        if taken not in known:
            ends = list(zip(*taken, strict=True))
            for each in layer["chain"]:
                ends = range_of(each.kind, vars(each), ([a for a, _ in ends], [b for _, b in ends]))
                need(min(a for a, _ in ends) >= -(2**31), each.kind, "passes 32 bits at a position")
                need(max(b for _, b in ends) < 2**31, each.kind, "passes 32 bits at a position")
            known[taken] = ends
        found += known[taken]
    return found


def _of_maximum(layer: dict[str, Any], x: Ends) -> list[tuple[int, int]]:
    rows = layer["gather"].tolist()
    return [(max(x[0][place] for place in row), max(x[1][place] for place in row)) for row in rows]


def _side_by_side(layer: dict[str, Any], a: Ends, b: Ends) -> list[tuple[int, int]]:
    return [*zip(*a, strict=True), *zip(*b, strict=True)]


def _same(layer: dict[str, Any], x: Ends) -> list[tuple[int, int]]:
    return list(zip(*x, strict=True))


_RANGES: dict[str, Any] = {
    "input_quantizer": _of_input,
    "input_spikes": _same,
    "dense": _of_dense,
    "tables": _of_tables,
    "add": _of_add,
    "multiply": _of_product,
    "threshold": _of_levels,
    "neurons": _of_levels,
    "requantize": _of_rounding,
    "lookup": _of_table,
    "encode": _of_bits,
    "logic": _of_functions,
    "shared": _of_positions,
    "maximum": _of_maximum,
    "concat": _side_by_side,
}


FOLLOWED_KINDS = frozenset(_RANGES)
"""Kinds of layer that there is a range of."""


def range_of(kind: str, fields: dict[str, Any], *given: Ends) -> list[tuple[int, int]]:
    """The ends of each channel of a layer, by its kind and fields, from those that it takes."""
    need(kind in _RANGES, "ranges", f"do not follow of kind {kind}")
    found: list[tuple[int, int]] = _RANGES[kind](fields, *given)
    return found


# Roundings.


def _significand(value: int, bits: int) -> int:
    """An integer ≥ 0 with so many significant bits, ties to even."""
    places = max(value.bit_length() - bits, 0)
    return round(Fraction(value, 1 << places)) << places


def rounded(layer: dict[str, Any], channel: int, acc: int) -> int:
    """The integer of an accumulator, clipped, by the rule as docs state it."""
    at = channel if len(layer["multiplier"]) > 1 else 0
    m, s, f = (int(layer[key][at]) for key in ("multiplier", "shift", "fraction"))
    sign, rule = (-1 if acc < 0 else 1), layer["rounding"]
    if rule == "shift":
        found = (2 * acc + (1 << (1 - s))) >> (2 - s)
    elif rule in ("double_rounding", "ruy_half_up"):
        high = (acc * 2 ** max(s, 0) * m + 2**30) >> 31
        scaled = Fraction(high, 2 ** max(-s, 0))
        if rule == "ruy_half_up":
            found = (scaled + HALF).__floor__()
        else:
            found = (abs(scaled) + HALF).__floor__() * (-1 if high < 0 else 1)
    elif rule == "fp32_rne":
        product = _significand(_significand(abs(acc), 24) * m, 24)
        found = sign * round(Fraction(product) * Fraction(2) ** (s - 31))
    else:
        need(rule == "float64_away", "rounding", f"{rule} is not known")
        product = _significand(abs(acc) * ((m << 22) + f), 53)
        found = sign * (Fraction(product) * Fraction(2) ** (s - 53) + HALF).__floor__()
    return int(min(max(found + layer["zero_point"], layer["low"]), layer["high"]))


def _nearest(value: Fraction, rule: str) -> int:
    """The nearest integer, ties as the rule has them."""
    if rule == "fp32_rne":
        return round(value)
    if rule in ("shift", "ruy_half_up"):
        return (value + HALF).__floor__()
    return (abs(value) + HALF).__floor__() * (-1 if value < 0 else 1)


def least_accumulator(factor: Fraction, rule: str, level: int, reach: tuple[int, int]) -> int:
    """The least accumulator in range whose exact product rounds to `level` or more; the one past the range if none."""
    if factor == 0:
        return reach[0] if level <= 0 else reach[1] + 1
    near = ((level - HALF) / factor).__floor__()
    exact = near if _nearest(near * factor, rule) >= level else near + 1
    need(_nearest(exact * factor, rule) >= level > _nearest((exact - 1) * factor, rule), "crossing", "is not exact")
    return min(max(exact, reach[0]), reach[1] + 1)
