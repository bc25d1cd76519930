"""The claims of a network beside a .tflite file: integers, constants and tables are those that its scales say."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from edgeml.errors import NetworkError
from edgeml.network import Dense, Layer, Network, Node
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize
from edgeml.proof.claim import NOT_TRIED, OPEN, OUT_OF_TIME, PROVED, REFUTED
from edgeml.proof.network.rounding_claims import beside_exact, crossings_of
from edgeml.proof.place_claims import PlaceClaims

from ..lowering import lower
from ..model import Model
from ..operators.fully_connected import FullyConnected, RoundingRule
from ..operators.multiply import Multiply
from .exact_tables import HAS_EXACT_ENTRIES, exact_entry

__all__ = ["file_claims"]

_SAME = "the layer is the one that the file states"
_SUM = "weights, bias and zero point are the file's: z is Σ w·(x − zero point) + b for all inputs"
_SCALES = (
    "for every accumulator a in range, y is the integer of the rounding rule with the constants that runtimes derive "
    "from the file's scales; |y - clip(a·e + zero point)| <= worst with e = input scale · weight scale / output scale, "
    "exactly; y is another integer than the nearest for so many a as `elsewhere` says"
)
_TABLE = "for every value x of the table, y is the nearest integer to f(input scale · (x - zero point)) / output scale"


@dataclass(frozen=True, eq=False)
class _Place:
    """A node of the network, the same node as the file has it, and the operator that it is made of."""

    node: Node
    expected: Node
    operator: Any


def file_claims(
    model: Model, tensors: dict[str, int], network: Network, rule: RoundingRule, seconds: float = 1800.0
) -> list[PlaceClaims]:
    """A place for each layer of the network that `model` is lowered to; tensors : index in the file, by name."""
    begun = time.process_time()
    expected = lower(model, rule)
    nodes = {node.name: node for node in network.nodes}
    operators: dict[str, Any] = {operator.output: operator for operator in model.operators}
    places = []
    statement, method = _SAME, ""
    claims: list[dict[str, Any]]
    for each in expected.nodes:
        before = time.process_time()
        node = nodes.get(each.name)
        name = each.name.removesuffix("_acc").removesuffix("_sum")
        operator = operators.get(name if name in operators else each.name)
        if node is None or node.inputs != each.inputs or node.layer.kind != each.layer.kind:
            detail = "the network has no such layer there"
            statement, method, claims = _SAME, "", [{"status": OPEN, "detail": detail}] * expected.sizes[each.name]
        elif before - begun > seconds:
            statement, method, claims = _SAME, "", [{"status": OUT_OF_TIME}] * expected.sizes[each.name]
        else:
            claim = _same if operator is None else _BY_KIND.get(each.layer.kind, _same)
            found = claim(_Place(node, each, operator), model, network)
            statement, method, claims = found
        first = each.name == ("input" if model.encoded is None else "encode")
        tensor = tensors.get(model.input if first else "" if operator is None else operator.output, -1)
        if tensor >= 0:
            claims = [{**claim, "tensor": tensor} for claim in claims]
        places.append(PlaceClaims(each.name, statement, method, claims, time.process_time() - before))
    places.append(_output(model, network))
    return places


_Found = tuple[str, str, list[dict[str, Any]]]


def _equal(one: Layer, other: Layer) -> bool:
    (attributes, tensors), (others, other_tensors) = one.parts(), other.parts()
    if attributes != others or tensors.keys() != other_tensors.keys():
        return False
    return all(np.array_equal(tensor, other_tensors[name]) for name, tensor in tensors.items())


def _same(place: _Place, model: Model, network: Network) -> _Found:
    size = network.sizes[place.node.name]
    if place.expected.layer.kind == "encode" or (
        not place.expected.inputs
        and (model.encoded is not None or model.input_offset.any() or np.any(model.input_scale != 1))
    ):
        detail = "what stands before the file's integers, bits or a normalisation in float32, no checker knows"
        return _SAME, "", [{"status": NOT_TRIED, "detail": detail}] * size
    equal = _equal(place.node.layer, place.expected.layer)
    claim = {"status": PROVED} if equal else {"status": OPEN, "detail": "its numbers are not those of the file"}
    return _SAME, "compared", [claim] * size


def _sums(place: _Place, model: Model, network: Network) -> _Found:
    own, stated = place.node.layer, place.expected.layer
    assert isinstance(own, Dense)
    assert isinstance(stated, Dense)
    reach = network.ranges[place.node.inputs[0]]
    claims = []
    for channel in range(own.outputs):
        rows = own.weight[channel].astype(np.int64), stated.weight[channel].astype(np.int64)
        zeros = own.input_zero_point, stated.input_zero_point
        if np.array_equal(*rows) and own.bias[channel] == stated.bias[channel] and zeros[0] == zeros[1]:
            claims.append({"status": PROVED})
            continue
        x = reach.low.astype(np.int64).copy()
        sums = [
            lambda at, row=row, zero=zero, bias=bias: int(row @ (at - zero) + bias)
            for row, zero, bias in zip(rows, zeros, (int(own.bias[channel]), int(stated.bias[channel])), strict=True)
        ]
        moving = np.flatnonzero((rows[0] != rows[1]) & (reach.low < reach.high))
        if sums[0](x) == sums[1](x) and moving.size:
            x[moving[0]] += 1
        golden, expected = int(own.evaluate(x[None].astype(np.int32))[0, channel]), sums[1](x)
        if golden == expected:
            claims.append({"status": OPEN, "detail": "its weights are not those of the file, yet every sum is"})
            continue
        at = f"input {moving[0]} = {x[moving[0]]}, others least" if moving.size else "the least inputs"
        said = f"for {at} the golden simulator gives {golden}, the file's integers {expected} (confirmed)"
        claims.append({"status": REFUTED, "counterexample": said})
    return _SUM, "compared", claims


def _scales(place: _Place, model: Model, network: Network) -> _Found:
    own, stated, operator = place.node.layer, place.expected.layer, place.operator
    assert isinstance(own, Requantize)
    assert isinstance(stated, Requantize)
    reach = network.ranges[place.node.inputs[0]]
    try:
        (rises, least), (wanted, first) = crossings_of(own, reach), crossings_of(stated, reach)
    except NetworkError as error:
        return _SCALES, "", [{"status": NOT_TRIED, "detail": str(error)}] * reach.channels
    claims, total, most = [], 0, Fraction(0)
    for channel in range(reach.channels):
        ends = int(reach.low[channel]), int(reach.high[channel])
        if rises[channel] != wanted[channel] or least[channel] != first[channel]:
            claims.append(_other_integer(own, stated, channel, ends, rises[channel] + wanted[channel]))
            continue
        factor = Fraction(1)
        if isinstance(operator, FullyConnected):
            factor = _factor(operator, model, channel)
        elif isinstance(operator, Multiply):
            factor = _factor_of_product(operator, model)
        start = least[channel] - own.zero_point
        worst, _, elsewhere = beside_exact(own, ends, start, rises[channel], factor)
        total, most = total + elsewhere, max(most, worst)
        claims.append({"status": PROVED, "range": list(ends), "crossings": rises[channel]})
        claims[-1] |= {"worst": str(worst), "elsewhere": elsewhere}
    exact = "the nearest integer everywhere" if not total else f"{total:,} accumulators rounded elsewhere"
    method = (
        f"{own.rounding}, both sides of all crossings beside the exact scales: {exact}, at most {float(most):.7f} off"
    )
    return _SCALES, method, claims


def _factor(operator: FullyConnected, model: Model, channel: int) -> Fraction:
    """What an accumulator of the network is worth in the output's steps, exactly."""
    scale = operator.weight_scale
    weight = Fraction(float(scale[channel % scale.size])) * (1 << operator.guard_bits)
    source, target = model.tensors[operator.inputs[0]], model.tensors[operator.output]
    return Fraction(float(source.scale)) * weight / Fraction(float(target.scale))


