"""The certificate of a stage followed bit by bit: gates, which of them are functions of layers, sums that they make."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from edgeml.proof.claim import OPEN, PROVED
from edgeml.proof.place_claims import PlaceClaims, statement_certificate
from edgeml.proof.words.certificate import OPERATIONS
from edgeml.proof.words.dataflow import Node, Operand

from ..certificate import operands_of, renumbered
from .followed import Chain, FollowedSlices
from .stage import Form

__all__ = ["slices_certificate"]

_STATEMENT = "each output is what the layers give for the sample's inputs"


def slices_certificate(
    followed: FollowedSlices, network_file: bytes, artifacts: Mapping[str, bytes], folder: str
) -> dict[str, bytes]:
    """The files of a certificate by name; none where not all was come to. folder : where they will lie."""
    if not followed.labels or any(run.stopped for chain in followed.chains for run in chain.runs.values()):
        return {}
    programs: list[dict[str, Any]] = []
    places: list[PlaceClaims] = []
    for chain in followed.chains:
        for forms, samples in _forms(chain).items():
            programs.append({**_program(chain, forms), "samples": sorted(samples)})
            claims = [_claim(chain, forms, output) for output in range(len(forms))]
            places.append(PlaceClaims(f"outputs {len(programs) - 1}", _STATEMENT, "", claims))
    labels = _labels(followed)
    said = [label.pop("said") for label in labels]
    places.append(PlaceClaims("the label", "each word is the network's decision", "", said))
    content = (json.dumps({"programs": programs, "labels": labels}, separators=(",", ":")) + "\n").encode()
    files = statement_certificate("slices", network_file, places, {**artifacts, f"{folder}/{OPERATIONS}": content})
    return {**files, OPERATIONS: content}


def _forms(chain: Chain) -> dict[tuple[Form | str, ...], set[int]]:
    """What samples leave, once where they leave the same, and of calls for how many samples those are."""
    found: dict[tuple[Form | str, ...], set[int]] = {}
    for count, run in chain.runs.items():
        for forms in run.forms:
            found.setdefault(tuple(forms), set()).add(count)
    return found


def _claim(chain: Chain, forms: Sequence[Form | str], output: int) -> dict[str, Any]:
    form, proof = forms[output], chain.proof
    assert proof is not None
    why = form if isinstance(form, str) else proof.why(form, output)
    return {"status": OPEN, "detail": why} if why else {"status": PROVED}


def _program(chain: Chain, forms: Sequence[Form | str]) -> dict[str, Any]:
    """The gates that these outputs are made of, numbered anew, and which literals are functions of layers."""
    proof = chain.proof
    assert proof is not None
    gates = proof.gates.gates
    known = [{place: literal for place, literal in layer.items() if literal is not None} for layer in proof.literals]
    wanted = {literal >> 1 for layer in known for literal in layer.values()}
    wanted |= {gate for form in forms if isinstance(form, Form) for gate, _ in form.terms}
    waiting = list(wanted)
    while waiting:
        for each in gates[waiting.pop()].inputs:
            if each not in wanted:
                wanted.add(each)
                waiting.append(each)
    order = {gate: place + 1 for place, gate in enumerate(sorted(wanted - {0}))}
    order[0] = 0
    return {
        "gates": [_gate(gates[gate], order) for gate in sorted(wanted - {0})],
        "layers": [
            [[place, 2 * order[literal >> 1] ^ (literal & 1)] for place, literal in sorted(layer.items())]
            for layer in known
        ],
        "outputs": [
            [form.constant, [[order[gate], factor] for gate, factor in form.terms]] if isinstance(form, Form) else None
            for form in forms
        ],
    }


def _gate(gate: Any, order: Mapping[int, int]) -> list[Any]:
    if gate.inputs:
        return [f"{gate.table:x}", [order[each] for each in gate.inputs]]
    return [f"{gate.table:x}", gate.source]


def _labels(followed: FollowedSlices) -> list[dict[str, Any]]:
    """The words that decide by the outputs of a sample, once where they are alike."""
    found: dict[str, dict[str, Any]] = {}
    tensor = followed.layout.stages[-1].output
    for sample, claim in enumerate(followed.labels):
        nodes = followed.sources[tensor.name, sample]
        needed = {node.number for node in nodes} | ({claim.word.number} if isinstance(claim.word, Node) else set())
        for number in range(max(needed), -1, -1):
            if number in needed:
                needed.update(each for each in operands_of(followed.flow.operations[number]) if each >= 0)
        order = {number: place for place, number in enumerate(sorted(needed))}
        label = {
            "operations": [renumbered(followed.flow.operations[number], order) for number in order],
            "outputs": [order[node.number] for node in nodes],
            "word": _number(claim.word, order),
            "said": {"status": PROVED} if claim.proved else {"status": OPEN, "detail": claim.detail},
        }
        found.setdefault(json.dumps(label), label)
    return list(found.values())


def _number(word: Operand, order: Mapping[int, int]) -> int:
    return ~word if isinstance(word, int) else order[word.number]
