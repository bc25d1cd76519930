"""Tensors whose elements are functions of single features: what a model makes of inputs that it takes apart itself.

An input integer has at most 8 bits. So a function of one feature is a list of at most 256 numbers, and every operator
on it is computed at once, on that list: whatever way bits, levels or categories are written in, they are told by the
numbers that come out (`encoding_of_functions.py`), not by the operators.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .value import Budget, Constant, NotAnMlp, Signal

__all__ = ["MIXED", "POINTS", "TOO_MANY_BITS", "VALUES", "FeatureFunctions", "NotOfTheInput", "joined", "pointwise"]

Ints = npt.NDArray[np.int64]

VALUES = 256
"""How many integers an input may be: 8 bits."""
POINTS = np.concatenate([np.arange(VALUES), 2 ** np.arange(8, 32)]).astype(np.float64)
"""Where a function is known: at every integer of 8 bits, and at one of each number of bits above. These are for one
question alone, whether a function looks at more than 8 bits."""

TOO_MANY_BITS = "Input integers have at most 8 bits: split a larger feature into bytes, in the data and in the model"
MIXED = "A bit, a level or a category must be of one feature; sums of them over several features may follow, and layers"
_EXACT = 2.0**53


class NotOfTheInput(NotAnMlp):
    """A tensor is not made of single features of the model's input."""


@dataclass(frozen=True, eq=False)
class FeatureFunctions:
    """y[batch, i] = Σ over terms t of tables[function[t, i]] at the integer that feature source[t, i] is.

    Parameters
    ----------
    source, function : int64 [terms, *features]; one term, but for sums over several features.
    tables : float64 [functions, len(POINTS)].
    shape : of the tensor, its batch dimension first.
    number : "int", "bool" or "float".
    rounded : whether something has been done to an input that only whole numbers bear; if not, all functions are lines.
    flat : samples and features have been made one dimension, as `EmbeddingBag` takes them.
    """

    source: Ints
    function: Ints
    tables: npt.NDArray[np.float64]
    shape: tuple[int | None, ...]
    number: str
    rounded: bool
    flat: bool = False

    @property
    def terms(self) -> int:
        """How many functions are added up in each element."""
        return int(self.source.shape[0])

    @property
    def features(self) -> tuple[int, ...]:
        """The shape without its batch dimension."""
        return self.source.shape[1:]

    @property
    def size(self) -> int:
        """Number of elements of a sample."""
        return math.prod(self.features)

    @property
    def signal(self) -> Signal:
        """A signal of its shape, for arithmetic of shapes."""
        return Signal("", self.shape)

    def axis(self, axis: Any) -> int:
        """`axis` counted from the front, which must not be that of the batch."""
        found = self.signal.axis(axis)
        if found == 0:
            raise NotAnMlp(f"it works along the samples of a tensor of shape {self.signal.text}")
        return found

    def moved(self, move: Callable[[Ints], Ints]) -> FeatureFunctions:
        """With its elements elsewhere: `move` takes and gives arrays [terms, *features], terms as they are."""
        source, function = move(self.source), move(self.function)
        return replace(self, source=source, function=function, shape=(self.shape[0], *source.shape[1:]))

    def with_features(self, features: Sequence[int]) -> FeatureFunctions:
        """In another shape, its elements in order."""
        return self.moved(lambda array: array.reshape((self.terms, *features)))

    def values(self) -> npt.NDArray[Any]:
        """`tables` in its own type of numbers."""
        if self.number == "float":
            return self.tables
        return self.tables.astype(bool if self.number == "bool" else np.int64)


def pointwise(
    budget: Budget, compute: Callable[..., Any], *operands: FeatureFunctions | Constant, linear: bool = False
) -> FeatureFunctions:
    """`compute` on operands that broadcast against each other, at least one of them functions.

    Parameters
    ----------
    compute : from arrays of numbers, of the types of the operands, that have one shape.
    linear : `compute` is linear in its first operand, the one with functions, and takes 0 to 0.
    """
    first = next(operand for operand in operands if isinstance(operand, FeatureFunctions))
    if linear and first.terms > 1:
        return _linear(budget, compute, *operands)
    shape = _broadcast(operands)
    budget.constant((4, *shape))
    source: Ints | None = None
    codes, choices = np.zeros(shape, np.int64), 1
    for operand in operands:
        if isinstance(operand, FeatureFunctions):
            if operand.terms > 1:
                raise NotAnMlp("features are mixed, by a sum over several of them, before this", MIXED)
            own = np.broadcast_to(operand.source[0], shape)
            if source is not None and not np.array_equal(own, source):
                raise NotAnMlp("two features are mixed", MIXED)
            source, code, count = own, operand.function[0], len(operand.tables)
        else:
            values, code = np.unique(operand, return_inverse=True)
            code, count = code.reshape(_without_batch(operand, len(shape)).shape), len(values)
        codes = codes * count + np.broadcast_to(code, shape)
        choices *= count
        if choices >= 2**62:
            raise NotAnMlp("an operation of too many different constants")
    kinds, function = np.unique(codes, return_inverse=True)
    budget.constant((len(kinds), len(POINTS)))
    tables, number = _computed(compute, operands, kinds)
    assert source is not None
    return FeatureFunctions(
        np.array(source)[None], function.reshape((1, *shape)), tables, (first.shape[0], *shape), number, not linear
        or first.rounded,
    )  # fmt: skip


