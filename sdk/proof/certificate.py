"""The certificate of a proof: `certificate.json` and `circuit.json` below `proof/` of a bundle (docs/proofs.md)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .circuit import Circuit, Lookup
from .claim import PROVED, Claim, Cut, worst_status
from .evidence import evidence_json
from .findings import Row
from .prove import Proof

__all__ = ["CERTIFICATE", "CIRCUIT", "certificate_files", "circuit_json", "proof_json", "rows_of", "said_by"]

CERTIFICATE, CIRCUIT = "certificate.json", "circuit.json"
FORMAT = 1
_METHODS = {
    "sum": "as sums of pieces",
    "rows": "for all values of their inputs",
    "range": "as constants",
    "none": "that nothing takes",
}


def rows_of(proof: Proof) -> list[Row]:
    """A row for each place, its worst status first."""
    rows = []
    for name, evidence in proof.evidence.items():
        claims = evidence.claims
        status = worst_status(claim.status for claim in claims)
        first = next((claim for claim in claims if claim.status == status and status != PROVED), None)
        counts = Counter(claim.method for claim in claims if claim.method)
        methods = ", ".join(f"{count} {_METHODS[method]}" for method, count in sorted(counts.items()))
        found = "" if not evidence.anew else f"{len(evidence.kept):,} of {len(claims):,} "
        methods += f"; {found}kept from before" if evidence.kept else ""
        proved = sum(claim.status == PROVED for claim in claims)
        detail = (
            ""
            if first is None
            else f"{name}[{first.channel}]: {'; '.join(filter(None, (said_by(first), first.detail)))}"
        )
        rows.append(Row(name, status, len(claims), proved, methods, evidence.seconds, detail))
    return rows


def said_by(claim: Claim) -> str:
    """A counterexample in words."""
    example = claim.counterexample
    if not example:
        return ""
    if "network_inputs" in example:
        given = ", ".join(map(str, example["network_inputs"]))
        at = f"for inputs {given} {example['at']} must be {example['expected']}, and is {example['found']}"
        return f"{at} ({example['simulated']})"
    given = ", ".join(f"{name} = {value}" for name, value in list(example["inputs"].items())[:8])
    said = f" ({example['simulated']})" if "simulated" in example else ""
    return f"for {given} it must be {example['expected']}, and is {example['found']}{said}"


def certificate_files(
    proof: Proof,
    network_file: bytes,
    artifacts: Mapping[str, bytes],
    tools: Mapping[str, str],
    not_tried: Sequence[str],
) -> dict[str, bytes]:
    """The files of a certificate by their names.

    artifacts : content of what was proved, by its path. tools : versions by name. not_tried : what of the bundle no
    claim is about, in words.
    """
    circuit = circuit_json(proof.circuit)
    content = {
        "format": FORMAT,
        "kind": "circuit",
        "claim": "for every input in range, the circuit gives the network's output",
        "network": _sha256(network_file),
        "artifacts": {name: _sha256(data) for name, data in artifacts.items()},
        "circuit": _sha256(circuit),
        "tools": dict(tools),
        "latency": proof.circuit.latency,
        "not_tried": list(not_tried),
        **proof_json(proof),
    }
    return {CERTIFICATE: _line(content), CIRCUIT: circuit}


def proof_json(proof: Proof) -> dict[str, Any]:
    """What a certificate says of a circuit: where values stand in it, and the evidence of each place."""
    return {
        "cuts": {name: [_cut(cut) for cut in cuts] for name, cuts in proof.artifact.cuts.items()},
        "places": {name: evidence_json(evidence) for name, evidence in proof.evidence.items()},
    }


def _cut(cut: Cut | None) -> dict[str, Any] | None:
    return None if cut is None else {"bits": cut.bits, "offset": cut.offset}


def circuit_json(circuit: Circuit) -> bytes:
    """The file of a circuit."""
    return _line(_circuit(circuit))


def _circuit(circuit: Circuit) -> dict[str, Any]:
    """Gates in order; the bits that each gives are the next numbers behind the inputs."""
    gates: list[list[Any]] = []
    number = circuit.input_bits + 2
    for gate in circuit.gates:
        assert gate.outputs == tuple(range(number, number + len(gate.outputs)))
        number += len(gate.outputs)
        gates.append([f"{gate.table:x}", gate.inputs] if isinstance(gate, Lookup) else [gate.a, gate.b])
    return {"input_bits": circuit.input_bits, "gates": gates, "outputs": circuit.outputs}


def _line(content: object) -> bytes:
    return (json.dumps(content, separators=(",", ":")) + "\n").encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
