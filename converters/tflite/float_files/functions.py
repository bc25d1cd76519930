"""Arithmetic and functions of one number."""

from __future__ import annotations

import numpy as np

from edgeml.frontends.reading import arithmetic
from edgeml.frontends.reading import functions_of_one as functions
from edgeml.frontends.reading.value import NotAnMlp, Signal, Value

from ..schema import OperatorKind
from .applied import OPERATORS, Applied, operator

__all__: list[str] = []


@operator(OperatorKind.ADD)
def _add(a: Applied) -> Value:
    return a.activated(arithmetic.add(a.builder, a.needed(0), a.needed(1)))


@operator(OperatorKind.SUB)
def _subtract(a: Applied) -> Value:
    return a.activated(arithmetic.subtract(a.builder, a.needed(0), a.needed(1)))


@operator(OperatorKind.MUL)
def _multiply(a: Applied) -> Value:
    return a.activated(arithmetic.multiply(a.builder, a.needed(0), a.needed(1)))


@operator(OperatorKind.DIV)
def _divide(a: Applied) -> Value:
    return a.activated(arithmetic.divide(a.builder, a.needed(0), a.needed(1)))


@operator(OperatorKind.NEG)
def _negate(a: Applied) -> Value:
    return arithmetic.multiply(a.builder, a.needed(0), -1.0)


@operator(OperatorKind.MAXIMUM)
def _maximum(a: Applied) -> Value:
    return arithmetic.maximum(a.builder, a.needed(0), a.needed(1))


@operator(OperatorKind.MINIMUM)
def _minimum(a: Applied) -> Value:
    return arithmetic.minimum(a.builder, a.needed(0), a.needed(1))


def _clamp(kind: OperatorKind, low: float, high: float | None) -> None:
    OPERATORS[kind] = lambda a: arithmetic.clamp(a.builder, a.needed(0), low, high)


_clamp(OperatorKind.RELU, 0.0, None)
_clamp(OperatorKind.RELU6, 0.0, 6.0)
_clamp(OperatorKind.RELU_N1_TO_1, -1.0, 1.0)
_clamp(OperatorKind.RELU_0_TO_1, 0.0, 1.0)


def _curve(kind: OperatorKind, name: str) -> None:
    OPERATORS[kind] = lambda a: functions.curve(a.builder, a.needed(0), name)


_curve(OperatorKind.ABS, "abs")
_curve(OperatorKind.EXP, "exp")
_curve(OperatorKind.SIN, "sin")
_curve(OperatorKind.COS, "cos")
_curve(OperatorKind.HARD_SWISH, "hard_swish")


@operator(OperatorKind.GELU)
def _gelu(a: Applied) -> Value:
    return functions.curve(a.builder, a.needed(0), "gelu_tanh" if a.option("approximate", 0) else "gelu")


@operator(OperatorKind.ELU)
def _elu(a: Applied) -> Value:
    return functions.elu(a.builder, a.needed(0), 1.0)


@operator(OperatorKind.LEAKY_RELU)
def _leaky_relu(a: Applied) -> Value:
    return functions.leaky_relu(a.builder, a.needed(0), float(a.option("alpha", 0.0)))


@operator(OperatorKind.PRELU)
def _prelu(a: Applied) -> Value:
    x, slope = a.signal(), a.constant(1)
    if slope.size > 1 and (len(x.features) != 1 or slope.size != x.size):
        raise NotAnMlp(f"a PRELU with slopes of shape {list(slope.shape)} on a tensor of shape {x.text}")
    return functions.leaky_relu(a.builder, x, np.asarray(slope, np.float64).reshape(-1))


@operator(OperatorKind.LOGISTIC)
def _logistic(a: Applied) -> Value:
    return a.builder.sigmoid(a.signal())


@operator(OperatorKind.TANH)
def _tanh(a: Applied) -> Value:
    return a.builder.tanh(a.signal())


@operator(OperatorKind.DEQUANTIZE)
def _dequantize(a: Applied) -> Value:
    """Of constants alone: they come as real numbers already."""
    value = a.needed(0)
    if isinstance(value, Signal):
        raise NotAnMlp("it stands behind a tensor of floats")
    return value
