"""ONNX's quantizers and the operators on integers between them, as the ONNX frontend applies them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.frontends.onnx_model.operators import Applied, readers_of
from edgeml.frontends.reading import arithmetic, shapes
from edgeml.frontends.reading.value import NotAnMlp, Signal, Value

from ..qonnx.operators import QuantizedConstants
from .quantized_signal import QuantizedSignal

__all__ = ["LAST", "constant_times_scale", "quantized_operators"]

LAST = "EdgemlLast"
"""Stands behind the graph's output: makes real numbers of integers that a graph ends with."""

_STATIC = (
    "Its scales are found anew for every batch. Quantize with fixed ones: "
    "onnxruntime.quantization.quantize_static(model, output, calibration_data_reader); or pass the float model"
)
_KEPT = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Transpose")
_TYPES: Mapping[str, tuple[int, int]] = {"int8": (-128, 127), "uint8": (0, 255)}


def quantized_operators(constants: QuantizedConstants) -> dict[str, Callable[[Applied], Value]]:
    """Operators by kind, for one reading of one file."""
    return {
        "QuantizeLinear": _quantize,
        "DequantizeLinear": lambda a: _dequantize(a, constants),
        "QLinearMatMul": lambda a: _matrix_product(a, constants),
        "QGemm": lambda a: _gemm(a, constants),
        "QLinearAdd": lambda a: _add(a, constants),
        "QLinearSigmoid": lambda a: _sigmoid(a, constants),
        "QLinearSoftmax": lambda a: _softmax(a, constants),
        "DynamicQuantizeLinear": _dynamic,
        "MatMulInteger": _dynamic,
        "Clip": _clip,
        LAST: _last,
        **{kind: _moved(kind) for kind in _KEPT},
    }


def _dynamic(a: Applied) -> Value:
    raise NotAnMlp("it is quantized dynamically", _STATIC)


def _scalar(a: Applied, position: int, what: str) -> Fraction:
    values = a.constant(position).astype(np.float64).reshape(-1)
    if values.size == 0 or np.any(values != values[0]):
        raise NotAnMlp(f"activations whose {what} differs from channel to channel", f"Use one {what} for activations")
    if not np.isfinite(values[0]):
        raise NotAnMlp(f"a {what} that is not finite")
    return Fraction(float(values[0]))


def _scale(a: Applied, position: int) -> Fraction:
    scale = _scalar(a, position, "scale")
    if scale <= 0:
        raise NotAnMlp("a scale that is not positive")
    return scale


def _ends(a: Applied, position: int) -> tuple[int, int]:
    """Least and largest integer of the type that a zero point has; uint8 where it is left out."""
    given = a.input(position)
    if given is None:
        return _TYPES["uint8"]
    kind = str(np.asarray(given).dtype)
    if kind not in _TYPES:
        raise NotAnMlp(f"activations of type {kind}", "edgeml's networks have activations of int8 or uint8")
    return _TYPES[kind]


def _zero(a: Applied, position: int) -> int:
    return 0 if a.input(position) is None else int(_scalar(a, position, "zero point"))


def _quantized(a: Applied, x: Value, scale: int, zero: int) -> Value:
    """The integers of a signal, by the scale and the zero point at these inputs."""
    if not isinstance(x, Signal):
        raise NotAnMlp("it is applied to a constant")
    low, high = _ends(a, zero)
    return QuantizedSignal(x, _scale(a, scale), _zero(a, zero), low, high)


def _unblocked(a: Applied) -> None:
    if a.get("block_size", 0):
        raise NotAnMlp("scales of blocks", "Quantize per tensor or per channel")
    a.get("saturate")
    a.get("output_dtype")
    a.get("precision")


def _quantize(a: Applied) -> Value:
    _unblocked(a)
    axis, x = a.get("axis", 1), a.needed(0)
    if isinstance(x, QuantizedSignal):
        raise NotAnMlp("it is applied to integers")
    if isinstance(x, Signal):
        return _quantized(a, x, 1, 2)
    # As the runtimes quantize a constant: x / scale in float32, rounded to the nearest even, moved and clipped.
    low, high = _ends(a, 2)
    scale, zero = (_along(values, np.ndim(x), axis) for values in (a.constant(1), _zeros(a, 2)))
    a.builder.budget.constant(np.broadcast_shapes(np.shape(x), scale.shape))
    with np.errstate(all="ignore"):
        levels = np.rint(np.asarray(x, np.float32) / scale.astype(np.float32)) + zero
    if not np.all(np.isfinite(levels)):
        raise NotAnMlp("it is applied to numbers that are not finite")
    return np.clip(levels, low, high).astype(np.uint8 if low == 0 else np.int8)


def _zeros(a: Applied, position: int) -> npt.NDArray[Any]:
    return np.zeros(1, np.int64) if a.input(position) is None else a.constant(position)


def _along(values: npt.NDArray[Any], rank: int, axis: Any) -> npt.NDArray[Any]:
    """A scale or zero point per channel, in the dimensions of what it belongs to."""
    if values.size == 1:
        return values.reshape(-1)
    if values.ndim != 1 or not isinstance(axis, int) or not -rank <= axis < rank:
        raise NotAnMlp(f"scales of shape {list(values.shape)} along dimension {axis!r} of {rank}")
    return values.reshape([-1 if at == axis % rank else 1 for at in range(rank)])


