"""The stages of the int8 form, still in real numbers: what the operators of a float model become, one for each kind.

A stage is an operator of the .tflite file with the clip that runtimes fuse into it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.frontends.float_operators.add import Add as AddOfFloats
from edgeml.frontends.float_operators.arrays import NUMPY, ArrayLibrary
from edgeml.frontends.float_operators.linear import Linear
from edgeml.frontends.float_operators.operator import FloatOperator
from edgeml.frontends.float_operators.sigmoid import Sigmoid
from edgeml.frontends.float_operators.tanh import Tanh

from .operators.add import Add
from .operators.function import Function
from .operators.operator import TfliteOperator
from .operators.relu import Relu

__all__ = ["FUNCTIONS", "JOINS", "AddStage", "FunctionStage", "FunctionTraits", "LinearStage", "ReluStage", "Stage"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FunctionTraits:
    """What the runtimes prescribe for a function by a table.

    Parameters
    ----------
    name : of its operator in the file.
    reach : beyond inputs of this size the 8-bit output does not change any more.
    scale, zero_point : of its output.
    """

    name: str
    reach: float
    scale: float
    zero_point: int


FUNCTIONS: Mapping[str, FunctionTraits] = {
    Sigmoid.kind: FunctionTraits("LOGISTIC", 8.0, 2.0**-8, -128),
    Tanh.kind: FunctionTraits("TANH", 4.0, 2.0**-7, 0),
}
"""By kind of float operator."""


@dataclass(frozen=True, eq=False)
class Stage(ABC):
    """clip(operator(inputs), low, high) in real numbers [samples, channels]."""

    clips: ClassVar[bool] = False
    """Whether a clip can be fused into it."""
    ties_scales: ClassVar[bool] = False
    """Whether its inputs and its output must have one scale."""

    name: str
    inputs: tuple[str, ...]
    operator: FloatOperator
    low: float = -np.inf
    high: float = np.inf
    origin: str = ""
    """Where it stands in the user's model, see `MlpNode`."""

    def evaluate(self, *inputs: Floats) -> Floats:
        """The stage in float64."""
        return np.asarray(self.clipped(NUMPY, self.operator.evaluate(*inputs)))

    def clipped(self, arrays: ArrayLibrary, y: Any) -> Any:
        """y [samples, channels] behind the fused clip."""
        return y if np.isinf(self.low) and np.isinf(self.high) else arrays.functions.clip(y, self.low, self.high)

    @property
    def traits(self) -> FunctionTraits | None:
        """Of a function by a table, what the runtimes prescribe for it."""
        return FUNCTIONS.get(self.operator.kind)

    @abstractmethod
    def as_operator(self, fully_connected: Callable[[LinearStage], TfliteOperator]) -> TfliteOperator:
        """The operator of the file that it becomes; a linear stage asks `fully_connected` for its integers."""


@dataclass(frozen=True, eq=False)
class LinearStage(Stage):
    """clip(W·x + b, low, high)."""

    clips: ClassVar[bool] = True

    operator: Linear

    @property
    def weight(self) -> Floats:
        """float64 [outputs, inputs]."""
        return self.operator.weight

    @property
    def bias(self) -> Floats:
        """float64 [outputs]."""
        return self.operator.bias

    def with_parameters(self, weight: Floats, bias: Floats) -> LinearStage:
        """The same stage with other weights and biases."""
        return replace(self, operator=Linear(weight, bias))

    def as_operator(self, fully_connected: Callable[[LinearStage], TfliteOperator]) -> TfliteOperator:
        return fully_connected(self)


@dataclass(frozen=True, eq=False)
class AddStage(Stage):
    """clip(a + b, low, high)."""

    clips: ClassVar[bool] = True
    ties_scales: ClassVar[bool] = True

    def as_operator(self, fully_connected: Callable[[LinearStage], TfliteOperator]) -> TfliteOperator:
        return Add(self.name, self.inputs)


@dataclass(frozen=True, eq=False)
class ReluStage(Stage):
    """A ReLU or ReLU6 of its own, behind a tensor that something else takes too; `operator` is its clamp."""

    ties_scales: ClassVar[bool] = True

    def as_operator(self, fully_connected: Callable[[LinearStage], TfliteOperator]) -> TfliteOperator:
        return Relu(self.name, self.inputs, self.high)


@dataclass(frozen=True, eq=False)
class FunctionStage(Stage):
    """A function by a table, one of `FUNCTIONS`."""

    def as_operator(self, fully_connected: Callable[[LinearStage], TfliteOperator]) -> TfliteOperator:
        return Function(self.name, self.inputs, FUNCTIONS[self.operator.kind].name)


JOINS: Mapping[str, type[Stage]] = {AddOfFloats.kind: AddStage}
"""The stages of operators of several inputs, by kind of float operator."""
