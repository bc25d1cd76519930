"""How models encode their inputs themselves: bits, comparisons, one-hot, embeddings, and how columns are put together.

These functions take the model's input and functions of its single features. Where a value comes from layers they raise
`NotOfTheInput`, and the ordinary reading of the operator holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...reading import feature_arithmetic as features
from ...reading.arithmetic import elementwise
from ...reading.builder import MlpBuilder
from ...reading.feature_functions import FeatureFunctions, NotOfTheInput
from ...reading.input_functions import functions_of, settled
from ...reading.value import NotAnMlp, Signal, Value, as_constant
from ..program import DataType
from .registry import ENCODINGS, as_list, encoding


def _one(name: str, compute: Callable[..., Any]) -> None:
    read = features.curve if name in ("abs", "square", "relu") else features.rounding
    ENCODINGS[name] = lambda b, self, **_: read(b, compute, self)


for _name, _compute in (
    ("floor", np.floor), ("ceil", np.ceil), ("trunc", np.trunc), ("fix", np.trunc), ("round", np.round),
    ("frac", lambda x: x - np.trunc(x)), ("sign", np.sign), ("abs", np.abs), ("square", np.square),
    ("relu", lambda x: np.maximum(x, 0)),
    ("logical_not", np.logical_not),
):  # fmt: skip
    _one(_name, _compute)


def _two(names: tuple[str, ...], compute: Callable[..., Any], read: Callable[..., Any] = features.rounding) -> None:
    for name in names:
        ENCODINGS[name] = lambda b, self, other, **_: read(b, compute, self, other)


_two(("floor_divide",), np.floor_divide)
_two(("remainder",), np.remainder)
_two(("fmod",), np.fmod)
_two(("maximum",), np.maximum, features.curve)
_two(("minimum",), np.minimum, features.curve)
_two(("logical_and",), np.logical_and)
_two(("logical_or",), np.logical_or)
_two(("logical_xor",), np.logical_xor)


def _bits(names: tuple[str, ...], compute: Callable[..., Any], shift: bool = False) -> None:
    for name in names:
        ENCODINGS[name] = lambda b, self, other: features.bits(b, compute, self, other, shift=shift)


_bits(("__and__", "bitwise_and"), np.bitwise_and)
_bits(("__or__", "bitwise_or"), np.bitwise_or)
_bits(("__xor__", "bitwise_xor"), np.bitwise_xor)
_bits(("__rshift__", "bitwise_right_shift"), np.right_shift, True)
_bits(("__lshift__", "bitwise_left_shift"), np.left_shift, True)


@encoding("bitwise_not")
def _bitwise_not(b: MlpBuilder, self: Value) -> Value:
    return features.bits(b, np.bitwise_not, self)


def _comparison(name: str) -> None:
    ENCODINGS[name] = lambda b, self, other: features.compare(b, name, self, other)


for _name in ("ge", "gt", "le", "lt", "eq", "ne"):
    _comparison(_name)


@encoding("div", "true_divide")
def _div(b: MlpBuilder, self: Value, other: Value, rounding_mode: Any = None) -> Value:
    if isinstance(other, (Signal, FeatureFunctions)):
        raise NotOfTheInput("a division by a tensor that depends on the input")
    if rounding_mode is None:
        return features.multiply(b, self, elementwise(b, lambda divisor: 1.0 / divisor, other))
    if rounding_mode not in ("floor", "trunc"):
        raise NotAnMlp(f"a division that rounds by {rounding_mode!r}")
    if rounding_mode == "floor":
        return features.rounding(b, np.floor_divide, self, other)
    return features.rounding(b, _truncated, self, other)


def _truncated(x: Any, y: Any) -> Any:
    result = np.trunc(x / y)
    return result if "f" in (np.asarray(x).dtype.kind, np.asarray(y).dtype.kind) else result.astype(np.int64)


@encoding("add")
def _add(b: MlpBuilder, self: Value, other: Value, alpha: Any = 1) -> Value:
    return features.add(b, self, other, alpha)


@encoding("sub")
def _sub(b: MlpBuilder, self: Value, other: Value, alpha: Any = 1) -> Value:
    return features.add(b, self, other, -alpha)


@encoding("rsub")
def _rsub(b: MlpBuilder, self: Value, other: Value, alpha: Any = 1) -> Value:
    return features.add(b, other, self, -alpha)


@encoding("mul")
def _mul(b: MlpBuilder, self: Value, other: Value) -> Value:
    return features.multiply(b, self, other)


@encoding("neg")
def _neg(b: MlpBuilder, self: Value) -> Value:
    return features.multiply(b, self, -1)


@encoding("pow")
def _pow(b: MlpBuilder, self: Value, exponent: Value) -> Value:
    return features.curve(b, np.power, self, exponent)


@encoding("clamp", "clip", "clamp_min", "clamp_max")
def _clamp(b: MlpBuilder, self: Value, min: Any = None, max: Any = None) -> Value:
    x: Value = self
    x = x if min is None else features.curve(b, np.maximum, x, min)
    return x if max is None else features.curve(b, np.minimum, x, max)


@encoding("where")
def _where(b: MlpBuilder, condition: Value, self: Value, other: Value) -> Value:
    return features.choose(b, condition, self, other)


@encoding("sum")
def _sum(b: MlpBuilder, self: Value, dim: Any = None, keepdim: Any = False, dtype: Any = None) -> Value:
    return _total(b, self, dim, keepdim, False)


@encoding("mean")
def _mean(b: MlpBuilder, self: Value, dim: Any = None, keepdim: Any = False, dtype: Any = None) -> Value:
    return _total(b, self, dim, keepdim, True)


def _total(b: MlpBuilder, x: Value, dim: Any, keep: Any, mean: bool) -> Value:
    if dim is None or dim == []:
        raise NotOfTheInput("a sum over the whole batch")
    return features.total(b, x, as_list(dim), bool(keep), mean)


# Conversions

_NUMBERS = {"bool": "bool", **dict.fromkeys(("uint8", "int8", "int16", "int32", "int64"), "int")}


@encoding(
    "contiguous", "detach", "alias", "to", "lift_fresh", "clone", "_to_copy", "lift_fresh_copy", "type_as", "dropout"
)
def _converted(
    b: MlpBuilder, self: Value = None, input: Value = None, train: Any = False, p: Any = 0, **how: Any
) -> Value:
    x = self if input is None else input
    if train and p:
        raise NotAnMlp("it was exported in training mode", "Call model.eval() before torch.export.export")
    dtype, like = how.get("dtype"), how.get("other")
    if isinstance(like, FeatureFunctions):
        return features.cast(b, x, like.number)
    if not isinstance(dtype, DataType):
        return features.cast(b, x, "float") if like is not None else functions_of(b, x)
    number = _NUMBERS.get(dtype.name, "float")
    found = features.cast(b, x, number)
    # What nothing has been done to is the input itself again.
    return found if found.rounded or number != "float" else settled(b, found)


# Tables


@encoding("one_hot")
def _one_hot(b: MlpBuilder, self: Value, num_classes: Any = -1) -> Value:
    return features.one_hot(b, self, num_classes)


@encoding("embedding")
def _embedding(
    b: MlpBuilder, weight: Value, indices: Value, padding_idx: Any = -1, scale_grad_by_freq: Any = 0, sparse: Any = 0
) -> Value:
    return features.look_up(b, _table(weight), indices)


def _table(weight: Value) -> Value:
    if isinstance(weight, (Signal, FeatureFunctions)):
        raise NotOfTheInput("a table that depends on the input")
    return as_constant(weight)


@encoding("embedding_bag", "_embedding_bag", "_embedding_bag_forward_only")
def _embedding_bag(
    b: MlpBuilder,
    weight: Value,
    indices: Value,
    offsets: Value,
    scale_grad_by_freq: Any = False,
    mode: Any = 0,
    sparse: Any = False,
    per_sample_weights: Value = None,
    include_last_offset: Any = False,
    padding_idx: Any = None,
) -> Value:
    x = indices
    if not isinstance(x, FeatureFunctions) or not x.flat or per_sample_weights is not None or include_last_offset:
        raise NotAnMlp("bags that are not one sample's features each", "Use Embedding and sum(1)")
    starts = as_constant(offsets)
    if starts.dtype.kind != "i" or starts.ndim != 1 or np.any(starts != np.arange(starts.size) * x.size):
        raise NotAnMlp("bags of unlike sizes", "Use Embedding and sum(1)")
    if x.shape[0] != starts.size or mode not in (0, 1) or padding_idx not in (None, -1):
        raise NotAnMlp("a bag of this kind", "Use Embedding and sum(1), with mode 'sum' or 'mean'")
    rows = features.look_up(b, _table(weight), replace(x, flat=False).with_features([x.size]))
    return features.total(b, rows, [1], False, mode == 1)


@encoding("bucketize")
def _bucketize(b: MlpBuilder, self: Value, boundaries: Value, out_int32: Any = False, right: Any = False) -> Value:
    edges = as_constant(boundaries)
    if edges.ndim != 1 or edges.dtype.kind not in "fi" or np.any(np.diff(edges) < 0):
        raise NotAnMlp("boundaries that do not rise")
    x = functions_of(b, self, edges)
    return features.rounding(b, lambda v: np.searchsorted(edges, v, side="right" if right else "left"), x)


# Layers


@encoding("linear")
def _linear(b: MlpBuilder, input: Value, weight: Value, bias: Value = None) -> Value:
    return features.matrix_product(b, input, weight, bias)


@encoding("matmul", "mm")
def _matmul(b: MlpBuilder, self: Value, other: Value = None, mat2: Value = None) -> Value:
    weight = other if mat2 is None else mat2
    if not isinstance(self, FeatureFunctions) or np.ndim(weight) != 2:
        raise NotOfTheInput("a product of another kind")
    return features.matrix_product(b, self, np.transpose(weight))


@encoding("addmm")
def _addmm(b: MlpBuilder, self: Value, mat1: Value, mat2: Value, beta: Any = 1, alpha: Any = 1) -> Value:
    if not isinstance(mat1, FeatureFunctions) or (beta, alpha) != (1, 1) or np.ndim(mat2) != 2:
        raise NotOfTheInput("a product of another kind")
    return features.matrix_product(b, mat1, np.transpose(mat2), self)


@encoding("arange")
def _arange(b: MlpBuilder, end: Any, start: Any = 0, step: Any = 1, dtype: Any = None, **where: Any) -> Value:
    if any(isinstance(each, bool) or not isinstance(each, (int, float)) for each in (start, end, step)) or step == 0:
        raise NotAnMlp("a range of other than numbers")
    b.budget.constant((max(int((end - start) / step) + 1, 0),))
    found = np.arange(start, end, step)
    real = isinstance(dtype, DataType) and "float" in dtype.name
    return found.astype(np.float64) if real else found
