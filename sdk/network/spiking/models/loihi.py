"""Loihi's compartments, as lava's bit-accurate model computes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .neuron_model import NeuronModel

__all__ = ["loihi", "stored_weights"]


def loihi(*, weight_exponent: int = 0) -> NeuronModel:
    """u ← tz(u·(4096 − (du + 1)) / 4096) + (a << 6), wrapped to 24 bits; v ← clip(tz(v·(4096 − dv) / 4096) + u +
    bias); s = v > (vth << 6); v = 0 after a spike. What a spike brings comes one step late.

    Weights are `stored_weights` of the ones asked for: the chip keeps 8 bits of 9, and the shift gives the lost one
    back. The layer's decays are 4096 − (du + 1) and 4096 − dv, its threshold is vth << 6 and its bias mant << exp.
    Source: lava-nc's `LIF` process model `fixed_pt`; confirmed on recorded runs.
    """
    return NeuronModel(
        name="loihi",
        current=True,
        decay="multiply_toward_zero",
        decay_bits=12,
        bits=24,
        current_limit="wrap",
        membrane_limit="saturate_symmetric",
        weight_shift=6 + max(weight_exponent + 1, 0),
        dropped_bits=max(-(weight_exponent + 1), 0),
        compare="greater",
        reset="zero",
        input_delay=1,
        bias_into="membrane",
    )


def stored_weights(weight: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """What a mixed-sign synapse keeps of integer weights: clipped to −256 … 255, without the lowest bit.

    int64 of the same shape, −128 … 127; the effective weight is twice that.
    """
    return np.clip(np.asarray(weight, np.int64), -256, 255) >> 1