def _factor_of_product(operator: Multiply, model: Model) -> Fraction:
    """What a product of two integers is worth in the output's steps, exactly."""
    a, b, target = (Fraction(float(model.tensors[name].scale)) for name in (*operator.inputs, operator.output))
    return a * b / target


def _other_integer(
    own: Requantize, stated: Requantize, channel: int, ends: tuple[int, int], crossings: list[int]
) -> dict[str, Any]:
    """An accumulator that the file's scales give another integer for."""
    points = np.unique(np.clip([*ends, *crossings, *(each - 1 for each in crossings)], *ends)).astype(np.int32)
    channels = max(own.multiplier.size, stated.multiplier.size, channel + 1)
    given = np.repeat(points[:, None], channels, axis=1)
    found, expected = (layer.evaluate(given)[:, channel] for layer in (own, stated))
    wrong = np.flatnonzero(found != expected)
    if not wrong.size:
        return {"status": OPEN, "detail": "its constants are not those of the file's scales"}
    at = wrong[0]
    said = f"accumulator {points[at]} gives {found[at]}, by the file's scales {expected[at]} (confirmed)"
    return {"status": REFUTED, "counterexample": said}


def _table(place: _Place, model: Model, network: Network) -> _Found:
    own, stated, operator = place.node.layer, place.expected.layer, place.operator
    assert isinstance(own, Lookup)
    assert isinstance(stated, Lookup)
    reach = network.ranges[place.node.inputs[0]].bounds
    if own.base != stated.base or own.table.size != stated.table.size:
        return _TABLE, "", [{"status": OPEN, "detail": "is a table of other values"}] * stated.table.size
    source, target = model.tensors[operator.inputs[0]], model.tensors[operator.output]
    claims: list[dict[str, Any]] = []
    if operator.function and operator.function not in HAS_EXACT_ENTRIES:
        detail = f"no checker knows {operator.function} exactly"
        return _TABLE, "", [{"status": NOT_TRIED, "detail": detail}] * stated.table.size
    for place_in_table, (entry, by_file) in enumerate(zip(own.table.tolist(), stated.table.tolist(), strict=True)):
        value, exact = own.base + place_in_table, by_file
        if operator.function in HAS_EXACT_ENTRIES:
            nearest = exact_entry(operator.function, value - source.zero_point, source.scale, target.scale)
            if nearest is None:
                claims.append({"status": OPEN, "detail": "cannot be told from a tie"})
                continue
            exact = min(max(nearest + target.zero_point, target.low), target.high)
        if entry == exact:
            claims.append({"status": PROVED})
        elif reach[0] <= value <= reach[1]:
            said = f"x = {value} gives {entry}, and must be {exact} (confirmed: the float64 table gives {by_file})"
            claims.append({"status": REFUTED, "counterexample": said})
        else:
            claims.append({"status": OPEN, "detail": f"x = {value}, which never comes, gives {entry} for {exact}"})
    exactly = operator.function in HAS_EXACT_ENTRIES
    function = f"{operator.function}, decimals of 60 digits" if exactly else "by definition"
    return _TABLE, f"all {own.table.size} entries: {function}", claims


def _output(model: Model, network: Network) -> PlaceClaims:
    last, output = model.logits, network.output
    same = output.zero_point == last.zero_point and np.all(output.scale == np.float64(last.scale))
    claim: dict[str, Any] = {"status": PROVED}
    if not same:
        said = f"y = 1 is worth {float((1 - output.zero_point) * output.scale[0]):g}, in the file "
        claim = {"status": REFUTED, "counterexample": f"{said}{(1 - last.zero_point) * last.scale:g} (confirmed)"}
    return PlaceClaims("output", "y stands for (y - zero point) · scale, as in the file", "compared", [claim])


_BY_KIND: dict[str, Callable[[_Place, Model, Network], _Found]] = {
    Dense.kind: _sums,
    Requantize.kind: _scales,
    Lookup.kind: _table,
}
