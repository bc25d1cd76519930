"""torch's quantizers (`quantized_decomposed`), as programs of pt2e hold them and the frontend of programs applies them.

q = clip(round_half_even(x / scale) + zero point, quant_min, quant_max); torch computes x · (1 / scale) in float32, and
may give the neighbour where x lies within that rounding of a tie.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from edgeml.frontends.exported_program.operators import readers_of
from edgeml.frontends.reading.builder import MlpBuilder
from edgeml.frontends.reading.value import NotAnMlp, Signal, Value, as_constant

from ..qonnx.operators import QuantizedConstants
from .integers import TYPES, constant_levels, one_number, one_scale, real, signal_levels
from .quantized_signal import QuantizedSignal

__all__ = ["LAST", "NAMESPACE", "torch_operators"]

NAMESPACE = "quantized_decomposed."
LAST = "edgeml.last"
"""Stands behind the program's output: makes real numbers of integers that a program ends with."""

_STATIC = (
    "Its scales are found anew for every batch. Quantize with fixed ones (a quantizer with is_dynamic=False, then "
    "convert_pt2e), or pass the float model: edgeml quantizes it itself"
)
_KEPT = ("view", "reshape", "flatten", "squeeze", "unsqueeze", "permute", "transpose", "contiguous", "clone", "detach")
Function = Callable[..., Value]


def torch_operators(constants: QuantizedConstants) -> Mapping[str, Function]:
    """Functions by name, for one reading of one program."""
    per_tensor = [f"{NAMESPACE}{{}}_per_tensor.{overload}" for overload in ("default", "tensor", "tensor2")]
    dequantize = _dequantize(constants)
    return {
        **{name.format("quantize"): _quantize for name in per_tensor},
        **{name.format("dequantize"): dequantize for name in per_tensor},
        f"{NAMESPACE}quantize_per_channel.default": _quantize_channels,
        f"{NAMESPACE}dequantize_per_channel.default": _dequantize_channels(constants),
        **{f"{NAMESPACE}{name}": _dynamic for name in _DYNAMIC},
        LAST: _last,
        **{name: _moved(name) for name in _KEPT},
    }


def _quantize(
    builder: MlpBuilder, input: Value, scale: Any, zero_point: Any, quant_min: Any, quant_max: Any, dtype: Any
) -> Value:
    ends = _ends(quant_min, quant_max, dtype)
    if isinstance(input, (Signal, QuantizedSignal)):
        zero = int(one_number(_array(zero_point), "zero point"))
        return signal_levels(input, one_scale(_array(scale)), zero, *ends)
    return constant_levels(builder, input, _array(scale), _array(zero_point), None, ends)


def _quantize_channels(
    builder: MlpBuilder,
    input: Value,
    scales: Any,
    zero_points: Any,
    axis: Any,
    quant_min: Any,
    quant_max: Any,
    dtype: Any,
) -> Value:
    if isinstance(input, (Signal, QuantizedSignal)):
        raise NotAnMlp("activations whose scale differs from channel to channel", "Use one scale for activations")
    ends = _ends(quant_min, quant_max, dtype)
    return constant_levels(builder, input, _array(scales), _array(zero_points), axis, ends)


def _dequantize(constants: QuantizedConstants) -> Function:
    def read(
        builder: MlpBuilder,
        input: Value,
        scale: Any,
        zero_point: Any,
        quant_min: Any,
        quant_max: Any,
        dtype: Any,
        out_dtype: Any = None,
    ) -> Value:
        return real(builder, input, _array(scale), _array(zero_point), None, constants)

    return read


def _dequantize_channels(constants: QuantizedConstants) -> Function:
    def read(
        builder: MlpBuilder,
        input: Value,
        scales: Any,
        zero_points: Any,
        axis: Any,
        quant_min: Any,
        quant_max: Any,
        dtype: Any,
        out_dtype: Any = None,
    ) -> Value:
        zeros = np.zeros(1) if zero_points is None else _array(zero_points)
        return real(builder, input, _array(scales), zeros, axis, constants)

    return read


_DYNAMIC = (
    "choose_qparams.tensor",
    "choose_qparams_symmetric.tensor",
    "choose_qparams_per_token.default",
    "choose_qparams_per_token_asymmetric.default",
    "quantize_per_token.default",
    "dequantize_per_token.default",
)


def _dynamic(builder: MlpBuilder, **arguments: Any) -> Value:
    raise NotAnMlp("it is quantized dynamically", _STATIC)


def _array(value: Any) -> Any:
    if isinstance(value, Signal):
        raise NotAnMlp("it is quantized dynamically", _STATIC)
    return np.atleast_1d(np.asarray(as_constant(value)))


def _ends(low: Any, high: Any, dtype: Any) -> tuple[int, int]:
    """Least and largest integer, which may be fewer than those of the type."""
    name = str(getattr(dtype, "name", dtype))
    if name not in TYPES:
        raise NotAnMlp(f"activations of type {name[:40]}", "edgeml's networks have activations of int8 or uint8")
    first, last = (int(one_number(_array(end), "range")) for end in (low, high))
    least, most = TYPES[name]
    if not least <= first < last <= most:
        raise NotAnMlp(f"integers of {first} … {last} as {name}")
    return first, last


def _moved(name: str) -> Function:
    """An operator that moves no number, of integers too; they are its first argument."""

    def read(builder: MlpBuilder, **arguments: Any) -> Value:
        first = next(iter(arguments), "")
        x = arguments.get(first)
        moved = x if not isinstance(x, QuantizedSignal) else x.x
        (reader, *_) = readers_of(name)
        found = reader(builder, **{**arguments, first: moved})
        return x.of_shape(found) if isinstance(x, QuantizedSignal) else found

    return read


def _last(builder: MlpBuilder, input: Value) -> Value:
    return input.real(builder) if isinstance(input, QuantizedSignal) else input
