"""The quantized network as Brevitas computes it: operators with float64 parameters, and integers in between.

This is what training and calibration give. The Brevitas module is built from it, the thresholds of the integer
network are derived from it, and the `brevitas` executor reads it back from a bundle.

All scales have few significant bits (`scales.py`), and biases lie on the grid of their accumulator's scale, so that
the sum Σ w·x + b of float64 numbers is exact in any order of summation, fused or not.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.gather import Gather, as_gather
from edgeml.frontends.graph_walk import walk
from edgeml.network import Dense, Layer
from edgeml.network.layers.shared import Shared

from .user_operators import FloatVisitor, OnFactors, OnGrid, OnIntegers, OnReals

__all__ = [
    "Input",
    "Levels",
    "ModelNode",
    "ModelOperator",
    "ModelVisitor",
    "QuantizedLinear",
    "QuantizedModel",
    "QuantizedShared",
    "Quantizer",
]

Floats = npt.NDArray[np.float64]
T = TypeVar("T")
V = TypeVar("V")


class ModelVisitor(FloatVisitor["ModelNode", V]):
    """What is done at the nodes of a quantized model, whose values are V."""

    @abstractmethod
    def input(self, node: ModelNode, operator: Input, given: list[V]) -> V:
        """At the input."""

    @abstractmethod
    def linear(self, node: ModelNode, operator: QuantizedLinear, given: list[V]) -> V:
        """At a linear layer."""

    @abstractmethod
    def quantizer(self, node: ModelNode, operator: Quantizer, given: list[V]) -> V:
        """At a quantizer."""


class Levels:
    """The integers of so many `bits`: low, high = −2^(bits−1), 2^(bits−1) − 1 if `signed`, else 0, 2^bits − 1."""

    bits: int
    signed: bool

    @property
    def low(self) -> int:
        """Smallest integer."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest integer."""
        return self.low + (1 << self.bits) - 1


@dataclass(frozen=True, eq=False)
class Input(Levels):
    """x̂ = q · step with q = clip(round_half_even((x − offset) / scale)).

    Parameters
    ----------
    size : number of features.
    scale, offset : float64 [size] or [1], in the units of the user's data; scale > 0.
    bits, signed : of the integers q.
    step : float64, a power of two: what one integer is worth inside the network.
    """

    kind: ClassVar[str] = "input"
    input_count: ClassVar[int] = 0

    size: int
    scale: Floats
    offset: Floats
    bits: int
    signed: bool
    step: float

    @property
    def stored(self) -> Any:
        """The dataclass whose fields a file holds."""
        return self

    def output_size(self, *input_sizes: int) -> int:
        """Number of features."""
        return self.size

    def tensor_step(self, *given: float | None) -> float | None:
        """What one integer is worth, as a linear layer takes it."""
        return self.step

    def unit(self, *given: float | None) -> float | None:
        """What one integer is worth inside the network."""
        return self.step

    def visit(self, visitor: ModelVisitor[V], node: ModelNode, given: list[V]) -> V:
        """Have `visitor` do what it does here."""
        return visitor.input(node, self, given)


@dataclass(frozen=True, eq=False)
class QuantizedLinear:
    """z[o] = Σ_i weight[o, i] · scale[o] · x̂[i] + bias[o].

    Parameters
    ----------
    weight : int32 [outputs, inputs]; of 1 bit −1 or +1; else −(2^(bits−1) − 1) … 2^(bits−1) − 1 if `narrow`,
        from −2^(bits−1) if not.
    bits : 1 to 8.
    narrow : whether the most negative integer is left out.
    scale : float64 [outputs], or [1] for one of all, positive.
    bias : float64 [outputs].
    """

    kind: ClassVar[str] = "linear"
    input_count: ClassVar[int] = 1

    weight: npt.NDArray[np.int32]
    bits: int
    narrow: bool
    scale: Floats
    bias: Floats

    @property
    def gather(self) -> Gather | None:
        """What each position takes; None if the weights are applied once, to all inputs in order."""
        return None

    @property
    def positions(self) -> int:
        """How often the weights are applied."""
        return 1 if self.gather is None else self.gather.positions

    @property
    def sums(self) -> Layer:
        """The integer layer of its weights, without bias, which is a real number."""
        return self.layer(self.weight, np.zeros(len(self.weight), np.int32))

    def layer(self, weight: npt.NDArray[np.int32], bias: npt.NDArray[np.int32]) -> Layer:
        """The integer layer of other weights of its shape and bits, and a bias [outputs of a row]."""
        dense = Dense(weight, self.bits, bias)
        if self.gather is None:
            return dense
        return Shared((dense,), self.gather.index.astype(np.int32), self.gather.inputs)

    @property
    def low(self) -> int:
        """Smallest integer weight."""
        return -1 if self.bits == 1 else -(1 << (self.bits - 1)) + int(self.narrow)

    @property
    def high(self) -> int:
        """Largest integer weight."""
        return 1 if self.bits == 1 else (1 << (self.bits - 1)) - 1

    @property
    def stored(self) -> Any:
        """The dataclass whose fields a file holds."""
        return self

    def output_size(self, *input_sizes: int) -> int:
        """Number of outputs; InputError if sizes, weights or scales do not fit."""
        outputs, inputs = self.weight.shape
        taken = (inputs,) if self.gather is None else (self.gather.inputs,)
        fits = input_sizes == taken and self.bias.shape == (outputs,) and self.scale.size in (1, outputs)
        fits = fits and (self.gather is None or self.gather.columns == inputs)
        if not fits or self.weight.min() < self.low or self.weight.max() > self.high:
            raise InputError("linear", "sizes or weights do not fit its bits and inputs")
        if self.bits == 1 and np.any(self.weight == 0):
            raise InputError("linear", "1-bit weights are −1 or +1, found 0")
        if not np.all(self.scale > 0) or not np.all(np.isfinite([*self.scale, *self.bias])):
            raise InputError("linear", "scales must be positive, and all numbers finite")
        return int(outputs) * self.positions

    def tensor_step(self, *given: float | None) -> float | None:
        """None: no layer takes its accumulators as they are. InputError if its inputs are not integers."""
        if given[0] is None:
            raise InputError("linear", "takes values that are not quantized")
        return None

    def unit(self, *given: float | None) -> float | None:
        """What one accumulator of the last layer is worth, which has one scale."""
        return None if given[0] is None else float(self.scale[0]) * given[0]

    def visit(self, visitor: ModelVisitor[V], node: ModelNode, given: list[V]) -> V:
        """Have `visitor` do what it does here."""
        return visitor.linear(node, self, given)


