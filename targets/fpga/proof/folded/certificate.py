"""The certificate of a folded core, and its rows in the table (docs/proofs.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeml.proof.claim import PROVED, worst_status
from edgeml.proof.findings import Row

from ..core_certificate import core_certificate, place_of
from .design_proof import DesignProof
from .layer_claims import ChannelClaim, NodeClaims

__all__ = ["certificate_files", "row_of", "rows_of"]

_SAID = {
    "schedule": "its schedule by induction over {states} states",
    "row": "products of {operands} operands, {lanes} summed",
    "passing": "its clocks by induction over {states} states",
    "tables": "its schedule by induction over {states} states, {lanes} entries summed; memories decoded",
    "results": "its results in order by induction over {states} states",
    "entry": "its handshake in all {states} states",
}


def rows_of(proof: DesignProof) -> list[Row]:
    """A row for the wiring, for each layer, and for the output."""
    rows = [row_of("wiring", list(proof.wiring.values()), "instances followed from the output to the input", 0.0)]
    for claims in proof.nodes.values():
        rows.append(row_of(claims.name, claims.claims, _method(claims), claims.seconds))
    rows.append(row_of("out_data", proof.output, "its bits hold the last layer's range", 0.0))
    return rows


def _method(claims: NodeClaims) -> str:
    """How a layer was proved, in words."""
    said = [_SAID[fact.says].format(**fact.numbers) for fact in claims.facts if not fact.problem]
    if any(fact.says == "row" for fact in claims.facts):
        said.append("memories decoded")
    if claims.looked_at:
        said.append(f"{claims.looked_at:,} values of its channels, all")
    return "; ".join(said)


def row_of(part: str, claims: Sequence[ChannelClaim], method: str, seconds: float) -> Row:
    """The row of some claims: the worst status, and the first claim that has it."""
    status = worst_status(claim.status for claim in claims)
    first = next(((k, claim) for k, claim in enumerate(claims) if claim.status == status), None)
    detail = "" if status == PROVED or first is None else f"{part}[{first[0]}]: {first[1].detail}"
    proved = sum(claim.status == PROVED for claim in claims)
    return Row(part, status, len(claims), proved, method, seconds, detail)


def certificate_files(
    proof: DesignProof,
    network_file: bytes,
    artifacts: Mapping[str, bytes],
    tools: Mapping[str, str],
    not_tried: Sequence[str],
) -> dict[str, bytes]:
    """The files of a certificate by their names.

    artifacts : content of all that was read, by its path. tools : versions by name. not_tried : what of the bundle no
    claim is about, in words.
    """
    return core_certificate(
        "folded",
        "for every frame in range, and all stalls and resets, the core gives the network's outputs in their "
        "order, if each stream between its units gives what it took in its order",
        f"rtl/{proof.network.name}_core.v",
        network_file,
        artifacts,
        tools,
        facts=[fact for claims in proof.nodes.values() for fact in claims.facts if not fact.problem],
        places={
            name: {
                "unit": claims.unit,
                **place_of([fact for fact in claims.facts if not fact.problem], claims.claims, claims.looked_at),
                "offset": list(claims.offset),
            }
            for name, claims in proof.nodes.items()
        },
        more={
            "not_tried": list(not_tried),
            "wiring": {name: claim.status for name, claim in proof.wiring.items()},
            "output": [claim.status for claim in proof.output],
            "streams": [[module, parameters] for module, parameters in proof.streams],
        },
    )
