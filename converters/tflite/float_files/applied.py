"""One operator of a float file as its function sees it, and the functions by operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeml.frontends.reading import arithmetic
from edgeml.frontends.reading.builder import MlpBuilder
from edgeml.frontends.reading.value import Constant, NotAnMlp, Signal, Value, as_constant

from ..flatbuffer import Table
from ..schema import Activation, OperatorKind

__all__ = ["OPERATORS", "Applied", "operator"]


@dataclass
class Applied:
    """One operator: what it takes (None where left out), its table of options, how many outputs it has."""

    builder: MlpBuilder
    kind: OperatorKind
    inputs: list[Value]
    options: Table | None
    outputs: int = 1

    def option(self, name: str, otherwise: Any) -> Any:
        """A field of its options, or what stands in for options that are left out."""
        return otherwise if self.options is None else self.options[name]

    def input(self, position: int) -> Value:
        """An input; None where it is left out."""
        return self.inputs[position] if position < len(self.inputs) else None

    def needed(self, position: int) -> Value:
        """An input that may not be left out."""
        value = self.input(position)
        if value is None:
            raise NotAnMlp(f"its input {position} is missing")
        return value

    def signal(self, position: int = 0) -> Signal:
        """An input that depends on the model's."""
        value = self.needed(position)
        if not isinstance(value, Signal):
            raise NotAnMlp("it is applied to a constant")
        return value

    def constant(self, position: int) -> Constant:
        """An input that is known while reading."""
        value = self.needed(position)
        if isinstance(value, Signal):
            raise NotAnMlp(f"its input {position} depends on the model's input")
        return as_constant(value)

    def bias(self, position: int) -> Constant | None:
        """A vector that may be left out."""
        return None if self.input(position) is None else self.constant(position)

    def integers(self, position: int) -> list[Any]:
        """A constant vector of integers, the size of the batch maybe among them."""
        values = self.constant(position)
        if values.dtype.kind not in "iO" or values.ndim > 1:
            raise NotAnMlp(f"its input {position} is not a list of integers")
        return [value if values.dtype.kind == "O" else int(value) for value in np.atleast_1d(values).tolist()]

    def activated(self, x: Value) -> Value:
        """`x` behind the activation that is fused into the operator."""
        number = int(self.option("fused_activation_function", Activation.NONE))
        if number == Activation.NONE:
            return x
        bounds = {Activation.RELU: (0.0, None), Activation.RELU_N1_TO_1: (-1.0, 1.0), Activation.RELU6: (0.0, 6.0)}
        if number not in bounds:
            raise NotAnMlp(f"a fused activation {number}", "RELU, RELU6 and RELU_N1_TO_1 are read")
        return arithmetic.clamp(self.builder, x, *bounds[Activation(number)])


Function = Callable[[Applied], Value]
OPERATORS: dict[OperatorKind, Function] = {}
"""What each gives: a value, or a list of those of all its outputs."""


def operator(*kinds: OperatorKind) -> Callable[[Function], Function]:
    """Registers a function as the meaning of operators."""

    def register(function: Function) -> Function:
        OPERATORS.update(dict.fromkeys(kinds, function))
        return function

    return register
