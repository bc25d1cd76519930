"""How far the states of a classic layer can go: interval arithmetic over the steps, on the layer's own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..value_range import ValueRange
from .models.decay import DECAYS
from .models.limits import bounds

if TYPE_CHECKING:
    from ..layers.leaky_neurons import LeakyNeurons

__all__ = ["arriving_range", "state_ranges"]

Int64 = npt.NDArray[np.int64]
_FAR = 2**40


def arriving_range(layer: LeakyNeurons, x: ValueRange) -> tuple[Int64, Int64]:
    """Smallest and largest a of a step, int64 [neurons]: any input of any step, or silence, may arrive at once."""
    low = np.minimum(x.low.reshape(layer.steps, layer.inputs).min(axis=0), 0)
    high = np.maximum(x.high.reshape(layer.steps, layer.inputs).max(axis=0), 0)
    weight = layer.weight.astype(np.int64)
    positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)
    least, most = positive @ low + negative @ high, positive @ high + negative @ low
    drop, shift = layer.model.dropped_bits, layer.model.weight_shift
    least, most = least >> drop, most >> drop
    if layer.recurrent is not None:
        # Each delay is a sum of its own and may lose up to one unit; that many units cover all of them.
        lost = (layer.neurons if layer.recurrent_delays is not None else 1) if drop else 0
        recurrent = layer.recurrent.astype(np.int64)
        least = least + ((layer.most_spikes * np.minimum(recurrent, 0).sum(axis=1)) >> drop) - lost
        most = most + ((layer.most_spikes * np.maximum(recurrent, 0).sum(axis=1)) >> drop) + lost
    return least << shift, most << shift


def _limited(rule: str, bits: int, low: Int64, high: Int64) -> tuple[Int64, Int64]:
    """The ends after the limit `rule`: its bounds; a sum so large that wrapping once is not enough stays outside."""
    if rule == "refuse":
        return low, high
    least, most = bounds(rule, bits)
    if rule == "wrap":
        return np.minimum(least, low + (1 << bits)), np.maximum(most, high - (1 << bits))
    return np.full_like(low, least), np.full_like(high, most)


def state_ranges(layer: LeakyNeurons, x: ValueRange) -> tuple[ValueRange, ValueRange]:
    """Ranges of current and membrane over all steps, for inputs within x [steps · inputs].

    Every rule of decay is monotone, so the ends of the interval give the ends; a reset only ever takes a membrane
    that is past its threshold, and leaves it at or above decay(threshold) − threshold. Sound, and close where inputs
    are independent. Stops early, past 2^40, where the states grow without bound.
    """
    model = layer.model
    decay = DECAYS[model.decay]
    beta, alpha = layer.membrane_decay.astype(np.int64), layer.current_decay.astype(np.int64)
    threshold = layer.threshold.astype(np.int64)
    bias = layer.bias.astype(np.int64)
    into_current = bias if model.bias_into == "current" else np.zeros_like(bias)
    into_membrane = bias - into_current
    least, most = arriving_range(layer, x)
    least, most = least + into_current, most + into_current
    u_low = u_high = np.zeros(layer.neurons, np.int64)
    v_low = v_high = layer.initial.astype(np.int64)
    widest = [u_low, u_high, np.minimum(v_low, 0), np.maximum(v_high, 0)]
    for _ in range(layer.steps):
        if not model.current:
            u_low, u_high = least, most
        elif model.order == "add_then_decay":
            u_low = np.minimum(decay(u_low + least, alpha, model.decay_bits), u_low + least)
            u_high = np.maximum(decay(u_high + most, alpha, model.decay_bits), u_high + most)
        else:
            u_low = decay(u_low, alpha, model.decay_bits) + least
            u_high = decay(u_high, alpha, model.decay_bits) + most
        u_low, u_high = _limited(model.current_limit, model.bits, u_low, u_high)
        low = decay(v_low, beta, model.decay_bits) + u_low + into_membrane
        high = decay(v_high, beta, model.decay_bits) + u_high + into_membrane
        if model.reset in ("subtract", "subtract_guarded") and model.reset_delay:
            low = np.minimum(low, decay(threshold, beta, model.decay_bits) - threshold + u_low + into_membrane)
        elif model.reset != "none":
            low = np.minimum(low, 0)
        if model.reset in ("zero", "zero_with_input") and not model.reset_delay:
            # What stays after a comparison is at most the threshold; before it, `high` was reached.
            widest[3] = np.maximum(widest[3], high)
            high = np.maximum(np.minimum(high, threshold), 0)
        low, high = _limited(model.membrane_limit, model.bits, low, high)
        before = (v_low, v_high)
        v_low, v_high = low, high
        widest = [
            np.minimum(widest[0], u_low),
            np.maximum(widest[1], u_high),
            np.minimum(widest[2], v_low),
            np.maximum(widest[3], v_high),
        ]
        if max(int(np.abs(end).max()) for end in widest) > _FAR:
            break
        if np.array_equal(before[0], v_low) and np.array_equal(before[1], v_high) and not model.current:
            break
    return ValueRange(widest[0], widest[1]), ValueRange(widest[2], widest[3])
