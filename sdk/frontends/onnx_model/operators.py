"""What ONNX operators mean for an MLP: each function takes the call as `Applied` and gives its first output.

An operator that is not here is refused, and so is an attribute that its function does not ask for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..reading import arithmetic, shapes
from ..reading.builder import MlpBuilder
from ..reading.value import BATCH, Constant, NotAnMlp, Signal, Value, as_constant
from .tensors import NUMBER_TYPES

__all__ = ["HINTS", "OPERATORS", "Applied"]

HINTS = {
    **dict.fromkeys(("Conv", "ConvTranspose", "MaxPool", "AveragePool"), "Convolutions are no MLP layers"),
    **dict.fromkeys(("LSTM", "GRU", "RNN", "Loop", "Scan", "If"), "Recurrent layers are no MLP layers"),
    **dict.fromkeys(
        ("Gelu", "LeakyRelu", "Elu", "Selu", "PRelu", "Mish", "Softplus", "HardSwish", "Erf", "Swish"),
        "Train the model with ReLU, ReLU6 or Hardtanh in its place",
    ),
    **dict.fromkeys(("LayerNormalization", "InstanceNormalization"), "Use BatchNorm1d in its place"),
    **dict.fromkeys(
        ("QuantizeLinear", "DequantizeLinear", "QLinearMatMul", "Quant", "BipolarQuant", "MultiThreshold"),
        "edgeml quantizes itself: export the float model",
    ),
    **dict.fromkeys(("ZipMap", "ArrayFeatureExtractor"), "Export the model without its labels and maps"),
}
"""What to do about operators that are often met."""


@dataclass
class Applied:
    """One node: inputs (None where left out), attributes by name, opset version, number of outputs that are named."""

    builder: MlpBuilder
    inputs: list[Value]
    attributes: dict[str, Any]
    opset: int
    used: set[str] = field(default_factory=set)

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        self.used.add(name)
        return self.attributes.get(name, default)

    def input(self, position: int, default: Any = None) -> Value:
        """An input, or `default` where it is left out."""
        given = self.inputs[position] if position < len(self.inputs) else None
        return default if given is None else given

    def needed(self, position: int) -> Value:
        """An input that may not be left out."""
        value = self.input(position)
        if value is None:
            raise NotAnMlp(f"its input {position} is missing")
        return value

    def constant(self, position: int) -> Constant:
        """An input that must be known while reading."""
        value = self.needed(position)
        if isinstance(value, Signal):
            raise NotAnMlp(f"its input {position} depends on the model's input")
        return as_constant(value)

    def integers(self, name: str, position: int) -> list[Any] | None:
        """Integers that an older opset gives as an attribute and a newer one as an input; None where left out."""
        attribute = self.get(name)
        if attribute is not None:
            return list(attribute)
        if self.input(position) is None:
            return None
        values = self.constant(position)
        if values.dtype.kind not in "iO" or values.ndim > 1:
            raise NotAnMlp(f"its {name} are no integers")
        return [value if value is BATCH else int(value) for value in np.atleast_1d(values).tolist()]


Operator = Callable[[Applied], Value]
OPERATORS: dict[str, Operator] = {}


def _operator(name: str) -> Callable[[Operator], Operator]:
    def register(function: Operator) -> Operator:
        OPERATORS[name] = function
        return function

    return register


# Layers


@_operator("Gemm")
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


@_operator("MatMul")
def _matmul(a: Applied) -> Value:
    return arithmetic.matrix_product(a.builder, a.needed(0), a.needed(1))


@_operator("BatchNormalization")
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


@_operator("Relu")
def _relu(a: Applied) -> Value:
    return arithmetic.clamp(a.builder, a.needed(0), 0.0, None)


@_operator("Clip")
def _clip(a: Applied) -> Value:
    if a.opset < 11:
        return arithmetic.clamp(a.builder, a.needed(0), a.get("min"), a.get("max"))
    return arithmetic.clamp(a.builder, a.needed(0), a.input(1), a.input(2))


@_operator("HardSigmoid")
def _hard_sigmoid(a: Applied) -> Value:
    scaled = arithmetic.multiply(a.builder, a.needed(0), a.get("alpha", 0.2))
    return arithmetic.clamp(a.builder, arithmetic.add(a.builder, scaled, a.get("beta", 0.5)), 0.0, 1.0)


@_operator("Sigmoid")
def _sigmoid(a: Applied) -> Value:
    return a.builder.sigmoid(_signal(a))


@_operator("Tanh")
def _tanh(a: Applied) -> Value:
    return a.builder.tanh(_signal(a))


def _over_features(a: Applied, kind: str) -> Value:
    x = _signal(a)
    if a.opset >= 13:
        return a.builder.final(x, kind, a.get("axis", -1))
    # Before opset 13 all dimensions from the axis on count as one.
    axis = x.axis(a.get("axis", 1))
    if x.batch_axis >= axis or math.prod(size or 1 for i, size in enumerate(x.shape[:axis]) if i != x.batch_axis) != 1:
        raise NotAnMlp(f"{kind} from dimension {axis} on of a tensor of shape {x.text}")
    a.builder.final(shapes.reshape(x, [BATCH, x.size]), kind, 1)
    return Signal(x.node, x.shape, x.batch_axis, kind)


@_operator("Softmax")
def _softmax(a: Applied) -> Value:
    return _over_features(a, "softmax")


@_operator("LogSoftmax")
def _log_softmax(a: Applied) -> Value:
    return _over_features(a, "log_softmax")


@_operator("ArgMax")
def _argmax(a: Applied) -> Value:
    if a.get("select_last_index", 0):
        raise NotAnMlp("an argmax that takes the last of equal outputs", "edgeml takes the first")
    return a.builder.final(_signal(a), "argmax", a.get("axis", 0), bool(a.get("keepdims", 1)))


# Arithmetic


@_operator("Add")
def _add(a: Applied) -> Value:
    return arithmetic.add(a.builder, a.needed(0), a.needed(1))


@_operator("Sub")
def _sub(a: Applied) -> Value:
    return arithmetic.subtract(a.builder, a.needed(0), a.needed(1))


@_operator("Mul")
def _mul(a: Applied) -> Value:
    return arithmetic.multiply(a.builder, a.needed(0), a.needed(1))


@_operator("Div")
def _div(a: Applied) -> Value:
    return arithmetic.divide(a.builder, a.needed(0), a.needed(1), integers=True)


@_operator("Neg")
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
_of_constants("Exp", np.exp)
_of_constants("Abs", np.abs)
_of_constants("Pow", lambda x, y: np.power(np.asarray(x, np.float64), y), 2)


@_operator("Mod")
def _mod(a: Applied) -> Value:
    values, divisor = a.constant(0), a.constant(1)
    if a.get("fmod", 0) or values.dtype.kind != "i" or divisor.dtype.kind != "i" or not np.all(divisor):
        raise NotAnMlp("a remainder of other than integers")
    return arithmetic.elementwise(a.builder, np.mod, values, divisor)


@_operator("ReduceL2")
def _reduce_l2(a: Applied) -> Value:
    values, axes = a.constant(0), a.integers("axes", 1)
    chosen = range(values.ndim) if axes is None else axes
    if values.dtype.kind != "f" or any(not -values.ndim <= axis < values.ndim for axis in chosen):
        raise NotAnMlp(f"a norm over dimensions {axes} of a constant of shape {list(values.shape)}")
    keep = bool(a.get("keepdims", 1))
    return np.sqrt(np.sum(np.square(values), axis=tuple({axis % values.ndim for axis in chosen}), keepdims=keep))


# What moves or makes numbers


@_operator("Identity")
def _identity(a: Applied) -> Value:
    return a.needed(0)


@_operator("Dropout")
def _dropout(a: Applied) -> Value:
    for name in ("ratio", "seed"):
        a.get(name)
    mode = a.input(2)
    if mode is not None and (isinstance(mode, Signal) or np.any(mode)):
        raise NotAnMlp("a dropout in training mode", "Call model.eval() before exporting")
    return a.needed(0)


@_operator("Cast")
def _cast(a: Applied) -> Value:
    a.get("saturate")
    x, target = a.needed(0), NUMBER_TYPES.get(a.get("to", 0), "other")
    if isinstance(x, Signal):
        if "float" not in target and x.final != "argmax":
            raise NotAnMlp(f"a conversion to {target}", "An MLP computes with real numbers")
        return x
    values = as_constant(x)
    if values.dtype.kind == "O":
        return values
    if target == "other" or (values.dtype.kind == "f" and not np.all(np.isfinite(values)) and "float" not in target):
        raise NotAnMlp(f"a conversion of a constant to {target}")
    return values.astype(np.float64 if "float" in target else "bool" if target == "bool" else np.int64)


@_operator("Reshape")
def _reshape(a: Applied) -> Value:
    x, target = a.needed(0), a.integers("shape", 1)
    if target is None:
        raise NotAnMlp("a reshape without a shape")
    own: list[Any] = list(x.shape if isinstance(x, Signal) else np.shape(x))
    if isinstance(x, Signal):
        own[x.batch_axis] = BATCH
    if not a.get("allowzero", 0):
        if any(size == 0 and axis >= len(own) for axis, size in enumerate(target)):
            raise NotAnMlp(f"a reshape to {target} that copies a dimension which is not there")
        target = [own[axis] if size == 0 else size for axis, size in enumerate(target)]
    return shapes.reshape(x, target)


@_operator("Flatten")
def _flatten(a: Applied) -> Value:
    x, axis = a.needed(0), a.get("axis", 1)
    rank = len(x.shape) if isinstance(x, Signal) else np.ndim(x)
    if not -rank <= axis <= rank:
        raise NotAnMlp(f"a flatten at dimension {axis} of {rank}")
    axis = axis + rank if axis < 0 else axis
    sizes: list[Any] = list(x.shape if isinstance(x, Signal) else np.shape(x))
    if not isinstance(x, Signal):
        return shapes.reshape(x, [math.prod(sizes[:axis]), math.prod(sizes[axis:])])
    sizes[x.batch_axis] = 1
    front, back = math.prod(sizes[:axis]), math.prod(sizes[axis:])
    if (front if x.batch_axis < axis else back) != 1:
        raise NotAnMlp(f"a flatten of {x.text} at dimension {axis} mixes samples and features")
    return shapes.reshape(x, [BATCH, back] if x.batch_axis < axis else [front, BATCH])


@_operator("Squeeze")
def _squeeze(a: Applied) -> Value:
    return shapes.squeeze(a.needed(0), a.integers("axes", 1))


@_operator("Unsqueeze")
def _unsqueeze(a: Applied) -> Value:
    axes = a.integers("axes", 1)
    if axes is None:
        raise NotAnMlp("an unsqueeze without dimensions")
    return shapes.unsqueeze(a.needed(0), axes)


@_operator("Transpose")
def _transpose(a: Applied) -> Value:
    x = a.needed(0)
    rank = len(x.shape) if isinstance(x, Signal) else np.ndim(x)
    return shapes.permute(x, a.get("perm", list(range(rank))[::-1]))


@_operator("Shape")
def _shape(a: Applied) -> Value:
    x = a.needed(0)
    if not isinstance(x, Signal):
        sizes: list[Any] = list(np.shape(x))
    else:
        sizes = [BATCH if axis == x.batch_axis else size for axis, size in enumerate(x.shape)]
    chosen = sizes[slice(a.get("start"), a.get("end"))]
    return np.array(chosen, dtype=object if BATCH in chosen else np.int64)


@_operator("Gather")
def _gather(a: Applied) -> Value:
    values, indices, axis = a.constant(0), a.constant(1), a.get("axis", 0)
    if indices.dtype.kind != "i" or not -values.ndim <= axis < values.ndim:
        raise NotAnMlp(f"a gather of dimension {axis} of a constant of shape {list(values.shape)}")
    a.builder.budget.constant((values.size, indices.size))
    try:
        return _settled(np.asarray(np.take(values, indices, axis=axis), dtype=values.dtype))
    except IndexError as error:
        raise NotAnMlp(f"a gather past the end ({error})") from error


@_operator("Slice")
def _slice(a: Applied) -> Value:
    x = a.needed(0)
    starts, ends, axes, steps = (
        a.integers(name, position) for position, name in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    rank = len(x.shape) if isinstance(x, Signal) else np.ndim(x)
    axes = list(range(len(starts or ()))) if axes is None else axes
    steps = [1] * len(axes) if steps is None else steps
    if starts is None or ends is None or not len(starts) == len(ends) == len(axes) == len(steps):
        raise NotAnMlp("a slice without start and end")
    numbers = (*starts, *ends, *axes, *steps)
    if BATCH in numbers or any(not -rank <= axis < rank for axis in axes) or 0 in steps:
        raise NotAnMlp(f"a slice of dimensions {axes}")
    if isinstance(x, Signal):
        for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
            size = x.shape[axis]
            if start != 0 or step != 1 or end < (2**31 - 1 if size is None else size):
                raise NotAnMlp(f"it takes a part of a tensor of shape {x.text}", "An MLP's layer sees all features")
        return x
    index: list[slice] = [slice(None)] * rank
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        index[axis] = slice(start, end if step > 0 or end >= -(2**31) else None, step)
    return _settled(np.asarray(x)[tuple(index)])


@_operator("Concat")
def _concat(a: Applied) -> Value:
    values = [a.constant(position) for position in range(len(a.inputs))]
    axis = a.get("axis", 0)
    if any(value.ndim == 0 or not -value.ndim <= axis < value.ndim for value in values):
        raise NotAnMlp(f"a concatenation along dimension {axis}")
    a.builder.budget.constant((sum(value.size for value in values),))
    try:
        return _settled(np.concatenate(values, axis=axis))
    except ValueError as error:
        raise NotAnMlp(f"a concatenation of shapes {[list(value.shape) for value in values]}") from error


@_operator("Expand")
def _expand(a: Applied) -> Value:
    values, target = a.constant(0), a.integers("shape", 1)
    if target is None or BATCH in target or any(size < 1 for size in target):
        raise NotAnMlp(f"a constant is repeated to {target}")
    try:
        shape = np.broadcast_shapes(values.shape, tuple(target))
    except ValueError as error:
        raise NotAnMlp(f"a constant of shape {list(values.shape)} is repeated to {target}") from error
    a.builder.budget.constant(shape)
    return np.broadcast_to(values, shape)


@_operator("Constant")
def _constant(a: Applied) -> Value:
    given = [a.get(name) for name in ("value", "value_float", "value_int", "value_floats", "value_ints")]
    given = [value for value in given if value is not None]
    if len(given) != 1:
        raise NotAnMlp("a constant that is no number")
    return as_constant(given[0])


@_operator("ConstantOfShape")
def _constant_of_shape(a: Applied) -> Value:
    shape, value = a.integers("shape", 0), a.get("value", np.zeros(1))
    if shape is None or BATCH in shape or any(size < 0 for size in shape) or np.size(value) != 1:
        raise NotAnMlp(f"a constant of shape {shape}")
    a.builder.budget.constant(shape)
    return np.full(shape, np.reshape(value, -1)[0])


def _settled(values: Constant) -> Constant:
    """A piece of a shape: as integers once the size of the batch is not among them."""
    if values.dtype.kind != "O" or any(value is BATCH for value in values.reshape(-1)):
        return values
    return values.astype(np.int64)


def _signal(a: Applied) -> Signal:
    value = a.needed(0)
    if not isinstance(value, Signal):
        raise NotAnMlp("it is applied to a constant")
    return value
