"""tinyODIN's neurons: 12-bit membranes that are compared after every single event."""

from __future__ import annotations

from .neuron_model import NeuronModel

__all__ = ["tinyodin"]


def tinyodin() -> NeuronModel:
    """A time reference first moves v toward zero by the leak; then every event adds its 4-bit weight, saturating at
    12 bits, and if v ≥ threshold (and v ≥ 0) the neuron fires at once and v = 0. Source: the chip's open RTL.
    """
    return NeuronModel(
        name="tinyodin",
        decay="subtract",
        accumulation="per_event",
        bits=12,
        current_limit="saturate",
        membrane_limit="saturate",
        compare="at_least",
        fire="per_event",
        reset="zero",
        max_spikes=255,
        emission="count",
    )
