"""Arithmetic, comparisons and bits on functions of single features; constants alone are computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .arithmetic import elementwise
from .builder import MlpBuilder
from .feature_functions import (
    MIXED,
    TOO_MANY_BITS,
    VALUES,
    FeatureFunctions,
    NotOfTheInput,
    collapsed,
    joined,
    pointwise,
)
from .input_functions import functions_of, linear, taken_lines
from .value import NotAnMlp, Signal, Value, as_constant

__all__ = [
    "add",
    "bits",
    "cast",
    "choose",
    "compare",
    "curve",
    "look_up",
    "matrix_product",
    "multiply",
    "one_hot",
    "rounding",
    "spread",
    "total",
]

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "ge": np.greater_equal, "gt": np.greater, "le": np.less_equal, "lt": np.less, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
_MOST_SHIFT = 62


def _depends(value: Value) -> bool:
    return isinstance(value, (Signal, FeatureFunctions))


def rounding(builder: MlpBuilder, compute: Callable[..., Any], *operands: Value) -> Value:
    """A function of numbers that takes steps: floor, remainder, division that rounds, and their like."""
    if not any(_depends(operand) for operand in operands):
        return elementwise(builder, compute, *operands)
    given = [functions_of(builder, each) if _depends(each) else as_constant(each) for each in operands]
    return pointwise(builder.budget, compute, *given)


def curve(builder: MlpBuilder, compute: Callable[..., Any], *operands: Value) -> Value:
    """A function of numbers that real ones bear as well: of whole numbers alone, that something else has told."""
    if any(_depends(operand) for operand in operands) and not any(
        isinstance(each, FeatureFunctions) and (each.rounded or each.number != "float") for each in operands
    ):
        raise NotOfTheInput("a function of real numbers that depend on the input")
    return rounding(builder, compute, *operands)


def compare(builder: MlpBuilder, name: str, a: Value, b: Value) -> Value:
    """`name` is ge, gt, le, lt, eq or ne."""
    compute = _COMPARISONS[name]
    if not (_depends(a) or _depends(b)):
        return elementwise(builder, compute, a, b)
    levels = next((as_constant(each) for each in (a, b) if not _depends(each)), None)
    given = [functions_of(builder, each, levels) if _depends(each) else as_constant(each) for each in (a, b)]
    if name in ("eq", "ne") and levels is not None and levels.size:
        found = next(each for each in given if isinstance(each, FeatureFunctions))
        if float(levels.max()) > float(found.tables[:, :VALUES].max()) and found.tables[:, -1].max() >= levels.max():
            raise NotAnMlp(f"it compares an input with {levels.max():g}, past 255", TOO_MANY_BITS)
    return pointwise(builder.budget, compute, *given)


def bits(builder: MlpBuilder, compute: Callable[..., Any], *operands: Value, shift: bool = False) -> Value:
    """A function of integers or truth values; `shift`: the last operand says by how many bits."""

    def of_integers(*arrays: Any) -> Any:
        if any(np.asarray(array).dtype.kind not in "bi" for array in arrays):
            raise NotAnMlp("bits of real numbers", "Convert the input to integers first: x.long()")
        if shift and (np.min(arrays[-1]) < 0 or np.max(arrays[-1]) > _MOST_SHIFT):
            raise NotAnMlp(f"a shift by more than {_MOST_SHIFT} bits, or fewer than 0")
        if any(array.dtype.kind != "b" for array in arrays) or shift:
            arrays = tuple(np.asarray(array).astype(np.int64) for array in arrays)
        return compute(*arrays)

    return rounding(builder, of_integers, *operands)


def cast(builder: MlpBuilder, x: Value, number: str) -> Value:
    """`x` as "int", "bool" or "float"."""
    x = functions_of(builder, x)
    if number == x.number or x.terms > 1:
        return x
    if number == "float":
        return replace(x, number=number)
    if number == "bool":
        return pointwise(builder.budget, lambda v: v != 0, x)
    return pointwise(builder.budget, lambda v: np.trunc(v).astype(np.int64), x)


def add(builder: MlpBuilder, a: Value, b: Value, factor: Any = 1) -> Value:
    """a + factor · b."""
    if _depends(b):
        b = b if factor == 1 else multiply(builder, b, factor)
    if not _depends(a):
        a, b = b, a
        factor = 1
    a = functions_of(builder, a)
    if not _depends(b):
        constant = elementwise(builder, np.multiply, b, factor)
        if a.terms == 1:
            return replace(pointwise(builder.budget, np.add, a, constant, linear=True), rounded=a.rounded)
        first = replace(a, source=a.source[:1], function=a.function[:1])
        others = replace(a, source=a.source[1:], function=a.function[1:])
        return joined(builder.budget, [pointwise(builder.budget, np.add, first, constant), others], 0)
    b = functions_of(builder, b)
    if a.features != b.features:
        shape = np.broadcast_shapes(a.features, b.features)
        a, b = (spread(builder, each, shape) for each in (a, b))
    return collapsed(builder.budget, joined(builder.budget, [a, b], 0))


def spread(builder: MlpBuilder, x: FeatureFunctions, features: Sequence[int]) -> FeatureFunctions:
    """Repeated to larger features, as arithmetic does."""
    builder.budget.constant((2 * x.terms, *features))
    missing = (1,) * (len(features) - len(x.features))
    try:
        return x.moved(
            lambda each: np.array(np.broadcast_to(each.reshape((x.terms, *missing, *x.features)), (x.terms, *features)))
        )
    except ValueError as error:
        raise NotAnMlp(f"a tensor of shape {x.signal.text} is repeated to {list(features)} features") from error


def multiply(builder: MlpBuilder, a: Value, b: Value) -> Value:
    """a · b: one of them a constant, or both functions of one feature."""
    if not _depends(a):
        a, b = b, a
    a = functions_of(builder, a)
    if _depends(b):
        return curve(builder, np.multiply, a, functions_of(builder, b))
    return pointwise(builder.budget, np.multiply, a, as_constant(b), linear=True)


def total(builder: MlpBuilder, x: Value, axes: Sequence[Any], keep: bool, mean: bool = False) -> Value:
    """The sum, or the mean, along dimensions."""
    x = functions_of(builder, x)
    if x.number == "bool":
        x = replace(x, number="int")
    chosen = sorted({x.axis(axis) for axis in axes})
    count = int(np.prod([x.source.shape[axis] for axis in chosen]))
    rest = [size for axis, size in enumerate(x.source.shape) if axis not in chosen]
    builder.budget.constant((2, *x.source.shape))
    x = x.moved(lambda each: np.moveaxis(each, chosen, range(1, len(chosen) + 1)).reshape([-1, *rest[1:]]))
    found = collapsed(builder.budget, x)
    if mean:
        found = multiply(builder, replace(found, number="float"), 1.0 / count)
    if not keep:
        return found
    kept = [1 if axis in chosen else size for axis, size in enumerate((0, *_before(rest, chosen)))][1:]
    return found.with_features(kept)


def _before(rest: list[int], chosen: list[int]) -> list[int]:
    """The sizes of features with a 1 at each chosen dimension."""
    sizes = rest[1:]
    for axis in chosen:
        sizes.insert(axis - 1, 1)
    return sizes


def choose(builder: MlpBuilder, condition: Value, a: Value, b: Value) -> Value:
    """a where the condition holds, else b."""
    return rounding(builder, lambda c, x, y: np.where(c, x, y), condition, a, b)


def one_hot(builder: MlpBuilder, x: Value, classes: Any, axis: int = -1) -> Value:
    """1 at the place that `x` names among so many classes, else 0; `axis` is of the result."""
    if not isinstance(classes, int) or classes < 1:
        raise NotAnMlp("a one-hot without its number of classes", "Give it: one_hot(x, num_classes)")
    x = functions_of(builder, x)
    if classes > VALUES:
        raise NotAnMlp(f"a one-hot of {classes} classes", TOO_MANY_BITS)
    _restrict(builder, x, classes)
    found = pointwise(
        builder.budget, lambda v, k: (v == k).astype(np.int64), x.with_features([*x.features, 1]), np.arange(classes)
    )
    place = axis % len(found.shape)
    return found if place == len(found.shape) - 1 else found.moved(lambda each: np.moveaxis(each, -1, place))


def look_up(builder: MlpBuilder, table: Value, x: Value) -> FeatureFunctions:
    """table[x], row by row: an embedding. Features that could name no row have fewer values."""
    rows = as_constant(table)
    if rows.ndim == 0 or rows.dtype.kind not in "fib" or not rows.size:
        raise NotAnMlp(f"a table of shape {list(rows.shape)}")
    x = functions_of(builder, x)
    _restrict(builder, x, len(rows))
    wide = x.with_features([*x.features, *(1,) * (rows.ndim - 1)])
    columns = rows.reshape(len(rows), -1)
    places = np.arange(columns.shape[1]).reshape(rows.shape[1:])
    return pointwise(
        builder.budget, lambda v, k: columns[np.clip(v, 0, len(rows) - 1).astype(np.int64), k], wide, places
    )


def _restrict(builder: MlpBuilder, x: FeatureFunctions, rows: int) -> None:
    """The features that `x` is made of have the values for which it names one of so many rows."""
    if x.terms > 1:
        raise NotAnMlp("features are mixed before a table", MIXED)
    if x.number == "bool":
        x = replace(x, number="int")
    tables = x.tables
    if x.number == "float" and not x.rounded:
        raise NotAnMlp("a table at places that are not integers", "Convert the input to integers first: x.long()")
    outside = (tables < 0) | (tables >= rows)
    limits = np.where(outside.any(axis=1), outside.argmax(axis=1), VALUES)
    # Tables that lie one behind the other in one, told by the offsets of features that name their rows.
    starts = tables[:, 0]
    by_offset = np.array_equal(tables[:, :VALUES], starts[:, None] + np.arange(VALUES)[None])
    if by_offset and len(np.unique(starts)) > 1:
        following = np.append(np.unique(starts), rows)
        ends = following[np.searchsorted(following, starts, side="right")]
        limits = np.minimum(limits, np.where(starts < rows, ends - starts, 0).astype(np.int64))
    used = np.unique(x.function)
    if np.any(limits[used] == 0):
        raise NotAnMlp(f"an input of 0 names a row that a table of {rows} does not have")
    if np.any(limits[used] > VALUES):
        raise NotAnMlp(f"a table of {rows} rows, of which an input integer names at most {VALUES}", TOO_MANY_BITS)
    builder.encoding.limit(x.source.reshape(-1), limits[x.function].reshape(-1))


def matrix_product(builder: MlpBuilder, x: Value, weight: Value, bias: Value = None) -> Value:
    """x · weightᵀ + bias with weight [outputs, inputs], along the last dimension of `x`."""
    if _depends(weight) or _depends(bias):
        raise NotOfTheInput("weights that depend on the input")
    x = functions_of(builder, x)
    weight = as_constant(weight).astype(np.float64)
    if weight.ndim != 2 or not x.features or x.features[-1] != weight.shape[1]:
        raise NotAnMlp(f"weights of shape {list(weight.shape)} for an input of shape {x.signal.text}")
    if x.size == weight.shape[1]:
        y = linear(builder, x, weight, bias)
        return Signal(y.node, (x.shape[0], *x.features[:-1], len(weight)))
    if (gathered := taken_lines(builder, x)) is not None:
        return builder.linear(gathered, weight, bias)
    apart = multiply(builder, x.with_features([*x.features[:-1], 1, x.features[-1]]), weight)
    summed = total(builder, apart, [-1], False)
    return summed if bias is None else add(builder, summed, bias)
