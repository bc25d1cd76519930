"""An HGQ2 model as a `Network`: weights and levels are the integers that its quantizers give.

Steps are powers of two, each channel's its own. The step of a channel goes into the weights that take it, so that

    Σ w[o, c] · 2^−f[c] · n[c] = 2^e[o] · Σ W[o, c] · n[c]

of integers W of at most 8 bits, one e for all outputs or one for each. What stands between two quantizers becomes
thresholds in rational arithmetic; HGQ2 computes in float32, which holds these sums as they are where they are short.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.keras_model.container import KerasFile
from edgeml.frontends.keras_model.graph import graph_of
from edgeml.frontends.keras_model.layers import Applied, Function
from edgeml.frontends.keras_model.layers.activations import activated
from edgeml.frontends.keras_model.layers.refused import HGQ_AS_FLOAT
from edgeml.frontends.keras_model.reader import file_to_mlp
from edgeml.frontends.reading.value import NotAnMlp, Signal
from edgeml.network import Network

from ..qonnx.operators import QuantizedConstants
from ..qonnx.reader import lowered
from ..qonnx.small_integers import MOST_WEIGHT
from ..qonnx.staircases import Rounding
from .quantizers import FixedPoint, settings_of
from .staircase import ChannelSteps

__all__ = ["read_hgq"]

Floats = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_MOST_LEVELS = 256
_ABOVE_A_TIE = 2.0**-27
"""Added to inputs in units of their step, so that ties go up where halves go to the even: too little for any other
number of float32 to change its integer."""
_INPUT = "Give the first layer iq_conf=QuantizerConfig(place='datalane', overflow_mode='SAT', round_mode='RND')"
_FEWER = "Train longer or with a higher beta, which takes bits away"


def read_hgq(file: KerasFile, where: str, name: str) -> Network:
    """The integer network that a file with HGQ2's layers states.

    Raises
    ------
    InputError : a layer is another one, integers have more than 8 bits, or a value may wrap around: which, and what to
        do.
    """
    last = graph_of(file.config).output.layer
    try:
        mlp = file_to_mlp(file, where, name, foreign=_layers(last))
        return lowered(mlp, QuantizedConstants(), "", where)
    except InputError as error:
        remedy = _REMEDIES.get(error.problem, error.remedy)
        raise InputError(error.where, error.problem, f"{remedy}. {HGQ_AS_FLOAT}") from error


_REMEDIES = {
    "the input reaches a linear layer without a quantizer": "Begin with a QDense that has enable_iq=True",
    "takes values that no quantizer made integers": "Train with enable_iq=True in each QDense",
}
"""What to do in HGQ2 about what QONNX files lack too."""


def _layers(last: str) -> Mapping[str, Function]:
    return {"hgq>QDense": lambda a: _dense(a, a.layer.name == last)}


def _dense(a: Applied, last: bool) -> Any:
    x, units = a.builder.in_order(a.x), a.get("units")
    if len(x.shape) != 2:
        raise NotAnMlp(f"it takes a tensor of shape {x.text}", "edgeml reads QDense on [batch, features]")
    a.used.update(
        ("iq_conf", "oq_conf", "enable_ebops", "ebops_factor", "beta0", "parallelization_factor", "quantization_config")
    )
    exponents = np.zeros(x.size, np.int64)
    if a.flag("enable_iq", True):
        x, exponents = _in_levels(a, x, "iq")
    shapes: dict[str, tuple[Any, ...]] = {"kernel": (x.size, units)}
    if a.flag("use_bias", True):
        shapes["bias"] = (units,)
    ebops = {"beta": (), "ebops": ()} if a.get("enable_ebops", True) else {}
    kernel, *more = a.variables({**shapes, **ebops})
    weight = _constant(a, "kq", kernel) * np.exp2(-exponents.astype(np.float64))[:, None]
    bias = _constant(a, "bq", more[0]) if "bias" in shapes else np.zeros(kernel.shape[1])
    integers, step = _integers(weight.T, bias if last else None)
    result = a.builder.affine(a.builder.linear(x, integers, None), step, bias)
    found = a.get("activation")
    plain = found.get("config") if isinstance(found, dict) and found.get("class_name") == "function" else found
    if plain not in (None, "linear", "relu", "softmax"):
        raise NotAnMlp("its activation is another one than relu, softmax or none", "Train with activation='relu'")
    result = activated(a.builder, result, plain)
    if not a.flag("enable_oq", False):
        return result
    levels, exponents = _in_levels(a, result, "oq")
    return a.builder.affine(levels, np.exp2(-exponents.astype(np.float64)), 0.0)


def _constant(a: Applied, name: str, values: Floats) -> Floats:
    settings = settings_of(a.get(f"{name}_conf"), f"{name}_conf")
    return settings.of_file(a.weights, a.layer.name, name, values.shape).of_constant(values)


def _in_levels(a: Applied, x: Signal, name: str) -> tuple[Signal, Int64]:
    """x as integers in units of each channel's step, and the fractional bits of these steps, int64 [channels]."""
    settings = settings_of(a.get(f"{name}_conf"), f"{name}_conf")
    bits = settings.of_file(a.weights, a.layer.name, name, (1, x.size))
    flat = FixedPoint(bits.k.ravel(), bits.i.ravel(), bits.f.ravel(), bits.nothing.ravel(), settings)
    builder, f = a.builder, np.where(flat.nothing, 0, flat.f)
    steps = ChannelSteps(flat.low, flat.high, settings.rounding, settings.overflow == "WRAP", a.layer.text)
    if not builder.is_input(x):
        return builder.each_value(steps, builder.affine(x, np.exp2(f.astype(np.float64)), 0.0), "quantizer"), f
    if steps.wraps:
        raise NotAnMlp("inputs beyond its bits wrap around, which edgeml's do not: they are clipped", _INPUT)
    if settings.rounding == "TRN":
        raise NotAnMlp("the input is cut off (round_mode TRN), where edgeml rounds it", _INPUT)
    low, high = int(flat.low.min()), int(flat.high.max())
    if high - low >= _MOST_LEVELS:
        at = int(np.argmax(flat.high - flat.low))
        widest = f"channel {at} alone has {int(flat.high[at] - flat.low[at]) + 1}"
        raise NotAnMlp(
            f"the input has {high - low + 1} levels ({widest}); edgeml's have at most {_MOST_LEVELS}", _FEWER
        )
    shift = _ABOVE_A_TIE if settings.rounding == "RND" else 0.0
    scaled = builder.affine(x, np.exp2(f.astype(np.float64)), shift)
    taken = builder.each_value(Rounding(Fraction(1), 0, low, high, "ROUND"), scaled, "quantizer")
    narrower = np.any(flat.low != low) or np.any(flat.high != high)
    return (builder.each_value(steps, taken, "quantizer") if narrower else taken), f


