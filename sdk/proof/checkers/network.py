"""The second look at the claims of `network.edgeml`: ranges, roundings and spikes, followed again in Python's integers.

This file shares no code with the prover, nor with the layers: it takes the fields of the network, formulas of the
checkers' own for ranges and roundings (`layer_formulas.py`), and its own for the five encodings.
"""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from ...errors import CheckFailed
from ...network import Network, network_file
from .about import EXPANDED_KINDS
from .crossings import follow_deviation
from .expansion import follow_claims
from .layer_formulas import HALF, Ends, range_of
from .statements import Claims, check_statements, integer, integers, need

__all__ = ["check_certificate"]


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
    if EXPANDED_KINDS & {node.layer.kind for node in network.nodes}:
        wanted["expansion"] = len(network.nodes)
        follow_claims(network, files, said["expansion"], ends)
    if _CONVERTED in files:
        wanted["reduction"] = len(network.nodes)
        _follow_reduction(network_file.from_bytes(files[_CONVERTED]), network, said["reduction"])
    return wanted


# What was left out.


def _follow_reduction(whole: Network, network: Network, said: Claims) -> None:
    """That each layer is the one of the whole network for the channels that are kept, given what it takes is."""
    need(len(said) == len(whole.nodes) == len(network.nodes), "reduction", "is not of all layers")
    kept: dict[str, list[int]] = {}
    ends: dict[str, Ends] = {}
    for node, made, claim in zip(whole.nodes, network.nodes, said, strict=True):
        name, size = node.name, whole.sizes[node.name]
        need(claim["layer"] == name == made.name and node.inputs == made.inputs, "reduction", "is of other layers")
        need(node.layer.kind == made.layer.kind, name, "is of another kind")
        need(claim["status"] in ("proved", "not tried"), name, "is not proved to be the same")
        mine = kept[name] = integers(claim["kept"])
        need(mine == sorted(set(mine)) and min(mine) >= 0 and max(mine) < size, name, "keeps channels that are none")
        need(len(mine) == network.sizes[name], name, "keeps another number of channels")
        taken = [kept[source] for source in node.inputs]
        sizes = [whole.sizes[source] for source in node.inputs]
        # Behind a kind that is not followed nothing counts as a constant.
        with suppress(KeyError, CheckFailed):
            ends[name] = _sides(range_of(node.layer.kind, vars(node.layer), *(ends[each] for each in node.inputs)))
        before, after = vars(node.layer), vars(made.layer)
        if claim["status"] == "not tried":
            continue
        if node.layer.kind == "dense":
            _follow_rows(name, before, after, mine, taken[0], ends.get(node.inputs[0]))
        elif node.layer.kind == "logic":
            places = {channel: place for place, channel in enumerate(taken[0])}
            sources = [[places.get(source, -1) for source in before["sources"][o].tolist()] for o in mine]
            need(sources == after["sources"].tolist(), name, "reads other channels")
            need([before["tables"][o].tolist() for o in mine] == after["tables"].tolist(), name, "has other tables")
        elif node.layer.kind == "tables":
            _follow_tables(name, before, after, mine, taken[0], ends.get(node.inputs[0]))
        elif node.layer.kind == "encode":
            looked_at = [taken[0][source] for source in after["source"].tolist()]
            need(looked_at == [int(before["source"][o]) for o in mine], name, "reads other channels")
            for field in ("rule", "operand"):
                need(after[field].tolist() == [int(before[field][o]) for o in mine], name, f"has another {field}")
        elif node.layer.kind == "maximum":
            looked_at = [[taken[0][each] for each in row] for row in after["gather"].tolist()]
            need(looked_at == [before["gather"][o].tolist() for o in mine], name, "looks at other channels")
        elif node.layer.kind == "shared":
            _follow_positions(name, _fields(before), _fields(after), mine, taken[0])
        elif node.layer.kind in _BY_CHANNEL:
            need(all(each == mine for each in taken), name, "gives other channels than it takes")
            for field, value in _fields(before).items():
                own = isinstance(value, list) and field in _BY_CHANNEL[node.layer.kind] and len(value) == size
                need(_fields(after)[field] == ([value[o] for o in mine] if own else value), name, f"has other {field}")
        else:
            whole_of = all(len(each) == count for each, count in zip(taken, sizes, strict=True))
            need(whole_of and len(mine) == size, name, "is cut, and of a kind that is not followed")
            need(_fields(before) == _fields(after), name, "is another layer")
    first, last = whole.nodes[0].name, whole.nodes[-1].name
    need(len(kept[first]) == whole.sizes[first], "reduction", "leaves inputs out")
    need(len(kept[last]) == whole.sizes[last], "reduction", "leaves outputs out")


def _follow_rows(
    name: str, before: dict[str, Any], after: dict[str, Any], rows: list[int], columns: list[int], ends: Ends | None
) -> None:
    """That sums over fewer channels are the same: what they lack adds nothing, or one number that the bias has."""
    zero, wanted = before["input_zero_point"], set(columns)
    need(zero == after["input_zero_point"], name, "has another zero point")
    need(before["weight_bits"] == after["weight_bits"], name, "has weights of other bits")
    for place, row in enumerate(rows):
        weights = before["weight"][row].tolist()
        need([weights[column] for column in columns] == after["weight"][place].tolist(), name, "has other weights")
        bias = int(before["bias"][row])
        for column, weight in enumerate(weights):
            if weight and column not in wanted:
                constant = ends is not None and ends[0][column] == ends[1][column]
                need(constant, f"{name}[{row}]", f"lacks channel {column}, whose weight is {weight}")
                bias += weight * (ends[0][column] - zero) if ends is not None else 0
        need(bias == int(after["bias"][place]), f"{name}[{row}]", "has another bias")


