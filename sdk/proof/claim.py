"""What is claimed of one channel of a layer, how it was proved, and what refutes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .sums import Piece

__all__ = [
    *("ERROR", "NOT_TRIED", "OPEN", "OUT_OF_TIME", "PROVED", "REFUTED", "STATUSES"),
    *("Artifact", "Claim", "Cut", "worst_status"),
]

PROVED, REFUTED, OPEN = "proved", "refuted", "not proved"
NOT_TRIED, OUT_OF_TIME, ERROR = "not tried", "out of time", "error"
STATUSES = (PROVED, REFUTED, OPEN, NOT_TRIED, OUT_OF_TIME, ERROR)
"""`not proved`: the method gave up, and nothing that refutes the claim was found either. `error`: the prover failed."""
_WORST_FIRST = (ERROR, REFUTED, OPEN, OUT_OF_TIME, NOT_TRIED, PROVED)


def worst_status(statuses: Iterable[str]) -> str:
    """What is said of claims with these statuses together; `not tried` of none at all."""
    found = set(statuses)
    return next((each for each in _WORST_FIRST if each in found), NOT_TRIED)


@dataclass(frozen=True)
class Cut:
    """Where an integer stands: Σ 2^k · bits[k] + offset (`~bit`: the complement of a bit)."""

    bits: tuple[int, ...]
    offset: int


@dataclass(frozen=True, eq=False)
class Artifact:
    """Where the values of a network stand in a circuit.

    Parameters
    ----------
    raw_inputs, raw_outputs : by channel, the bits of the two's complement (or unsigned) integer at the circuit's ends.
    cuts : by node and channel; None where the circuit does not hold a value.
    """

    raw_inputs: tuple[tuple[int, ...], ...]
    raw_outputs: tuple[tuple[int, ...], ...]
    cuts: Mapping[str, tuple[Cut | None, ...]]


@dataclass(frozen=True, eq=False)
class Claim:
    """What was found of one channel of a node.

    Parameters
    ----------
    method : `sum` (pieces compose to the weighted sum), `rows` (all values of the inputs were looked at), `range` (a
        constant, for each integer in its input's range), `none` (no
        output depends on the channel), or empty.
    pieces : of a sum. leaves : of `rows`, the bits whose rows were looked at. detail : why it is not proved.
    counterexample : values of the inputs, what the layer says, what the circuit gives.
    """

    node: str
    channel: int
    status: str
    method: str = ""
    pieces: tuple[Piece, ...] = ()
    leaves: tuple[int, ...] = ()
    detail: str = ""
    counterexample: Mapping[str, Any] = field(default_factory=dict)