def _linear(budget: Budget, compute: Callable[..., Any], *operands: FeatureFunctions | Constant) -> FeatureFunctions:
    """Term by term: the terms are taken for a dimension of the features."""
    shape = _broadcast(operands)
    apart: list[FeatureFunctions | Constant] = []
    for operand in operands:
        if not isinstance(operand, FeatureFunctions):
            apart.append(_without_batch(operand, len(shape)))
            continue
        features = (operand.terms, *(1,) * (len(shape) - len(operand.features)), *operand.features)
        source, function = (each.reshape((1, *features)) for each in (operand.source, operand.function))
        apart.append(replace(operand, source=source, function=function, shape=(None, *features)))
    found = pointwise(budget, compute, *apart, linear=True)
    batch = next(operand.shape[0] for operand in operands if isinstance(operand, FeatureFunctions))
    return replace(found, source=found.source[0], function=found.function[0], shape=(batch, *shape))


def _computed(
    compute: Callable[..., Any], operands: Sequence[FeatureFunctions | Constant], kinds: Ints
) -> tuple[npt.NDArray[np.float64], str]:
    """The tables for the given combinations of functions and constants, and what numbers they are."""
    chosen: list[Any] = []
    for operand in reversed(operands):
        given = operand.values() if isinstance(operand, FeatureFunctions) else np.unique(operand)[:, None]
        kinds, place = np.divmod(kinds, len(given))
        chosen.append(np.broadcast_to(given[place], (len(place), len(POINTS))))
    with np.errstate(all="ignore"):
        result = np.asarray(compute(*reversed(chosen)))
    number = {"b": "bool", "i": "int", "u": "int", "f": "float"}.get(result.dtype.kind)
    if number is None or result.shape != (len(place), len(POINTS)):
        raise NotAnMlp("an operation that gives no numbers")
    tables = result.astype(np.float64)
    if not np.all(np.isfinite(tables[:, :VALUES])) or (
        number == "int" and np.any(np.abs(tables[:, :VALUES]) >= _EXACT)
    ):
        raise NotAnMlp("it gives numbers that are not finite, or past 53 bits, for inputs of 0 … 255")
    return np.nan_to_num(tables), number


def _broadcast(operands: Sequence[FeatureFunctions | Constant]) -> tuple[int, ...]:
    """The features that operands have together."""
    rank = max(len(each.features) for each in operands if isinstance(each, FeatureFunctions))
    shapes = [
        each.features if isinstance(each, FeatureFunctions) else _without_batch(each, rank).shape for each in operands
    ]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise NotAnMlp(f"tensors with features of shapes {[list(shape) for shape in shapes]} together") from error


def _without_batch(constant: Constant, rank: int) -> Constant:
    """A constant as it stands beside the features: a leading dimension of 1, for the batch, is dropped."""
    if constant.dtype.kind not in "fib":
        raise NotAnMlp("it computes with the size of the batch")
    if constant.ndim == rank + 1 and constant.shape[0] == 1:
        return np.asarray(constant[0])
    if constant.ndim > rank:
        raise NotAnMlp(f"a constant of shape {list(constant.shape)} beside {rank} dimensions of features")
    return constant


def joined(budget: Budget, parts: Sequence[FeatureFunctions], axis: int) -> FeatureFunctions:
    """`parts` one behind the other along a dimension of the features, or along the terms (axis 0)."""
    terms = max(part.terms for part in parts)
    budget.constant((3 * terms, sum(part.size for part in parts)))
    budget.constant((sum(len(part.tables) for part in parts) + 1, len(POINTS)))
    tables = np.concatenate([*(part.tables for part in parts), np.zeros((1, len(POINTS)))])
    sources, functions, first = [], [], 0
    for part in parts:
        more = 0 if axis == 0 else terms - part.terms
        padding = ((0, more), *((0, 0) for _ in part.features))
        sources.append(np.pad(part.source, padding, mode="edge"))
        functions.append(np.pad(part.function + first, padding, constant_values=len(tables) - 1))
        first += len(part.tables)
    try:
        source, function = np.concatenate(sources, axis), np.concatenate(functions, axis)
    except ValueError as error:
        raise NotAnMlp(f"tensors of shapes {', '.join(part.signal.text for part in parts)} together") from error
    number = next((kind for kind in ("float", "int") if any(part.number == kind for part in parts)), "bool")
    shape = (parts[0].shape[0], *source.shape[1:])
    return FeatureFunctions(source, function, tables, shape, number, any(part.rounded for part in parts))


def collapsed(budget: Budget, x: FeatureFunctions) -> FeatureFunctions:
    """`x` with one term if all terms of each element are of one feature."""
    if x.terms == 1 or not np.all(x.source == x.source[:1]):
        return x
    rows = x.function.reshape(x.terms, -1).T
    budget.constant((2, *rows.shape))
    kinds, function = np.unique(rows, axis=0, return_inverse=True)
    budget.constant((len(kinds), len(POINTS)))
    tables = np.zeros((len(kinds), len(POINTS)))
    for term in range(x.terms):
        tables += x.tables[kinds[:, term]]
    return replace(x, source=x.source[:1], function=function.reshape((1, *x.features)), tables=tables)