@dataclass(frozen=True, eq=False)
class QuantizedShared(QuantizedLinear):
    """The same at several positions: z[p·R + r] = Σ_c weight[r, c] · scale[r] · x̂[source[p, c]] + bias[r]; x̂[−1] = 0.

    Parameters
    ----------
    source : float64 [positions, inputs of a row], whole numbers −1 … inputs − 1.
    inputs : how many values it takes.
    """

    kind: ClassVar[str] = "shared_linear"

    source: Floats
    inputs: int

    @cached_property
    def gather(self) -> Gather:
        return as_gather("shared linear, source", self.source, self.inputs)


@dataclass(frozen=True)
class Quantizer(Levels):
    """q = clip(round_half_even(x / scale), low, high); x̂ = q · scale.

    Parameters
    ----------
    scale : float64, positive, one for the whole tensor.
    bits, signed : of the integers q.
    """

    kind: ClassVar[str] = "quantizer"
    input_count: ClassVar[int] = 1

    scale: float
    bits: int
    signed: bool

    @property
    def stored(self) -> Any:
        """The dataclass whose fields a file holds."""
        return self

    def output_size(self, *input_sizes: int) -> int:
        """Number of channels, that of its input."""
        return input_sizes[0]

    def tensor_step(self, *given: float | None) -> float | None:
        """What one integer is worth, as a linear layer takes it."""
        return self.scale

    def unit(self, *given: float | None) -> float | None:
        """What one integer is worth."""
        return self.scale

    def visit(self, visitor: ModelVisitor[V], node: ModelNode, given: list[V]) -> V:
        """Have `visitor` do what it does here."""
        return visitor.quantizer(node, self, given)


ModelOperator = Input | QuantizedLinear | Quantizer | OnReals | OnIntegers | OnFactors | OnGrid


@dataclass(frozen=True, eq=False)
class ModelNode:
    """An operator at its place; the first is the `Input`, every other takes earlier nodes by name."""

    name: str
    operator: ModelOperator
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class QuantizedModel:
    """The quantized network; its last node, a linear layer, a quantizer or a function of integers, is the output.

    Parameters
    ----------
    name : of the model, and of the integer network made from it.
    nodes : in computing order.
    labels : names of the outputs, or empty.

    Raises
    ------
    InputError : a rule of the graph is broken (also by a damaged file).
    """

    name: str
    nodes: tuple[ModelNode, ...]
    labels: tuple[str, ...] = ()
    sizes: dict[str, int] = field(init=False, repr=False)
    steps: dict[str, float] = field(init=False, repr=False)
    """What one integer is worth, for every node whose integers a linear layer can take: input, quantizers, joins."""
    units: dict[str, float] = field(init=False, repr=False)
    """What one integer is worth, for every node whose values are integers: these, and the accumulators of `last`."""

    def __post_init__(self) -> None:
        if not self.nodes or self.nodes[0].operator.kind != Input.kind:
            raise InputError(f"model {self.name}", "does not begin with its input")
        known: set[str] = set()
        for position, node in enumerate(self.nodes):
            if node.name in known or (position and node.operator.input_count == 0):
                raise InputError(f"layer {node.name}", "occurs twice, or is a second input")
            if missing := [name for name in node.inputs if name not in known]:
                raise InputError(f"layer {node.name}", f"takes {missing}, which no earlier node gives")
            if len(node.inputs) != node.operator.input_count:
                raise InputError(f"layer {node.name}", f"cannot take {len(node.inputs)} inputs")
            known.add(node.name)
        sizes = walk(self.nodes, {}, lambda node, given: _at(node, node.operator.output_size, given))
        steps = walk(self.nodes, {}, lambda node, given: _at(node, node.operator.tensor_step, given))
        object.__setattr__(self, "sizes", sizes)
        object.__setattr__(self, "steps", {name: step for name, step in steps.items() if step is not None})
        last = self.nodes[-1]
        unit = last.operator.unit(*(steps[name] for name in last.inputs))
        if unit is None or len(self.nodes) < 2:
            raise InputError(f"layer {last.name}", "cannot be the output: its values are not integers")
        object.__setattr__(self, "units", {**self.steps, last.name: unit})

    def node(self, name: str) -> ModelNode:
        """The node called `name`."""
        return next(node for node in self.nodes if node.name == name)

    @property
    def input(self) -> Input:
        """The first operator."""
        operator = self.nodes[0].operator
        assert isinstance(operator, Input)
        return operator


def _at(node: ModelNode, method: Callable[..., T], given: Sequence[Any]) -> T:
    """What an operator's method gives for what its inputs gave; an InputError gets the layer's name."""
    try:
        return method(*given)
    except InputError as error:
        raise InputError(f"layer {node.name}", error.problem, error.remedy) from error
