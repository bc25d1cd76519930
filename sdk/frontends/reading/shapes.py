"""Operators that compute nothing: reshape, permute, squeeze and unsqueeze of signals and constants.

A signal may change its shape in any way that keeps the samples apart; where its features move, it knows their order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .value import BATCH, NotAnMlp, Signal, Value

__all__ = ["flatten", "permute", "reshape", "squeeze", "unsqueeze"]

_MOST_DIMENSIONS = 16


def _integers(what: str, values: Any) -> list[int]:
    result = list(values) if isinstance(values, (list, tuple, range, np.ndarray)) else [values]
    if len(result) > _MOST_DIMENSIONS:
        raise NotAnMlp(f"{what} of {len(result)} dimensions")
    for value in result:
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
            raise NotAnMlp(f"{what} {value!r}, which is not an integer")
    return [int(value) for value in result]


def reshape(x: Value, target: Sequence[Any]) -> Value:
    """`x` with shape `target`, in which −1 stands for what is left over and `BATCH` for the number of samples."""
    target = list(target)
    if len(target) > _MOST_DIMENSIONS:
        raise NotAnMlp(f"a tensor of {len(target)} dimensions")
    if not isinstance(x, Signal):
        sizes = _integers("a shape", target)
        if any(size < -1 for size in sizes) or sizes.count(-1) > 1:
            raise NotAnMlp(f"shape {sizes}")
        try:
            return np.reshape(x, sizes)
        except ValueError as error:
            raise NotAnMlp(f"a constant of shape {list(np.shape(x))} cannot take the shape {sizes}") from error
    if any(size != 1 for size in x.shape[: x.batch_axis]):
        raise NotAnMlp(f"a reshape of {x.text} mixes samples and features")
    shape, batch_axis = _batched_shape(x, target)
    return replace(x, shape=shape, batch_axis=batch_axis)


def _batched_shape(x: Signal, target: list[Any]) -> tuple[tuple[int | None, ...], int]:
    """The shape that `target` means for signal `x`, and where the batch is in it."""
    batch = x.shape[x.batch_axis]
    marked = [axis for axis, size in enumerate(target) if size is BATCH]
    sizes = _integers("a shape", [1 if size is BATCH else size for size in target])
    mixing = NotAnMlp(f"a reshape from {x.text} to {target} mixes samples and features")
    if any(size < -1 for size in sizes) or sizes.count(-1) > 1 or len(marked) > 1:
        raise NotAnMlp(f"shape {target}")
    if not marked:
        # The batch is the first dimension that is not 1: either the one left over or the fixed size itself.
        known = math.prod(size for size in sizes if size != -1)
        for axis, size in enumerate(sizes):
            if (size == -1 and known == x.size) or (size == batch and batch is not None):
                marked = [axis]
            elif size == 1:
                continue
            break
        if not marked and batch == 1 and sizes and sizes[0] == 1:
            marked = [0]
        if not marked:
            raise mixing
    (batch_axis,) = marked
    sizes[batch_axis] = 1
    if -1 in sizes:
        rest = math.prod(size for size in sizes if size != -1)
        if rest == 0 or x.size % rest:
            raise mixing
        sizes[sizes.index(-1)] = x.size // rest
    if math.prod(sizes) != x.size or any(size != 1 for size in sizes[:batch_axis]):
        raise mixing
    shape: list[int | None] = list(sizes)
    shape[batch_axis] = batch
    return tuple(shape), batch_axis


def permute(x: Value, order: Sequence[Any]) -> Value:
    """`x` with its dimensions in another order."""
    axes = _integers("a permutation", order)
    rank = len(x.shape) if isinstance(x, Signal) else np.ndim(x)
    if sorted(axis % rank if -rank <= axis < rank else -1 for axis in axes) != list(range(rank)):
        raise NotAnMlp(f"permutation {axes} of {rank} dimensions")
    axes = [axis % rank for axis in axes]
    if not isinstance(x, Signal):
        return np.transpose(x, axes)
    moved = [axis for axis in axes if axis != x.batch_axis and x.shape[axis] != 1]
    shape, batch_axis = tuple(x.shape[axis] for axis in axes), axes.index(x.batch_axis)
    if moved == sorted(moved):
        return replace(x, shape=shape, batch_axis=batch_axis)
    features = [axis - (axis > x.batch_axis) for axis in axes if axis != x.batch_axis]
    return x.moved(x.places.transpose(features), batch_axis)


def squeeze(x: Value, axes: Sequence[Any] | None) -> Value:
    """`x` without the dimensions `axes` (of a signal: those of them that are 1; all of size 1 for None)."""
    if not isinstance(x, Signal):
        shape = np.shape(x)
        given = range(len(shape)) if axes is None else _integers("axes", axes)
        chosen = {_rank_axis(len(shape), axis) for axis in given}
        return np.reshape(x, [size for axis, size in enumerate(shape) if axis not in chosen or size != 1])
    chosen = {x.axis(axis) for axis in (range(len(x.shape)) if axes is None else _integers("axes", axes))}
    if x.batch_axis in chosen and x.shape[x.batch_axis] == 1:
        raise NotAnMlp(f"a squeeze of {x.text} removes the batch dimension", "Name the dimension: squeeze(1)")
    keep = [axis for axis, size in enumerate(x.shape) if axis == x.batch_axis or axis not in chosen or size != 1]
    return replace(x, shape=tuple(x.shape[axis] for axis in keep), batch_axis=keep.index(x.batch_axis))


def unsqueeze(x: Value, axes: Sequence[Any]) -> Value:
    """`x` with dimensions of size 1 at the places `axes` of the result."""
    new = _integers("axes", axes)
    rank = (len(x.shape) if isinstance(x, Signal) else np.ndim(x)) + len(new)
    if rank > _MOST_DIMENSIONS or any(not -rank <= axis < rank for axis in new):
        raise NotAnMlp(f"a dimension at place {new} of {rank}")
    places = {axis % rank for axis in new}
    if len(places) != len(new):
        raise NotAnMlp(f"dimensions at places {new}")
    if not isinstance(x, Signal):
        return np.expand_dims(x, tuple(sorted(places)))
    old = iter(range(len(x.shape)))
    source = [None if axis in places else next(old) for axis in range(rank)]
    shape = tuple(1 if axis is None else x.shape[axis] for axis in source)
    return replace(x, shape=shape, batch_axis=source.index(x.batch_axis))


def flatten(x: Value, start: Any = 0, end: Any = -1) -> Value:
    """`x` with the dimensions `start` to `end` made one."""
    shape: tuple[Any, ...] = x.shape if isinstance(x, Signal) else np.shape(x)
    if not shape:
        return reshape(x, [1])
    first, last = (_rank_axis(len(shape), axis) for axis in (start, end))
    if first > last:
        raise NotAnMlp(f"a flatten from dimension {first} to {last}")
    if isinstance(x, Signal) and first <= x.batch_axis <= last:
        if any(size != 1 for axis, size in enumerate(shape) if first <= axis <= last and axis != x.batch_axis):
            raise NotAnMlp(f"a flatten of {x.text} from dimension {first} to {last} mixes samples and features")
        middle: Any = BATCH
    else:
        middle = math.prod(shape[first : last + 1])
    sizes = [BATCH if isinstance(x, Signal) and axis == x.batch_axis else size for axis, size in enumerate(shape)]
    return reshape(x, [*sizes[:first], middle, *sizes[last + 1 :]])


def _rank_axis(rank: int, axis: Any) -> int:
    (value,) = _integers("dimension", axis)
    if not -rank <= value < rank:
        raise NotAnMlp(f"dimension {value} of a tensor of {rank} dimensions")
    return value % rank
