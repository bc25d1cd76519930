"""Functions of single features moved: reshaped, chosen, put together. Samples stay apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from . import shapes
from .builder import MlpBuilder
from .feature_functions import FeatureFunctions, NotOfTheInput, joined
from .input_functions import functions_of
from .value import BATCH, NotAnMlp, Signal, Value, as_constant

__all__ = [
    "as_signal_shape",
    "chosen",
    "concatenated",
    "expanded",
    "flattened_samples",
    "permuted",
    "pieces",
    "reshaped",
    "sliced",
    "stacked",
]


def as_signal_shape(builder: MlpBuilder, x: Value, change: Callable[[Signal], Signal]) -> FeatureFunctions:
    """`x` in the shape that `change` gives a signal: one that keeps the elements in order."""
    x = functions_of(builder, x)
    found = change(x.signal)
    if found.batch_axis != 0:
        raise NotAnMlp(f"the samples of a tensor of shape {x.signal.text} do not stay its first dimension")
    result: FeatureFunctions = x.with_features(found.features)
    return result


def flattened_samples(builder: MlpBuilder, x: Value, target: Sequence[Any]) -> FeatureFunctions | None:
    """`x` with samples and features as one dimension, if `target` says so: as `EmbeddingBag` takes them."""
    x = functions_of(builder, x)
    batch = x.shape[0]
    whole = list(target) in ([-1], [None if batch is None else batch * x.size])
    return replace(x, flat=True) if whole and x.size > 1 else None


def permuted(builder: MlpBuilder, x: Value, order: Sequence[Any]) -> FeatureFunctions:
    """Its dimensions in another order."""
    x = functions_of(builder, x)
    rank = len(x.shape)
    if sorted(axis % rank for axis in order) != list(range(rank)) or order[0] % rank != 0:
        raise NotAnMlp(f"a permutation of {x.signal.text} to the order {list(order)} moves the samples")
    result: FeatureFunctions = x.moved(lambda each: each.transpose([axis % rank for axis in order]))
    return result


def chosen(builder: MlpBuilder, x: Value, axis: Any, places: Any, *, drop: bool = False) -> FeatureFunctions:
    """The elements at `places` along a dimension; `drop`: one place, whose dimension goes."""
    x = functions_of(builder, x)
    axis = x.axis(axis)
    places = as_constant(places)
    size = x.source.shape[axis]
    if places.dtype.kind == "b" and places.shape == (size,):
        places = np.flatnonzero(places)
    if places.dtype.kind != "i" or not places.size or places.min() < -size or places.max() >= size:
        raise NotAnMlp(f"it chooses elements that a tensor of shape {x.signal.text} does not have")
    builder.budget.constant((2 * x.terms, x.size // size * places.size))
    result: FeatureFunctions = x.moved(lambda each: np.take(each, int(places) if drop else places, axis=axis))
    return result


def sliced(builder: MlpBuilder, x: Value, axis: Any, start: Any, end: Any, step: Any = 1) -> Value:
    """A part along a dimension, as Python's slices have it; all samples are kept."""
    x = functions_of(builder, x)
    if x.signal.axis(axis) == 0:
        if start in (None, 0) and step == 1 and (end is None or end >= 2**31 - 1 or end == x.shape[0]):
            return x
        raise NotAnMlp(f"it takes a part of the samples of a tensor of shape {x.signal.text}")
    size = x.source.shape[x.axis(axis)]
    return chosen(builder, x, axis, np.arange(size)[slice(start, end, step)])


def pieces(builder: MlpBuilder, x: Value, axis: Any, sizes: Any, *, drop: bool = False) -> list[FeatureFunctions]:
    """`x` cut along a dimension into pieces of the given sizes; an integer is the size of each but the last."""
    x = functions_of(builder, x)
    whole = x.source.shape[x.axis(axis)]
    if isinstance(sizes, int):
        if sizes < 1:
            raise NotAnMlp(f"pieces of size {sizes}")
        sizes = [min(sizes, whole - first) for first in range(0, whole, sizes)]
    ends = np.cumsum(sizes)
    if any(not isinstance(size, int) or size < 1 for size in sizes) or ends[-1] != whole:
        raise NotAnMlp(f"a tensor of shape {x.signal.text} in pieces of {list(sizes)[:8]}")
    return [
        chosen(builder, x, axis, end - 1 if drop else np.arange(end - size, end), drop=drop)
        for size, end in zip(sizes, ends.tolist(), strict=True)
    ]


def concatenated(builder: MlpBuilder, parts: Sequence[Value], axis: Any) -> FeatureFunctions:
    """One behind the other along a dimension."""
    if not parts or not any(isinstance(part, (Signal, FeatureFunctions)) for part in parts):
        raise NotOfTheInput("a concatenation of constants")
    found = [functions_of(builder, part) for part in parts]
    return joined(builder.budget, found, found[0].axis(axis))


def stacked(builder: MlpBuilder, parts: Sequence[Value], axis: Any) -> FeatureFunctions:
    """One beside the other along a new dimension."""
    found = [functions_of(builder, part) for part in parts]
    rank = len(found[0].shape) + 1
    if isinstance(axis, bool) or not isinstance(axis, int) or not -rank <= axis < rank or axis % rank == 0:
        raise NotAnMlp(f"a stack along dimension {axis}")
    place = axis % rank
    return concatenated(builder, [part.moved(lambda each: np.expand_dims(each, place)) for part in found], place)


def expanded(builder: MlpBuilder, x: Value, sizes: Sequence[Any]) -> FeatureFunctions:
    """Dimensions of 1 repeated; −1 keeps one, and so does the number of samples for the first."""
    from .feature_arithmetic import spread

    x = functions_of(builder, x)
    if len(sizes) != len(x.shape):
        raise NotAnMlp(f"a tensor of shape {x.signal.text} repeated to {list(sizes)}")
    first = sizes[0]
    if not (first is BATCH or first == -1 or first == x.shape[0] or first == 1):
        raise NotAnMlp(f"samples of a tensor of shape {x.signal.text} are repeated")
    wanted = [mine if size in (-1, 1) else size for mine, size in zip(x.features, sizes[1:], strict=True)]
    if any(isinstance(size, bool) or not isinstance(size, int) or size < 1 for size in wanted):
        raise NotAnMlp(f"a tensor of shape {x.signal.text} repeated to {list(sizes)}")
    return spread(builder, x, wanted)


def reshaped(builder: MlpBuilder, x: Value, target: Sequence[Any]) -> FeatureFunctions:
    """In another shape, its elements in order."""
    return flattened_samples(builder, x, target) or as_signal_shape(builder, x, lambda s: shapes.reshape(s, target))
