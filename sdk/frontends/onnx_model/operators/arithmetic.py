"""Arithmetic: with signals as far as an MLP goes, with constants as far as weights are computed from others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...reading import arithmetic
from ...reading.builder import MlpBuilder
from ...reading.value import NotAnMlp, Value
from .applied import MACHINE_LEARNING, OPERATORS, Applied, operator


@operator("Add")
def _add(a: Applied) -> Value:
    return arithmetic.add(a.builder, a.needed(0), a.needed(1))


@operator("Sub")
def _sub(a: Applied) -> Value:
    return arithmetic.subtract(a.builder, a.needed(0), a.needed(1))


@operator("Mul")
def _mul(a: Applied) -> Value:
    return arithmetic.multiply(a.builder, a.needed(0), a.needed(1))


@operator("Div")
def _div(a: Applied) -> Value:
    return arithmetic.divide(a.builder, a.needed(0), a.needed(1), integers=True)


@operator("Neg")
def _neg(a: Applied) -> Value:
    return arithmetic.multiply(a.builder, a.needed(0), -1)


def _fold(name: str, function: Callable[[MlpBuilder, Value, Value], Value]) -> None:
    """An operator of any number of inputs, taken two at a time."""

    def folded(a: Applied) -> Value:
        result = a.needed(0)
        for position in range(1, len(a.inputs)):
            result = function(a.builder, result, a.needed(position))
        return result

    OPERATORS[name] = folded


_fold("Sum", arithmetic.add)
_fold("Max", arithmetic.maximum)
_fold("Min", arithmetic.minimum)


def _of_constants(name: str, compute: Callable[..., Any], count: int = 1) -> None:
    """An operator that is computed where all it takes is known."""

    def function(a: Applied) -> Value:
        return arithmetic.elementwise(a.builder, compute, *(a.constant(position) for position in range(count)))

    OPERATORS[name] = function


_of_constants("Sqrt", np.sqrt)
_of_constants("Reciprocal", lambda x: 1.0 / x)


@operator("Pow")
def _pow(a: Applied) -> Value:
    return arithmetic.power(a.builder, a.needed(0), a.needed(1))


@operator(f"{MACHINE_LEARNING}.Scaler")
def _scaler(a: Applied) -> Value:
    """(x − offset) · scale, each for all features or for every one."""
    offset, scale = (np.array(a.get(name) or [none], np.float64) for name, none in (("offset", 0.0), ("scale", 1.0)))
    return arithmetic.multiply(a.builder, arithmetic.subtract(a.builder, a.needed(0), offset), scale)


@operator("Mod")
def _mod(a: Applied) -> Value:
    values, divisor = a.constant(0), a.constant(1)
    if a.get("fmod", 0) or values.dtype.kind != "i" or divisor.dtype.kind != "i" or not np.all(divisor):
        raise NotAnMlp("a remainder of other than integers")
    return arithmetic.elementwise(a.builder, np.mod, values, divisor)


@operator("ReduceL2")
def _reduce_l2(a: Applied) -> Value:
    values, axes = a.constant(0), a.integers("axes", 1)
    chosen = range(values.ndim) if axes is None else axes
    if values.dtype.kind != "f" or any(not -values.ndim <= axis < values.ndim for axis in chosen):
        raise NotAnMlp(f"a norm over dimensions {axes} of a constant of shape {list(values.shape)}")
    keep = bool(a.get("keepdims", 1))
    return np.sqrt(np.sum(np.square(values), axis=tuple({axis % values.ndim for axis in chosen}), keepdims=keep))
