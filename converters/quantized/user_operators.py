"""Float operators of the user's model inside the quantized form: on real numbers, or on the integers themselves."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from edgeml.errors import InputError
from edgeml.frontends.float_operators.interval import Interval
from edgeml.frontends.float_operators.operator import FloatOperator, Role

__all__ = ["FloatVisitor", "OnFactors", "OnGrid", "OnIntegers", "OnReals", "UserOperator", "as_user_operator"]

N = TypeVar("N")
V = TypeVar("V")


class FloatVisitor(ABC, Generic[N, V]):
    """What is done with the float operators at the nodes N of a graph whose values are V."""

    @abstractmethod
    def on_reals(self, node: N, operator: FloatOperator, given: list[V]) -> V:
        """At a node between integers and a quantizer: the operator becomes part of thresholds or a table."""

    @abstractmethod
    def on_integers(self, node: N, operator: FloatOperator, given: list[V]) -> V:
        """At a node that takes integers of one step and gives integers of that step."""

    def on_factors(self, node: N, operator: FloatOperator, given: list[V]) -> V:
        """At a node that takes integers of unlike steps and gives integers of their product."""
        return self.on_integers(node, operator, given)

    def on_grid(self, node: N, operator: FloatOperator, given: list[V]) -> V:
        """At a node that takes integers of its own grid and gives integers of step 1."""
        return self.on_integers(node, operator, given)


@dataclass(frozen=True, eq=False)
class UserOperator:
    """`operator` at its place between integers."""

    operator: FloatOperator

    @property
    def kind(self) -> str:
        """Its kind in files."""
        return self.operator.kind

    @property
    def input_count(self) -> int:
        """How many tensors it takes."""
        return self.operator.input_count

    @property
    def stored(self) -> Any:
        """The dataclass whose fields a file holds."""
        return self.operator

    @property
    def bits(self) -> None:
        """It has no weights and no levels of its own."""
        return None

    @property
    def value_bits(self) -> int | None:
        """Bits of what it gives, where it gives integers of a known size; None else."""
        return None

    def output_size(self, *input_sizes: int) -> int:
        """Number of output channels; InputError if the inputs do not fit."""
        return self.operator.output_size(*input_sizes)


@dataclass(frozen=True, eq=False)
class OnReals(UserOperator):
    """A line or a function of each value between integers and a quantizer (`Role.LINE`, `Role.FUNCTION`)."""

    def tensor_step(self, *given: float | None) -> float | None:
        """Its values are not integers."""
        return None

    def unit(self, *given: float | None) -> float | None:
        """Its values are not integers."""
        return None

    def visit(self, visitor: FloatVisitor[N, V], node: N, given: list[V]) -> V:
        """Have `visitor` do what it does here."""
        return visitor.on_reals(node, self.operator, given)


@dataclass(frozen=True, eq=False)
class OnIntegers(UserOperator):
    """A function of integers of one step, which gives integers of that step (`Role.JOIN`)."""

    def tensor_step(self, *given: float | None) -> float | None:
        """The step of its inputs; InputError if they have none, or unlike ones."""
        if None in given or len(set(given)) != 1:
            raise InputError(self.kind, f"takes integers of the unlike scales {list(given)}")
        return given[0]

    def unit(self, *given: float | None) -> float | None:
        """What one of its integers is worth."""
        return self.tensor_step(*given)

    def visit(self, visitor: FloatVisitor[N, V], node: N, given: list[V]) -> V:
        """Have `visitor` do what it does here."""
        return visitor.on_integers(node, self.operator, given)


@dataclass(frozen=True, eq=False)
class OnFactors(UserOperator):
    """A product of integers, each of a step of its own (`Role.PRODUCT`)."""

    def tensor_step(self, *given: float | None) -> float | None:
        """The product of the steps of its inputs; InputError if they have none."""
        steps = [step for step in given if step is not None]
        if len(steps) != len(given):
            raise InputError(self.kind, "takes values that are not quantized")
        return math.prod(steps)

    def unit(self, *given: float | None) -> float | None:
        """What one of its integers is worth."""
        return self.tensor_step(*given)

    def visit(self, visitor: FloatVisitor[N, V], node: N, given: list[V]) -> V:
        """Have `visitor` do what it does here."""
        return visitor.on_factors(node, self.operator, given)


@dataclass(frozen=True, eq=False)
class OnGrid(UserOperator):
    """A function of integers of a grid that it states, which gives integers of step 1 (`Role.ENCODING`)."""

    @property
    def value_bits(self) -> int | None:
        """Bits of the largest integer that it gives."""
        high = float(self.operator.output_range(Interval.unbounded()).high.max())
        return int(high).bit_length() if math.isfinite(high) else None

    def tensor_step(self, *given: float | None) -> float | None:
        """1; InputError if its inputs are not integers."""
        if None in given:
            raise InputError(self.kind, "takes values that are not quantized")
        return 1.0

    def unit(self, *given: float | None) -> float | None:
        """What one of its integers is worth."""
        return self.tensor_step(*given)

    def visit(self, visitor: FloatVisitor[N, V], node: N, given: list[V]) -> V:
        """Have `visitor` do what it does here."""
        return visitor.on_grid(node, self.operator, given)


def as_user_operator(operator: FloatOperator) -> OnReals | OnIntegers | OnFactors | OnGrid:
    """`operator` as its role says; InputError for a role that the quantized form does not have."""
    if operator.role in (Role.LINE, Role.FUNCTION):
        return OnReals(operator)
    if operator.role is Role.JOIN:
        return OnIntegers(operator)
    if operator.role is Role.PRODUCT:
        return OnFactors(operator)
    if operator.role is Role.ENCODING:
        return OnGrid(operator)
    raise InputError(operator.kind, "has no integers in the quantized form", operator.quantized_remedy)
