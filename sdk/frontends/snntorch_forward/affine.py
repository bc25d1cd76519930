"""Sums, factors, products with weights and batch norm of recorded values: all that stays an affine function."""

from __future__ import annotations

from typing import Any

import numpy as np

from .expressions import Expression, OverTime, Unreadable, Value
from .operands import NotRead, Operands, constant_of, each_step, features_of, leading_axes, only_value

__all__ = [
    "add",
    "batch_norm",
    "divide",
    "dropout",
    "linear",
    "matmul",
    "multiply",
    "negated",
    "subtract",
    "subtract_from",
]


def _sum(operands: Operands, a: Any, b: Any, sign: float = 1.0) -> Value:
    left, right = operands.value(a), operands.value(b)
    for side in (left, right):
        if isinstance(side, Unreadable):
            return side
    if left is not None and right is not None:
        if isinstance(left, OverTime) and isinstance(right, OverTime):
            if left.axis != right.axis or len(left.steps) != len(right.steps) or None in left.steps + right.steps:
                raise NotRead("of two values over time that do not fit")
            pairs = zip(left.steps, right.steps, strict=True)
            return OverTime(tuple(_added(x, y, sign) for x, y in pairs if x is not None and y is not None), left.axis)
        if isinstance(left, Expression) and isinstance(right, Expression):
            return _added(left, right, sign)
        raise NotRead("of a value over time and one of a single step")
    if left is not None:
        shift = constant_of(operands, b, left)
        return each_step(left, lambda step: step.shifted(sign * shift))
    assert right is not None
    start = constant_of(operands, a, right)
    return each_step(right, lambda step: step.scaled(sign).shifted(start))


def _added(a: Expression, b: Expression, sign: float) -> Expression:
    if a.features != b.features:
        raise NotRead(f"of {a.features} and {b.features} features")
    return a.plus(b if sign == 1 else b.scaled(sign))


def add(operands: Operands) -> Value:
    """a + alpha · b."""
    return _sum(operands, operands.get(0, "input"), operands.get(1, "other"), float(operands.named.get("alpha", 1)))


def subtract(operands: Operands) -> Value:
    """a − alpha · b."""
    return _sum(operands, operands.get(0, "input"), operands.get(1, "other"), -float(operands.named.get("alpha", 1)))


def subtract_from(operands: Operands) -> Value:
    """b − a."""
    return _sum(operands, operands.get(1, "other"), operands.get(0, "input"), -1.0)


def multiply(operands: Operands) -> Value:
    """a · b, one of which is constant."""
    a, b = operands.get(0, "input"), operands.get(1, "other")
    left, right = operands.value(a), operands.value(b)
    if left is not None and right is not None:
        raise NotRead("of two values that both depend on the input")
    value, other = (left, b) if left is not None else (right, a)
    assert value is not None
    if isinstance(value, Unreadable):
        return value
    factor = constant_of(operands, other, value)
    return each_step(value, lambda step: step.scaled(factor))


def divide(operands: Operands) -> Value:
    """a / b, b constant."""
    value = operands.value(operands.get(0, "input"))
    divisor = operands.get(1, "other")
    if value is None or operands.value(divisor) is not None or operands.named.get("rounding_mode") is not None:
        raise NotRead("by something that depends on the input, or with rounding")
    if isinstance(value, Unreadable):
        return value
    number = constant_of(operands, divisor, value)
    with np.errstate(divide="ignore"):
        factor = 1.0 / number if isinstance(number, np.ndarray) or number else float("inf")
    if not np.all(np.isfinite(factor)):
        raise NotRead("by zero")
    return each_step(value, lambda step: step.scaled(factor))


def linear(operands: Operands) -> Value:
    """W · x + b with constant weights."""
    value, bias = only_value(operands), operands.get(2, "bias")
    return _matrix(operands, value, operands.get(1, "weight"), bias, transposed=False)


def matmul(operands: Operands) -> Value:
    """x · W with constant weights."""
    value = only_value(operands)
    return _matrix(operands, value, operands.get(1, "other", operands.named.get("mat2")), None, transposed=True)


def _matrix(operands: Operands, value: Value, weight: Any, bias: Any, *, transposed: bool) -> Value:
    if isinstance(value, Unreadable):
        return value
    if operands.value(weight) is not None or (bias is not None and operands.value(bias) is not None):
        raise NotRead("with weights that depend on the input")
    given = operands.get(0, "input")
    if given.ndim != leading_axes(value) + 1 or getattr(weight, "ndim", 0) != 2:
        raise NotRead(f"of a tensor of shape {list(given.shape)}", layout=True)
    matrix = operands.parameter(weight)
    if transposed:
        matrix = matrix.T
    if matrix.shape[1] != features_of(value):
        raise NotRead(f"of {features_of(value)} features by weights of shape {list(matrix.shape)}", layout=True)
    vector = None if bias is None else operands.parameter(bias)
    return each_step(value, lambda step: step.through(matrix, vector))


def batch_norm(operands: Operands) -> Value:
    """Batch norm at inference, of values of one step."""
    value = only_value(operands)
    if isinstance(value, Unreadable):
        return value
    mean, variance = operands.get(1, "running_mean"), operands.get(2, "running_var")
    if mean is None or variance is None:
        raise NotRead("without running statistics")
    if isinstance(value, OverTime) or operands.get(0, "input").ndim != 2:
        raise NotRead("over a tensor with time in it", layout=True)
    scale = 1 / np.sqrt(operands.parameter(variance) + float(operands.get(7, "eps", 1e-5)))
    shift = -operands.parameter(mean) * scale
    weight, bias = operands.get(3, "weight"), operands.get(4, "bias")
    if weight is not None:
        scale, shift = scale * operands.parameter(weight), shift * operands.parameter(weight)
    if bias is not None:
        shift = shift + operands.parameter(bias)
    return each_step(value, lambda step: step.scaled(scale).shifted(shift))


def dropout(operands: Operands) -> Value:
    """Nothing, at inference."""
    if operands.get(2, "training", True):
        raise NotRead("in training mode, whatever model.eval() says")
    return only_value(operands)


def negated(operands: Operands) -> Value:
    """−a."""
    return each_step(only_value(operands), lambda step: step.scaled(-1.0))
