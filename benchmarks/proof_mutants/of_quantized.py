"""Faults in the integer network beside its quantized model: thresholds, weights, biases, scales, and what is fused.

The oracle evaluates both networks layer by layer with the golden simulator, for all values of the tensors that a layer
and the sum before it take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np

from edgeml.converters.quantized.extract import extract
from edgeml.converters.quantized.model import Input, ModelNode, QuantizedLinear, QuantizedModel, Quantizer
from edgeml.converters.quantized.proving.claims import model_claims
from edgeml.converters.quantized.user_operators import as_user_operator
from edgeml.errors import EdgemlError
from edgeml.frontends.float_operators.affine import Affine
from edgeml.frontends.float_operators.clamp import Clamp
from edgeml.network import Network
from edgeml.proof.claim import REFUTED

from .judged import Judged

__all__ = ["changed", "judge", "model_of"]


def model_of(seed: int) -> QuantizedModel:
    """Two hidden layers of few inputs, a normalisation behind each ReLU, and slopes of either sign."""
    rng = np.random.default_rng(seed)
    widths, step = (3, 4, 4, 2), 0.25
    nodes = [ModelNode("input", Input(3, np.array([0.1, 0.2, 0.5]), np.array([0.0, 0.1, -1.0]), 3, True, step))]
    at = "input"
    for number, (inputs, outputs) in enumerate(pairwise(widths)):
        last = number == 2
        weight = rng.integers(-3, 4, (outputs, inputs)).astype(np.int32)
        scale = np.array([0.5]) if last else rng.integers(2, 9, outputs) / 8
        bias = np.rint(rng.normal(size=outputs) * 8) * (0.5 * step if last else 2.0**-9)
        nodes.append(ModelNode(f"linear{number}", QuantizedLinear(weight, 3, True, scale, bias), (at,)))
        at = f"linear{number}"
        if not last:
            slope = rng.choice([-1.5, -0.75, 0.5, 1.25], outputs)
            norm = Affine(slope, rng.integers(-8, 9, outputs) / 16)
            for name, operator in ((f"relu{number}", Clamp(-0.5, np.inf)), (f"norm{number}", norm)):
                nodes.append(ModelNode(name, as_user_operator(operator), (at,)))
                at = name
            step = float(rng.integers(3, 9)) / 16
            nodes.append(ModelNode(f"act{number}", Quantizer(step, 2, bool(number)), (at,)))
            at = f"act{number}"
    return QuantizedModel("net", tuple(nodes))


def _threshold(layer: Any, rng: np.random.Generator) -> tuple[Any, str]:
    rows = layer.thresholds.copy()
    at = int(rng.integers(rows.shape[0])), int(rng.integers(rows.shape[1]))
    by = int(rng.choice([-2, -1, 1, 2]))
    rows[at] += by
    return replace(layer, thresholds=np.sort(rows, axis=1)), f"T[{at[0]}, {at[1]}] by {by}"


def _weight(layer: Any, rng: np.random.Generator) -> tuple[Any, str]:
    weight = layer.weight.copy()
    at = int(rng.integers(weight.shape[0])), int(rng.integers(weight.shape[1]))
    weight[at] = weight[at] + rng.choice([-1, 1])
    return replace(layer, weight=np.clip(weight, -4, 3)), f"w[{at[0]}, {at[1]}]"


def _bias(layer: Any, rng: np.random.Generator) -> tuple[Any, str]:
    bias = layer.bias.copy()
    at, by = int(rng.integers(len(bias))), int(rng.choice([-1, 1]))
    bias[at] += by
    return replace(layer, bias=bias), f"b[{at}] by {by}"


def _base(layer: Any, rng: np.random.Generator) -> tuple[Any, str]:
    return replace(layer, base=layer.base + 1), "base by 1"


def _swapped(layer: Any, rng: np.random.Generator) -> tuple[Any, str]:
    order = np.roll(np.arange(layer.channels), 1)
    return replace(layer, thresholds=layer.thresholds[order]), "rows of the next channel"


_FAULTS: tuple[tuple[str, str, Callable[[Any, np.random.Generator], tuple[Any, str]]], ...] = (
    ("threshold", "thresholds", _threshold),
    ("threshold", "thresholds", _threshold),
    ("threshold", "thresholds", _swapped),
    ("threshold", "thresholds", _base),
    ("dense", "weights and biases", _weight),
    ("dense", "weights and biases", _weight),
    ("dense", "weights and biases", _bias),
    ("output", "scales of input and output", _weight),
    ("input", "scales of input and output", _weight),
)


def changed(network: Network, seed: int) -> tuple[Network, str, str, str]:
    """(network with a fault, its kind in the table, what it was, the node)."""
    rng = np.random.default_rng(seed)
    where, kind, fault = _FAULTS[int(rng.integers(len(_FAULTS)))]
    if where == "output":
        scale = network.output.scale * (1 + 2.0 ** -int(rng.integers(4, 40)))
        return replace(network, output=replace(network.output, scale=scale)), kind, "output scale", "output"
    places = [index for index, node in enumerate(network.nodes) if node.layer.kind == where]
    index = places[int(rng.integers(len(places)))] if places else 0
    node = network.nodes[index]
    if where == "input":
        index, node = 0, network.nodes[0]
        scale = network.quantizer.scale.copy()
        scale[int(rng.integers(len(scale)))] *= 1 + 2.0 ** -int(rng.integers(4, 40))
        layer, said = replace(network.quantizer, scale=scale), "input scale"
    else:
        layer, said = fault(node.layer, rng)
    nodes = (*network.nodes[:index], replace(node, layer=layer), *network.nodes[index + 1 :])
    return replace(network, nodes=nodes), kind, f"{node.name}: {said}", node.name


def _all_values(network: Network, name: str) -> np.ndarray:
    reach = network.ranges[name]
    every = [range(low, high + 1) for low, high in zip(reach.low, reach.high, strict=True)]
    return np.array(list(product(*every)), np.int32)


def _differs(before: Network, after: Network, name: str) -> bool:
    """Whether a fault at a node changes a function, by all values."""
    if name == "output":
        return bool(np.any(before.output.scale != after.output.scale))
    layers = [{node.name: node for node in network.nodes} for network in (before, after)]
    node = layers[0][name]
    if node.layer.kind == "input_quantizer":
        x = np.linspace(-5, 5, 200_001)
        x = np.concatenate([x, *_boundaries(before), *_boundaries(after)])
        found = (network.quantizer.quantize(np.repeat(x[:, None], 3, axis=1)) for network in (before, after))
        return not np.array_equal(next(found), next(found))
    if node.layer.kind == "threshold":
        (source,) = node.inputs
        acc = layers[0][source].layer.evaluate(_all_values(before, layers[0][source].inputs[0]))
        return not np.array_equal(*(side[name].layer.evaluate(acc) for side in layers))
    given = _all_values(before, node.inputs[0])
    users = [each for each in before.nodes if name in each.inputs]
    sums = [side[name].layer.evaluate(given) for side in layers]
    if not users:
        return not np.array_equal(*sums)
    return any(not np.array_equal(*(user.layer.evaluate(acc) for acc in sums)) for user in users)


def _boundaries(network: Network) -> list[np.ndarray]:
    quantizer = network.quantizer
    near = ((np.arange(quantizer.low, quantizer.high) + 0.5)[:, None] * quantizer.scale + quantizer.offset).ravel()
    return [near, np.nextafter(near, -np.inf), np.nextafter(near, np.inf)]


def judge(seed: int) -> Judged:
    """A fault from a seed, judged by the claims of the prover `quantized`."""
    model = model_of(seed % 7)
    network = extract(model)
    for again in range(20):
        try:
            after, kind, said, name = changed(network, 1000 * again + seed)
            break
        except EdgemlError:  # a fault that no network can have
            continue
    refuted = [claim for place in model_claims(model, after) for claim in place.claims if claim["status"] == REFUTED]
    confirmed = all("not confirmed" not in claim["counterexample"] for claim in refuted)
    return Judged(kind, said, _differs(network, after, name), bool(refuted), bool(refuted) and confirmed)
