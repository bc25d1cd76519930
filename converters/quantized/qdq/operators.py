"""ONNX's quantizers and the operators on integers between them, as the ONNX frontend applies them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.frontends.onnx_model.operators import Applied, readers_of
from edgeml.frontends.reading import arithmetic, shapes
from edgeml.frontends.reading.value import NotAnMlp, Signal, Value

from ..qonnx.operators import QuantizedConstants
from .integers import TYPES, constant_levels, one_number, one_scale, real, signal_levels
from .quantized_signal import QuantizedSignal

__all__ = ["LAST", "quantized_operators"]

LAST = "EdgemlLast"
"""Stands behind the graph's output: makes real numbers of integers that a graph ends with."""

_STATIC = (
    "Its scales are found anew for every batch. Quantize with fixed ones: "
    "onnxruntime.quantization.quantize_static(model, output, calibration_data_reader); or pass the float model"
)
_KEPT = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Transpose")


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


def _scale(a: Applied, position: int) -> Fraction:
    return one_scale(a.constant(position))


def _ends(a: Applied, position: int) -> tuple[int, int]:
    """Least and largest integer of the type that a zero point has; uint8 where it is left out."""
    given = a.input(position)
    if given is None:
        return TYPES["uint8"]
    kind = str(np.asarray(given).dtype)
    if kind not in TYPES:
        raise NotAnMlp(f"activations of type {kind}", "edgeml's networks have activations of int8 or uint8")
    return TYPES[kind]


def _zero(a: Applied, position: int) -> int:
    return 0 if a.input(position) is None else int(one_number(a.constant(position), "zero point"))


def _quantized(a: Applied, x: Value, scale: int, zero: int) -> Value:
    """The integers of a signal, by the scale and the zero point at these inputs."""
    return signal_levels(x, _scale(a, scale), _zero(a, zero), *_ends(a, zero))


def _unblocked(a: Applied) -> None:
    if a.get("block_size", 0):
        raise NotAnMlp("scales of blocks", "Quantize per tensor or per channel")
    a.get("saturate")
    a.get("output_dtype")
    a.get("precision")


def _quantize(a: Applied) -> Value:
    _unblocked(a)
    axis, x = a.get("axis", 1), a.needed(0)
    if isinstance(x, (Signal, QuantizedSignal)):
        return _quantized(a, x, 1, 2)
    return constant_levels(a.builder, x, a.constant(1), _zeros(a, 2), axis, _ends(a, 2))


def _zeros(a: Applied, position: int) -> npt.NDArray[Any]:
    return np.zeros(1, np.int64) if a.input(position) is None else a.constant(position)


def _real(a: Applied, first: int, axis: Any, constants: QuantizedConstants) -> Value:
    """The real numbers of integers, their scale and their zero point at three inputs from `first` on."""
    x = a.needed(first)
    if isinstance(x, Signal):
        return real(a.builder, x, np.ones(1), np.zeros(1), axis, constants)
    return real(a.builder, x, a.constant(first + 1), _zeros(a, first + 2), axis, constants)


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
    ends = [None if a.input(at) is None else int(one_number(a.constant(at), "bound")) for at in (1, 2)]
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
