"""Two tensors side by side."""

from __future__ import annotations

from ...network.layers.concat import Concat
from ..statement import Affine

__all__ = ["statement"]


def statement(layer: Concat, channel: int) -> Affine:
    """The value that stands at the channel's place in the one or the other tensor."""
    source = (0, channel) if channel < layer.first else (1, channel - layer.first)
    return Affine({source: 1}, 0)
