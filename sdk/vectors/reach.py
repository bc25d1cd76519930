"""How near the values of each layer come to the bounds that its weights allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..network import Network, trace

__all__ = ["LayerReach", "reach"]

_MOST_VALUES = 2**24
"""Values of all layers that are in memory at once."""

IntTensor = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LayerReach:
    """One layer, over all vectors and channels.

    Parameters
    ----------
    layer : its name.
    smallest, largest : the ends that were reached.
    low, high : the bounds: exact for the first layer; behind others a bound, as values there depend on each other.
    thresholds : of its thresholds, how many were seen from both sides, and how many its input's bounds lie around;
        None for a layer without thresholds.
    """

    layer: str
    smallest: int
    largest: int
    low: int
    high: int
    thresholds: tuple[int, int] | None = None

    @property
    def share(self) -> float:
        """Reached span over possible span; 1 for a constant."""
        span = self.high - self.low
        return (self.largest - self.smallest) / span if span else 1.0

    def as_json(self) -> dict[str, Any]:
        """JSON-able fields."""
        fields: dict[str, Any] = {
            "layer": self.layer,
            "reached": [self.smallest, self.largest],
            "bounds": [self.low, self.high],
            "share": round(self.share, 4),
        }
        if self.thresholds is not None:
            fields["thresholds_seen_from_both_sides"] = self.thresholds[0]
            fields["thresholds_within_bounds"] = self.thresholds[1]
        return fields


def reach(network: Network, q: IntTensor) -> tuple[IntTensor, tuple[LayerReach, ...]]:
    """Output integers of q [vectors, inputs], and each layer's reach over them."""
    batch = max(1, _MOST_VALUES // sum(network.sizes.values()))
    outputs, lows, highs = [], dict[str, Int64](), dict[str, Int64]()
    for start in range(0, len(q), batch):
        values = trace(network, q[start : start + batch])
        outputs.append(values[network.nodes[-1].name])
        for name, value in values.items():
            low, high = value.min(axis=0).astype(np.int64), value.max(axis=0).astype(np.int64)
            lows[name] = np.minimum(lows.get(name, low), low)
            highs[name] = np.maximum(highs.get(name, high), high)
    found = []
    for node in network.layers:
        low, high = network.ranges[node.name].bounds
        seen = None
        steps = node.layer.crossings
        if steps is not None:
            source = node.inputs[0]
            bounds = network.ranges[source]
            ends = ((lows[source], highs[source]), (bounds.low, bounds.high))
            counts = [int(((steps > below[:, None]) & (steps <= above[:, None])).sum()) for below, above in ends]
            seen = (counts[0], counts[1])
        ends_reached = int(lows[node.name].min()), int(highs[node.name].max())
        found.append(LayerReach(node.name, *ends_reached, low, high, seen))
    return np.concatenate(outputs), tuple(found)