def _integers(weight: Floats, bias: Floats | None) -> tuple[Floats, Floats]:
    """Integers of at most 8 bits [outputs, inputs], as floats, and the step of each row, a power of two: one for all
    rows where that serves. Of the last layer, whose sums are the answer, it must, and biases are multiples of it, too.
    """
    lowest = np.min(_lowest_bits(weight), axis=1)
    together = lowest if bias is None else np.minimum(lowest, _lowest_bits(bias))
    choices = [np.full(len(weight), together.min())]
    if bias is None:
        choices.append(lowest)
    for exponents in choices:
        step = np.exp2(np.where(exponents == _NONE, 0, exponents).astype(np.float64))
        integers = weight / step[:, None]
        if np.abs(integers).max() < MOST_WEIGHT:
            return integers, step
    row = int(np.argmax(np.abs(integers).max(axis=1)))
    bits = int(np.abs(integers[row]).max()).bit_length() + 1
    what = "weights, in the steps of the inputs that they take" + (" and of all biases" if bias is not None else "")
    raise NotAnMlp(f"its {what}, are integers of {bits} bits (output {row}); edgeml's have at most 8", _FEWER)


_NONE = np.iinfo(np.int32).max
"""In place of the exponent of 0."""


def _lowest_bits(values: Floats) -> Int64:
    """The exponent of the lowest bit that is set in each number."""
    mantissa, exponent = np.frexp(values)
    whole = np.abs(mantissa * 2.0**53).astype(np.int64)
    low = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    return np.where(whole == 0, _NONE, exponent - 53 + low).astype(np.int64)
