"""The arguments of a recorded call of a torch function, and what many operations need of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .expressions import Expression, OverTime, Unreadable, Value

__all__ = [
    "NotRead",
    "Operands",
    "array",
    "constant_of",
    "each_step",
    "features_of",
    "flat",
    "leading_axes",
    "only_value",
]

Floats = npt.NDArray[np.float64]


def array(tensor: Any) -> Floats:
    """A tensor as float64."""
    result: Floats = np.array(tensor.detach().cpu().double().numpy(), dtype=np.float64)
    return result


class Operands:
    """The arguments of one call of a torch function.

    Parameters
    ----------
    value : of a tensor, or None where it does not depend on the input.
    arguments : as given. result : the tensor that torch gave. parameter : a constant tensor as an array, kept.
    """

    def __init__(
        self,
        value: Callable[[Any], Value | None],
        arguments: Sequence[Any],
        named: dict[str, Any],
        result: Any,
        parameter: Callable[[Any], Floats],
    ) -> None:
        self.value, self.arguments, self.named, self.result, self.parameter = value, arguments, named, result, parameter

    def get(self, position: int, name: str, default: Any = None) -> Any:
        """An argument by its place or its name."""
        return self.arguments[position] if len(self.arguments) > position else self.named.get(name, default)

    def __len__(self) -> int:
        return len(self.arguments)


class NotRead(Exception):
    """Why an operation is not read, in a few words; `layout`: see `Unreadable`."""

    def __init__(self, why: str = "", layout: bool = False) -> None:
        super().__init__(why)
        self.layout = layout


def each_step(value: Value, function: Callable[[Expression], Expression]) -> Value:
    if isinstance(value, Unreadable):
        return value
    if isinstance(value, Expression):
        return function(value)
    if None in value.steps:
        raise NotRead("before all of its steps are written")
    return OverTime(tuple(function(step) for step in value.steps if step is not None), value.axis)


def leading_axes(value: Value) -> int:
    """Axes in front of the features."""
    return 2 if isinstance(value, OverTime) else 1


def features_of(value: Value) -> int:
    if isinstance(value, OverTime):
        return next((step.features for step in value.steps if step is not None), 0)
    return value.features if isinstance(value, Expression) else 0


def constant_of(operands: Operands, constant: Any, value: Value) -> float | Floats:
    """A number or tensor that meets every sample (and step) alike: a factor, or one per feature."""
    import torch

    if not isinstance(constant, torch.Tensor):
        if isinstance(constant, bool) or not isinstance(constant, (int, float)):
            raise NotRead(f"with {type(constant).__name__}")
        return float(constant)
    if constant.numel() == 1:
        return float(constant)
    shape = tuple(operands.result.shape)
    leading = leading_axes(value)
    spread = constant.detach().double().broadcast_to(shape).reshape(*shape[:leading], -1)
    first = spread[(slice(0, 1),) * leading]
    if not torch.equal(spread, first.broadcast_to(spread.shape)):
        raise NotRead("with numbers that differ from sample to sample or step to step")
    vector = array(first).ravel()
    if vector.size != features_of(value):
        raise NotRead("with numbers of another shape")
    return vector


def only_value(operands: Operands, name: str = "input") -> Value:
    value = operands.value(operands.get(0, name))
    if value is None:
        raise NotRead("with arguments in another place")
    return value


def flat(arguments: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for argument in arguments:
        found += flat(argument) if isinstance(argument, (list, tuple)) else [argument]
    return found
