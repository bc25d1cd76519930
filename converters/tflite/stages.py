"""The stages of the int8 form, still in real numbers: what the operators of a float model become, one for each kind.

A stage is an operator of the .tflite file with the clip that runtimes fuse into it, and what moves values before it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.frontends.float_operators.add import Add as AddOfFloats
from edgeml.frontends.float_operators.arrays import NUMPY, ArrayLibrary
from edgeml.frontends.float_operators.concat import Concat
from edgeml.frontends.float_operators.multiply import Multiply as MultiplyOfFloats
from edgeml.frontends.float_operators.operator import FloatOperator
from edgeml.frontends.float_operators.pooled_maximum import PooledMaximum
from edgeml.frontends.float_operators.pooled_sum import PooledSum
from edgeml.frontends.float_operators.sigmoid import Sigmoid
from edgeml.frontends.float_operators.tanh import Tanh
from edgeml.frontends.float_operators.weights import Weights

from .operators.add import Add
from .operators.concatenation import Concatenation
from .operators.function import Function
from .operators.max_pool import MaxPool
from .operators.multiply import Multiply
from .operators.relu import Relu
from .written import Written

__all__ = [
    "FUNCTIONS",
    "JOINS",
    "AddStage",
    "ConcatStage",
    "FunctionStage",
    "FunctionTraits",
    "LinearStage",
    "MaximumStage",
    "MoveStage",
    "MultiplyStage",
    "ReluStage",
    "Stage",
]

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
    ties_zero_points: ClassVar[bool] = False
    """Whether they must have one zero point too."""

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

    keeps_integers: ClassVar[bool] = False
    """Whether its output's integers are some of its input's, so that both have one scale and zero point."""

    @abstractmethod
    def written(self, file: Written) -> None:
        """Add the operators of the file that it becomes to `file`; the last one computes `name`."""


@dataclass(frozen=True, eq=False)
class LinearStage(Stage):
    """clip(W·x + b, low, high), at one or many positions; `trained` tells whether training may change W and b."""

    clips: ClassVar[bool] = True

    operator: Weights
    trained: bool = True

    @property
    def weight(self) -> Floats:
        """float64 [outputs, inputs], of one position."""
        return self.operator.weight

    @property
    def bias(self) -> Floats:
        """float64 [outputs], of one position."""
        return self.operator.bias

    def with_parameters(self, weight: Floats, bias: Floats) -> LinearStage:
        """The same stage with other weights and biases."""
        return replace(self, operator=self.operator.with_weights(weight, bias))

    def written(self, file: Written) -> None:
        (source,), gather = self.inputs, self.operator.gather
        if gather is None:
            file.add(file.fully_connected(self, file.flat(source)), ())
            return
        index = gather.index
        if index.size == gather.inputs and np.array_equal(index.reshape(-1), np.arange(gather.inputs)):
            rows = file.flat(source)
        else:
            rows = file.taken(source, index.reshape(-1), f"{self.name}_taken")
        rows = file.reshaped(rows, index.shape, f"{self.name}_rows")
        file.add(file.fully_connected(self, rows), (len(index), len(self.weight)))


@dataclass(frozen=True, eq=False)
class AddStage(Stage):
    """clip(a + b, low, high)."""

    clips: ClassVar[bool] = True
    ties_scales: ClassVar[bool] = True

    def written(self, file: Written) -> None:
        shapes = {file.tensors[name].dimensions for name in self.inputs}
        inputs = self.inputs if len(shapes) == 1 else tuple(file.flat(name) for name in self.inputs)
        file.add(Add(self.name, inputs), file.tensors[inputs[0]].dimensions)


@dataclass(frozen=True, eq=False)
class ConcatStage(Stage):
    """The values of two inputs, the second behind the first."""

    ties_scales: ClassVar[bool] = True
    ties_zero_points: ClassVar[bool] = True

    def written(self, file: Written) -> None:
        names = tuple(file.flat(name) for name in self.inputs)
        size = sum(file.tensors[name].size for name in names)
        file.add(Concatenation(self.name, names, np.arange(size, dtype=np.int32)), ())


@dataclass(frozen=True, eq=False)
class MultiplyStage(Stage):
    """clip(a · b, low, high).

    Parameters
    ----------
    carrier : in universal mode, the tensor whose scale is made such that all runtimes round the product alike; see
        `products`.
    """

    clips: ClassVar[bool] = True

    carrier: str = ""

    def written(self, file: Written) -> None:
        shapes = {file.tensors[name].dimensions for name in self.inputs}
        inputs = self.inputs if len(shapes) == 1 else tuple(file.flat(name) for name in self.inputs)
        activation = "none" if self.low != 0 else "relu6" if self.high == 6 else "relu"
        file.add(Multiply(self.name, inputs, activation), file.tensors[inputs[0]].dimensions)


@dataclass(frozen=True, eq=False)
class ReluStage(Stage):
    """A ReLU or ReLU6 of its own, behind a tensor that something else takes too; `operator` is its clamp."""

    ties_scales: ClassVar[bool] = True

    def written(self, file: Written) -> None:
        file.add(Relu(self.name, self.inputs, self.high), file.tensors[self.inputs[0]].dimensions)


@dataclass(frozen=True, eq=False)
class MoveStage(Stage):
    """Values in another order, some of them left out, zeros between them."""

    keeps_integers: ClassVar[bool] = True

    operator: PooledSum

    def written(self, file: Written) -> None:
        file.taken(self.inputs[0], self.operator.gather.index[:, 0], self.name)


@dataclass(frozen=True, eq=False)
class MaximumStage(Stage):
    """The largest value of each window."""

    keeps_integers: ClassVar[bool] = True

    operator: PooledMaximum

    def written(self, file: Written) -> None:
        """Windows side by side, [values of a window, 1, outputs], whose largest is that of one pooling window."""
        index = self.operator.gather.index
        outputs, values = index.shape
        taken = file.taken(self.inputs[0], index.T.reshape(-1), f"{self.name}_taken")
        windows = file.reshaped(taken, (values, 1, outputs), f"{self.name}_windows")
        file.add(MaxPool(self.name, (windows,), (values, 1), (values, 1)), (1, 1, outputs))


@dataclass(frozen=True, eq=False)
class FunctionStage(Stage):
    """A function by a table, one of `FUNCTIONS`."""

    def written(self, file: Written) -> None:
        shape = file.tensors[self.inputs[0]].dimensions
        file.add(Function(self.name, self.inputs, FUNCTIONS[self.operator.kind].name), shape)


JOINS: Mapping[str, type[Stage]] = {
    AddOfFloats.kind: AddStage,
    Concat.kind: ConcatStage,
    MultiplyOfFloats.kind: MultiplyStage,
    PooledMaximum.kind: MaximumStage,
}
"""The stages of operators on integers as they are, by kind of float operator."""
