"""The neurons of Xylo Audio 2, as `xylosim.v2` computes them."""

from __future__ import annotations

from .neuron_model import NeuronModel

__all__ = ["xylo"]


def xylo(*, weight_shift: int = 0, output: bool = False, first: bool = True) -> NeuronModel:
    """i: events added one by one, saturating at 16 bits, then i ← dec(i, dash_syn); v ← v − loss + i + bias, each
    addition saturating; up to 31 spikes per step (an output neuron: 1), each taking the threshold off.

    Input reaches the `first` hidden layer at once. Further hidden layers (recurrent weights of the chip's one
    population) and output neurons see hidden spikes one step late; so do recurrent synapses.
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
        input_delay=0 if first and not output else 1,
        bias_into="membrane",
    )
