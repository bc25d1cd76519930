"""The certificate of a core of a step per clock, and its rows in the table (docs/proofs-spikes.md)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from edgeml.proof.certificate import CIRCUIT, circuit_json, proof_json
from edgeml.proof.findings import Row

from ..core_certificate import core_certificate, place_of
from ..folded.certificate import row_of
from .design_proof import DesignProof, LayerClaims

__all__ = ["certificate_files", "rows_of"]


def rows_of(proof: DesignProof) -> list[Row]:
    """A row for the clocks, the input and the results of the core, one for each layer, and one for the output."""
    said = f"clocks by induction, frames {proof.interval} apart; {_values(proof)} values of an input, all"
    rows = [row_of("core", [proof.core], said, 0.0)]
    rows += [row_of(name, layer.claims, _method(layer), layer.seconds) for name, layer in proof.layers.items()]
    rows.append(row_of("out_data", proof.output, "what layers give composed, window after window", 0.0))
    return rows


def _values(proof: DesignProof) -> int:
    return next((fact.numbers["values"] for fact in proof.facts if fact.says == "spikes"), 0)


def _method(layer: LayerClaims) -> str:
    said = ["synapses as sums of pieces"]
    if layer.facts:
        said.append("windows followed slot by slot")
    if layer.looked_at:
        said.append(f"{layer.looked_at:,} potentials, all")
    return "; ".join(said)


def certificate_files(
    proof: DesignProof, network_file: bytes, artifacts: Mapping[str, bytes], tools: Mapping[str, str]
) -> dict[str, bytes]:
    """The files of a certificate by their names. artifacts : content of all that was read, by its path."""
    circuits = _circuits(proof)
    facts = {fact.key: fact for layer in proof.layers.values() for fact in layer.facts}
    made = core_certificate(
        "step_per_clock",
        "for every frame in range, and all stalls and resets, the core gives the network's outputs in their order",
        f"rtl/{proof.network.name}_core.v",
        network_file,
        artifacts,
        tools,
        facts=list({**facts, **{fact.key: fact for fact in proof.facts}}.values()),
        places={name: _place(layer) for name, layer in proof.layers.items()},
        more={
            "control": proof.core.status,
            "interval": proof.interval,
            "units": [fact.key for fact in proof.facts],
            "circuits": hashlib.sha256(circuits).hexdigest(),
            "output": [claim.status for claim in proof.output],
        },
    )
    return {**made, CIRCUIT: circuits}


def _place(layer: LayerClaims) -> dict[str, Any]:
    """What a certificate says of a layer: its neurons, and each claim about its adder graph."""
    found = {**place_of(layer.facts, layer.claims, layer.looked_at), "latency": layer.latency}
    return found if layer.synapses is None else {**found, "synapses": proof_json(layer.synapses)}


def _circuits(proof: DesignProof) -> bytes:
    """The adder graphs by the names of their layers."""
    made = {n: json.loads(circuit_json(la.synapses.circuit)) for n, la in proof.layers.items() if la.synapses}
    return (json.dumps(made, separators=(",", ":")) + "\n").encode()
