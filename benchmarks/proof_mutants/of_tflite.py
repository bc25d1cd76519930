"""Faults in a network beside its .tflite file: requantization constants, lookup tables, weights, zero points.

The oracle evaluates both layers by the golden simulator: for all accumulators in range where the fault is in constants,
for all values that come where it is in a table, for all values of the inputs of a narrow layer where it is in a sum.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from edgeml.converters.tflite.lowering import lower
from edgeml.converters.tflite.model import Model
from edgeml.converters.tflite.operators.fully_connected import FullyConnected, by_rule
from edgeml.converters.tflite.operators.function import Function
from edgeml.converters.tflite.operators.tensor_info import TensorInfo
from edgeml.converters.tflite.proving.claims import file_claims
from edgeml.errors import EdgemlError
from edgeml.network import Network
from edgeml.network.rounding import ROUNDINGS
from edgeml.proof.claim import REFUTED

from .judged import Judged

__all__ = ["changed", "judge", "model_of"]


def model_of(seed: int) -> Model:
    """Two narrow fully connected layers with a sigmoid or tanh between; of every third, scales are powers of two."""
    rng = np.random.default_rng(seed)
    powers = seed % 3 == 0

    def scale(low: float, high: float) -> float:
        exponent = rng.uniform(np.log2(low), np.log2(high))
        return float(np.float32(2.0 ** (np.rint(exponent) if powers else exponent)))

    function = ("LOGISTIC", "TANH")[seed % 2]
    given = (2.0**-8, -128) if function == "LOGISTIC" else (2.0**-7, 0)
    tensors = {
        "x": TensorInfo("x", 2, scale(0.01, 0.1), int(rng.integers(-30, 30))),
        "a": TensorInfo("a", 3, scale(0.02, 0.1), int(rng.integers(-30, 30))),
        "f": TensorInfo("f", 3, *given),
        "y": TensorInfo("y", 2, scale(0.05, 0.2), int(rng.integers(-30, 30))),
    }

    def layer(source: str, target: str) -> FullyConnected:
        shape = tensors[target].size, tensors[source].size
        weight = rng.integers(-127, 128, shape).astype(np.int8)
        count = shape[0] if seed % 2 else 1
        wanted = np.array([scale(0.1, 0.6) for _ in range(count)]) * tensors[target].scale / tensors[source].scale / 64
        scales = (2.0 ** np.rint(np.log2(wanted)) if powers else wanted).astype(np.float32)
        bias = rng.integers(-3000, 3000, shape[0]).astype(np.int32)
        return FullyConnected(target, (source,), weight, 8, scales, bias, ("none", "relu")[int(target == "y")])

    operators = (layer("x", "a"), Function("f", ("a",), function), layer("f", "y"))
    return Model("net", tensors, operators, "x", "y")


def _requantize(layer: Any, rng: np.random.Generator) -> tuple[Any, str]:
    at = int(rng.integers(layer.multiplier.size))
    field = str(rng.choice(["multiplier", "multiplier", "shift", "zero_point", "low", "high", "fraction", "rounding"]))
    if field == "rounding":
        other = str(rng.choice([name for name in ROUNDINGS if name != layer.rounding]))
        return replace(layer, rounding=other), f"rounding {other}"
    if field in ("zero_point", "low", "high"):
        by = int(rng.choice([-1, 1]))
        return replace(layer, **{field: getattr(layer, field) + by}), f"{field} by {by}"
    values = getattr(layer, field).copy()
    by = int(rng.choice([-1, 1])) * (1 if field == "shift" else int(2 ** rng.integers(0, 26)))
    values[at] = values[at] + by if field != "fraction" else (values[at] ^ abs(by)) & (2**22 - 1)
    return replace(layer, **{field: values}), f"{field}[{at}] by {by}"


def _table(layer: Any, rng: np.random.Generator) -> tuple[Any, str]:
    table = layer.table.copy()
    at, by = int(rng.integers(table.size)), int(rng.choice([-1, 1]))
    table[at] += by
    return replace(layer, table=table), f"entry {at} by {by}"


def _sum(layer: Any, rng: np.random.Generator) -> tuple[Any, str]:
    if rng.random() < 0.3:
        return replace(layer, input_zero_point=layer.input_zero_point + 1), "zero point by 1"
    weight, bias = layer.weight.copy(), layer.bias.copy()
    at = int(rng.integers(weight.shape[0])), int(rng.integers(weight.shape[1]))
    weight[at] ^= 1
    bias[at[0]] += int(rng.choice([0, 1]))
    return replace(layer, weight=weight, bias=bias), f"w[{at[0]}, {at[1]}]"


_FAULTS = {
    "requantize": ("requantization constants", _requantize),
    "lookup": ("lookup tables", _table),
    "dense": ("weights and biases", _sum),
}


def changed(network: Network, seed: int) -> tuple[Network, str, str, str]:
    """(network with a fault, its kind in the table, what it was, the node)."""
    rng = np.random.default_rng(seed)
    wanted = str(rng.choice(["requantize", "requantize", "requantize", "lookup", "lookup", "dense"]))
    places = [index for index, node in enumerate(network.nodes) if node.layer.kind == wanted]
    index = places[int(rng.integers(len(places)))]
    node = network.nodes[index]
    kind, fault = _FAULTS[wanted]
    layer, said = fault(node.layer, rng)
    nodes = (*network.nodes[:index], replace(node, layer=layer), *network.nodes[index + 1 :])
    return replace(network, nodes=nodes), kind, f"{node.name}: {said}", node.name


def _differs(before: Network, after: Network, name: str) -> bool:
    layers = [{node.name: node for node in network.nodes} for network in (before, after)]
    node = layers[0][name]
    reach = before.ranges[node.inputs[0]]
    if node.layer.kind == "dense":
        every = [range(low, high + 1) for low, high in zip(reach.low, reach.high, strict=True)]
        if node.layer.inputs > 2:  # all pairs of two inputs at either end of the others
            every = [
                range(low, high + 1, 1 if k < 2 else max(high - low, 1))
                for k, (low, high) in enumerate(zip(reach.low, reach.high, strict=True))
            ]
        given = np.array(list(product(*every)), np.int32)
    else:
        values = np.arange(reach.low.min(), reach.high.max() + 1)[:, None]
        given = np.clip(values, reach.low, reach.high).astype(np.int32)
    return not np.array_equal(*(side[name].layer.evaluate(given) for side in layers))


def judge(seed: int) -> Judged:
    """A fault from a seed, judged by the claims of the prover `tflite`."""
    model = model_of(seed % 11)
    rules = ROUNDINGS if seed % 11 % 3 == 0 else ROUNDINGS[1:]
    rule = by_rule(rules[seed % len(rules)])
    network = lower(model, rule)
    for again in range(50):
        try:
            after, kind, said, name = changed(network, 10_000 * again + seed)
            break
        except EdgemlError:  # a fault that no network can have
            continue
    places = file_claims(model, {}, after, rule)
    refuted = [claim for place in places for claim in place.claims if claim["status"] == REFUTED]
    confirmed = bool(refuted) and all("(confirmed" in claim["counterexample"] for claim in refuted)
    return Judged(kind, said, _differs(network, after, name), bool(refuted), confirmed)
