"""What a layer says of each of its channels, in the shapes that proofs know: found by the layer's kind."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..network import Node

__all__ = ["Affine", "Column", "Function", "Source", "Statement", "SumOfFunctions", "statement_of"]

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
