"""Comparisons of one channel with its thresholds."""

from __future__ import annotations

from ...network.layers.threshold import Threshold
from ..statement import Function

__all__ = ["statement"]


def statement(layer: Threshold, channel: int) -> Function:
    """How many thresholds the channel of the same number reaches, and the base."""
    alone = Threshold(layer.thresholds[[channel]], layer.base)
    return Function(((0, channel),), lambda x: alone.evaluate(x[0][:, None])[:, 0].astype("int64"))
