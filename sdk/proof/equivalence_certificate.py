"""The certificate that a circuit gives what another gives, which is proved by itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from .certificate import CERTIFICATE, CIRCUIT, circuit_json
from .circuit import Circuit
from .equivalence import Pair, Sweep

__all__ = ["equivalence_files"]


def equivalence_files(
    known: Circuit,
    other: Circuit,
    sweep: Sweep,
    outputs: Sequence[bool],
    tools: Mapping[str, str],
    network_file: bytes,
    artifacts: Mapping[str, bytes],
) -> dict[str, bytes]:
    """The files of the certificate by their names: the pairs that the proved outputs follow from, and the circuit.

    artifacts : content of the Verilog that was synthesized, by its path.
    """
    circuit = circuit_json(other)
    content = {
        "format": 2,
        "kind": "equivalence",
        "claim": "for every input, the circuit gives what that of proof/unrolled gives",
        "network": hashlib.sha256(network_file).hexdigest(),
        "artifacts": {name: hashlib.sha256(data).hexdigest() for name, data in artifacts.items()},
        "known": hashlib.sha256(circuit_json(known)).hexdigest(),
        "circuit": hashlib.sha256(circuit).hexdigest(),
        "known_latency": known.latency,
        "latency": other.latency,
        "tools": dict(tools),
        "pairs": [_pair(pair) for pair in _needed(sweep, outputs)],
        "proved": sum(outputs),
    }
    return {CERTIFICATE: (json.dumps(content, separators=(",", ":")) + "\n").encode(), CIRCUIT: circuit}


def _pair(pair: Pair) -> list[Any]:
    """The bit, what it equals, and the leaves whose rows show it or lemmas, each its literals and its hints."""
    if not pair.lemmas:
        return [pair.found, pair.equal, pair.leaves]
    return [pair.found, pair.equal, [], [[lemma.literals, lemma.hints] for lemma in pair.lemmas]]


def _needed(sweep: Sweep, outputs: Sequence[bool]) -> list[Pair]:
    """Pairs that the proved outputs follow from, in an order in which each follows those that it goes through."""
    wanted = [pair for pair, proved in zip(sweep.outputs, outputs, strict=True) if proved]
    waiting = [bit for pair in wanted for bit in pair if bit in sweep.pairs]
    found: dict[int, Pair] = {}
    while waiting:
        bit = waiting.pop()
        if bit not in found:
            found[bit] = sweep.pairs[bit]
            waiting += found[bit].through
    return [found[bit] for bit in sorted(found)]
