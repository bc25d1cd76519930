"""Sums, products and their like on values: constants are computed, a signal becomes nodes of the `Mlp`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..float_operators.formula import Formula
from .builder import MlpBuilder
from .joining import multiplied
from .product_of_functions import function_of_one
from .shapes import unsqueeze
from .value import Constant, NotAnMlp, Signal, Value, as_constant

__all__ = [
    "add",
    "clamp",
    "divide",
    "elementwise",
    "matrix_product",
    "maximum",
    "minimum",
    "multiply",
    "power",
    "subtract",
]

_MOST_MULTIPLICATIONS = 2**33


def elementwise(builder: MlpBuilder, compute: Callable[..., Any], *constants: Any) -> Constant:
    """`compute` on constants that broadcast against each other, the result's size checked beforehand."""
    arrays = [as_constant(value) for value in constants]
    if any(array.dtype.kind == "O" for array in arrays):
        raise NotAnMlp("it computes with the size of the batch")
    try:
        builder.budget.constant(np.broadcast_shapes(*(array.shape for array in arrays)))
    except ValueError as error:
        raise NotAnMlp(f"constants of shapes {[list(array.shape) for array in arrays]} together") from error
    with np.errstate(all="ignore"):
        return as_constant(compute(*arrays))


def add(builder: MlpBuilder, a: Value, b: Value, factor: Any = 1) -> Value:
    """a + factor · b."""
    if not isinstance(b, Signal):
        b = elementwise(builder, np.multiply, b, factor) if factor != 1 else b
        if not isinstance(a, Signal):
            return elementwise(builder, np.add, a, b)
        return builder.affine(a, 1.0, b)
    scaled = builder.affine(b, _scalar(factor), 0.0)
    return builder.add(a, scaled) if isinstance(a, Signal) else builder.affine(scaled, 1.0, a)


def subtract(builder: MlpBuilder, a: Value, b: Value, factor: Any = 1) -> Value:
    """a − factor · b."""
    return add(builder, a, b, -_scalar(factor))


def multiply(builder: MlpBuilder, a: Value, b: Value) -> Value:
    """a · b: by a constant a scale, of functions of one tensor a function that is known by name, else a product of
    tensors."""
    if isinstance(a, Signal) and isinstance(b, Signal):
        if (known := function_of_one(builder, a, b, np.multiply)) is not None:
            return known
        return multiplied(builder, a, b)
    if isinstance(a, Signal):
        return builder.affine(a, b, 0.0)
    return builder.affine(b, a, 0.0) if isinstance(b, Signal) else elementwise(builder, np.multiply, a, b)


def power(builder: MlpBuilder, x: Value, exponent: Value) -> Value:
    """x to a constant power, which is 1, 2 or 3 where `x` depends on the input."""
    if isinstance(x, Signal) and not isinstance(exponent, Signal):
        power = np.unique(as_constant(exponent)).tolist()
        if power == [1]:
            return x
        if power in ([2], [3]):
            name = "square" if power == [2] else "cube"
            return builder.each_value(Formula(name), x, name)
    if isinstance(x, Signal) or isinstance(exponent, Signal):
        raise NotAnMlp("a power of a tensor that depends on the input")
    return elementwise(builder, _power, x, exponent)


def _power(x: Any, y: Any) -> Any:
    """Integers to the power of integers stay integers, unless they become large or fractions."""
    result = np.power(np.asarray(x, np.float64), y)
    whole = x.dtype.kind == y.dtype.kind == "i" and np.all(result == np.rint(result)) and np.all(abs(result) < 2**53)
    return result.astype(np.int64) if whole else result


