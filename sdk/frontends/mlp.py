"""The float MLP that every frontend gives and every converter takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..network import argmax
from ..network.task import BINARY, CLASSES, TASKS, VALUES, label_count

__all__ = ["Add", "Affine", "Clamp", "Linear", "Mlp", "MlpNode", "Operator", "Sigmoid", "Tanh", "sigmoid"]

Floats = npt.NDArray[np.float64]


def _finite(where: str, values: Any, dimensions: int) -> Floats:
    array = np.array(values, dtype=np.float64)
    if array.ndim != dimensions or array.size == 0:
        raise InputError(where, f"must be a non-empty array of {dimensions} dimensions, found {list(array.shape)}")
    if not np.all(np.isfinite(array)):
        raise InputError(where, "holds NaN or infinity", "Train the model again, or mend its weights")
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class Linear:
    """y = W · x + b; weight float64 [outputs, inputs], bias float64 [outputs]."""

    weight: Floats
    bias: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", _finite("linear, weight", self.weight, 2))
        object.__setattr__(self, "bias", _finite("linear, bias", self.bias, 1))
        if self.bias.size != self.weight.shape[0]:
            raise InputError("linear, bias", f"must have {self.weight.shape[0]} values, found {self.bias.size}")


@dataclass(frozen=True, eq=False)
class Affine:
    """y = x · scale + shift per channel, float64 [channels] each: batch norm at inference (scale = γ/√(σ² + ε),
    shift = β − μ·scale), or an input normalisation. The scale may be negative or zero."""

    scale: Floats
    shift: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", _finite("affine, scale", self.scale, 1))
        object.__setattr__(self, "shift", _finite("affine, shift", self.shift, 1))
        if self.scale.size != self.shift.size:
            raise InputError("affine", f"scale has {self.scale.size} channels, shift {self.shift.size}")


@dataclass(frozen=True)
class Clamp:
    """y = min(max(x, low), high): ReLU is (0, ∞), ReLU6 (0, 6), hardtanh (−1, 1)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise InputError("clamp", f"needs low < high, found {self.low} and {self.high}")


@dataclass(frozen=True)
class Sigmoid:
    """y = 1 / (1 + exp(−x))."""


@dataclass(frozen=True)
class Tanh:
    """y = tanh(x)."""


@dataclass(frozen=True)
class Add:
    """y = a + b: a residual path."""


Operator = Linear | Affine | Clamp | Sigmoid | Tanh | Add


