"""An accumulator times a factor, rounded and clipped."""

from __future__ import annotations

from dataclasses import replace

from ...network.layers.requantize import Requantize
from ..statement import Function

__all__ = ["statement"]


def statement(layer: Requantize, channel: int) -> Function:
    """The rule of the layer, with the factor of the channel."""
    alone = layer
    if layer.per_channel:
        fraction = None if layer.fraction is None else layer.fraction[[channel]]
        alone = replace(layer, multiplier=layer.multiplier[[channel]], shift=layer.shift[[channel]], fraction=fraction)
    return Function(((0, channel),), lambda x: alone.evaluate(x[0][:, None])[:, 0].astype("int64"))
