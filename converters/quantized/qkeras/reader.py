"""A QKeras model as a `Network`: weights, biases and levels are the integers that its quantizers give.

What stands between two quantizers becomes thresholds in rational arithmetic, as of QONNX files. QKeras itself computes
in float32, and may give the neighbouring level where that rounds a sum across a tie.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeml.errors import InputError
from edgeml.frontends.keras_model.container import KerasFile
from edgeml.frontends.keras_model.layers import Applied, Function
from edgeml.frontends.keras_model.layers.activations import activated
from edgeml.frontends.keras_model.reader import file_to_mlp
from edgeml.frontends.reading.value import NotAnMlp, Signal
from edgeml.network import Network

from ..qonnx.operators import QuantizedConstants
from ..qonnx.reader import lowered
from ..qonnx.staircases import Rounding
from .quantizers import Quantizer, quantizer_of

__all__ = ["read_qkeras"]

_MOST_BITS = 8


def read_qkeras(file: KerasFile, where: str, name: str) -> Network:
    """The integer network that a file with QKeras's layers states.

    Raises
    ------
    InputError : a value reaches a layer without a quantizer, or a quantizer or layer is another one: which, and what to
        do.
    """
    constants = QuantizedConstants()
    mlp = file_to_mlp(file, where, name, foreign=_layers(constants))
    try:
        return lowered(mlp, constants, "", where)
    except InputError as error:
        raise InputError(error.where, error.problem, _REMEDIES.get(error.problem, error.remedy)) from error


_REMEDIES = {
    "the input reaches a linear layer without a quantizer": (
        "Put QActivation('quantized_bits(8, 2, alpha=1)') in front and train a few epochs more"
    ),
    "takes values that no quantizer made integers": "Put a QActivation behind each layer but the last",
}
"""What to do in QKeras about what QONNX files lack too."""


def _layers(constants: QuantizedConstants) -> dict[str, Function]:
    return {"QDense": lambda a: _dense(a, constants), "QActivation": _activation}


def _dense(a: Applied, constants: QuantizedConstants) -> Any:
    x, units = a.x, a.get("units")
    weight_quantizer, bias_quantizer = (quantizer_of(a.get(f"{part}_quantizer")) for part in ("kernel", "bias"))
    a.used.update(("kernel_range", "bias_range"))
    if weight_quantizer is None:
        raise NotAnMlp("its weights are not quantized", "Train with kernel_quantizer='quantized_bits(4, 0, alpha=1)'")
    shapes: dict[str, tuple[Any, ...]] = {"kernel": (x.features[-1], units)}
    if a.flag("use_bias", True):
        shapes["bias"] = (units,)
    kernel, *bias = a.variables(shapes)
    if bias and bias_quantizer is not None:
        bias = [bias_quantizer.of_constant(bias[0])]
    constants.note(np.array([float(weight_quantizer.step)]))
    result = a.builder.linear(x, weight_quantizer.of_constant(kernel).T, bias[0] if bias else None)
    return _behind(a, result)


def _activation(a: Applied) -> Any:
    return _behind(a, a.x)


def _behind(a: Applied, x: Signal) -> Any:
    """`x` behind the setting `activation`: one of Keras's functions, or a quantizer."""
    found = a.get("activation")
    plain = found.get("config") if isinstance(found, dict) and found.get("class_name") == "function" else found
    if plain is None or plain in ("linear", "relu", "softmax"):
        return activated(a.builder, x, plain)
    quantizer = quantizer_of(found)
    if quantizer is None:
        return x
    return a.builder.each_value(_stairs(quantizer), x, "quantizer")


def _stairs(quantizer: Quantizer) -> Rounding:
    if quantizer.high - quantizer.low >= 2**_MOST_BITS:
        levels = quantizer.high - quantizer.low + 1
        raise NotAnMlp(f"an activation of {levels} levels; edgeml's networks have at most {2**_MOST_BITS}")
    return Rounding(quantizer.step, 0, quantizer.low, quantizer.high, "ROUND")