@dataclass(frozen=True)
class MlpNode:
    """An operator at its place: a unique name and the names of what it takes (`"input"` is the model's input).

    `origin` says where it stands in the user's model, for error messages.
    """

    name: str
    operator: Operator
    inputs: tuple[str, ...]
    origin: str = ""


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(−x)), 0 where exp(−x) passes float64."""
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-x)))


_EVALUATE: dict[type, Callable[..., Floats]] = {
    Linear: lambda op, x: x @ op.weight.T + op.bias,
    Affine: lambda op, x: x * op.scale + op.shift,
    Clamp: lambda op, x: np.clip(x, op.low, op.high),
    Sigmoid: lambda op, x: sigmoid(x),
    Tanh: lambda op, x: np.tanh(x),
    Add: lambda op, a, b: a + b,
}


@dataclass(frozen=True, eq=False)
class Mlp:
    """A trained float MLP as a graph in computing order; its last node is its output.

    Parameters
    ----------
    name : letters, digits and underscores.
    input_size : number of features.
    nodes : every node takes `"input"` or earlier nodes.
    final : what followed the last node in the user's model and changes no decision: "", "softmax", "log_softmax",
        "argmax"; "sigmoid" or "tanh" behind `without_tail`.
    labels : names of the outputs, or empty; of a binary model the names of class 0 and class 1.
    task : "classes", "binary" or "values" (see `network.task`); "" becomes what the outputs suggest: several are
        classes, one behind a sigmoid is binary, any other one is a value.
    """

    name: str
    input_size: int
    nodes: tuple[MlpNode, ...]
    final: str = ""
    labels: tuple[str, ...] = ()
    task: str = ""
    sizes: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", self._sizes())
        if not any(isinstance(node.operator, Linear) for node in self.nodes):
            raise InputError(f"model {self.name}", "holds no linear layer", "edgeml converts MLPs")
        if not self.task:
            sigmoid = self.final == "sigmoid" or isinstance(self.nodes[-1].operator, Sigmoid)
            one = BINARY if sigmoid or len(self.labels) == 2 else VALUES
            object.__setattr__(self, "task", CLASSES if self.output_size > 1 else one)
        if self.task not in TASKS or (self.task != VALUES and (self.task == BINARY) != (self.output_size == 1)):
            raise InputError(
                "task",
                f"{self.task} does not fit a model of {self.output_size} output{'s' * (self.output_size > 1)}",
                "binary is for one output, classes for several, values for any number",
            )
        expected = label_count(self.task, self.output_size)
        if self.labels and len(self.labels) != expected:
            raise InputError(
                "labels",
                f"{len(self.labels)} labels for {self.output_size} outputs of task {self.task}",
                f"Give {expected}" + (": the names of class 0 and class 1" if self.task == BINARY else ""),
            )

    @property
    def threshold(self) -> float:
        """Of a binary model: class 1 where the output is above it. 0.5 where the last operator keeps the output in
        0 … 1 (a sigmoid, or a clamp to these), else 0."""
        last = self.nodes[-1].operator
        unit = isinstance(last, Sigmoid) or (isinstance(last, Clamp) and (last.low, last.high) == (0.0, 1.0))
        return 0.5 if unit else 0.0

    def decisions(self, outputs: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The class of each sample, int64 [samples], from what `evaluate` gives; InputError for a model of values."""
        if self.task == VALUES:
            raise InputError(f"model {self.name}", "gives values, not classes")
        return (outputs[:, 0] > self.threshold).astype(np.int64) if self.task == BINARY else argmax(outputs)

    def without_tail(self) -> Mlp:
        """The model without a sigmoid or tanh at its end where its task is a class: they change no decision, as they
        rise everywhere. `final` names what went."""
        if self.task == VALUES or len(self.nodes) < 2 or not isinstance(self.nodes[-1].operator, (Sigmoid, Tanh)):
            return self
        shorter = replace(self, nodes=self.nodes[:-1], final=type(self.nodes[-1].operator).__name__.lower())
        follows = self.nodes[-1].inputs == (self.nodes[-2].name,)
        return shorter if follows and shorter.threshold == 0.0 else self

    def _sizes(self) -> dict[str, int]:
        sizes = {"input": self.input_size}
        for node in self.nodes:
            where = f"{node.origin or node.name}"
            if node.name in sizes:
                raise InputError(where, f"the name {node.name} occurs twice")
            if missing := [name for name in node.inputs if name not in sizes]:
                raise InputError(where, f"takes {missing}, which no earlier node gives")
            given = [sizes[name] for name in node.inputs]
            operator = node.operator
            if len(given) != (2 if isinstance(operator, Add) else 1) or len(set(given)) != 1:
                raise InputError(where, f"cannot take inputs of sizes {given}")
            if isinstance(operator, Linear):
                expected, result = operator.weight.shape[1], operator.weight.shape[0]
            elif isinstance(operator, Affine):
                expected = result = operator.scale.size
            else:
                expected = result = given[0]
            if given[0] != expected:
                raise InputError(where, f"takes {expected} features, found {given[0]}")
            sizes[node.name] = int(result)
        return sizes

    @property
    def output_size(self) -> int:
        """Number of outputs."""
        return self.sizes[self.nodes[-1].name]

    def consumers(self, name: str) -> tuple[MlpNode, ...]:
        """The nodes that take the output of `name` (or of `"input"`)."""
        return tuple(node for node in self.nodes if name in node.inputs)

    def trace(self, x: npt.NDArray[Any]) -> dict[str, Floats]:
        """Every node's output in float64, by name, for x [samples, inputs]."""
        values: dict[str, Floats] = {"input": np.asarray(x, dtype=np.float64)}
        for node in self.nodes:
            values[node.name] = _EVALUATE[type(node.operator)](node.operator, *(values[i] for i in node.inputs))
        return values

    def evaluate(self, x: npt.NDArray[Any]) -> Floats:
        """The model's output before `final`, in float64: [samples, inputs] → [samples, outputs]."""
        return self.trace(x)[self.nodes[-1].name]
