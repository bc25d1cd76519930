"""Arithmetic: with signals as far as an MLP goes, with constants as far as weights are computed from others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...reading import arithmetic
from ...reading.builder import MlpBuilder
from ...reading.value import NotAnMlp, Signal, Value
from .registry import OPERATORS, as_list, constant, constant_axis, operator


@operator("add")
def _add(b: MlpBuilder, self: Value, other: Value, alpha: Any = 1) -> Value:
    return arithmetic.add(b, self, other, alpha)


@operator("sub", "subtract")
def _sub(b: MlpBuilder, self: Value, other: Value, alpha: Any = 1) -> Value:
    return arithmetic.subtract(b, self, other, alpha)


@operator("rsub")
def _rsub(b: MlpBuilder, self: Value, other: Value, alpha: Any = 1) -> Value:
    return arithmetic.subtract(b, other, self, alpha)


@operator("mul", "multiply")
def _mul(b: MlpBuilder, self: Value, other: Value) -> Value:
    return arithmetic.multiply(b, self, other)


@operator("div", "true_divide", "divide")
def _div(b: MlpBuilder, self: Value, other: Value, rounding_mode: Any = None) -> Value:
    if rounding_mode is not None:
        raise NotAnMlp("a division that rounds")
    return arithmetic.divide(b, self, other)


@operator("neg")
def _neg(b: MlpBuilder, self: Value) -> Value:
    return arithmetic.multiply(b, self, -1)


def _of_constants(name: str, compute: Callable[..., Any]) -> None:
    """An operator that is computed where its argument is a constant, such as the √ in (x − mean) / √variance."""

    def function(b: MlpBuilder, self: Value) -> Value:
        if isinstance(self, Signal):
            raise NotAnMlp(f"{name} of a tensor that depends on the input")
        return arithmetic.elementwise(b, compute, self)

    OPERATORS[name] = function


_of_constants("sqrt", np.sqrt)
_of_constants("rsqrt", lambda x: 1.0 / np.sqrt(x))
_of_constants("reciprocal", lambda x: 1.0 / x)


@operator("pow")
def _pow(b: MlpBuilder, self: Value, exponent: Value) -> Value:
    return arithmetic.power(b, self, exponent)


@operator("linalg_vector_norm")
def _vector_norm(
    b: MlpBuilder, self: Value, ord: Any = 2, dim: Any = None, keepdim: Any = False, dtype: Any = None
) -> Value:
    values = constant(self)
    if ord != 2:
        raise NotAnMlp(f"a norm of order {ord}")
    axes = tuple(range(values.ndim)) if dim is None else tuple(constant_axis(values, axis) for axis in as_list(dim))
    return np.sqrt(np.sum(np.square(values), axis=axes, keepdims=bool(keepdim)))


@operator("_weight_norm")
def _weight_norm(b: MlpBuilder, v: Value, g: Value, dim: Any = 0) -> Value:
    direction = constant(v)
    kept = None if dim == -1 else constant_axis(direction, dim)
    axes = tuple(axis for axis in range(direction.ndim) if axis != kept)
    norm = np.sqrt(np.sum(np.square(direction), axis=axes, keepdims=True))
    return arithmetic.elementwise(b, lambda v, g, norm: v * (g / norm), direction, constant(g), norm)