def divide(builder: MlpBuilder, a: Value, b: Value, *, integers: bool = False) -> Value:
    """a / b, b a constant, or both functions of one tensor whose quotient is a function known by name.

    integers : two integers divide toward zero, as ONNX has it.
    """
    if isinstance(b, Signal):
        known = function_of_one(builder, a, b, np.divide) if isinstance(a, Signal) else None
        if known is not None:
            return known
        raise NotAnMlp("a division by a tensor that depends on the input")
    if isinstance(a, Signal):
        return builder.affine(a, elementwise(builder, lambda divisor: 1.0 / divisor, b), 0.0)
    if integers and as_constant(a).dtype.kind == as_constant(b).dtype.kind == "i":
        if not np.all(as_constant(b)):
            raise NotAnMlp("an integer division by zero")
        return elementwise(builder, lambda x, y: np.trunc(x / y).astype(np.int64), a, b)
    return elementwise(builder, np.true_divide, a, b)


def clamp(builder: MlpBuilder, x: Value, low: Any, high: Any) -> Value:
    """min(max(x, low), high); a bound may be None."""
    if isinstance(low, Signal) or isinstance(high, Signal):
        raise NotAnMlp("a clamp whose bounds depend on the input")
    if isinstance(x, Signal):
        return builder.clamp(x, low, high)
    x = x if low is None else elementwise(builder, np.maximum, x, low)
    return x if high is None else elementwise(builder, np.minimum, x, high)


def maximum(builder: MlpBuilder, a: Value, b: Value) -> Value:
    """The larger of a and b, one of them a constant."""
    return clamp(builder, a, b, None) if isinstance(a, Signal) else clamp(builder, b, a, None)


def minimum(builder: MlpBuilder, a: Value, b: Value) -> Value:
    """The smaller of a and b, one of them a constant."""
    return clamp(builder, a, None, b) if isinstance(a, Signal) else clamp(builder, b, None, a)


def matrix_product(builder: MlpBuilder, a: Value, b: Value) -> Value:
    """a @ b as numpy.matmul; at most one of them depends on the input and the other is a matrix or vector."""
    if isinstance(a, Signal) and isinstance(b, Signal):
        raise NotAnMlp("a matrix product of two tensors that both depend on the input")
    if isinstance(a, Signal):
        weight = _matrix(b)
        a = unsqueeze(a, range(max(np.ndim(b) - len(a.shape), 0)))
        if weight.ndim == 1:
            column = builder.linear(a, weight[None, :], None)
            shape = column.shape[:-1]
            return replace(column, shape=shape)
        return builder.linear(a, weight.T, None)
    if isinstance(b, Signal):
        weight = _matrix(a)
        if weight.ndim != 2 or len(b.shape) < 2:
            raise NotAnMlp(f"a matrix product of shapes {list(weight.shape)} and {b.text}")
        b = unsqueeze(b, range(max(np.ndim(a) - len(b.shape), 0)))
        return builder.linear(b, weight, None, axis=-2)
    a, b = as_constant(a), as_constant(b)
    ranks = a.ndim in (1, 2) and b.ndim in (1, 2)
    if not ranks or a.shape[-1] != b.shape[0] or "O" in (a.dtype.kind, b.dtype.kind):
        raise NotAnMlp(f"a matrix product of constants of shapes {list(a.shape)} and {list(b.shape)}")
    if a.size * (b.size // b.shape[0] if b.size else 0) > _MOST_MULTIPLICATIONS:
        raise NotAnMlp("a matrix product of constants of this size")
    builder.budget.constant((*a.shape[:-1], *b.shape[1:]))
    with np.errstate(all="ignore"):
        return as_constant(a @ b)


def _matrix(value: Any) -> Constant:
    """A constant factor of a matrix product, its leading dimensions of 1 dropped."""
    weight = as_constant(value)
    while weight.ndim > 2 and weight.shape[0] == 1:
        weight = weight[0]
    if weight.ndim not in (1, 2) or weight.dtype.kind == "O":
        raise NotAnMlp(f"a matrix product with a constant of shape {list(weight.shape)}")
    return weight


def _scalar(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NotAnMlp(f"a factor {value!r}, which is not a number")
    return value
