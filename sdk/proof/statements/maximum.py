"""The largest of some values."""

from __future__ import annotations

from ...network.layers.maximum import Maximum
from ..statement import Largest

__all__ = ["statement"]


def statement(layer: Maximum, channel: int) -> Largest:
    """The values that the channel looks at, each once."""
    return Largest.of([(0, place) for place in sorted(set(layer.gather[channel].tolist()))])
