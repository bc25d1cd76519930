"""What torch's operators (ATen) mean for an MLP: each function takes the arguments of the operator's schema.

An operator that is not here is refused. Names are those of torch's documentation; arguments that only say where or
how numbers lie in memory are taken and ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..reading import arithmetic, shapes
from ..reading.builder import MlpBuilder
from ..reading.value import BATCH, NotAnMlp, Signal, Value, as_constant
from .program import DataType

__all__ = ["ALIASING", "HINTS", "IGNORED", "OPERATORS"]

Operator = Callable[..., Any]

OPERATORS: dict[str, Operator] = {}
"""By name without namespace, overload and the underscore of the in-place form: "linear", "add", "relu"."""

ALIASING: set[str] = set()
"""Operators whose result shares the memory of their first argument."""

IGNORED = {"_assert_tensor_metadata", "_assert_scalar", "_assert_async", "sym_constrain_range_for_size"}
"""Operators that give nothing."""

HINTS = {
    **dict.fromkeys(
        ("conv1d", "conv2d", "conv3d", "convolution", "conv_transpose2d"), "Convolutions are no MLP layers"
    ),
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), "Recurrent layers are no MLP layers"),
    **dict.fromkeys(
        ("gelu", "silu", "elu", "selu", "leaky_relu", "prelu", "mish", "softplus", "hardswish"),
        "Train the model with ReLU, ReLU6 or Hardtanh in its place",
    ),
    **dict.fromkeys(("layer_norm", "native_layer_norm", "group_norm", "instance_norm"), "Use BatchNorm1d in its place"),
    **dict.fromkeys(
        ("native_dropout", "rand_like", "bernoulli", "_native_batch_norm_legit_functional", "_native_batch_norm_legit"),
        "This model was exported in training mode: call model.eval() before torch.export.export",
    ),
}
"""What to do about operators that are often met."""

_TRAINING = NotAnMlp("it was exported in training mode", "Call model.eval() before torch.export.export")


def _operator(*names: str, alias: bool = False) -> Callable[[Operator], Operator]:
    def register(function: Operator) -> Operator:
        for name in names:
            OPERATORS[name] = function
        if alias:
            ALIASING.update(names)
        return function

    return register


# Layers


@_operator("linear")
def _linear(b: MlpBuilder, input: Value, weight: Value, bias: Value = None) -> Value:
    x = _signal(input)
    if isinstance(bias, Signal):
        raise NotAnMlp("a bias that depends on the input")
    return b.linear(x, _constant(weight), None if bias is None else _constant(bias))


@_operator("matmul", "mm", "bmm", "mv", "dot")
def _matmul(
    b: MlpBuilder, self: Value, other: Value = None, mat2: Value = None, vec: Value = None, tensor: Value = None
) -> Value:
    return arithmetic.matrix_product(b, self, next(v for v in (other, mat2, vec, tensor) if v is not None))


@_operator("addmm", "baddbmm")
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


@_operator("batch_norm", "_native_batch_norm_legit_no_training", "cudnn_batch_norm", "native_batch_norm")
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
        raise _TRAINING
    if running_mean is None or running_var is None:
        raise NotAnMlp("a batch norm without running statistics", "Train with track_running_stats=True")
    gamma, beta = (None if value is None else _constant(value) for value in (weight, bias))
    return b.batch_norm(_signal(input), gamma, beta, _constant(running_mean), _constant(running_var), _number(eps))


# Activations


@_operator("relu")
def _relu(b: MlpBuilder, self: Value) -> Value:
    return arithmetic.clamp(b, self, 0.0, None)


@_operator("relu6")
def _relu6(b: MlpBuilder, self: Value) -> Value:
    return arithmetic.clamp(b, self, 0.0, 6.0)


@_operator("hardtanh")
def _hardtanh(b: MlpBuilder, self: Value, min_val: Any = -1.0, max_val: Any = 1.0) -> Value:
    return arithmetic.clamp(b, self, min_val, max_val)


@_operator("clamp", "clip", "clamp_min", "clamp_max")
def _clamp(b: MlpBuilder, self: Value, min: Any = None, max: Any = None) -> Value:
    return arithmetic.clamp(b, self, min, max)


@_operator("threshold")
def _threshold(b: MlpBuilder, self: Value, threshold: Any, value: Any) -> Value:
    if threshold != value:
        raise NotAnMlp(f"a threshold that jumps from {value} to {threshold}", "Use ReLU")
    return arithmetic.clamp(b, self, threshold, None)


@_operator("hardsigmoid")
def _hardsigmoid(b: MlpBuilder, self: Value) -> Value:
    return arithmetic.divide(b, arithmetic.clamp(b, arithmetic.add(b, self, 3.0), 0.0, 6.0), 6.0)


@_operator("sigmoid")
def _sigmoid(b: MlpBuilder, self: Value) -> Value:
    return b.sigmoid(_signal(self))


@_operator("tanh")
def _tanh(b: MlpBuilder, self: Value) -> Value:
    return b.tanh(_signal(self))


@_operator("maximum")
def _maximum(b: MlpBuilder, self: Value, other: Value) -> Value:
    return arithmetic.maximum(b, self, other)


@_operator("minimum")
def _minimum(b: MlpBuilder, self: Value, other: Value) -> Value:
    return arithmetic.minimum(b, self, other)


@_operator("softmax", "_softmax")
def _softmax(b: MlpBuilder, self: Value, dim: Any, dtype: Any = None, half_to_float: Any = False) -> Value:
    return b.final(_signal(self), "softmax", dim)


@_operator("log_softmax", "_log_softmax")
def _log_softmax(b: MlpBuilder, self: Value, dim: Any, dtype: Any = None, half_to_float: Any = False) -> Value:
    return b.final(_signal(self), "log_softmax", dim)


@_operator("argmax")
def _argmax(b: MlpBuilder, self: Value, dim: Any = None, keepdim: Any = False) -> Value:
    if dim is None:
        raise NotAnMlp("an argmax over the whole batch", "Give it a dimension: argmax(1)")
    return b.final(_signal(self), "argmax", dim, bool(keepdim))


# Arithmetic


@_operator("add")
def _add(b: MlpBuilder, self: Value, other: Value, alpha: Any = 1) -> Value:
    return arithmetic.add(b, self, other, alpha)


@_operator("sub")
def _sub(b: MlpBuilder, self: Value, other: Value, alpha: Any = 1) -> Value:
    return arithmetic.subtract(b, self, other, alpha)


@_operator("rsub")
def _rsub(b: MlpBuilder, self: Value, other: Value, alpha: Any = 1) -> Value:
    return arithmetic.subtract(b, other, self, alpha)


@_operator("mul")
def _mul(b: MlpBuilder, self: Value, other: Value) -> Value:
    return arithmetic.multiply(b, self, other)


@_operator("div", "true_divide")
def _div(b: MlpBuilder, self: Value, other: Value, rounding_mode: Any = None) -> Value:
    if rounding_mode is not None:
        raise NotAnMlp("a division that rounds")
    return arithmetic.divide(b, self, other)


@_operator("neg")
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
_of_constants("exp", np.exp)
_of_constants("abs", np.abs)


@_operator("pow")
def _pow(b: MlpBuilder, self: Value, exponent: Value) -> Value:
    if isinstance(self, Signal) or isinstance(exponent, Signal):
        raise NotAnMlp("a power of a tensor that depends on the input")
    return arithmetic.elementwise(b, lambda x, y: np.power(np.asarray(x, np.float64), y), self, exponent)


@_operator("linalg_vector_norm")
def _vector_norm(
    b: MlpBuilder, self: Value, ord: Any = 2, dim: Any = None, keepdim: Any = False, dtype: Any = None
) -> Value:
    values = _constant(self)
    if ord != 2:
        raise NotAnMlp(f"a norm of order {ord}")
    axes = tuple(range(values.ndim)) if dim is None else tuple(_constant_axis(values, axis) for axis in _list(dim))
    return np.sqrt(np.sum(np.square(values), axis=axes, keepdims=bool(keepdim)))


@_operator("_weight_norm")
def _weight_norm(b: MlpBuilder, v: Value, g: Value, dim: Any = 0) -> Value:
    direction = _constant(v)
    kept = None if dim == -1 else _constant_axis(direction, dim)
    axes = tuple(axis for axis in range(direction.ndim) if axis != kept)
    norm = np.sqrt(np.sum(np.square(direction), axis=axes, keepdims=True))
    return arithmetic.elementwise(b, lambda v, g, norm: v * (g / norm), direction, _constant(g), norm)


# What moves or makes numbers


@_operator("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout", alias=True)
def _dropout(b: MlpBuilder, input: Value, p: Any, train: Any) -> Value:
    if train and p != 0:
        raise _TRAINING
    return input


@_operator("contiguous", "detach", "alias", "to", "lift_fresh", alias=True)
def _same(b: MlpBuilder, self: Value, **where: Any) -> Value:
    return _converted(self, where.get("dtype"), where.get("other"))


@_operator("clone", "_to_copy", "lift_fresh_copy", "type_as")
def _copy(b: MlpBuilder, self: Value, **where: Any) -> Value:
    return _converted(self, where.get("dtype"), where.get("other"))


def _converted(x: Value, dtype: Any, like: Any = None) -> Value:
    """`x` as another number type: real numbers stay as they are, which is more exact than any type of theirs."""
    if isinstance(dtype, DataType) and not (isinstance(x, Signal) and x.final == "argmax"):
        if dtype.name not in ("float16", "bfloat16", "float32", "float64"):
            if isinstance(x, Signal) or as_constant(x).dtype.kind == "f":
                raise NotAnMlp(f"a conversion to {dtype.name}", "An MLP computes with real numbers")
        elif not isinstance(x, Signal):
            return as_constant(x).astype(np.float64)
    return x


@_operator("view", "reshape", "_unsafe_view", "_reshape_alias", "view_copy", alias=True)
def _view(b: MlpBuilder, self: Value, size: Any = None, shape: Any = None, stride: Any = None) -> Value:
    return shapes.reshape(self, _list(shape if size is None else size))


@_operator("flatten", alias=True)
def _flatten(b: MlpBuilder, self: Value, start_dim: Any = 0, end_dim: Any = -1) -> Value:
    return shapes.flatten(self, start_dim, end_dim)


@_operator("unflatten", alias=True)
def _unflatten(b: MlpBuilder, self: Value, dim: Any, sizes: Any) -> Value:
    axis = _signal(self).axis(dim)
    shape: list[Any] = [BATCH if i == self.batch_axis else size for i, size in enumerate(self.shape)]
    return shapes.reshape(self, [*shape[:axis], *_list(sizes), *shape[axis + 1 :]])


@_operator("squeeze", alias=True)
def _squeeze(b: MlpBuilder, self: Value, dim: Any = None) -> Value:
    return shapes.squeeze(self, None if dim is None else _list(dim))


@_operator("unsqueeze", alias=True)
def _unsqueeze(b: MlpBuilder, self: Value, dim: Any) -> Value:
    return shapes.unsqueeze(self, [dim])


@_operator("permute", alias=True)
def _permute(b: MlpBuilder, self: Value, dims: Any) -> Value:
    return shapes.permute(self, _list(dims))


@_operator("t", "numpy_T", "mT", alias=True)
def _t(b: MlpBuilder, self: Value) -> Value:
    rank = len(self.shape) if isinstance(self, Signal) else np.ndim(self)
    if rank > 2:
        raise NotAnMlp(f"a transposition of {rank} dimensions")
    return shapes.permute(self, range(rank)[::-1])


@_operator("transpose", alias=True)
def _transpose(b: MlpBuilder, self: Value, dim0: Any, dim1: Any) -> Value:
    rank = len(self.shape) if isinstance(self, Signal) else np.ndim(self)
    order = list(range(rank))
    first, second = (_axis(rank, dim) for dim in (dim0, dim1))
    order[first], order[second] = order[second], order[first]
    return shapes.permute(self, order)


@_operator("expand", "expand_as", "broadcast_to", alias=True)
def _expand(b: MlpBuilder, self: Value, size: Any = None, other: Value = None, implicit: Any = False) -> Value:
    if isinstance(self, Signal):
        raise NotAnMlp(f"a tensor of shape {self.text} is repeated")
    if isinstance(other, Signal):
        return self  # arithmetic broadcasts it where it is used
    target = list(np.shape(other)) if size is None else _list(size)
    own = [1] * (len(target) - np.ndim(self)) + list(np.shape(self))
    sizes = [mine if wanted == -1 else wanted for mine, wanted in zip(own, target, strict=False)]
    if any(not isinstance(size, int) or size < 1 for size in sizes):
        raise NotAnMlp(f"a constant of shape {list(np.shape(self))} is repeated to {target}")
    b.budget.constant(sizes)
    try:
        return np.broadcast_to(self, sizes)
    except ValueError as error:
        raise NotAnMlp(f"a constant of shape {list(np.shape(self))} is repeated to {target}") from error


@_operator("slice", alias=True)
def _slice(b: MlpBuilder, self: Value, dim: Any = 0, start: Any = None, end: Any = None, step: Any = 1) -> Value:
    if not isinstance(self, Signal):
        axis = _constant_axis(self, dim)
        return self[(slice(None),) * axis + (slice(start, end, step),)]
    size = self.shape[self.axis(dim)]
    if start not in (None, 0) or step != 1 or (end is not None and end < (2**31 - 1 if size is None else size)):
        raise NotAnMlp(f"it takes a part of a tensor of shape {self.text}", "An MLP's layer sees all features")
    return self


@_operator("sym_size")
def _sym_size(b: MlpBuilder, self: Value, dim: Any) -> Any:
    if not isinstance(self, Signal):
        return int(np.shape(self)[_constant_axis(self, dim)])
    axis = self.axis(dim)
    return BATCH if axis == self.batch_axis else self.shape[axis]


def _filled(name: str, value: float | None) -> None:
    """An operator that makes a constant of one repeated number: `value`, or the one it is given."""

    def function(
        b: MlpBuilder, size: Any = (), fill_value: Any = None, s: Any = None, self: Any = None, **where: Any
    ) -> Value:
        shape = list(np.shape(self)) if self is not None and not isinstance(self, Signal) else _list(size)
        if isinstance(self, Signal) or any(not isinstance(n, int) or isinstance(n, bool) or n < 0 for n in shape):
            raise NotAnMlp(f"{name} of the shape of a tensor that depends on the input")
        number = next((n for n in (value, fill_value, s) if n is not None), None)
        if not isinstance(number, (int, float)):
            raise NotAnMlp(f"{name} with {number!r}")
        b.budget.constant(shape)
        return np.full(shape, float(number))

    OPERATORS[name] = function


for _name, _value in (("full", None), ("zeros", 0.0), ("ones", 1.0), ("scalar_tensor", None)):
    _filled(_name, _value)
    if _name != "scalar_tensor":
        _filled(f"{_name}_like", _value)


def _signal(value: Value) -> Signal:
    if not isinstance(value, Signal):
        raise NotAnMlp("it is applied to a constant")
    return value


def _constant(value: Value) -> Any:
    if isinstance(value, Signal):
        raise NotAnMlp("a weight depends on the input")
    array = as_constant(value)
    if array.dtype.kind not in "fib":
        raise NotAnMlp(f"a weight of type {array.dtype}")
    return array.astype(np.float64)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NotAnMlp(f"a parameter {value!r}, which is no number")
    return float(value)


def _list(value: Any) -> Sequence[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _axis(rank: int, axis: Any) -> int:
    if isinstance(axis, bool) or not isinstance(axis, int) or not -rank <= axis < rank:
        raise NotAnMlp(f"dimension {axis!r} of a tensor of {rank} dimensions")
    return axis % rank


def _constant_axis(value: Any, axis: Any) -> int:
    return _axis(np.ndim(value), axis)
