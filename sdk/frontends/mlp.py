"""The float MLP that every frontend gives and every converter takes: operators of `float_operators` as a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..network import argmax
from ..network.task import BINARY, CLASSES, TASKS, VALUES, label_count
from .float_operators.add import Add
from .float_operators.affine import Affine
from .float_operators.clamp import Clamp
from .float_operators.interval import Interval
from .float_operators.linear import Linear
from .float_operators.operator import FloatOperator, Role
from .float_operators.sigmoid import Sigmoid
from .float_operators.tanh import Tanh
from .float_operators.weights import Weights
from .graph_walk import walk

__all__ = ["Add", "Affine", "Clamp", "FloatOperator", "Linear", "Mlp", "MlpNode", "Sigmoid", "Tanh"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MlpNode:
    """An operator at its place: a unique name and the names of what it takes (`"input"` is the model's input).

    `origin` says where it stands in the user's model, for error messages.
    """

    name: str
    operator: FloatOperator
    inputs: tuple[str, ...]
    origin: str = ""

    @property
    def where(self) -> str:
        """How error messages name it."""
        return self.origin or self.name


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
    values : of a model that encodes its input itself, how many integers 0, 1, … each feature may be [inputs]; else ().
    """

    name: str
    input_size: int
    nodes: tuple[MlpNode, ...]
    final: str = ""
    labels: tuple[str, ...] = ()
    task: str = ""
    values: tuple[int, ...] = ()
    sizes: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", self._sizes())
        if not any(node.operator.role in (Role.WEIGHTS, Role.EDGES) for node in self.nodes):
            raise InputError(f"model {self.name}", "holds no linear layer", "edgeml converts MLPs and KANs")
        if not self.task:
            probability = self.final == Sigmoid.kind or self.nodes[-1].operator.gives_probability
            one = BINARY if probability or len(self.labels) == 2 else VALUES
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
        operator = self.nodes[-1].operator
        ends = operator.output_range(*[Interval.unbounded()] * operator.input_count)
        return 0.5 if np.all(ends.low == 0.0) and np.all(ends.high == 1.0) else 0.0

    def decisions(self, outputs: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The class of each sample, int64 [samples], from what `evaluate` gives; InputError for a model of values."""
        if self.task == VALUES:
            raise InputError(f"model {self.name}", "gives values, not classes")
        return (outputs[:, 0] > self.threshold).astype(np.int64) if self.task == BINARY else argmax(outputs)

    def without_tail(self) -> Mlp:
        """The model without a sigmoid or tanh at its end where its task is a class: they change no decision, as they
        rise everywhere. `final` names what went."""
        last = self.nodes[-1]
        if self.task == VALUES or len(self.nodes) < 2 or not last.operator.rises_everywhere:
            return self
        shorter = replace(self, nodes=self.nodes[:-1], final=last.operator.kind)
        follows = last.inputs == (self.nodes[-2].name,)
        return shorter if follows and shorter.threshold == 0.0 else self

    def _sizes(self) -> dict[str, int]:
        known = {"input"}
        for node in self.nodes:
            if node.name in known:
                raise InputError(node.where, f"the name {node.name} occurs twice")
            if missing := [name for name in node.inputs if name not in known]:
                raise InputError(node.where, f"takes {missing}, which no earlier node gives")
            known.add(node.name)
        return walk(self.nodes, {"input": self.input_size}, _output_size)

    @property
    def output_size(self) -> int:
        """Number of outputs."""
        return self.sizes[self.nodes[-1].name]

    @cached_property
    def linears(self) -> Mapping[str, Weights]:
        """The layers with weights by the names of their nodes, in computing order."""
        return {node.name: node.operator for node in self.nodes if isinstance(node.operator, Weights)}

    def consumers(self, name: str) -> tuple[MlpNode, ...]:
        """The nodes that take the output of `name` (or of `"input"`)."""
        return tuple(node for node in self.nodes if name in node.inputs)

    def trace(self, x: npt.NDArray[Any]) -> dict[str, Floats]:
        """Every node's output in float64, by name, for x [samples, inputs]."""
        given = {"input": np.asarray(x, dtype=np.float64)}
        return walk(self.nodes, given, lambda node, taken: node.operator.evaluate(*taken))

    def evaluate(self, x: npt.NDArray[Any]) -> Floats:
        """The model's output before `final`, in float64: [samples, inputs] → [samples, outputs]."""
        return self.trace(x)[self.nodes[-1].name]


def _output_size(node: MlpNode, sizes: list[int]) -> int:
    if len(sizes) != node.operator.input_count:
        raise InputError(node.where, f"takes {node.operator.input_count} inputs, found {len(sizes)}")
    try:
        return node.operator.output_size(*sizes)
    except InputError as error:
        raise InputError(node.where, error.problem, error.remedy) from error
