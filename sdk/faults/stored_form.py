"""What a target offers of a bundle for `edgeml verify --faults`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "ACTIVATIONS",
    "PLACES",
    "STATE",
    "THRESHOLDS",
    "WEIGHTS",
    "Bytes",
    "Disturbed",
    "Exclusion",
    "Place",
    "StoredForm",
]

Bytes = npt.NDArray[np.uint8]
Disturbed = Mapping[str, Bytes]
"""By tensor, bytes [samples, bytes] that are XORed onto it when it has been written."""

WEIGHTS, THRESHOLDS, ACTIVATIONS, STATE = "weights", "thresholds", "activations", "state"
PLACES = (WEIGHTS, THRESHOLDS, ACTIVATIONS, STATE)
"""Where bits flip: stored weights and biases; stored thresholds and the lines that stand for them; tensors between
layers, in working memory; what a network keeps from one inference to the next."""


@dataclass(frozen=True)
class Exclusion:
    """Constants in which no bit is flipped: a layer, its array ("" for code), and why."""

    layer: str
    array: str
    reason: str


@dataclass(frozen=True)
class Place:
    """What one bit belongs to.

    Parameters
    ----------
    layer, where : its layer, and `weights` or `thresholds`.
    what, at : what the layer reads there (`weight` at (channel, input), `bias` at (channel,), `threshold` at (channel,
        level), `multiplier`, `offset`, …; `padding` where nothing changes).
    before, after : that integer as it is stored, and as it is read with the bit flipped.
    bit : of the element of the array, 0 the lowest.
    """

    layer: str
    where: str
    what: str
    at: tuple[int, ...]
    before: int
    after: int
    bit: int

    @property
    def said(self) -> str:
        """`weight[3][17] -1 → 1`."""
        at = "".join(f"[{index}]" for index in self.at)
        return f"{self.what}{at} {self.before} → {self.after}"

    def as_json(self) -> dict[str, Any]:
        """JSON-able."""
        found = {"layer": self.layer, "where": self.where, "what": self.what, "at": list(self.at)}
        return {**found, "before": self.before, "after": self.after, "said": self.said}


class StoredForm(Protocol):
    """A bundle's constants as they lie in memory, and two ways to compute with them: the definition and the artifact.

    Both give int32 [samples, outputs] for input integers q [samples, inputs] and must agree for any content.
    """

    content: Bytes
    """All constants, one behind the other."""

    @property
    def tensors(self) -> Mapping[str, int]:
        """Bytes of each tensor between layers, by layer."""
        ...

    @property
    def excluded(self) -> Sequence[Exclusion]:
        """What is never flipped."""
        ...

    @property
    def devices(self) -> Sequence[str]:
        """What can run the artifact here: names for `device`."""
        ...

    @property
    def absent(self) -> Mapping[str, str]:
        """What cannot, and what is missing."""
        ...

    def bits(self, where: str) -> npt.NDArray[np.int64]:
        """Positions (8 · byte + bit) in `content` that may flip, for `weights` or `thresholds`."""
        ...

    def golden(self, content: Bytes, q: npt.NDArray[np.int32], disturbed: Disturbed | None = None) -> npt.NDArray[Any]:
        """The definition."""
        ...

    def device(
        self, name: str, content: Bytes, q: npt.NDArray[np.int32], disturbed: Disturbed | None = None
    ) -> npt.NDArray[Any]:
        """The artifact. Raises EdgemlError where it faults."""
        ...

    def place(self, bit: int) -> Place:
        """What a bit belongs to."""
        ...
