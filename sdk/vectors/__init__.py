"""The test vectors of a bundle: samples of the user's, random integers, corners, and inputs that drive every layer to
its extremes. The same network and samples give the same vectors, on every processor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..network import Network
from .extremes import extreme_inputs
from .reach import LayerReach, reach

__all__ = ["MOST_DATA_VECTORS", "RANDOM_VECTORS", "VectorSet", "derive_vectors"]

MOST_DATA_VECTORS = 512
RANDOM_VECTORS = 30

IntTensor = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class VectorSet:
    """Test vectors, and how far they take each layer.

    Parameters
    ----------
    q : int32 [vectors, inputs]: samples first, then random integers, both corners of the input range, and what was
        derived for the layers.
    y : int32 [vectors, outputs], of the golden simulator.
    counts : number of vectors of each kind, in that order.
    layers : for each layer, how near its values came to its bounds.
    """

    q: IntTensor
    y: IntTensor
    counts: dict[str, int]
    layers: tuple[LayerReach, ...]

    def as_json(self) -> dict[str, Any]:
        """What a manifest says of them."""
        return {"counts": dict(self.counts), "layers": [layer.as_json() for layer in self.layers]}


def derive_vectors(network: Network, samples: IntTensor | None = None) -> VectorSet:
    """The test vectors of `network`.

    Parameters
    ----------
    samples : int32 [samples, inputs], quantized; the first `MOST_DATA_VECTORS` are taken. None or empty if there are
        none.
    """
    quantizer = network.quantizer
    generator = np.random.default_rng(0)
    shape = (RANDOM_VECTORS, network.input_size)
    drawn = generator.integers(quantizer.low, quantizer.high, shape, endpoint=True, dtype=np.int32)
    corners = np.stack([np.full(network.input_size, end, np.int32) for end in (quantizer.low, quantizer.high)])
    data = np.empty((0, network.input_size), np.int32) if samples is None else samples[:MOST_DATA_VECTORS]
    parts = {"samples": data, "random": drawn, "corners": corners}
    parts["derived"] = extreme_inputs(network, np.concatenate([corners, drawn, data[:16]]))
    q = np.concatenate(list(parts.values()))
    y, layers = reach(network, q)
    return VectorSet(q, y, {name: len(part) for name, part in parts.items()}, layers)
