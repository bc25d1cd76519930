"""Values of a recorded run: affine functions of the input and of what neurons gave, and such values over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Expression", "OverTime", "Ranked", "Signal", "Unreadable", "Value"]

Floats = npt.NDArray[np.float64]
Weight = float | Floats
"""How a signal counts: a factor, one per feature, or a matrix [features, the signal's features]."""


class Signal(NamedTuple):
    """What an expression is made of: `input` at a step, or `spikes`, `membrane` or `current` of a neuron call."""

    kind: str
    place: int


def _scaled(weight: Weight, factor: Weight) -> Weight:
    if isinstance(factor, float) and factor == 1:
        return weight
    if isinstance(weight, float) or isinstance(factor, float) or weight.ndim == 1:
        return weight * factor
    return factor[:, None] * weight


def _applied(matrix: Floats, weight: Weight) -> Weight:
    if isinstance(weight, float):
        return matrix if weight == 1 else matrix * weight
    return matrix * weight[None, :] if weight.ndim == 1 else matrix @ weight


def _summed(a: Weight, b: Weight, features: int) -> Weight:
    if not isinstance(a, float) and not isinstance(b, float) and a.ndim == b.ndim:
        return a + b
    if isinstance(a, float) and isinstance(b, float):
        return a + b
    if not isinstance(a, float) and not isinstance(b, float):
        a, b = (w if w.ndim == 2 else np.diag(w) for w in (a, b))
        return a + b
    full = a if isinstance(b, float) else b
    factor = a if isinstance(a, float) else b
    assert isinstance(full, np.ndarray)
    return full + (factor * np.eye(features) if full.ndim == 2 else factor)


@dataclass(frozen=True, eq=False)
class Expression:
    """Per sample: the sum of weight · signal over `terms`, and a constant [features]."""

    features: int
    terms: dict[Signal, Weight]
    constant: Floats

    @staticmethod
    def of(signal: Signal, features: int) -> Expression:
        """The signal itself."""
        return Expression(features, {signal: 1.0}, np.zeros(features))

    def scaled(self, factor: Weight) -> Expression:
        """Times a factor, or one per feature."""
        terms = {signal: _scaled(weight, factor) for signal, weight in self.terms.items()}
        return Expression(self.features, terms, self.constant * factor)

    def shifted(self, shift: Weight) -> Expression:
        """With a constant added."""
        return Expression(self.features, self.terms, self.constant + shift)

    def plus(self, other: Expression) -> Expression:
        """The sum of two of the same number of features."""
        terms = dict(self.terms)
        for signal, weight in other.terms.items():
            terms[signal] = _summed(terms[signal], weight, self.features) if signal in terms else weight
        return Expression(self.features, terms, self.constant + other.constant)

    def through(self, matrix: Floats, bias: Floats | None) -> Expression:
        """matrix [outputs, features] · self + bias."""
        terms = {signal: _applied(matrix, weight) for signal, weight in self.terms.items()}
        constant = matrix @ self.constant if self.constant.any() else np.zeros(len(matrix))
        return Expression(len(matrix), terms, constant if bias is None else constant + bias)

    def chosen(self, features: npt.NDArray[np.int64]) -> Expression:
        """Some of the features, in this order."""
        terms: dict[Signal, Weight] = {}
        for signal, weight in self.terms.items():
            if isinstance(weight, float):
                rows: Floats = np.eye(self.features)[features] * weight
            else:
                rows = (weight if weight.ndim == 2 else np.diag(weight))[features]
            terms[signal] = rows
        return Expression(len(features), terms, self.constant[features])

    @property
    def signal(self) -> Signal | None:
        """The signal that this is, unchanged; None if it is anything else."""
        if len(self.terms) != 1 or self.constant.any():
            return None
        ((signal, weight),) = self.terms.items()
        return signal if isinstance(weight, float) and weight == 1 else None


@dataclass(frozen=True, eq=False)
class OverTime:
    """A value per time step along one axis (0 or 1) of a tensor; None is a step that holds zeros so far."""

    steps: tuple[Expression | None, ...]
    axis: int


@dataclass(frozen=True)
class Unreadable:
    """A value that edgeml has no words for: which operation gave it, where, and what to do about it.

    `layout` is true where another layout of the input (time first, samples first) may still make sense of it.
    """

    operation: str
    where: str
    remedy: str = ""
    layout: bool = False


@dataclass(frozen=True, eq=False)
class Ranked:
    """What keeps the order of the outputs: a softmax, or the largest value over time. For results of forward only."""

    operation: str
    of: Expression | OverTime


Value = Expression | OverTime | Unreadable
