"""How ONNX graphs encode their inputs themselves: bits, comparisons, one-hot, tables, and how columns are put together.

These functions take the model's input and functions of its single features. Where a value comes from layers they raise
`NotOfTheInput`, and the ordinary reading of the operator holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...reading import feature_arithmetic as features
from ...reading import feature_arrangement as arrangement
from ...reading import shapes
from ...reading.feature_functions import FeatureFunctions, NotOfTheInput
from ...reading.input_functions import functions_of, settled
from ...reading.value import NotAnMlp, Signal, Value, as_constant
from ..tensors import NUMBER_TYPES
from .applied import ENCODINGS, Applied, encoding


def _of_numbers(kind: str, count: int, compute: Callable[..., Any]) -> None:
    def function(a: Applied) -> Value:
        read = features.curve if kind in ("Abs", "Relu", "Pow") else features.rounding
        return read(a.builder, compute, *(a.needed(place) for place in range(count)))

    ENCODINGS[kind] = function


for _kind, _count, _compute in (
    ("Floor", 1, np.floor), ("Ceil", 1, np.ceil), ("Round", 1, np.round), ("Sign", 1, np.sign), ("Abs", 1, np.abs),
    ("Relu", 1, lambda x: np.maximum(x, 0)), ("Not", 1, np.logical_not), ("And", 2, np.logical_and),
    ("Or", 2, np.logical_or), ("Xor", 2, np.logical_xor), ("Pow", 2, np.power),
    ("Where", 3, lambda c, x, y: np.where(c, x, y)),
):  # fmt: skip
    _of_numbers(_kind, _count, _compute)


def _of_bits(kind: str, count: int, compute: Callable[..., Any]) -> None:
    def function(a: Applied) -> Value:
        return features.bits(a.builder, compute, *(a.needed(place) for place in range(count)))

    ENCODINGS[kind] = function


_of_bits("BitwiseAnd", 2, np.bitwise_and)
_of_bits("BitwiseOr", 2, np.bitwise_or)
_of_bits("BitwiseXor", 2, np.bitwise_xor)
_of_bits("BitwiseNot", 1, np.bitwise_not)


@encoding("BitShift")
def _bit_shift(a: Applied) -> Value:
    right = a.get("direction") in (b"RIGHT", "RIGHT")
    return features.bits(a.builder, np.right_shift if right else np.left_shift, a.needed(0), a.needed(1), shift=True)


def _comparison(kind: str, name: str) -> None:
    ENCODINGS[kind] = lambda a: features.compare(a.builder, name, a.needed(0), a.needed(1))


for _kind, _name in (
    ("Equal", "eq"), ("Greater", "gt"), ("GreaterOrEqual", "ge"), ("Less", "lt"), ("LessOrEqual", "le"),
):  # fmt: skip
    _comparison(_kind, _name)


@encoding("Mod")
def _mod(a: Applied) -> Value:
    return features.rounding(a.builder, np.fmod if a.get("fmod", 0) else np.mod, a.needed(0), a.needed(1))


@encoding("Div")
def _div(a: Applied) -> Value:
    x, divisor = a.needed(0), a.needed(1)
    if isinstance(x, FeatureFunctions) and x.number == "float" and not isinstance(divisor, (Signal, FeatureFunctions)):
        return features.multiply(a.builder, x, 1.0 / as_constant(divisor))
    return features.curve(a.builder, _divided, a.needed(0), a.needed(1))


def _divided(x: Any, y: Any) -> Any:
    """Integers divide toward zero."""
    if "f" in (x.dtype.kind, y.dtype.kind):
        return x / y
    if not np.all(y):
        raise NotAnMlp("an integer division by zero")
    return np.trunc(x / y).astype(np.int64)


@encoding("Add")
def _add(a: Applied) -> Value:
    return features.add(a.builder, a.needed(0), a.needed(1))


@encoding("Sub")
def _sub(a: Applied) -> Value:
    return features.add(a.builder, a.needed(0), a.needed(1), -1)


@encoding("Mul")
def _mul(a: Applied) -> Value:
    return features.multiply(a.builder, a.needed(0), a.needed(1))


@encoding("Neg")
def _neg(a: Applied) -> Value:
    return features.multiply(a.builder, a.needed(0), -1)


@encoding("Clip")
def _clip(a: Applied) -> Value:
    low, high = (a.get("min"), a.get("max")) if a.opset < 11 else (a.input(1), a.input(2))
    x = a.needed(0)
    x = x if low is None else features.curve(a.builder, np.maximum, x, low)
    return x if high is None else features.curve(a.builder, np.minimum, x, high)


def _total(kind: str, mean: bool) -> None:
    def function(a: Applied) -> Value:
        axes = a.integers("axes", 1)
        keep = bool(a.get("keepdims", 1))
        a.get("noop_with_empty_axes", 0)
        if not axes:
            raise NotOfTheInput("a sum over the whole batch")
        return features.total(a.builder, a.needed(0), axes, keep, mean)

    ENCODINGS[kind] = function


_total("ReduceSum", False)
_total("ReduceMean", True)


@encoding("Cast")
def _cast(a: Applied) -> Value:
    a.get("saturate")
    target = NUMBER_TYPES.get(a.get("to", 0), "other")
    number = "float" if "float" in target else "bool" if target == "bool" else "int"
    if target == "other":
        raise NotAnMlp("a conversion to no number type")
    found = features.cast(a.builder, a.needed(0), number)
    # What nothing has been done to is the input itself again.
    return found if found.rounded or number != "float" else settled(a.builder, found)


@encoding("Identity")
def _identity(a: Applied) -> Value:
    return functions_of(a.builder, a.needed(0))


# Tables


@encoding("Gather")
def _gather(a: Applied) -> Value:
    x, indices, axis = a.needed(0), a.needed(1), a.get("axis", 0)
    if isinstance(indices, (Signal, FeatureFunctions)):
        if axis != 0 or isinstance(x, (Signal, FeatureFunctions)):
            raise NotAnMlp("it chooses elements at places that depend on the input")
        return features.look_up(a.builder, x, indices)
    places = as_constant(indices)
    return arrangement.chosen(a.builder, x, axis, places, drop=places.ndim == 0)


@encoding("OneHot")
def _one_hot(a: Applied) -> Value:
    depth, values = a.constant(1), a.constant(2)
    if depth.size != 1 or values.shape != (2,) or depth.dtype.kind not in "if":
        raise NotAnMlp("a one-hot without its number of classes and two values")
    found = features.one_hot(a.builder, a.needed(0), int(depth.reshape(-1)[0]), a.get("axis", -1))
    off, on = values
    return features.rounding(a.builder, lambda v: np.where(v == 1, on, off), found)


# Columns


@encoding("Reshape")
def _reshape(a: Applied) -> Value:
    target = a.integers("shape", 1)
    x = functions_of(a.builder, a.needed(0))
    if target is None:
        raise NotAnMlp("a reshape without a shape")
    if not a.get("allowzero", 0):
        sizes = [size if axis else -1 if size is None else size for axis, size in enumerate(x.shape)]
        target = [sizes[axis] if size == 0 and axis < len(sizes) else size for axis, size in enumerate(target)]
        if target.count(-1) > 1 and target[0] == -1:
            rest = [size for size in target[1:] if size != -1]
            target[1 + target[1:].index(-1)] = x.size // max(int(np.prod(rest)), 1)
    return arrangement.as_signal_shape(a.builder, x, lambda s: shapes.reshape(s, target))


@encoding("Flatten")
def _flatten(a: Applied) -> Value:
    x = functions_of(a.builder, a.needed(0))
    if a.get("axis", 1) not in (1, 1 - len(x.shape)):
        raise NotAnMlp("a flatten that mixes samples and features")
    return x.with_features([x.size])


@encoding("Squeeze")
def _squeeze(a: Applied) -> Value:
    axes = a.integers("axes", 1)
    return arrangement.as_signal_shape(a.builder, a.needed(0), lambda s: shapes.squeeze(s, axes))


@encoding("Unsqueeze")
def _unsqueeze(a: Applied) -> Value:
    axes = a.integers("axes", 1) or []
    return arrangement.as_signal_shape(a.builder, a.needed(0), lambda s: shapes.unsqueeze(s, axes))


@encoding("Transpose")
def _transpose(a: Applied) -> Value:
    x = functions_of(a.builder, a.needed(0))
    return arrangement.permuted(a.builder, x, a.get("perm", list(range(len(x.shape)))[::-1]))


@encoding("Concat")
def _concat(a: Applied) -> Value:
    return arrangement.concatenated(a.builder, a.inputs, a.get("axis", 0))


@encoding("Slice")
def _slice(a: Applied) -> Value:
    starts, ends, axes, steps = (
        a.integers(name, position) for position, name in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    if starts is None or ends is None or len(starts) != len(ends):
        raise NotAnMlp("a slice without start and end")
    x = functions_of(a.builder, a.needed(0))
    for position, (start, end) in enumerate(zip(starts, ends, strict=True)):
        axis = position if axes is None else axes[position]
        x = arrangement.sliced(a.builder, x, axis, start, end, 1 if steps is None else steps[position])
    return x


@encoding("Split")
def _split(a: Applied) -> Value:
    x, axis = functions_of(a.builder, a.needed(0)), a.get("axis", 0)
    sizes, count = a.integers("split", 1), a.get("num_outputs", a.outputs)
    whole = x.source.shape[x.axis(axis)]
    return arrangement.pieces(a.builder, x, axis, -(-whole // count) if sizes is None else sizes)


@encoding("Expand")
def _expand(a: Applied) -> Value:
    x = functions_of(a.builder, a.needed(0))
    return arrangement.expanded(a.builder, x, a.integers("shape", 1) or [])


# Layers


@encoding("MatMul")
def _matmul(a: Applied) -> Value:
    weight = a.needed(1)
    if not isinstance(a.needed(0), FeatureFunctions) or np.ndim(weight) != 2:
        raise NotOfTheInput("a product of another kind")
    return features.matrix_product(a.builder, a.needed(0), np.transpose(weight))


@encoding("Gemm")
def _gemm(a: Applied) -> Value:
    weight = a.needed(1)
    plain = (a.get("alpha", 1.0), a.get("beta", 1.0), a.get("transA", 0)) == (1.0, 1.0, 0)
    if not isinstance(a.needed(0), FeatureFunctions) or not plain or np.ndim(weight) != 2:
        raise NotOfTheInput("a product of another kind")
    return features.matrix_product(
        a.builder, a.needed(0), weight if a.get("transB", 0) else np.transpose(weight), a.input(2)
    )
