"""What refutes claims of a core of a step per clock that are not proved: what Icarus gives.

An adder graph is simulated by itself, and so is a neuron, at all of its potentials. Beside random frames the core is
given such that bring a neuron to the potential that its claim failed for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from edgeml.errors import EdgemlError
from edgeml.network import Network, trace
from edgeml.proof.certificate import said_by
from edgeml.proof.claim import OPEN, PROVED, REFUTED

from ...design import Built
from ...tools.programs import icarus
from ..folded.layer_claims import ChannelClaim
from ..folded.refuted import said_of, wrong_of_core
from ..folded.simulation import MISSING
from ..spikes.refuted import core_of
from ..spikes.unit import Int64
from .design_proof import DesignProof, LayerClaims
from .neuron_simulation import wrong_potential

__all__ = ["refuted"]

_TRIED, _MOST_FRAMES = 4096, 48


def refuted(proof: DesignProof, files: Mapping[str, bytes], built: Built) -> DesignProof:
    """The proof with what was refuted of it, each by what Icarus gives of these files."""
    if all(claim.status == PROVED for claim in proof.claims):
        return proof
    if icarus() is None:
        proof.output = tuple(replace(claim, detail=f"{claim.detail} ({MISSING})") for claim in proof.output)
        return proof
    proof.layers = {name: _by_neurons(_by_synapses(layer), files) for name, layer in proof.layers.items()}
    try:
        wrong = wrong_of_core(proof.network, files, core_of(built), also=_frames(proof))
    except EdgemlError:
        return proof
    output = list(proof.output)
    for each in reversed(wrong):
        output[each.channel] = ChannelClaim(REFUTED, f"confirmed: {said_of(each, 'the core')}")
    proof.output = tuple(output)
    if wrong and proof.core.status == OPEN:
        said = f"{proof.core.detail}; confirmed: {said_of(wrong[0], 'the core')}"
        proof.core = replace(proof.core, status=REFUTED, detail=said)
    return proof


def _by_synapses(layer: LayerClaims) -> LayerClaims:
    """A layer whose adder graph gives something else: the neurons that take that are refuted with it."""
    if layer.synapses is None:
        return layer
    wrong = {
        claim.channel: said_by(claim)
        for place, evidence in layer.synapses.evidence.items()
        for claim in evidence.claims
        if claim.status == REFUTED and "confirmed" in said_by(claim) and place != layer.synapses.network.nodes[0].name
    }
    claims = tuple(
        replace(claim, status=REFUTED, detail=f"synapses: {wrong[neuron]}")
        if claim.status == OPEN and neuron in wrong
        else claim
        for neuron, claim in enumerate(layer.claims)
    )
    return replace(layer, claims=claims)


def _by_neurons(layer: LayerClaims, files: Mapping[str, bytes]) -> LayerClaims:
    """A layer with neurons that give another level by themselves, at a potential within their range."""
    claims = list(layer.claims)
    for neuron, tried in layer.tried.items():
        if claims[neuron].status != OPEN:
            continue
        try:
            wrong = wrong_potential(tried, files)
        except EdgemlError:
            continue
        if wrong:
            said = f"{claims[neuron].detail}; by itself, confirmed: {wrong}"
            claims[neuron] = replace(claims[neuron], status=REFUTED, detail=said)
    return replace(layer, claims=tuple(claims))


def _frames(proof: DesignProof) -> Int64:
    """Inputs [frames, channels] that bring neurons to potentials for which they are not proved."""
    network, rng = proof.network, np.random.default_rng(6)
    reach = network.ranges[network.nodes[0].name]
    inputs = rng.integers(reach.low, reach.high + 1, (_TRIED, network.input_size))
    values = {
        (name, neuron, claim.example["value"])
        for name, layer in proof.layers.items()
        for neuron, claim in enumerate(layer.claims)
        if claim.status == OPEN and "value" in claim.example
    }
    if not values:
        return np.asarray(inputs[:_MOST_FRAMES], np.int64)
    traced = trace(network, inputs.astype(np.int32))
    found = [
        np.flatnonzero(traced[_potentials(network, name)][:, neuron] == value)[:2]
        for name, neuron, value in sorted(values)
    ]
    rows = np.concatenate(found)[:_MOST_FRAMES].astype(np.int64)
    return np.asarray(np.concatenate([inputs[rows], inputs[: _MOST_FRAMES - len(rows)]]), np.int64)


def _potentials(network: Network, stage: str) -> str:
    """The node whose integers a stage's potentials are."""
    node = next((node for node in network.layers if node.name == stage and node.layer.kind == "neurons"), None)
    return node.inputs[0] if node is not None else network.nodes[-1].name
