"""The folded MLP with its quantizers: what calibration, training and freezing walk."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from edgeml.frontends.float_operators.operator import FloatOperator
from edgeml.frontends.float_operators.weights import Weights
from edgeml.frontends.graph_walk import walk

from .model import Levels
from .user_operators import FloatVisitor, OnFactors, OnGrid, OnIntegers, OnReals

__all__ = ["PlacedLinear", "PlacedNode", "PlacedQuantizer", "Placement", "PlacementVisitor"]

V = TypeVar("V")


class PlacementVisitor(FloatVisitor["PlacedNode", V]):
    """What is done at the nodes of a placement, whose values are V."""

    @abstractmethod
    def linear(self, node: PlacedNode, operator: PlacedLinear, given: list[V]) -> V:
        """At a linear layer."""

    @abstractmethod
    def quantizer(self, node: PlacedNode, operator: PlacedQuantizer, given: list[V]) -> V:
        """At a quantizer."""


@dataclass(frozen=True, eq=False)
class PlacedLinear:
    """A linear layer.

    Parameters
    ----------
    linear : its float weights.
    bits : of its integer weights.
    narrow : whether the most negative integer is left out.
    last : whether it is the output (one scale, an integer bias).
    fan_in : most inputs that a neuron may have, fewer than the layer has; 0: no limit.
    powers : whether its weights are 0 or ± a power of two.
    """

    linear: Weights
    bits: int
    narrow: bool
    last: bool
    fan_in: int = 0
    powers: bool = False

    @property
    def value_bits(self) -> None:
        """Its values are sums, of no bits of their own."""
        return None

    def output_size(self, *input_sizes: int) -> int:
        """Number of outputs."""
        return self.linear.output_size(*input_sizes)

    def visit(self, visitor: PlacementVisitor[V], node: PlacedNode, given: list[V]) -> V:
        """Have `visitor` do what it does here."""
        return visitor.linear(node, self, given)


@dataclass(frozen=True)
class PlacedQuantizer(Levels):
    """A quantizer; those of one group share their scale.

    Parameters
    ----------
    offset : in steps, what the integer 0 stands for: levels (q + offset)·scale; a multiple of ½.
    grid : the scale, if what takes its integers states it; 0 if it is chosen.
    """

    group: str
    bits: int
    signed: bool
    offset: float = 0.0
    grid: float = 0.0

    @property
    def value_bits(self) -> int:
        """Bits of its integers."""
        return self.bits

    def output_size(self, *input_sizes: int) -> int:
        """Number of channels, that of its input."""
        return input_sizes[0]

    def visit(self, visitor: PlacementVisitor[V], node: PlacedNode, given: list[V]) -> V:
        """Have `visitor` do what it does here."""
        return visitor.quantizer(node, self, given)


@dataclass(frozen=True, eq=False)
class PlacedNode:
    """`operator` at its place; `source` is the node of the folded MLP whose values these are."""

    name: str
    operator: PlacedLinear | PlacedQuantizer | OnReals | OnIntegers | OnFactors | OnGrid
    inputs: tuple[str, ...]
    source: str


@dataclass(frozen=True, eq=False)
class Placement:
    """The nodes of the folded MLP and its quantizers in computing order, behind `input`; the last one is the output.

    `notes`: what the user should know of the bits that were chosen.
    """

    name: str
    input_size: int
    nodes: tuple[PlacedNode, ...]
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def node(self, name: str) -> PlacedNode:
        """The node called `name`."""
        return next(node for node in self.nodes if node.name == name)

    @cached_property
    def quantizers(self) -> Mapping[str, PlacedQuantizer]:
        """The quantizers by the names of their nodes, in computing order."""
        return {node.name: node.operator for node in self.nodes if isinstance(node.operator, PlacedQuantizer)}

    @cached_property
    def linears(self) -> Mapping[str, PlacedLinear]:
        """The linear layers by the names of their nodes, in computing order."""
        return {node.name: node.operator for node in self.nodes if isinstance(node.operator, PlacedLinear)}

    def chain(self, quantizer: PlacedNode) -> tuple[str, list[FloatOperator]]:
        """The operators on reals before a quantizer in computing order, and the name of what they begin at."""
        return self._chains[quantizer.inputs[0]]

    @cached_property
    def _chains(self) -> Mapping[str, tuple[str, list[FloatOperator]]]:
        given: tuple[str, list[FloatOperator]] = ("input", [])
        return walk(self.nodes, {"input": given}, lambda node, taken: node.operator.visit(_Chains(), node, taken))

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Number of channels of each node."""
        return walk(self.nodes, {"input": self.input_size}, lambda node, sizes: node.operator.output_size(*sizes))

    @property
    def bits(self) -> set[int]:
        """All weight and activation bits that occur."""
        return {node.operator.bits for node in self.nodes if node.operator.bits is not None}


class _Chains(PlacementVisitor[tuple[str, list[FloatOperator]]]):
    """Of each node, where the operators on reals up to it begin, and these operators."""

    def linear(self, node: PlacedNode, operator: PlacedLinear, given: list[Any]) -> tuple[str, list[FloatOperator]]:
        return node.name, []

    def quantizer(
        self, node: PlacedNode, operator: PlacedQuantizer, given: list[Any]
    ) -> tuple[str, list[FloatOperator]]:
        return node.name, []

    def on_reals(self, node: PlacedNode, operator: FloatOperator, given: list[Any]) -> tuple[str, list[FloatOperator]]:
        source, operators = given[0]
        return source, [*operators, operator]

    def on_integers(
        self, node: PlacedNode, operator: FloatOperator, given: list[Any]
    ) -> tuple[str, list[FloatOperator]]:
        return node.name, []
