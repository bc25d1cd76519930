"""The certificate of an event-driven core, and its rows in the table (docs/proofs-spikes.md)."""

from __future__ import annotations

from collections.abc import Mapping

from edgeml.proof.findings import Row

from ..core_certificate import core_certificate, place_of
from ..folded.certificate import row_of
from .design_proof import DesignProof, UnitClaims

__all__ = ["certificate_files", "rows_of"]

_SAID = {
    "control": "its clocks by induction over {states} states",
    "membranes": "products of {operands} operands, added",
    "giving": "{events} kinds of events",
}


def rows_of(proof: DesignProof) -> list[Row]:
    """A row for the wiring, for each unit, and for the output."""
    rows = [row_of("wiring", [proof.wiring], "instances followed from the input to the output", 0.0)]
    rows += [row_of(unit.name, unit.claims, _method(unit), unit.seconds) for unit in proof.units.values()]
    rows.append(row_of("out_data", proof.output, "what units give composed, as events and frames", 0.0))
    return rows


def _method(unit: UnitClaims) -> str:
    said = [_SAID[fact.says].format(**fact.numbers) for fact in unit.facts]
    if unit.looked_at:
        said.append(f"{unit.looked_at:,} potentials of its neurons, all")
    return "; ".join([*said, "memories decoded"]) if said else ""


def certificate_files(
    proof: DesignProof, network_file: bytes, artifacts: Mapping[str, bytes], tools: Mapping[str, str]
) -> dict[str, bytes]:
    """The files of a certificate by their names. artifacts : content of all that was read, by its path."""
    return core_certificate(
        "spikes",
        "for every frame in range, and all stalls and resets, the core gives the network's outputs in their "
        "order, if the input's encoder gives each integer's events, all before the frame's end",
        f"rtl/{proof.network.name}_core.v",
        network_file,
        artifacts,
        tools,
        facts=[fact for unit in proof.units.values() for fact in unit.facts],
        places={name: place_of(unit.facts, unit.claims, unit.looked_at) for name, unit in proof.units.items()},
        more={
            "not_tried": ["the input's encoder: the prover `library` is about it"],
            "wiring": proof.wiring.status,
            "encoder": dict(proof.encoder),
            "output": [claim.status for claim in proof.output],
        },
    )
