"""Input integers as spikes: what their receiver takes stands for the integers themselves."""

from __future__ import annotations

from ...network.layers.input_spikes import InputSpikes
from ..statement import Affine

__all__ = ["statement"]


def statement(layer: InputSpikes, channel: int) -> Affine:
    """y = x."""
    return Affine({(0, channel): 1}, 0)
