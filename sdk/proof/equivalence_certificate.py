"""The certificate that a circuit gives what another gives, which is proved by itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from .certificate import CERTIFICATE, CIRCUIT, circuit_json
from .circuit import Circuit
from .equivalence import Pair, Sweep

__all__ = ["equivalence_files"]


def equivalence_files(
    known: Circuit, other: Circuit, sweep: Sweep, outputs: list[Pair | None], tools: Mapping[str, str]
) -> dict[str, bytes]:
    """The files of the certificate by their names: the pairs that the proved outputs follow from, and the circuit."""
    circuit = circuit_json(other)
    content = {
        "format": 1,
        "kind": "equivalence",
        "claim": "for every input, the circuit gives what that of proof/unrolled gives",
        "known": hashlib.sha256(circuit_json(known)).hexdigest(),
        "circuit": hashlib.sha256(circuit).hexdigest(),
        "known_latency": known.latency,
        "latency": other.latency,
        "tools": dict(tools),
        "pairs": [[pair.found, pair.equal, pair.leaves, pair.through] for pair in _needed(sweep, outputs)],
        "proved": sum(pair is not None for pair in outputs),
    }
    return {CERTIFICATE: (json.dumps(content, separators=(",", ":")) + "\n").encode(), CIRCUIT: circuit}


def _needed(sweep: Sweep, outputs: list[Pair | None]) -> list[Pair]:
    """Pairs that outputs follow from, in an order in which each follows those that it goes through."""
    wanted = list(dict.fromkeys(pair for pair in outputs if pair is not None))
    inputs = sweep.known.input_bits + 2
    inner: dict[int, Pair] = {}
    waiting = [bit for pair in wanted for bit in pair.through]
    while waiting:
        bit = waiting.pop()
        if bit >= inputs and bit not in inner:
            inner[bit] = sweep.pairs[bit]
            waiting += inner[bit].through
    # One bit may be several outputs of the first circuit, also an input or a constant, which is itself anyhow.
    ends = [
        pair for pair in wanted if inner.get(pair.found) != pair and (pair.found >= inputs or pair.equal != pair.found)
    ]
    return [inner[bit] for bit in sorted(inner)] + ends
