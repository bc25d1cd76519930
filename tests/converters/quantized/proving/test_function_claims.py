"""Thresholds and tables behind functions such as GELU beside their models: proved, refuted, followed again."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from edgeml.converters.quantized.extract import extract
from edgeml.converters.quantized.model import Input, ModelNode, QuantizedModel, Quantizer
from edgeml.converters.quantized.proving.claims import model_claims
from edgeml.errors import EdgemlError
from edgeml.frontends.float_operators.affine import Affine
from edgeml.frontends.float_operators.curves import FUNCTIONS
from edgeml.frontends.float_operators.leaky_relu import LeakyRelu
from edgeml.frontends.float_operators.tanh import Tanh
from edgeml.network import Lookup, Network, Node, Threshold
from edgeml.proof.checkers.quantized import check_certificate
from edgeml.proof.claim import NOT_TRIED, REFUTED
from tests.converters.quantized.proving.test_model_claims import certified, require_proved
from tests.converters.quantized.test_functions import RISING, behind_linear, finished, operator_of
from tests.sdk.proof.certified import refused, said

QUICK = ("gelu", "tanh", "leaky_relu", "elu")


def table_model(name: str, bits: int = 8) -> QuantizedModel:
    nodes = [ModelNode("input", Input(3, np.ones(1), np.zeros(1), bits, True, 0.0625))]
    return finished(nodes, [operator_of(name)], Quantizer(0.0625, 5, True), 3)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_tables_behind_every_function_are_proved_and_followed(name, tmp_path):
    model = table_model(name)
    network = extract(model)
    assert isinstance(network.nodes[1].layer, Lookup)
    require_proved(model, network, tmp_path)


@pytest.mark.parametrize("name", RISING)
def test_thresholds_behind_rising_functions_are_proved_and_followed(name, tmp_path):
    model = behind_linear([operator_of(name)], 0.25, 0.5, Quantizer(0.25, 4, True))
    network = extract(model)
    assert isinstance({node.name: node.layer for node in network.nodes}["act"], Threshold)
    require_proved(model, network, tmp_path)


def test_a_falling_channel_and_affines_around_a_function_are_proved_and_followed(tmp_path):
    before = Affine(np.array([-0.5, 1.0, 0.25]), np.array([0.125, 0.0, -1.0]))
    behind = Affine(np.array([2.0, 0.5, 1.0]), np.array([0.25, 0.0, 0.5]))
    model = behind_linear([before, Tanh(), behind], 0.25, 0.5, Quantizer(0.25, 3, True))
    require_proved(model, extract(model), tmp_path)


def changed(network: Network, channel: int, by: int) -> Network:
    """One threshold or entry moved."""
    nodes = []
    for node in network.nodes:
        layer = node.layer
        if isinstance(layer, Threshold):
            rows = layer.thresholds.copy()
            rows[channel, len(rows[channel]) // 2 :] += by
            layer = replace(layer, thresholds=np.sort(rows, axis=1))
        elif isinstance(layer, Lookup):
            table = layer.table.copy()
            table[len(table) // 2 + channel] += by
            layer = replace(layer, table=table)
        nodes.append(Node(node.name, layer, node.inputs))
    return Network(network.name, tuple(nodes), network.output)


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("by", [-1, 1])
def test_a_moved_threshold_or_entry_is_refuted_and_no_certificate_of_it_is_followed(name, by, tmp_path):
    models = [table_model(name)]
    if name in RISING:
        models.append(behind_linear([operator_of(name)], 0.25, 0.5, Quantizer(0.25, 4, True)))
    for count, model in enumerate(models):
        sound = extract(model)
        other = changed(sound, 0, by)
        (place,) = [each for each in model_claims(model, other) if each.place == "act"]
        refuted = [claim for claim in place.claims if claim["status"] == REFUTED]
        assert refuted
        assert all(claim["counterexample"].startswith("confirmed") for claim in refuted)
        # A certificate that says it is proved is refused.
        folder = certified(model, other, tmp_path / str(count))
        path = folder / "proof" / "quantized" / "certificate.json"
        content = json.loads(path.read_text())
        sound_place = next(each for each in model_claims(model, sound) if each.place == "act")
        content["places"]["act"]["claims"] = sound_place.claims
        path.write_text(json.dumps(content))
        with pytest.raises(EdgemlError):
            check_certificate(folder, "quantized")


def test_certificates_that_were_changed_are_refused(tmp_path):
    model = behind_linear([operator_of("tanh")], 0.25, 0.5, Quantizer(0.25, 4, True))
    folder = certified(model, extract(model), tmp_path)
    path = folder / "proof" / "quantized" / "certificate.json"
    for change in (
        said(["places", "act", "claims", 0, "range", 1], lambda high: high - 1),
        said(["places", "act", "claims", 2, "range", 0], lambda low: low + 1),
        said(["places", "act", "claims"], lambda claims: [*claims, claims[0]]),
    ):
        refused(path, change, lambda: check_certificate(folder, "quantized"))


def test_a_function_of_a_function_is_not_tried():
    model = behind_linear([LeakyRelu(np.full(3, 0.5)), Tanh()], 0.25, 0.5, Quantizer(0.25, 4, True))
    (place,) = [each for each in model_claims(model, extract(model)) if each.place == "act"]
    assert {claim["status"] for claim in place.claims} == {NOT_TRIED}
    assert "function of a function" in place.claims[0]["detail"]
