"""Faults in thresholds and tables behind functions of one number, judged by the prover `quantized`.

The oracle runs the golden simulator with and without the fault for every input of a small network.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from edgeml.converters.quantized.extract import extract
from edgeml.converters.quantized.model import Input, ModelNode, QuantizedModel, Quantizer
from edgeml.converters.quantized.proving.claims import model_claims
from edgeml.frontends.float_operators.curves import FUNCTIONS
from edgeml.network import Lookup, Network, Node, Threshold
from edgeml.proof.claim import PROVED, REFUTED
from tests.converters.quantized.test_functions import RISING, behind_linear, finished, operator_of

from .judged import Judged

__all__ = ["judge"]


@cache
def _model(seed: int) -> tuple[QuantizedModel, Network]:
    """A function of few integers, as a table; or a rising one behind a linear layer, by thresholds."""
    name = FUNCTIONS[seed % len(FUNCTIONS)]
    if name in RISING and seed // len(FUNCTIONS) % 2:
        model = behind_linear([operator_of(name)], 0.25, 0.5, Quantizer(0.25, 4, True))
    else:
        nodes = [ModelNode("input", Input(3, np.ones(1), np.zeros(1), 5, True, 0.25))]
        model = finished(nodes, [operator_of(name)], Quantizer(0.125, 5, True), 3)
    return model, extract(model)


def _changed(network: Network, seed: int) -> tuple[Network, str]:
    """The network with one threshold or entry moved, and what it was in words."""
    rng = np.random.default_rng(seed)
    by, nodes, said = int(rng.choice([-2, -1, 1, 2])), [], ""
    for node in network.nodes:
        layer = node.layer
        if isinstance(layer, Threshold):
            rows = layer.thresholds.copy()
            at = tuple(int(rng.integers(size)) for size in rows.shape)
            rows[at] += by
            layer, said = replace(layer, thresholds=np.sort(rows, axis=1)), f"threshold {at} by {by}"
        elif isinstance(layer, Lookup):
            table = layer.table.copy()
            place = int(rng.integers(len(table)))
            table[place] += by
            layer, said = replace(layer, table=table), f"entry {place} by {by}"
        nodes.append(Node(node.name, layer, node.inputs))
    return Network(network.name, tuple(nodes), network.output), said


def _levels(network: Network, q: np.ndarray) -> np.ndarray:
    """What the node `act` gives."""
    values: dict[str, np.ndarray] = {network.nodes[0].name: q}
    for node in network.nodes[1:]:
        values[node.name] = node.layer.evaluate(*(values[name] for name in node.inputs))
    return values["act"]


def judge(seed: int) -> Judged:
    """A fault of a threshold or an entry."""
    model, sound = _model(seed)
    other, said = _changed(sound, seed)
    low, high = sound.quantizer.low, sound.quantizer.high
    axes = [np.arange(low, high + 1)] * sound.input_size
    q = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, sound.input_size).astype(np.int32)
    changes = not np.array_equal(_levels(sound, q), _levels(other, q))
    (place,) = [each for each in model_claims(model, other) if each.place == "act"]
    refuted = [claim for claim in place.claims if claim["status"] == REFUTED]
    shown = bool(refuted) and all(claim["counterexample"].startswith("confirmed") for claim in refuted)
    left = any(claim["status"] not in (PROVED, REFUTED) for claim in place.claims)
    name = FUNCTIONS[seed % len(FUNCTIONS)]
    return Judged("thresholds and tables of functions", f"{name}, {said}", changes, bool(refuted), shown, left)
