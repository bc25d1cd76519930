"""Layers, activations, and what may stand at a model's end."""

from __future__ import annotations

import math
from dataclasses import replace

from ...reading import arithmetic, shapes
from ...reading.value import BATCH, NotAnMlp, Signal, Value
from .applied import Applied, operator, signal


@operator("Gemm")
def _gemm(a: Applied) -> Value:
    b, x, weight = a.builder, a.needed(0), a.needed(1)
    alpha, beta = a.get("alpha", 1.0), a.get("beta", 1.0)
    x = shapes.permute(x, [1, 0]) if a.get("transA", 0) else x
    weight = shapes.permute(weight, [1, 0]) if a.get("transB", 0) else weight
    product = arithmetic.matrix_product(b, x, weight)
    if alpha != 1:
        product = arithmetic.multiply(b, product, alpha)
    bias = a.input(2)
    return product if bias is None or beta == 0 else arithmetic.add(b, product, bias, beta)


@operator("MatMul")
def _matmul(a: Applied) -> Value:
    return arithmetic.matrix_product(a.builder, a.needed(0), a.needed(1))


@operator("BatchNormalization")
def _batch_normalization(a: Applied) -> Value:
    a.get("momentum")
    if a.get("training_mode", 0) or not a.get("spatial", 1):
        raise NotAnMlp("a batch norm in training mode", "Call model.eval() before exporting")
    x = a.needed(0)
    if not isinstance(x, Signal):
        raise NotAnMlp("a batch norm of a constant")
    gamma, beta, mean, variance = (a.constant(position) for position in (1, 2, 3, 4))
    return a.builder.batch_norm(x, gamma, beta, mean, variance, float(a.get("epsilon", 1e-5)))


# Activations


@operator("Relu")
def _relu(a: Applied) -> Value:
    return arithmetic.clamp(a.builder, a.needed(0), 0.0, None)


@operator("Clip")
def _clip(a: Applied) -> Value:
    if a.opset < 11:
        return arithmetic.clamp(a.builder, a.needed(0), a.get("min"), a.get("max"))
    return arithmetic.clamp(a.builder, a.needed(0), a.input(1), a.input(2))


@operator("HardSigmoid")
def _hard_sigmoid(a: Applied) -> Value:
    scaled = arithmetic.multiply(a.builder, a.needed(0), a.get("alpha", 0.2))
    return arithmetic.clamp(a.builder, arithmetic.add(a.builder, scaled, a.get("beta", 0.5)), 0.0, 1.0)


@operator("Sigmoid")
def _sigmoid(a: Applied) -> Value:
    return a.builder.sigmoid(signal(a))


@operator("Tanh")
def _tanh(a: Applied) -> Value:
    return a.builder.tanh(signal(a))


def _over_features(a: Applied, kind: str) -> Value:
    x = signal(a)
    if a.opset >= 13:
        return a.builder.final(x, kind, a.get("axis", -1))
    # Before opset 13 all dimensions from the axis on count as one.
    axis = x.axis(a.get("axis", 1))
    if x.batch_axis >= axis or math.prod(size or 1 for i, size in enumerate(x.shape[:axis]) if i != x.batch_axis) != 1:
        raise NotAnMlp(f"{kind} from dimension {axis} on of a tensor of shape {x.text}")
    ended = a.builder.final(shapes.reshape(x, [BATCH, x.size]), kind, 1)
    return replace(ended, shape=x.shape, batch_axis=x.batch_axis)


@operator("Softmax")
def _softmax(a: Applied) -> Value:
    return _over_features(a, "softmax")


@operator("LogSoftmax")
def _log_softmax(a: Applied) -> Value:
    return _over_features(a, "log_softmax")


@operator("ArgMax")
def _argmax(a: Applied) -> Value:
    if a.get("select_last_index", 0):
        raise NotAnMlp("an argmax that takes the last of equal outputs", "edgeml takes the first")
    return a.builder.final(signal(a), "argmax", a.get("axis", 0), bool(a.get("keepdims", 1)))
