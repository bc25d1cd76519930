"""What quantizers of every source mean: integers of signals, and the real numbers that integers stand for.

ONNX's QuantizeLinear and torch's quantize_per_tensor are read through here, each by a function that names its inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.frontends.reading.builder import MlpBuilder
from edgeml.frontends.reading.value import NotAnMlp, Signal, Value

from ..qonnx.operators import QuantizedConstants
from .quantized_signal import QuantizedSignal

__all__ = [
    "TYPES",
    "along",
    "constant_levels",
    "constant_times_scale",
    "one_number",
    "one_scale",
    "real",
    "signal_levels",
]

TYPES: Mapping[str, tuple[int, int]] = {"int8": (-128, 127), "uint8": (0, 255)}
"""Least and largest integer of the types that activations may have."""


def one_number(values: npt.NDArray[Any], what: str) -> Fraction:
    """The only value of an activation's scale or zero point."""
    flat = np.asarray(values, np.float64).reshape(-1)
    if flat.size == 0 or np.any(flat != flat[0]):
        raise NotAnMlp(f"activations whose {what} differs from channel to channel", f"Use one {what} for activations")
    if not np.isfinite(flat[0]):
        raise NotAnMlp(f"a {what} that is not finite")
    return Fraction(float(flat[0]))


def one_scale(values: npt.NDArray[Any]) -> Fraction:
    """The only scale of an activation."""
    scale = one_number(values, "scale")
    if scale <= 0:
        raise NotAnMlp("a scale that is not positive")
    return scale


def along(values: npt.NDArray[Any], rank: int, axis: Any) -> npt.NDArray[Any]:
    """A scale or zero point per channel, in the dimensions of what it belongs to."""
    if values.size == 1:
        return values.reshape(-1)
    if values.ndim != 1 or not isinstance(axis, int) or not -rank <= axis < rank:
        raise NotAnMlp(f"scales of shape {list(values.shape)} along dimension {axis!r} of {rank}")
    return values.reshape([-1 if at == axis % rank else 1 for at in range(rank)])


def signal_levels(x: Value, scale: Fraction, zero: int, low: int, high: int) -> QuantizedSignal:
    """The integers of a signal."""
    if isinstance(x, QuantizedSignal):
        raise NotAnMlp("it is applied to integers")
    if not isinstance(x, Signal):
        raise NotAnMlp("it is applied to a constant")
    return QuantizedSignal(x, scale, zero, low, high)


def constant_levels(
    builder: MlpBuilder,
    x: Value,
    scale: npt.NDArray[Any],
    zero: npt.NDArray[Any],
    axis: Any,
    ends: tuple[int, int],
) -> npt.NDArray[Any]:
    """The integers of a constant, as the runtimes find them: x / scale in float32, rounded to the nearest even, moved
    and clipped to `ends`."""
    scale, zero = (along(np.asarray(values), np.ndim(x), axis) for values in (scale, zero))
    builder.budget.constant(np.broadcast_shapes(np.shape(x), scale.shape))
    with np.errstate(all="ignore"):
        levels = np.rint(np.asarray(x, np.float32) / scale.astype(np.float32)) + zero
    if not np.all(np.isfinite(levels)):
        raise NotAnMlp("it is applied to numbers that are not finite")
    return np.asarray(np.clip(levels, *ends).astype(np.uint8 if ends[0] == 0 else np.int8))


def constant_times_scale(
    builder: MlpBuilder,
    x: Value,
    scale: npt.NDArray[Any],
    zero: npt.NDArray[Any],
    axis: Any,
    constants: QuantizedConstants,
) -> npt.NDArray[np.float64]:
    """(x − zero) · scale of constant integers x, exact in float64; the scale is noted as one of weights."""
    integers = np.asarray(x)
    if integers.dtype.kind not in "iu" or not np.all(np.isfinite(scale)) or np.any(scale <= 0):
        raise NotAnMlp(f"integers of type {integers.dtype} with a scale that must be positive and finite")
    scale, zero = (along(np.asarray(values), integers.ndim, axis) for values in (scale, zero))
    try:
        shape = np.broadcast_shapes(integers.shape, scale.shape, zero.shape)
    except ValueError as error:
        raise NotAnMlp(f"scales of {scale.size} channels for a constant of shape {list(integers.shape)}") from error
    builder.budget.constant(shape)
    constants.note(scale.astype(np.float64))
    return np.asarray((integers.astype(np.float64) - zero) * scale)


def real(
    builder: MlpBuilder,
    x: Value,
    scale: npt.NDArray[Any],
    zero: npt.NDArray[Any],
    axis: Any,
    constants: QuantizedConstants,
) -> Value:
    """The real numbers of integers by their scale and their zero point."""
    if isinstance(x, QuantizedSignal):
        if (x.scale, x.zero) != (one_scale(scale), int(one_number(zero, "zero point"))):
            raise NotAnMlp(
                "integers are quantized with one scale and zero point, and dequantized with another",
                "Give both quantizers of a tensor the same ones",
            )
        return x.real(builder)
    if isinstance(x, Signal) and x.final:  # probabilities, whose scale changes no decision
        return x
    if isinstance(x, Signal):
        raise NotAnMlp(
            "it is applied to a tensor that no quantizer gives",
            "Let the model take and give float32: with a quantizer behind its input",
        )
    return constant_times_scale(builder, x, scale, zero, axis, constants)
