"""The certificate of operations on words: what was found of each stage, and the operations themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..claim import NOT_TRIED, OPEN, PROVED
from ..place_claims import PlaceClaims, statement_certificate
from .claims import PLANES, UNTRIED, Claim
from .dataflow import Dataflow, Node, Operand
from .values import Value

__all__ = ["OPERATIONS", "StageWords", "words_certificate"]

OPERATIONS = "operations.json"


@dataclass(frozen=True, eq=False)
class StageWords:
    """What a stage left.

    Parameters
    ----------
    nodes : the names of its layers. values : the inputs that stand for its integers from then on. low : the value that
        a stored 0 stands for. item_bytes : of a stored integer. claims : of each channel. padding : what lies behind.
    """

    nodes: Sequence[str]
    values: Sequence[Node]
    low: int
    item_bytes: int
    claims: Sequence[Claim]
    padding: Sequence[Operand]
    seconds: float


def words_certificate(
    flow: Dataflow,
    raw: Sequence[Node],
    stages: Sequence[StageWords],
    outputs: Sequence[Claim],
    label: Claim,
    network_file: bytes,
    artifacts: Mapping[str, bytes],
    folder: str,
) -> dict[str, bytes]:
    """The files of a certificate by name. folder : where they will lie in the bundle."""
    content = {
        "operations": flow.operations,
        "facts": sorted(flow.facts.items()),
        "raw": [node.number for node in raw],
        "stages": [
            {
                "nodes": list(stage.nodes),
                "values": [node.number for node in stage.values],
                "low": stage.low,
                "bytes": stage.item_bytes,
                "padded": len(stage.padding),
            }
            for stage in stages
        ],
    }
    text = (json.dumps(content, separators=(",", ":")) + "\n").encode()
    places = [_place(stage) for stage in stages]
    places.append(PlaceClaims("outputs", "the words are the last layer's integers", "", list(map(_said, outputs))))
    places.append(PlaceClaims("the label", "the register is the network's decision", "", [_said(label)]))
    files = statement_certificate("words", network_file, places, {**artifacts, f"{folder}/{OPERATIONS}": text})
    return {**files, OPERATIONS: text}


def _place(stage: StageWords) -> PlaceClaims:
    claims = [_said(claim) for claim in stage.claims]
    if stage.padding:
        zero = all(_value(word) == 0 for word in stage.padding)
        claims.append({"padding": [_number(word) for word in stage.padding], "status": PROVED if zero else OPEN})
    statement = "each stored integer is what the layers give for the stored integers before them"
    return PlaceClaims(stage.nodes[-1], statement, "", claims, stage.seconds)


def _said(claim: Claim) -> dict[str, Any]:
    status = PROVED if claim.proved else NOT_TRIED if claim.detail.startswith(UNTRIED) else OPEN
    said = {"word": _number(claim.word), "status": status, "method": claim.method}
    if claim.method == PLANES:
        said |= {"planes": list(claim.planes[0]), "lane": claim.planes[1]}
    return said if claim.proved else {**said, "detail": claim.detail}


def _number(word: Operand) -> int:
    """A node by its number, a constant c as ~c."""
    return ~word if isinstance(word, int) else word.number


def _value(word: Operand) -> Value:
    return word if isinstance(word, int) else word.value
