"""Operators that move numbers and compute none, and those that compute a shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeml.frontends.reading import joining, positions, shapes
from edgeml.frontends.reading.value import BATCH, NotAnMlp, Signal, Value

from ..schema import OperatorKind
from .applied import Applied, operator

__all__: list[str] = []


@operator(OperatorKind.RESHAPE)
def _reshape(a: Applied) -> Value:
    if a.input(1) is not None:
        return shapes.reshape(a.needed(0), a.integers(1))
    return shapes.reshape(a.needed(0), [int(size) for size in a.option("new_shape", [])])


@operator(OperatorKind.EXPAND_DIMS)
def _expand_dims(a: Applied) -> Value:
    return shapes.unsqueeze(a.needed(0), a.integers(1))


@operator(OperatorKind.SQUEEZE)
def _squeeze(a: Applied) -> Value:
    axes = [int(axis) for axis in a.option("squeeze_dims", [])]
    return shapes.squeeze(a.needed(0), axes or None)


@operator(OperatorKind.TRANSPOSE)
def _transpose(a: Applied) -> Value:
    return shapes.permute(a.needed(0), a.integers(1))


@operator(OperatorKind.PAD)
def _pad(a: Applied) -> Value:
    x, sides = a.signal(), a.constant(1)
    if sides.shape != (len(x.shape), 2) or sides.dtype.kind != "i":
        raise NotAnMlp(f"a padding of shape {list(sides.shape)} for a tensor of shape {x.text}")
    pairs = [(int(before), int(behind)) for before, behind in sides]
    if pairs[x.batch_axis] != (0, 0) or min(min(pair) for pair in pairs) < 0:
        raise NotAnMlp(f"a padding of {pairs}")
    return positions.padded(x, [pair for axis, pair in enumerate(pairs) if axis != x.batch_axis])


@operator(OperatorKind.SHAPE)
def _shape(a: Applied) -> Value:
    x = a.signal()
    sizes = [BATCH if axis == x.batch_axis else size for axis, size in enumerate(x.shape)]
    return np.array(sizes, dtype=object)


@operator(OperatorKind.PACK)
def _pack(a: Applied) -> Value:
    """Of numbers alone: the parts of a shape."""
    if any(isinstance(value, Signal) or np.size(value) != 1 for value in a.inputs):
        raise NotAnMlp("it packs tensors", "Concatenate them along the features")
    return np.array([np.asarray(value, dtype=object).reshape(-1)[0] for value in a.inputs], dtype=object)


def _ends(a: Applied, rank: int) -> list[list[int]]:
    """Begin, end and step of each dimension."""
    found = [a.integers(position) for position in (1, 2, 3)]
    if any(len(each) != rank or any(type(value) is not int for value in each) for each in found):
        raise NotAnMlp(f"a slice of {[len(each) for each in found]} numbers for {rank} dimensions")
    if a.option("ellipsis_mask", 0) or a.option("new_axis_mask", 0):
        raise NotAnMlp("a slice with new or left-out dimensions")
    return found


@operator(OperatorKind.STRIDED_SLICE)
def _strided_slice(a: Applied) -> Value:
    value = a.needed(0)
    rank = len(value.shape) if isinstance(value, Signal) else np.ndim(value)
    begin, end, step = _ends(a, rank)
    dropped = int(a.option("shrink_axis_mask", 0))
    open_begin, open_end = int(a.option("begin_mask", 0)), int(a.option("end_mask", 0))
    cuts: list[Any] = []
    for axis in range(rank):
        if dropped >> axis & 1:
            cuts.append(begin[axis])
        elif step[axis] == 0:
            raise NotAnMlp("a slice of step 0")
        else:
            first = None if open_begin >> axis & 1 else begin[axis]
            cuts.append(slice(first, None if open_end >> axis & 1 else end[axis], step[axis]))
    if not isinstance(value, Signal):
        return np.asarray(value)[tuple(cuts)]
    return _cut(a, value, cuts)


def _cut(a: Applied, x: Signal, cuts: list[Any]) -> Signal:
    """A part of the features; of the samples all."""
    whole = cuts[x.batch_axis]
    if not isinstance(whole, slice) or whole.start not in (None, 0) or whole.step != 1 or whole.stop is not None:
        raise NotAnMlp(f"it takes a part of the samples of a tensor of shape {x.text}")
    for axis in reversed(range(len(cuts))):
        size, cut = x.shape[axis], cuts[axis]
        if axis == x.batch_axis or size is None:
            continue
        if not isinstance(cut, slice):
            x = positions.chosen(a.builder, x, axis, [cut], drop=True)
        elif (indices := list(range(*cut.indices(size)))) != list(range(size)):
            x = positions.chosen(a.builder, x, axis, indices)
    return x


@operator(OperatorKind.SLICE)
def _slice(a: Applied) -> Value:
    x, begin, sizes = a.signal(), a.integers(1), a.integers(2)
    if len(begin) != len(x.shape) or len(sizes) != len(x.shape):
        raise NotAnMlp(f"a slice of {len(begin)} numbers of a tensor of shape {x.text}")
    cuts = [slice(first, None if size == -1 else first + size, 1) for first, size in zip(begin, sizes, strict=True)]
    batch = cuts[x.batch_axis]
    if batch.start == 0 and batch.stop in (None, x.shape[x.batch_axis]):
        cuts[x.batch_axis] = slice(None, None, 1)
    return _cut(a, x, cuts)


@operator(OperatorKind.SPLIT)
def _split(a: Applied) -> Value:
    """The dimension comes first, then the tensor."""
    (axis,), x, count = a.integers(0), a.signal(1), int(a.option("num_splits", 0))
    size = x.shape[x.axis(axis)]
    if count < 1 or size is None or size % count:
        raise NotAnMlp(f"{count} equal parts of a tensor of shape {x.text}")
    return positions.pieces(a.builder, x, axis, size // count)


@operator(OperatorKind.CONCATENATION)
def _concatenation(a: Applied) -> Value:
    axis = int(a.option("axis", 0))
    if any(isinstance(value, Signal) for value in a.inputs):
        return joining.concatenated(a.builder, a.inputs, axis)
    parts = [np.asarray(value) for value in a.inputs]
    try:
        a.builder.budget.constant((sum(part.size for part in parts),))
        return np.concatenate(parts, axis=axis)
    except ValueError as error:
        raise NotAnMlp(f"parts of shapes {[list(part.shape) for part in parts]} joined along {axis}") from error