def constant_times_scale(
    a: Applied, x: Value, scale: npt.NDArray[Any], zero: npt.NDArray[Any], axis: Any, constants: QuantizedConstants
) -> npt.NDArray[np.float64]:
    """(x − zero) · scale of constant integers x, exact in float64; the scale is noted as one of weights."""
    integers = np.asarray(x)
    if integers.dtype.kind not in "iu" or not np.all(np.isfinite(scale)) or np.any(scale <= 0):
        raise NotAnMlp(f"integers of type {integers.dtype} with a scale that must be positive and finite")
    scale, zero = (_along(values, integers.ndim, axis) for values in (scale, zero))
    try:
        shape = np.broadcast_shapes(integers.shape, scale.shape, zero.shape)
    except ValueError as error:
        raise NotAnMlp(f"scales of {scale.size} channels for a constant of shape {list(integers.shape)}") from error
    a.builder.budget.constant(shape)
    constants.note(scale.astype(np.float64))
    return np.asarray((integers.astype(np.float64) - zero) * scale)


def _real(a: Applied, first: int, axis: Any, constants: QuantizedConstants) -> Value:
    """The real numbers of integers, their scale and their zero point at three inputs from `first` on."""
    x = a.needed(first)
    if isinstance(x, QuantizedSignal):
        if (x.scale, x.zero) != (_scale(a, first + 1), _zero(a, first + 2)):
            raise NotAnMlp(
                "integers are quantized with one scale and zero point, and dequantized with another",
                "Give QuantizeLinear and DequantizeLinear of a tensor the same ones",
            )
        return x.real(a.builder)
    if isinstance(x, Signal) and x.final:  # probabilities, whose scale changes no decision
        return x
    if isinstance(x, Signal):
        raise NotAnMlp(
            "it is applied to a tensor that no QuantizeLinear gives",
            "Let the model take and give float32: with a QuantizeLinear behind its input",
        )
    return constant_times_scale(a, x, a.constant(first + 1), _zeros(a, first + 2), axis, constants)


def _dequantize(a: Applied, constants: QuantizedConstants) -> Value:
    _unblocked(a)
    return _real(a, 0, a.get("axis", 1), constants)


def _matrix_product(a: Applied, constants: QuantizedConstants) -> Value:
    x, weight = _real(a, 0, -1, constants), _real(a, 3, -1, constants)
    return _quantized(a, arithmetic.matrix_product(a.builder, x, weight), 6, 7)


def _gemm(a: Applied, constants: QuantizedConstants) -> Value:
    """alpha · A·B + C, the integers of C standing for multiples of alpha · scale of A · scale of B."""
    alpha, transposed = a.get("alpha", 1.0), a.get("transB", 0)
    x = _real(a, 0, -1, constants)
    weight = _real(a, 3, 0 if transposed else 1, constants)
    x = shapes.permute(x, [1, 0]) if a.get("transA", 0) else x
    weight = shapes.permute(weight, [1, 0]) if transposed else weight
    product = arithmetic.matrix_product(a.builder, x, weight)
    if a.input(6) is not None:
        step = float(_scale(a, 1)) * a.constant(4).astype(np.float64).reshape(-1)
        product = arithmetic.add(a.builder, product, a.constant(6).astype(np.float64) * step)
    if alpha != 1:
        product = arithmetic.multiply(a.builder, product, alpha)
    if a.input(7) is None:
        return product
    return _quantized(a, product, 7, 8)


def _add(a: Applied, constants: QuantizedConstants) -> Value:
    first, second = _real(a, 0, -1, constants), _real(a, 3, -1, constants)
    return _quantized(a, arithmetic.add(a.builder, first, second), 6, 7)


def _sigmoid(a: Applied, constants: QuantizedConstants) -> Value:
    x = _real(a, 0, -1, constants)
    if not isinstance(x, Signal):
        raise NotAnMlp("it is applied to a constant")
    return _quantized(a, a.builder.sigmoid(x), 3, 4)


def _softmax(a: Applied, constants: QuantizedConstants) -> Value:
    """At the model's end, where it changes no decision; its version is that of ONNX's own softmax."""
    x, axis, opset = _real(a, 0, -1, constants), a.get("axis", -1), a.get("opset", 13)
    if not isinstance(x, Signal):
        raise NotAnMlp("it is applied to a constant")
    if opset < 13 and len(x.shape) != 2:
        raise NotAnMlp(f"a softmax from dimension {axis} on of a tensor of shape {x.text}")
    return a.builder.final(x, "softmax", axis)


def _ordinary(kind: str, a: Applied) -> Value:
    return readers_of(kind)[0](a)


def _clip(a: Applied) -> Value:
    x = a.needed(0)
    if not isinstance(x, QuantizedSignal):
        return _ordinary("Clip", a)
    ends = [None if a.input(at) is None else int(_scalar(a, at, "bound")) for at in (1, 2)]
    return x.clipped(*ends)


def _moved(kind: str) -> Callable[[Applied], Value]:
    """An operator that moves no number, of integers too."""

    def read(a: Applied) -> Value:
        x = a.needed(0)
        if not isinstance(x, QuantizedSignal):
            return _ordinary(kind, a)
        a.inputs[0] = x.x
        return x.of_shape(_ordinary(kind, a))

    return read


def _last(a: Applied) -> Value:
    x = a.needed(0)
    return x.real(a.builder) if isinstance(x, QuantizedSignal) else x
