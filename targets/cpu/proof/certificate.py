"""The certificate of a program that was followed for several samples: operations of each, once where they are alike.

A sample's values follow from its own inputs alone: its operations are cut out of all, and numbered anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edgeml.proof.claim import NOT_TRIED, OPEN, PROVED
from edgeml.proof.place_claims import PlaceClaims, statement_certificate
from edgeml.proof.words.certificate import OPERATIONS
from edgeml.proof.words.claims import UNTRIED, Claim
from edgeml.proof.words.dataflow import Node, Operand

from .followed import Followed, FollowedStage

__all__ = ["certificate_of", "mixed", "operands_of", "renumbered"]

_STATEMENT = "each stored integer is what the layers give for the stored integers before them"


def _owners(followed: Followed) -> list[int]:
    """Which samples each operation follows from, a bit for each."""
    of_input = {node.number: 1 << sample for sample, nodes in enumerate(followed.raw) for node in nodes}
    of_input |= {node.number: 1 << sample for (_, sample), nodes in followed.sources.items() for node in nodes}
    owners: list[int] = []
    for number, operation in enumerate(followed.flow.operations):
        owner = of_input.get(number, 0)
        for operand in operands_of(operation):
            owner |= owners[operand] if operand >= 0 else 0
        owners.append(owner)
    return owners


def operands_of(operation: Sequence[Any]) -> Sequence[int]:
    """The words that an operation takes."""
    name = operation[0]
    if name in ("input", "unknown"):
        return ()
    return operation[1:2] if name == "lookup" else operation[1:]


def mixed(followed: Followed) -> bool:
    """Whether what the program relies on follows from more than one sample."""
    owners = _owners(followed)
    return any(owners[number].bit_count() > 1 for number in followed.flow.facts)


def certificate_of(
    followed: Followed, network_file: bytes, artifacts: Mapping[str, bytes], folder: str
) -> dict[str, bytes]:
    """The files of a certificate by name; none where not all stages were come to. folder : where they will lie."""
    stages = len(followed.layout.stages)
    if len(followed.stages) != 2 * stages + 1 or not followed.stages[-1].claims or mixed(followed):
        return {}
    owners = _owners(followed)
    programs: list[tuple[str, dict[str, Any], list[PlaceClaims]]] = []
    of_sample = []
    for sample in range(followed.count):
        content, places = _program(followed, owners, sample)
        text = json.dumps([content, [each.as_json() for each in places]])
        known = next((number for number, (other, *_) in enumerate(programs) if other == text), None)
        if known is None:
            known = len(programs)
            programs.append((text, content, places))
        of_sample.append(known)
    found = {"programs": [content for _, content, _ in programs], "samples": of_sample}
    operations = (json.dumps(found, separators=(",", ":")) + "\n").encode()
    named = [
        PlaceClaims(each.place + _behind(number), each.statement, each.method, each.claims, each.seconds)
        for number, (_, _, places) in enumerate(programs)
        for each in places
    ]
    files = statement_certificate("words", network_file, named, {**artifacts, f"{folder}/{OPERATIONS}": operations})
    return {**files, OPERATIONS: operations}


def _behind(number: int) -> str:
    """What stands behind the names of the places of a program."""
    return f", program {number}" if number else ""


def _of_sample(followed: Followed, sample: int) -> Iterator[tuple[FollowedStage, int]]:
    for found in followed.stages[:-1]:
        if sample in found.samples:
            yield found, found.samples.index(sample)


def _program(followed: Followed, owners: list[int], sample: int) -> tuple[dict[str, Any], list[PlaceClaims]]:
    """The operations that the values of one sample follow from, and its claims, with numbers of their own."""
    flow, stages = followed.flow, list(_of_sample(followed, sample))
    outputs, label = followed.stages[-1].claims[sample], followed.labels[sample]
    words: list[Operand] = [label.word, *(claim.word for claim in outputs)]
    for found, order in stages:
        words += [claim.word for claim in found.claims[order]] + found.padding[order]
        assert found.stage is not None
        words += followed.sources[found.stage.output.name, sample]
    words += followed.raw[sample]
    facts = {number: value for number, value in flow.facts.items() if owners[number] == 1 << sample}
    needed = {word.number for word in words if isinstance(word, Node)} | set(facts)
    for number in range(len(flow.operations) - 1, -1, -1):
        if number in needed:
            needed.update(operand for operand in operands_of(flow.operations[number]) if operand >= 0)
    order_of = {number: place for place, number in enumerate(sorted(needed))}
    content = {
        "operations": [renumbered(flow.operations[number], order_of) for number in order_of],
        "facts": sorted([order_of[number], value] for number, value in facts.items()),
        "raw": [order_of[node.number] for node in followed.raw[sample]],
        "stages": [_stage(followed, found, order, sample, order_of) for found, order in stages],
    }
    places = [_place(found, order, order_of) for found, order in stages]
    statement = "the words are the last layer's integers"
    places.append(PlaceClaims("outputs", statement, "", [_said(claim, order_of) for claim in outputs]))
    places.append(PlaceClaims("the label", "the word is the network's decision", "", [_said(label, order_of)]))
    return content, places


def renumbered(operation: Sequence[Any], order: Mapping[int, int]) -> list[Any]:
    """An operation with the numbers that its words have from now on."""
    name, *rest = operation
    if name in ("input", "unknown"):
        return [name, *rest]
    if name == "lookup":
        return [name, order[rest[0]], *rest[1:3], list(rest[3])]
    return [name, *(operand if operand < 0 else order[operand] for operand in rest)]


def _stage(
    followed: Followed, found: FollowedStage, order: int, sample: int, order_of: Mapping[int, int]
) -> dict[str, Any]:
    assert found.stage is not None
    output = found.stage.output
    return {
        "nodes": [node.name for node in found.stage.job.nodes],
        "values": [order_of[node.number] for node in followed.sources[output.name, sample]],
        "low": output.low,
        "bytes": output.item_bytes,
        "padded": len(found.padding[order]),
    }


def _place(found: FollowedStage, order: int, order_of: Mapping[int, int]) -> PlaceClaims:
    claims = [_said(claim, order_of) for claim in found.claims[order]]
    if padding := found.padding[order]:
        zero = all((word if isinstance(word, int) else word.value) == 0 for word in padding)
        claims.append({"padding": [_number(w, order_of) for w in padding], "status": PROVED if zero else OPEN})
    return PlaceClaims(found.name, _STATEMENT, "", claims)


def _said(claim: Claim, order: Mapping[int, int]) -> dict[str, Any]:
    status = PROVED if claim.proved else NOT_TRIED if claim.detail.startswith(UNTRIED) else OPEN
    said = {"word": _number(claim.word, order), "status": status, "method": claim.method}
    return said if claim.proved else {**said, "detail": claim.detail}


def _number(word: Operand, order: Mapping[int, int]) -> int:
    return ~word if isinstance(word, int) else order[word.number]
