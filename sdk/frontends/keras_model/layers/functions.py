"""Layers that change nothing when a trained model answers, and the functions of keras.ops that models are made with."""

from __future__ import annotations

from ...reading import arithmetic
from ...reading.value import Value
from .activations import activated
from .applied import IDENTITIES, Applied, operation

IDENTITIES |= {
    "InputLayer", "Identity", "Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D",
    "SpatialDropout2D", "ActivityRegularization",
}  # fmt: skip


@operation("Add")
def _add(a: Applied) -> Value:
    first, second = a.arguments
    return arithmetic.add(a.builder, first, second)


@operation("Subtract")
def _subtract(a: Applied) -> Value:
    first, second = a.arguments
    return arithmetic.subtract(a.builder, first, second)


@operation("Multiply")
def _multiply(a: Applied) -> Value:
    first, second = a.arguments
    return arithmetic.multiply(a.builder, first, second)


@operation("Divide", "TrueDivide")
def _divide(a: Applied) -> Value:
    first, second = a.arguments
    return arithmetic.divide(a.builder, first, second)


@operation("Negative")
def _negative(a: Applied) -> Value:
    return arithmetic.multiply(a.builder, a.x, -1.0)


@operation("Relu")
def _relu(a: Applied) -> Value:
    return activated(a.builder, a.x, "relu")


@operation("Sigmoid")
def _sigmoid(a: Applied) -> Value:
    return activated(a.builder, a.x, "sigmoid")


@operation("Tanh")
def _tanh(a: Applied) -> Value:
    return activated(a.builder, a.x, "tanh")
