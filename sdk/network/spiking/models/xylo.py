"""The neurons of Xylo Audio 2, as `xylosim.v2` computes them."""

from __future__ import annotations

from .neuron_model import NeuronModel

__all__ = ["xylo"]


def xylo(*, weight_shift: int = 0, output: bool = False) -> NeuronModel:
    """i: events added one by one, saturating at 16 bits, then i ← dec(i, dash_syn); v ← v − loss + i + bias, each
    addition saturating; up to 31 spikes per step (an output neuron: 1), each taking the threshold off.

    Output neurons see hidden spikes one step late; recurrent ones are a step late anyway.
    """
    return NeuronModel(
        name="xylo",
        current=True,
        decay="shift",
        order="add_then_decay",
        accumulation="per_event",
        addition="saturating",
        bits=16,
        current_limit="saturate",
        membrane_limit="saturate",
        weight_shift=weight_shift,
        compare="at_least",
        reset="subtract_repeatedly",
        max_spikes=1 if output else 31,
        emission="count",
        input_delay=1 if output else 0,
        bias_into="membrane",
    )
