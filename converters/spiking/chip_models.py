"""A layer of a float spiking network in a chip's own arithmetic: nearest decays, thresholds and resets that it has.

Chips differ from snnTorch in more than rounding (when a reset is done, what decays first), so the agreement that the
conversion reports is with a float network that the chip only resembles; what then runs on the chip is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.snn import SnnLayer
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.spiking.models.loihi import loihi
from edgeml.network.spiking.models.xylo import xylo

__all__ = ["CHIP_MODELS", "WEIGHT_BITS"]

Floats = npt.NDArray[np.float64]
WEIGHT_BITS = 8
_LOIHI_THRESHOLD = 2**17 - 1
_MOST_EXPONENT = 6
_XYLO_THRESHOLD = 2**15 - 1
_LARGEST_DASH = 15


def _weights(values: Floats, step: float) -> npt.NDArray[Any]:
    most = 2 ** (WEIGHT_BITS - 1) - 1
    result: npt.NDArray[Any] = np.clip(np.rint(values / step), -most, most).astype(np.int64)
    return result


def _threshold(layer: SnnLayer, values: Floats, largest: int, chip: str) -> npt.NDArray[Any]:
    """Whole thresholds of at least 1; InputError if one passes the chip's width."""
    rounded: npt.NDArray[Any] = np.maximum(np.rint(values), 1).astype(np.int64)
    if int(rounded.max()) > largest:
        raise InputError(
            f"layer {layer.name}",
            f"its thresholds come to {int(rounded.max())} weights of the smallest step; {chip} holds {largest}",
            "Train with larger weights or a smaller threshold",
        )
    return rounded


def _loihi_layer(layer: SnnLayer, step: float, unit: float, steps: int, first: bool, last: bool) -> LeakyNeurons:
    """Decays of 12 bits. A stored weight counts twice and is shifted by 6: one unit of a state is step·unit / 2^7, or
    2^−exponent times that if thresholds would else be too wide for the chip."""
    widest = float(layer.threshold.max()) / (step * unit / 2**7) / 64
    exponent = -int(np.clip(np.ceil(np.log2(widest / _LOIHI_THRESHOLD)), 0, _MOST_EXPONENT))
    state = step * unit / 2.0 ** (7 + exponent)
    vth = _threshold(layer, layer.threshold / state / 64, _LOIHI_THRESHOLD, "Loihi")
    alpha = np.zeros(len(layer.bias)) if layer.alpha is None else layer.alpha
    keep_u: npt.NDArray[Any] = np.minimum(np.rint(alpha * 4096), 4095).astype(np.int64)
    gain = 1 if layer.alpha is None else 1 / (1 - np.minimum(alpha, 0.999))  # the chip adds its bias to the membrane
    return LeakyNeurons(
        loihi(weight_exponent=exponent),
        steps,
        _weights(layer.weight, step),
        WEIGHT_BITS,
        vth * 64,
        keep_u,
        np.rint(layer.beta * 4096).astype(np.int64),
        np.clip(np.rint(layer.bias * gain / state), -(2**23), 2**23).astype(np.int64),
        np.zeros(len(vth), np.int64),
        None if layer.recurrent is None else _weights(layer.recurrent, step * unit),
        layer.delays,  # type: ignore[arg-type]
    )


def _dash(beta: Floats) -> npt.NDArray[Any]:
    """The shift whose decay 1 − 2^−dash is nearest to β, at least 1."""
    exponent = -np.log2(np.maximum(1 - beta, 2.0 ** -(_LARGEST_DASH + 1)))
    result: npt.NDArray[Any] = np.clip(np.rint(exponent), 1, _LARGEST_DASH).astype(np.int64)
    return result


def _xylo_layer(layer: SnnLayer, step: float, unit: float, steps: int, first: bool, last: bool) -> LeakyNeurons:
    """Decays by shifts; a current decays before it acts, so that it brings α of what snnTorch's does: thresholds are
    scaled by that. A layer without a current gets the quickest one that the chip has."""
    if layer.delays is not None:
        raise InputError(f"layer {layer.name}", "Xylo has no delays of synapses", "Use --option model=loihi")
    dash_syn = _dash(np.zeros(len(layer.bias)) if layer.alpha is None else layer.alpha)
    kept = 1 - 2.0 ** -dash_syn.astype(np.float64)
    share = np.ones(len(kept)) if layer.alpha is None else kept
    threshold = _threshold(layer, layer.threshold / (step * unit) * share, _XYLO_THRESHOLD, "Xylo")
    gain = 1 if layer.alpha is None else kept / (1 - kept)
    return LeakyNeurons(
        xylo(output=last, first=first),
        steps,
        _weights(layer.weight, step),
        WEIGHT_BITS,
        threshold,
        dash_syn,
        _dash(layer.beta),
        np.clip(np.rint(layer.bias * gain / (step * unit)), -(2**15), 2**15 - 1).astype(np.int64),
        np.zeros(len(threshold), np.int64),
        None if layer.recurrent is None else _weights(layer.recurrent, step * unit),
    )


CHIP_MODELS: Mapping[str, Callable[[SnnLayer, float, float, int, bool, bool], LeakyNeurons]] = {
    "loihi": _loihi_layer,
    "xylo": _xylo_layer,
}
"""By name: a layer, the step of its weights, the real value of one input event, time steps, and whether it is the
first and the last layer → the chip's layer."""
