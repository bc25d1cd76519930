"""What a layer says of each of its channels, in the shapes that proofs know: found by the layer's kind."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial, reduce
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..network import Node

__all__ = [
    *("Affine", "Column", "Function", "FunctionOfSum", "Largest", "Product", "Source", "Statement", "SumOfFunctions"),
    *("composed", "statement_of"),
]

Source = tuple[int, int]
"""Which of a layer's inputs, and which channel of it."""
Column = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Affine:
    """y = Σ weights[source] · x[source] + constant, exact integers."""

    weights: Mapping[Source, int]
    constant: int


@dataclass(frozen=True, eq=False)
class Function:
    """y = values(x of the sources), each x a column of integers within its range."""

    sources: tuple[Source, ...]
    values: Callable[[Sequence[Column]], Column]


@dataclass(frozen=True, eq=False)
class SumOfFunctions:
    """y = Σ terms[source](x[source]) + constant, exact integers, each x a column of integers within its range."""

    terms: Mapping[Source, Callable[[Column], Column]]
    constant: int


@dataclass(frozen=True, eq=False)
class FunctionOfSum(Function):
    """y = of_sum(Σ weights[source] · x[source] + constant), the sum a column of integers within its range."""

    sum: Affine
    of_sum: Callable[[Column], Column]

    @classmethod
    def of(cls, affine: Affine, of_sum: Callable[[Column], Column]) -> FunctionOfSum:
        """A function of this sum."""
        weights = list(affine.weights.values())

        def values(x: Sequence[Column]) -> Column:
            terms = (weight * column for weight, column in zip(weights, x, strict=True))
            return of_sum(sum(terms, np.full(1, affine.constant, np.int64)))

        return cls(tuple(affine.weights), values, affine, of_sum)


class Product(Function):
    """y = x[first] · x[second], exact integers."""

    @classmethod
    def of(cls, first: Source, second: Source) -> Product:
        """The product of two values."""
        return cls((first, second), partial(reduce, np.multiply))


class Largest(Function):
    """y = the largest x of the sources."""

    @classmethod
    def of(cls, sources: Sequence[Source]) -> Largest:
        """The largest of these values."""
        return cls(tuple(sources), partial(reduce, np.maximum))


Statement = Affine | Function | SumOfFunctions


@cache
def _kinds() -> frozenset[str]:
    return frozenset(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent / "statements")]))


def statement_of(node: Node, channel: int) -> Statement | None:
    """What a node says of one channel; None if proofs do not know its kind."""
    if node.layer.kind not in _kinds():
        return None
    found: Statement = importlib.import_module(f"{__package__}.statements.{node.layer.kind}").statement(
        node.layer, channel
    )
    return found


def composed(first: Statement | None, behind: Statement | None) -> Statement | None:
    """What a layer says of a channel that takes one value alone, which is what `first` says; None where that is in
    none of these shapes."""
    if not isinstance(behind, Function) or len(behind.sources) != 1:
        return None
    last = behind.values
    if isinstance(first, Affine):
        return FunctionOfSum.of(first, lambda z: last([z]))
    if isinstance(first, FunctionOfSum):
        before = first.of_sum
        return FunctionOfSum.of(first.sum, lambda z: last([before(z)]))
    return None
