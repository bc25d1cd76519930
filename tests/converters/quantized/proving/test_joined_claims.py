"""Layers at positions, maxima, sums of windows, concatenations and products beside their quantized models."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from edgeml.converters.quantized.extract import extract
from edgeml.converters.quantized.model import (
    Input,
    ModelNode,
    QuantizedLinear,
    QuantizedModel,
    QuantizedShared,
    Quantizer,
)
from edgeml.converters.quantized.proving.claims import model_claims
from edgeml.converters.quantized.user_operators import as_user_operator
from edgeml.errors import EdgemlError
from edgeml.frontends.float_operators.concat import Concat
from edgeml.frontends.float_operators.multiply import Multiply
from edgeml.frontends.float_operators.pooled_maximum import PooledMaximum
from edgeml.frontends.float_operators.pooled_sum import PooledSum
from edgeml.frontends.float_operators.tanh import Tanh
from edgeml.network import Maximum, Network, Node, Shared
from edgeml.proof.checkers.quantized import check_certificate
from edgeml.proof.claim import PROVED
from tests.converters.quantized.proving.test_model_claims import certified, require_proved

WINDOWS = np.array([[-1, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, -1]], np.float64)
PAIRS = np.array([[0, 2], [1, 3], [4, 6], [5, 7]], np.float64)


def model_of(pool: str = "maximum", seed: int = 0) -> QuantizedModel:
    """A padded convolution, a pool of it beside a gated branch, and sums of both."""
    random = np.random.default_rng(seed)

    def weight(*shape: int) -> np.ndarray:
        return random.integers(-1, 2, shape).astype(np.int32)

    shared = QuantizedShared(weight(2, 3), 2, True, np.full(2, 0.5), np.array([0.25, -0.5]), WINDOWS, 4)
    gates = [QuantizedLinear(weight(4, 4), 2, True, np.full(4, 0.5), np.full(4, 0.25)) for _ in range(2)]
    pooled = PooledMaximum(PAIRS, 8) if pool == "maximum" else PooledSum(PAIRS, 8)
    last = QuantizedLinear(weight(2, 8), 2, True, np.full(1, 1.0), np.zeros(2))
    return QuantizedModel(
        "joined",
        (
            ModelNode("input", Input(4, np.ones(1), np.zeros(1), 3, True, 1.0)),
            ModelNode("convolution", shared, ("input",)),
            ModelNode("convolution_act", Quantizer(0.5, 3, True), ("convolution",)),
            ModelNode("pool", as_user_operator(pooled), ("convolution_act",)),
            ModelNode("a", gates[0], ("input",)),
            ModelNode("a_act", Quantizer(0.5, 2, False), ("a",)),
            ModelNode("b", gates[1], ("input",)),
            ModelNode("b_tanh", as_user_operator(Tanh()), ("b",)),
            ModelNode("b_act", Quantizer(0.25, 3, True), ("b_tanh",)),
            ModelNode("product", as_user_operator(Multiply()), ("a_act", "b_act")),
            ModelNode("product_act", Quantizer(0.5, 3, True), ("product",)),
            ModelNode("both", as_user_operator(Concat(4, 4)), ("pool", "product_act")),
            ModelNode("last", last, ("both",)),
        ),
    )


@pytest.mark.parametrize("pool", ["maximum", "sum"])
def test_models_with_all_of_these_are_proved_and_followed(pool, tmp_path):
    model = model_of(pool)
    require_proved(model, extract(model), tmp_path)


def changed(network: Network, name: str) -> Network:
    """One weight at positions, one value that a pool looks at, or two sides in the other order."""
    nodes = []
    for node in network.nodes:
        layer, inputs = node.layer, node.inputs
        if node.name == name and name == "both":
            inputs = inputs[::-1]
        elif node.name == name and isinstance(layer, Maximum | Shared) and name == "pool":
            gather = layer.gather.copy()
            gather[0, 0] = 1
            layer = replace(layer, gather=gather)
        elif node.name == name and isinstance(layer, Shared):
            gather = layer.gather.copy()
            gather[1, 0] = 3
            layer = replace(layer, gather=gather)
        nodes.append(Node(node.name, layer, inputs))
    return Network(network.name, tuple(nodes), network.output)


@pytest.mark.parametrize("pool", ["maximum", "sum"])
@pytest.mark.parametrize("name", ["convolution", "pool", "both"])
def test_another_place_is_not_proved_and_no_certificate_of_it_is_followed(name, pool, tmp_path):
    model = model_of(pool)
    other = changed(extract(model), name)
    statuses = {claim["status"] for place in model_claims(model, other) for claim in place.claims}
    assert statuses != {PROVED}
    folder = certified(model, other, tmp_path)
    path = folder / "proof" / "quantized" / "certificate.json"
    content = json.loads(path.read_text())
    for place in model_claims(model, extract(model)):
        content["places"][place.place]["claims"] = place.claims
    path.write_text(json.dumps(content))
    with pytest.raises(EdgemlError):
        check_certificate(folder, "quantized")
