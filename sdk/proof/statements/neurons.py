"""Integrate-and-fire neurons of the exact spiking form: how much the spikes of one neuron stand for."""

from __future__ import annotations

from ...network.layers.neurons import Neurons
from ...network.layers.threshold import Threshold
from ..statement import Function

__all__ = ["statement"]


def statement(layer: Neurons, channel: int) -> Function:
    """base + #{k : acc ≥ thresholds[k]}, whatever the encoding."""
    alone = Threshold(layer.thresholds[[channel]], layer.base)
    return Function(((0, channel),), lambda x: alone.evaluate(x[0][:, None])[:, 0].astype("int64"))
