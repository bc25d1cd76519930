"""The second look at the claims of `network.edgeml`: ranges, roundings and spikes, followed again in Python's integers.

This file shares no code with the prover, nor with the layers: it takes the fields of the network, and has formulas of
its own for ranges, for the five roundings and for the five encodings.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ...network import Network
from .statements import Claims, check_statements, integer, integers, need

__all__ = ["check_certificate", "least_accumulator", "range_of", "rounded"]

_Ends = tuple[list[int], list[int]]
_HALF = Fraction(1, 2)


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`; of each place how many claims there are, and how many are proved.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    return check_statements(folder, prover, "network", _places)


def _places(network: Network, files: dict[str, bytes], said: dict[str, Claims]) -> dict[str, int]:
    ends = _ranges(network, said["ranges"])
    wanted = {"ranges": len(network.nodes)}
    for node in network.nodes[1:]:
        kind, layer = node.layer.kind, node.layer
        if kind not in _FOLLOWED or (kind == "input_spikes" and vars(layer)["encoding"] == "direct"):
            continue
        name = f"{node.name}, {'rounding' if kind == 'requantize' else 'spikes'}"
        proved = [(number, claim) for number, claim in enumerate(said[name]) if claim["status"] == "proved"]
        size = network.sizes[node.name]
        wanted[name] = {"requantize": size, "neurons": size + 1}.get(kind, 1)
        if len(said[name]) == 1 and not proved:
            wanted[name] = 1  # the layer as a whole was not tried
        for number, claim in proved:
            need(node.inputs[0] in ends, name, "follows from a range that is not known")
            low, high = (side[number] if number < size else 0 for side in ends[node.inputs[0]])
            _FOLLOWED[kind](name, vars(layer), number, (low, high), claim)
    return wanted


# Ranges.


def _ranges(network: Network, said: Claims) -> dict[str, _Ends]:
    """The ends of each layer that is claimed, by its name, each followed from what it takes."""
    found: dict[str, _Ends] = {}
    need(len(said) == len(network.nodes), "ranges", "are not those of all layers")
    for node, claim in zip(network.nodes, said, strict=True):
        need(claim["layer"] == node.name, "ranges", "are of other layers")
        if claim["status"] != "proved":
            continue
        need(node.layer.kind in _RANGES, node.name, f"is of kind {node.layer.kind}, whose range nothing follows from")
        low, high = integers(claim["low"]), integers(claim["high"])
        size = network.sizes[node.name]
        need(len(low) == len(high) == size, node.name, "has ends of another number of channels")
        followed = _RANGES[node.layer.kind](vars(node.layer), *(found[name] for name in node.inputs))
        for channel, (least, most) in enumerate(followed):
            inside = low[channel] <= least and most <= high[channel]
            need(inside, f"{node.name}[{channel}]", f"may be {least} … {most}, and is said to be within less")
        need(min(low) >= -(2**31) and max(high) < 2**31, node.name, "passes 32 bits")
        found[node.name] = low, high
    return found


def _of_input(layer: dict[str, Any]) -> list[tuple[int, int]]:
    bits = layer["bits"]
    one = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if layer["signed"] else (0, 2**bits - 1)
    return [one] * layer["size"]


def _of_dense(layer: dict[str, Any], x: _Ends) -> list[tuple[int, int]]:
    weight, zero = layer["weight"].astype(object), layer["input_zero_point"]
    low, high = (np.array(side, object) - zero for side in x)
    rising = np.where(weight > 0, weight, 0)
    falling = weight - rising
    bias = layer["bias"].astype(object)
    return list(zip(rising @ low + falling @ high + bias, rising @ high + falling @ low + bias, strict=True))


def _of_tables(layer: dict[str, Any], x: _Ends) -> list[tuple[int, int]]:
    total = np.stack([layer["bias"], layer["bias"]]).astype(np.int64)
    for source in sorted(set(layer["source"].tolist())):
        values = np.arange(x[0][source], x[1][source] + 1)
        need(values[0] >= 0 and values[-1] < layer["rows"].shape[1], "tables", "have no row for a value")
        rows = [layer["rows"][f][values] for f in np.flatnonzero(layer["source"] == source)]
        sums = sum(layer["entries"][row].astype(np.int64) for row in rows)
        total += np.stack([np.min(sums, axis=0), np.max(sums, axis=0)])
    return list(zip(*total.tolist(), strict=True))


def _of_add(layer: dict[str, Any], a: _Ends, b: _Ends) -> list[tuple[int, int]]:
    return [(p + r, q + s) for p, q, r, s in zip(*a, *b, strict=True)]


def _of_levels(layer: dict[str, Any], x: _Ends) -> list[tuple[int, int]]:
    def count(row: list[int], value: int) -> int:
        return int(layer["base"]) + sum(value >= each for each in row)

    return [(count(row, a), count(row, b)) for row, a, b in zip(layer["thresholds"].tolist(), *x, strict=True)]


def _of_rounding(layer: dict[str, Any], x: _Ends) -> list[tuple[int, int]]:
    return [(rounded(layer, c, a), rounded(layer, c, b)) for c, (a, b) in enumerate(zip(*x, strict=True))]


def _of_table(layer: dict[str, Any], x: _Ends) -> list[tuple[int, int]]:
    base, table = layer["base"], layer["table"].tolist()
    need(min(x[0]) >= base and max(x[1]) < base + len(table), "lookup", "has no entry for a value")
    parts = [table[a - base : b - base + 1] for a, b in zip(*x, strict=True)]
    return [(min(part), max(part)) for part in parts]


def _of_bits(layer: dict[str, Any], x: _Ends) -> list[tuple[int, int]]:
    found = []
    for source, rule, operand in zip(*(layer[key].tolist() for key in ("source", "rule", "operand")), strict=True):
        low, high = x[0][source], x[1][source]
        need(rule != 1 or low >= 0, "encode", "takes bits below zero")
        reads = (lambda v: v, lambda v, o=operand: v >> o & 1, lambda v, o=operand: v >= o, lambda v, o=operand: v == o)
        # Between these a function keeps its value, or comes to one that it has at one of them.
        points = {low, high, operand, ((low >> operand) + 1) << operand if rule == 1 else low}
        values = [int(reads[rule](value)) for value in points if low <= value <= high]
        found.append((min(values), max(values)))
    return found


def _of_functions(layer: dict[str, Any], x: _Ends) -> list[tuple[int, int]]:
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


def _same(layer: dict[str, Any], x: _Ends) -> list[tuple[int, int]]:
    return list(zip(*x, strict=True))


_RANGES: dict[str, Any] = {
    "input_quantizer": _of_input,
    "input_spikes": _same,
    "dense": _of_dense,
    "tables": _of_tables,
    "add": _of_add,
    "threshold": _of_levels,
    "neurons": _of_levels,
    "requantize": _of_rounding,
    "lookup": _of_table,
    "encode": _of_bits,
    "logic": _of_functions,
}


def range_of(kind: str, fields: dict[str, Any], *given: _Ends) -> list[tuple[int, int]]:
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
            found = (scaled + _HALF).__floor__()
        else:
            found = (abs(scaled) + _HALF).__floor__() * (-1 if high < 0 else 1)
    elif rule == "fp32_rne":
        product = _significand(_significand(abs(acc), 24) * m, 24)
        found = sign * round(Fraction(product) * Fraction(2) ** (s - 31))
    else:
        need(rule == "float64_away", "rounding", f"{rule} is not known")
        product = _significand(abs(acc) * ((m << 22) + f), 53)
        found = sign * (Fraction(product) * Fraction(2) ** (s - 53) + _HALF).__floor__()
    return int(min(max(found + layer["zero_point"], layer["low"]), layer["high"]))


def _nearest(value: Fraction, rule: str) -> int:
    """The nearest integer, ties as the rule has them."""
    if rule == "fp32_rne":
        return round(value)
    if rule in ("shift", "ruy_half_up"):
        return (value + _HALF).__floor__()
    return (abs(value) + _HALF).__floor__() * (-1 if value < 0 else 1)


def least_accumulator(factor: Fraction, rule: str, level: int, reach: tuple[int, int]) -> int:
    """The least accumulator in range whose exact product rounds to `level` or more; the one past the range if none."""
    if factor == 0:
        return reach[0] if level <= 0 else reach[1] + 1
    near = ((level - _HALF) / factor).__floor__()
    exact = near if _nearest(near * factor, rule) >= level else near + 1
    need(_nearest(exact * factor, rule) >= level > _nearest((exact - 1) * factor, rule), "crossing", "is not exact")
    return min(max(exact, reach[0]), reach[1] + 1)


def _follow_rounding(
    name: str, layer: dict[str, Any], channel: int, reach: tuple[int, int], claim: dict[str, Any]
) -> None:
    """That the crossings are those of the rule, the worst is the worst, and as many are elsewhere as is said."""
    own, what = channel if len(layer["multiplier"]) > 1 else 0, f"{name}[{channel}]"
    need(integers(claim["range"]) == list(reach), what, "is claimed over another range")
    factor = Fraction((int(layer["multiplier"][own]) << 22) + int(layer["fraction"][own]), 1 << 22)
    factor *= Fraction(2) ** (int(layer["shift"][own]) - 31)
    crossings, zero, rule = integers(claim["crossings"]), layer["zero_point"], layer["rounding"]
    least, most = (rounded(layer, channel, end) for end in reach)
    need(crossings == sorted(crossings) and len(crossings) == most - least, what, "does not rise so often")
    need(all(reach[0] < each <= reach[1] for each in crossings), what, "rises out of its range")
    sides, elsewhere = [(least, reach[0]), (most, reach[1])], 0
    for k, crossing in enumerate(crossings):
        below, there = (rounded(layer, channel, crossing - 1), rounded(layer, channel, crossing))
        need(below < least + k + 1 <= there, what, f"does not rise at {crossing}")
        sides += [(below, crossing - 1), (there, crossing)]
        elsewhere += abs(least_accumulator(factor, rule, least + k + 1 - zero, reach) - crossing)
    for level in range(most + 1, layer["high"] + 1):
        missed = reach[1] + 1 - least_accumulator(factor, rule, level - zero, reach)
        elsewhere += missed
        if not missed:
            break
    for level in range(least, layer["low"], -1):
        missed = least_accumulator(factor, rule, level - zero, reach) - reach[0]
        elsewhere += missed
        if not missed:
            break
    ends = layer["low"] - zero, layer["high"] - zero
    worst = max(abs(value - zero - min(max(at * factor, Fraction(ends[0])), Fraction(ends[1]))) for value, at in sides)
    need(claim["worst"] == str(worst), what, f"is {worst} off at worst")
    need(integer(claim["elsewhere"]) == elsewhere, what, f"is rounded elsewhere {elsewhere} times")
    largest = max(abs(layer["low"] - zero), abs(layer["high"] - zero)) + 1
    twice = Fraction(1, 2 ** (1 - int(layer["shift"][own]))) if layer["shift"][own] < 0 else Fraction(0)
    loses = {"shift": Fraction(0), "float64_away": Fraction(largest, 2**52), "fp32_rne": Fraction(largest, 2**22)}
    need(worst <= _HALF + loses.get(rule, twice), what, "is farther off than its rule allows")


# Spikes.


def _window(encoding: str, levels: int) -> int:
    return {"graded": 1, "sar": levels.bit_length()}.get(encoding, levels)


def _spikes(encoding: str, increments: list[int], potential: int) -> int:
    """What the spikes of one window stand for, slot by slot, from a potential that is there at its start."""
    levels, total = len(increments), 0
    if encoding == "unary":
        for _ in range(levels):
            if total < levels and potential >= increments[total]:
                potential, total = potential - increments[total], total + 1
    elif encoding == "sar":
        for weight in (1 << place for place in reversed(range(levels.bit_length()))):
            price = sum(increments[total : total + weight])
            if total + weight <= levels and potential >= price:
                potential, total = potential - price, total + weight
    elif encoding == "ttfs":
        for slot in range(levels):
            if potential >= sum(increments):
                return levels - slot
            potential += increments[levels - 1 - slot]
    elif encoding == "graded":
        while total < levels and potential >= increments[total]:
            potential, total = potential - increments[total], total + 1
    else:
        need(encoding == "stbif", "encoding", f"{encoding} is not known")
        return _at_rest(increments, potential, 0)[1]
    return total


def _at_rest(increments: list[int], potential: int, total: int) -> tuple[int, int]:
    """(what is left, how many spikes stand) of a neuron that gives and takes back spikes until it rests."""
    for _ in range(len(increments) + 1):
        if total < len(increments) and potential >= increments[total]:
            potential, total = potential - increments[total], total + 1
        elif total > 0 and potential < 0:
            total -= 1
            potential += increments[total]
        else:
            return potential, total
    need(False, "stbif", "never rests")
    return potential, total


def _follow_neuron(
    name: str, layer: dict[str, Any], channel: int, reach: tuple[int, int], claim: dict[str, Any]
) -> None:
    """That increments and charge make the spikes of every accumulator in range count its thresholds."""
    rows, encoding = layer["thresholds"].tolist(), layer["encoding"]
    if channel == len(rows):
        _follow_carry(name, {"encoding": encoding, "levels": len(rows[0])}, channel, reach, claim)
        return
    row, what = rows[channel], f"{name}[{channel}]"
    need(integers(claim["range"]) == list(reach), what, "is claimed over another range")
    charge, increments = integer(claim["charge"]), integers(claim["increments"])
    need(len(increments) == len(row) and min(increments) >= 0, what, "pays a negative price, or too few")
    paid = charge - sum(increments[:1])
    crossings = [sum(increments[: k + 1]) - charge for k in range(len(row))]
    need(paid == -row[0], what, "starts with another charge")
    points = {end for each in {*crossings, *row} for end in (each - 1, each) if reach[0] <= end <= reach[1]}
    for z in sorted(points | set(reach)):
        expected = sum(z >= each for each in row)
        found = _spikes(encoding, increments, z + charge)
        need(found == expected, what, f"gives {found} for accumulator {z}, which is level {expected}")
    if encoding == "stbif":
        for start in range(len(row) + 1):
            for left in {0, increments[min(start, len(row) - 1)], -1, reach[0] + charge, reach[1] + charge}:
                rest, total = _at_rest(increments, left, start)
                need(rest + sum(increments[:total]) == left + sum(increments[:start]), what, "loses a charge")
                done = (total == len(row) or rest < increments[total]) and (total == 0 or rest >= 0)
                need(done, what, "rests where it must not")


def _follow_carry(
    name: str, layer: dict[str, Any], channel: int, reach: tuple[int, int], claim: dict[str, Any]
) -> None:
    """That each integer fits its window: its spikes, weighted by their slots, are the integer."""
    encoding = layer["encoding"]
    levels = layer["levels"] if "levels" in layer else layer["high"] - layer["low"]
    slots = _window(encoding, levels)
    need((integer(claim["levels"]), integer(claim["slots"])) == (levels, slots), name, "has another window")
    for value in range(levels + 1):
        if encoding == "sar":
            stands = sum(1 << place for place in range(slots) if value >> place & 1)
        elif encoding == "ttfs":
            stands = sum(1 for slot in range(slots) if slot >= levels - value)
        else:
            stands = value if encoding == "graded" else sum(1 for slot in range(slots) if slot < value)
        need(stands == value, name, f"has no spikes for integer {value}")


_FOLLOWED: dict[str, Any] = {"requantize": _follow_rounding, "neurons": _follow_neuron, "input_spikes": _follow_carry}