def _follow_positions(
    name: str, before: dict[str, Any], after: dict[str, Any], mine: list[int], taken: list[int]
) -> None:
    """That whole positions are kept, each with what it gathered; padding is what it was."""
    for field in ("chain", "padding"):
        need(before[field] == after[field], name, f"has another {field}")
    need(len(mine) % len(after["gather"]) == 0, name, "keeps parts of positions")
    results = len(mine) // len(after["gather"])
    for place, row in enumerate(after["gather"]):
        position, part = mine[place * results : (place + 1) * results], mine[place * results] // results
        need(position == list(range(part * results, (part + 1) * results)), name, "keeps parts of positions")
        need([-1 if each < 0 else taken[each] for each in row] == before["gather"][part], name, "gathers other values")


def _follow_tables(
    name: str, before: dict[str, Any], after: dict[str, Any], mine: list[int], channels: list[int], ends: Ends | None
) -> None:
    """That each channel adds the same function of its value, but for one number; the bias has these numbers."""
    values = before["rows"].shape[1]
    need(after["rows"].shape[1] == values, name, "has tables of another length")
    bias, left = [int(before["bias"][row]) for row in mine], after["bias"].tolist()
    for channel in range(before["inputs"]):
        reached = range(values) if ends is None else range(ends[0][channel], ends[1][channel] + 1)
        old = _added(before, channel, reached, mine)
        place = channels.index(channel) if channel in channels else -1  # no feature has an input −1: nothing is added
        new = _added(after, place, reached, list(range(len(mine))))
        for was, now in zip(old, new, strict=True):
            same = all(a - b == c - d for a, b, c, d in zip(was, old[0], now, new[0], strict=True))
            need(same, name, f"adds another function of channel {channel}")
        bias = [total + first for total, first in zip(bias, old[0], strict=True)]
        left = [total + first for total, first in zip(left, new[0], strict=True)]
    need(bias == left, name, "has another bias")


def _added(layer: dict[str, Any], channel: int, reached: range, outputs: list[int]) -> list[list[int]]:
    """What the features of a channel add together, for each value that it reaches and each of the outputs."""
    features = [feature for feature, source in enumerate(layer["source"].tolist()) if source == channel]
    found = []
    for value in reached:
        rows = [layer["entries"][layer["rows"][feature, value]].tolist() for feature in features]
        found.append([sum(row[output] for row in rows) for output in outputs])
    return found


def _fields(layer: dict[str, Any]) -> dict[str, Any]:
    """The fields of a layer as plain numbers and lists; what begins with _ was computed from them."""
    plain = {key: value for key, value in layer.items() if not key.startswith("_") and key != "schedule"}
    return {key: _plain(value) for key, value in plain.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple) and all(hasattr(layer, "kind") for layer in value):
        return [[layer.kind, _fields(dict(vars(layer)))] for layer in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _sides(found: list[tuple[int, int]]) -> Ends:
    return [low for low, _ in found], [high for _, high in found]


_CONVERTED = "converted.edgeml"
_BY_CHANNEL: dict[str, tuple[str, ...]] = {
    "threshold": ("thresholds",),
    "neurons": ("thresholds",),
    "requantize": ("multiplier", "shift", "fraction"),
    "lookup": (),
    "add": (),
    "multiply": (),
}
"""Kinds of layer that give each channel from the same one of what they take, and their fields that have a row each."""


# Ranges.


def _ranges(network: Network, said: Claims) -> dict[str, Ends]:
    """The ends of each layer that is claimed, by its name, each followed from what it takes."""
    found: dict[str, Ends] = {}
    need(len(said) == len(network.nodes), "ranges", "are not those of all layers")
    for node, claim in zip(network.nodes, said, strict=True):
        need(claim["layer"] == node.name, "ranges", "are of other layers")
        if claim["status"] != "proved":
            continue
        low, high = integers(claim["low"]), integers(claim["high"])
        size = network.sizes[node.name]
        need(len(low) == len(high) == size, node.name, "has ends of another number of channels")
        followed = range_of(node.layer.kind, vars(node.layer), *(found[name] for name in node.inputs))
        for channel, (least, most) in enumerate(followed):
            inside = low[channel] <= least and most <= high[channel]
            need(inside, f"{node.name}[{channel}]", f"may be {least} … {most}, and is said to be within less")
        need(min(low) >= -(2**31) and max(high) < 2**31, node.name, "passes 32 bits")
        found[node.name] = low, high
    return found


# Roundings.


def _follow_rounding(
    name: str, layer: dict[str, Any], channel: int, reach: tuple[int, int], claim: dict[str, Any]
) -> None:
    """That the crossings are those of the rule, the worst is the worst, and as many are elsewhere as is said."""
    own, what = channel if len(layer["multiplier"]) > 1 else 0, f"{name}[{channel}]"
    factor = Fraction((int(layer["multiplier"][own]) << 22) + int(layer["fraction"][own]), 1 << 22)
    factor *= Fraction(2) ** (int(layer["shift"][own]) - 31)
    worst, zero = follow_deviation(what, layer, channel, factor, reach, claim), layer["zero_point"]
    largest = max(abs(layer["low"] - zero), abs(layer["high"] - zero)) + 1
    twice = Fraction(1, 2 ** (1 - int(layer["shift"][own]))) if layer["shift"][own] < 0 else Fraction(0)
    loses = {"shift": Fraction(0), "float64_away": Fraction(largest, 2**52), "fp32_rne": Fraction(largest, 2**22)}
    need(worst <= HALF + loses.get(layer["rounding"], twice), what, "is farther off than its rule allows")


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
