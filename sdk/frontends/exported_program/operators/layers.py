"""Layers, activations, and what may stand at a model's end."""

from __future__ import annotations

from typing import Any

from ...reading import arithmetic
from ...reading.builder import MlpBuilder
from ...reading.value import NotAnMlp, Signal, Value
from .registry import constant, in_training_mode, number, operator, signal


@operator("linear")
def _linear(b: MlpBuilder, input: Value, weight: Value, bias: Value = None) -> Value:
    x = signal(input)
    if isinstance(bias, Signal):
        raise NotAnMlp("a bias that depends on the input")
    return b.linear(x, constant(weight), None if bias is None else constant(bias))


@operator("matmul", "mm", "bmm", "mv", "dot", "vdot")
def _matmul(
    b: MlpBuilder, self: Value, other: Value = None, mat2: Value = None, vec: Value = None, tensor: Value = None
) -> Value:
    return arithmetic.matrix_product(b, self, next(v for v in (other, mat2, vec, tensor) if v is not None))


@operator("addmm", "baddbmm")
def _addmm(
    b: MlpBuilder,
    self: Value,
    mat1: Value = None,
    mat2: Value = None,
    batch1: Value = None,
    batch2: Value = None,
    beta: Any = 1,
    alpha: Any = 1,
) -> Value:
    first, second = (mat1, mat2) if batch1 is None else (batch1, batch2)
    product = arithmetic.matrix_product(b, first, second)
    if alpha != 1:
        product = arithmetic.multiply(b, product, alpha)
    return product if beta == 0 else arithmetic.add(b, product, self, beta)


@operator("batch_norm", "_native_batch_norm_legit_no_training", "cudnn_batch_norm", "native_batch_norm")
def _batch_norm(
    b: MlpBuilder,
    input: Value,
    weight: Value,
    bias: Value,
    running_mean: Value,
    running_var: Value,
    training: Any = False,
    momentum: Any = 0.1,
    eps: Any = 1e-5,
    cudnn_enabled: Any = False,
) -> Value:
    if training:
        raise in_training_mode()
    if running_mean is None or running_var is None:
        raise NotAnMlp("a batch norm without running statistics", "Train with track_running_stats=True")
    gamma, beta = (None if value is None else constant(value) for value in (weight, bias))
    return b.batch_norm(signal(input), gamma, beta, constant(running_mean), constant(running_var), number(eps))


# Activations


@operator("relu")
def _relu(b: MlpBuilder, self: Value) -> Value:
    return arithmetic.clamp(b, self, 0.0, None)


@operator("relu6")
def _relu6(b: MlpBuilder, self: Value) -> Value:
    return arithmetic.clamp(b, self, 0.0, 6.0)


@operator("hardtanh")
def _hardtanh(b: MlpBuilder, self: Value, min_val: Any = -1.0, max_val: Any = 1.0) -> Value:
    return arithmetic.clamp(b, self, min_val, max_val)


@operator("clamp", "clip", "clamp_min", "clamp_max")
def _clamp(b: MlpBuilder, self: Value, min: Any = None, max: Any = None) -> Value:
    return arithmetic.clamp(b, self, min, max)


@operator("threshold")
def _threshold(b: MlpBuilder, self: Value, threshold: Any, value: Any) -> Value:
    if threshold != value:
        raise NotAnMlp(f"a threshold that jumps from {value} to {threshold}", "Use ReLU")
    return arithmetic.clamp(b, self, threshold, None)


@operator("hardsigmoid")
def _hardsigmoid(b: MlpBuilder, self: Value) -> Value:
    return arithmetic.divide(b, arithmetic.clamp(b, arithmetic.add(b, self, 3.0), 0.0, 6.0), 6.0)


@operator("sigmoid")
def _sigmoid(b: MlpBuilder, self: Value) -> Value:
    return b.sigmoid(signal(self))


@operator("tanh")
def _tanh(b: MlpBuilder, self: Value) -> Value:
    return b.tanh(signal(self))


@operator("maximum")
def _maximum(b: MlpBuilder, self: Value, other: Value) -> Value:
    return arithmetic.maximum(b, self, other)


@operator("minimum")
def _minimum(b: MlpBuilder, self: Value, other: Value) -> Value:
    return arithmetic.minimum(b, self, other)


@operator("softmax", "_softmax")
def _softmax(b: MlpBuilder, self: Value, dim: Any, dtype: Any = None, half_to_float: Any = False) -> Value:
    return b.final(signal(self), "softmax", dim)


@operator("log_softmax", "_log_softmax")
def _log_softmax(b: MlpBuilder, self: Value, dim: Any, dtype: Any = None, half_to_float: Any = False) -> Value:
    return b.final(signal(self), "log_softmax", dim)


@operator("argmax")
def _argmax(b: MlpBuilder, self: Value, dim: Any = None, keepdim: Any = False) -> Value:
    if dim is None:
        raise NotAnMlp("an argmax over the whole batch", "Give it a dimension: argmax(1)")
    return b.final(signal(self), "argmax", dim, bool(keepdim))
