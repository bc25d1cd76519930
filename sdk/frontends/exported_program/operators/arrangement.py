"""Operators that move, convert or make numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...reading import positions, shapes
from ...reading.builder import MlpBuilder
from ...reading.value import BATCH, NotAnMlp, Signal, Value, as_constant
from ..program import DataType
from .registry import OPERATORS, as_list, axis_of, constant_axis, in_training_mode, operator, signal


@operator("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout", alias=True)
def _dropout(b: MlpBuilder, input: Value, p: Any, train: Any) -> Value:
    if train and p != 0:
        raise in_training_mode()
    return input


@operator("contiguous", "detach", "alias", "to", "lift_fresh", alias=True)
def _same(b: MlpBuilder, self: Value, **where: Any) -> Value:
    return _converted(self, where.get("dtype"), where.get("other"))


@operator("clone", "_to_copy", "lift_fresh_copy", "type_as")
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


@operator("view", "reshape", "_unsafe_view", "_reshape_alias", "view_copy", alias=True)
def _view(b: MlpBuilder, self: Value, size: Any = None, shape: Any = None, stride: Any = None) -> Value:
    return shapes.reshape(self, as_list(shape if size is None else size))


@operator("flatten", alias=True)
def _flatten(b: MlpBuilder, self: Value, start_dim: Any = 0, end_dim: Any = -1) -> Value:
    return shapes.flatten(self, start_dim, end_dim)


@operator("unflatten", alias=True)
def _unflatten(b: MlpBuilder, self: Value, dim: Any, sizes: Any) -> Value:
    axis = signal(self).axis(dim)
    shape: list[Any] = [BATCH if i == self.batch_axis else size for i, size in enumerate(self.shape)]
    return shapes.reshape(self, [*shape[:axis], *as_list(sizes), *shape[axis + 1 :]])


@operator("squeeze", alias=True)
def _squeeze(b: MlpBuilder, self: Value, dim: Any = None) -> Value:
    return shapes.squeeze(self, None if dim is None else as_list(dim))


@operator("unsqueeze", alias=True)
def _unsqueeze(b: MlpBuilder, self: Value, dim: Any) -> Value:
    return shapes.unsqueeze(self, [dim])


@operator("permute", alias=True)
def _permute(b: MlpBuilder, self: Value, dims: Any) -> Value:
    return shapes.permute(self, as_list(dims))


@operator("t", "numpy_T", "mT", alias=True)
def _t(b: MlpBuilder, self: Value) -> Value:
    rank = len(self.shape) if isinstance(self, Signal) else np.ndim(self)
    if rank > 2:
        raise NotAnMlp(f"a transposition of {rank} dimensions")
    return shapes.permute(self, range(rank)[::-1])


@operator("transpose", alias=True)
def _transpose(b: MlpBuilder, self: Value, dim0: Any, dim1: Any) -> Value:
    rank = len(self.shape) if isinstance(self, Signal) else np.ndim(self)
    order = list(range(rank))
    first, second = (axis_of(rank, dim) for dim in (dim0, dim1))
    order[first], order[second] = order[second], order[first]
    return shapes.permute(self, order)


@operator("expand", "expand_as", "broadcast_to", alias=True)
def _expand(b: MlpBuilder, self: Value, size: Any = None, other: Value = None, implicit: Any = False) -> Value:
    if isinstance(self, Signal):
        raise NotAnMlp(f"a tensor of shape {self.text} is repeated")
    if isinstance(other, Signal):
        return self  # arithmetic broadcasts it where it is used
    target = list(np.shape(other)) if size is None else as_list(size)
    own = [1] * (len(target) - np.ndim(self)) + list(np.shape(self))
    sizes = [mine if wanted == -1 else wanted for mine, wanted in zip(own, target, strict=False)]
    if any(not isinstance(size, int) or size < 1 for size in sizes):
        raise NotAnMlp(f"a constant of shape {list(np.shape(self))} is repeated to {target}")
    b.budget.constant(sizes)
    try:
        return np.broadcast_to(self, sizes)
    except ValueError as error:
        raise NotAnMlp(f"a constant of shape {list(np.shape(self))} is repeated to {target}") from error


@operator("slice", alias=True)
def _slice(b: MlpBuilder, self: Value, dim: Any = 0, start: Any = None, end: Any = None, step: Any = 1) -> Value:
    if not isinstance(self, Signal):
        axis = constant_axis(self, dim)
        return self[(slice(None),) * axis + (slice(start, end, step),)]
    size = self.shape[self.axis(dim)]
    if start not in (None, 0) or step != 1 or (end is not None and end < (2**31 - 1 if size is None else size)):
        if size is None or self.axis(dim) == self.batch_axis:
            raise NotAnMlp(f"it takes a part of the samples of a tensor of shape {self.text}")
        return positions.chosen(b, self, dim, range(size)[slice(start, end, step)])
    return self


@operator("sym_size")
def _sym_size(b: MlpBuilder, self: Value, dim: Any) -> Any:
    if not isinstance(self, Signal):
        return int(np.shape(self)[constant_axis(self, dim)])
    axis = self.axis(dim)
    return BATCH if axis == self.batch_axis else self.shape[axis]


def _filled(name: str, value: float | None) -> None:
    """An operator that makes a constant of one repeated number: `value`, or the one it is given."""

    def function(
        b: MlpBuilder, size: Any = (), fill_value: Any = None, s: Any = None, self: Any = None, **where: Any
    ) -> Value:
        shape = list(np.shape(self)) if self is not None and not isinstance(self, Signal) else as_list(size)
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
