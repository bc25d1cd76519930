"""Operators that move, convert or make numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...reading import joining, positions, shapes
from ...reading.value import BATCH, Constant, NotAnMlp, Signal, Value, as_constant
from ..tensors import NUMBER_TYPES
from .applied import Applied, operator


@operator("Identity")
def _identity(a: Applied) -> Value:
    return a.needed(0)


@operator("Dropout")
def _dropout(a: Applied) -> Value:
    for name in ("ratio", "seed"):
        a.get(name)
    mode = a.input(2)
    if mode is not None and (isinstance(mode, Signal) or np.any(mode)):
        raise NotAnMlp("a dropout in training mode", "Call model.eval() before exporting")
    return a.needed(0)


@operator("Cast")
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


@operator("Reshape")
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


@operator("Flatten")
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


@operator("Squeeze")
def _squeeze(a: Applied) -> Value:
    return shapes.squeeze(a.needed(0), a.integers("axes", 1))


@operator("Unsqueeze")
def _unsqueeze(a: Applied) -> Value:
    axes = a.integers("axes", 1)
    if axes is None:
        raise NotAnMlp("an unsqueeze without dimensions")
    return shapes.unsqueeze(a.needed(0), axes)


@operator("Transpose")
def _transpose(a: Applied) -> Value:
    x = a.needed(0)
    rank = len(x.shape) if isinstance(x, Signal) else np.ndim(x)
    return shapes.permute(x, a.get("perm", list(range(rank))[::-1]))


@operator("Shape")
def _shape(a: Applied) -> Value:
    x = a.needed(0)
    if not isinstance(x, Signal):
        sizes: list[Any] = list(np.shape(x))
    else:
        sizes = [BATCH if axis == x.batch_axis else size for axis, size in enumerate(x.shape)]
    chosen = sizes[slice(a.get("start"), a.get("end"))]
    return np.array(chosen, dtype=object if BATCH in chosen else np.int64)


@operator("Gather")
def _gather(a: Applied) -> Value:
    indices, axis = a.constant(1), a.get("axis", 0)
    x = a.needed(0)
    if isinstance(x, Signal):
        return _chosen(a, x, axis, indices)
    values = a.constant(0)
    if indices.dtype.kind != "i" or not -values.ndim <= axis < values.ndim:
        raise NotAnMlp(f"a gather of dimension {axis} of a constant of shape {list(values.shape)}")
    a.builder.budget.constant((values.size, indices.size))
    try:
        return _settled(np.asarray(np.take(values, indices, axis=axis), dtype=values.dtype))
    except IndexError as error:
        raise NotAnMlp(f"a gather past the end ({error})") from error


def _chosen(a: Applied, x: Signal, axis: int, indices: Constant) -> Value:
    """Elements along a dimension; one number takes the dimension away, a matrix makes windows of it."""
    if indices.dtype.kind != "i":
        raise NotAnMlp("a gather by other than integers")
    found = positions.chosen(a.builder, x, axis, indices.reshape(-1).tolist(), drop=indices.ndim == 0)
    if indices.ndim < 2:
        return found
    place = x.axis(axis)
    shape: list[Any] = [BATCH if at == x.batch_axis else size for at, size in enumerate(x.shape)]
    return shapes.reshape(found, [*shape[:place], *indices.shape, *shape[place + 1 :]])


@operator("Slice")
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
                if size is None or x.axis(axis) == x.batch_axis:
                    raise NotAnMlp(f"it takes a part of the samples of a tensor of shape {x.text}")
                x = positions.chosen(a.builder, x, axis, range(size)[slice(start, end, step)])
        return x
    index: list[slice] = [slice(None)] * rank
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        index[axis] = slice(start, end if step > 0 or end >= -(2**31) else None, step)
    return _settled(np.asarray(x)[tuple(index)])


@operator("Concat")
def _concat(a: Applied) -> Value:
    if any(isinstance(each, Signal) for each in a.inputs):
        return joining.concatenated(a.builder, a.inputs, a.get("axis", 0))
    values = [a.constant(position) for position in range(len(a.inputs))]
    axis = a.get("axis", 0)
    if any(value.ndim == 0 or not -value.ndim <= axis < value.ndim for value in values):
        raise NotAnMlp(f"a concatenation along dimension {axis}")
    a.builder.budget.constant((sum(value.size for value in values),))
    try:
        return _settled(np.concatenate(values, axis=axis))
    except ValueError as error:
        raise NotAnMlp(f"a concatenation of shapes {[list(value.shape) for value in values]}") from error


@operator("Expand")
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


@operator("Constant")
def _constant(a: Applied) -> Value:
    given = [a.get(name) for name in ("value", "value_float", "value_int", "value_floats", "value_ints")]
    given = [value for value in given if value is not None]
    if len(given) != 1:
        raise NotAnMlp("a constant that is not a number")
    return as_constant(given[0])


@operator("ConstantOfShape")
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
