"""Where the quantizers go: the folded MLP with its integers marked.

Every linear layer takes integers: the input's, those of a quantizer, or a sum. Both sides of an addition are
quantized with one shared scale and their integers are added; the sum goes straight into the linear layers that take
it, and is quantized again where an activation or another addition takes it. The last layer, if linear, is not
quantized: its accumulators are the output.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from edgeml.errors import InputError
from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp, MlpNode

from .model import Levels
from .options import Options

__all__ = ["OUTPUT_BITS", "Plan", "PlannedLinear", "PlannedNode", "PlannedQuantizer", "make_plan"]

OUTPUT_BITS = 8
"""Bits of a quantizer that nothing but the output takes, whatever the bits of other activations."""
_OUTPUT_GROUP = "output of the model"
_HALF_STEP_BITS = 2
"""Signed quantizers of up to so many bits use the levels (q + ½)·scale: symmetric, and of 1 bit ±scale/2."""


@dataclass(frozen=True, eq=False)
class PlannedLinear:
    """A linear layer: its float weights, its bits, and whether it is the output (one scale, an integer bias)."""

    linear: Linear
    bits: int
    narrow: bool
    last: bool


@dataclass(frozen=True)
class PlannedQuantizer(Levels):
    """A quantizer; those of one group share their scale. `half`: levels (q + ½)·scale instead of q·scale."""

    group: str
    bits: int
    signed: bool
    half: bool


@dataclass(frozen=True, eq=False)
class PlannedNode:
    """`operator` at its place; `source` is the node of the folded MLP whose values these are."""

    name: str
    operator: PlannedLinear | PlannedQuantizer | Affine | Clamp | Add
    inputs: tuple[str, ...]
    source: str


@dataclass(frozen=True, eq=False)
class Plan:
    """The planned nodes in computing order, behind `input`; the last one is the output."""

    name: str
    input_size: int
    nodes: tuple[PlannedNode, ...]
    labels: tuple[str, ...]

    def node(self, name: str) -> PlannedNode:
        """The node called `name`."""
        return next(node for node in self.nodes if node.name == name)

    def chain(self, quantizer: PlannedNode) -> tuple[str, list[Affine | Clamp]]:
        """The affines and clamps before a quantizer in computing order, and the name of what they begin at."""
        operators: list[Affine | Clamp] = []
        (source,) = quantizer.inputs
        while source != "input" and isinstance(operator := self.node(source).operator, (Affine, Clamp)):
            operators.insert(0, operator)
            (source,) = self.node(source).inputs
        return source, operators

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Number of channels of each node."""
        sizes = {"input": self.input_size}
        for node in self.nodes:
            linear = isinstance(node.operator, PlannedLinear)
            sizes[node.name] = node.operator.linear.bias.size if linear else sizes[node.inputs[0]]  # type: ignore[union-attr]
        return sizes

    @property
    def bits(self) -> set[int]:
        """All weight and activation bits that occur."""
        return {
            node.operator.bits for node in self.nodes if isinstance(node.operator, (PlannedLinear, PlannedQuantizer))
        }


def make_plan(mlp: Mlp, options: Options, labels: tuple[str, ...] = ()) -> Plan:
    """The plan for a folded MLP; InputError where an option names a layer that there is not."""
    return _Planning(mlp, options, labels).plan()


@dataclass
class _Planning:
    mlp: Mlp
    options: Options
    labels: tuple[str, ...]
    planned: list[PlannedNode] = field(default_factory=list)
    real: dict[str, str] = field(default_factory=lambda: {"input": "input"})
    """Of each MLP node, the planned node with its values before any quantizer."""
    quantized: dict[str, str] = field(default_factory=lambda: {"input": "input"})
    """Of each MLP node, the planned node with its values as integers that a linear layer can take."""
    addends: dict[str, str] = field(default_factory=dict)
    """Of each MLP node that an addition takes, the planned quantizer."""
    output_addends: dict[str, str] = field(default_factory=dict)
    """The same for the addition that is the output."""

    def plan(self) -> Plan:
        mlp = self.mlp
        self.by_name = {node.name: node for node in mlp.nodes}
        self.names = _identifiers(mlp)
        self.roots = self._roots()
        self.bits = self._bits()
        self.groups = self._groups()
        for node in mlp.nodes:
            self._place(node)
        last = mlp.nodes[-1]
        if isinstance(last.operator, (Affine, Clamp)):
            self._quantizer(last.name, _OUTPUT_GROUP, OUTPUT_BITS)
        return Plan(_identifier(mlp.name), mlp.input_size, tuple(self.planned), self.labels)

    def _place(self, node: MlpNode) -> None:
        operator = node.operator
        name = self.names[node.name]
        if isinstance(operator, Linear):
            bits = self.bits[node.name][0]
            last = node is self.mlp.nodes[-1]
            planned = PlannedLinear(operator, bits, self.options.narrow, last)
            self._append(name, planned, (self._integers(node.inputs[0]),), node.name)
        elif isinstance(operator, Add):
            last = node is self.mlp.nodes[-1]
            sides = tuple(self._output_addend(source) if last else self._addend(source) for source in node.inputs)
            self._append(name, operator, sides, node.name)
            self.quantized[node.name] = name
        else:
            assert isinstance(operator, (Affine, Clamp))
            self._append(name, operator, (self.real[node.inputs[0]],), node.name)
        self.real[node.name] = name

    def _append(self, name: str, operator: object, inputs: tuple[str, ...], source: str) -> None:
        self.planned.append(PlannedNode(name, operator, inputs, source))  # type: ignore[arg-type]

    def _integers(self, source: str) -> str:
        if source not in self.quantized:
            self.quantized[source] = self._quantizer(source, source, self.bits[self.roots[source]][1])
        return self.quantized[source]

    def _addend(self, source: str) -> str:
        if source not in self.addends:
            node = self.by_name.get(source)
            if node is not None and not isinstance(node.operator, Add):
                self.addends[source] = self._integers(source)
            else:
                self.addends[source] = self._quantizer(source, source, self.bits[self.roots[source]][1])
        return self.addends[source]

    def _output_addend(self, source: str) -> str:
        """Sides of the output's addition have quantizers of their own, of 8 bits."""
        if source not in self.output_addends:
            self.output_addends[source] = self._quantizer(source, _OUTPUT_GROUP, OUTPUT_BITS)
        return self.output_addends[source]

    def _quantizer(self, source: str, group: str, bits: int) -> str:
        """A quantizer behind the real values of `source`, called after the layer that they come from."""
        if group != _OUTPUT_GROUP:
            group = self.groups.get(source, group)
        signed = not _never_negative(self.mlp, source)
        half = signed and bits <= _HALF_STEP_BITS
        taken = {node.name for node in self.planned} | set(self.names.values())
        name = _free(f"{self.names.get(self.roots[source], 'input')}_act", taken)
        self._append(name, PlannedQuantizer(group, bits, signed, half), (self.real[source],), source)
        return name

    def _roots(self) -> dict[str, str]:
        """Of each node, the linear layer, addition or input whose values its own are made of."""
        roots = {"input": "input"}
        for node in self.mlp.nodes:
            chained = isinstance(node.operator, (Affine, Clamp))
            roots[node.name] = roots[node.inputs[0]] if chained else node.name
        return roots

    def _groups(self) -> dict[str, str]:
        """Of each node that an addition takes, the name of the group whose scale it shares."""
        parent: dict[str, str] = {}

        def find(name: str) -> str:
            while parent.setdefault(name, name) != name:
                name = parent[name]
            return name

        for node in self.mlp.nodes[:-1]:
            if isinstance(node.operator, Add):
                first, second = (find(name) for name in node.inputs)
                parent[second] = first
        return {name: find(name) for name in parent}

    def _bits(self) -> dict[str, tuple[int, int]]:
        """Weight and activation bits by root node, overrides applied."""
        options = self.options
        roots = [node.name for node in self.mlp.nodes if isinstance(node.operator, (Linear, Add))]
        linear = [node.name for node in self.mlp.nodes if isinstance(node.operator, Linear)]
        bits = dict.fromkeys(roots, (options.weight_bits, options.act_bits))
        bits["input"] = (options.weight_bits, options.input_bits)
        known = {**{self.names[name]: name for name in roots}, **{name: name for name in roots}}
        aliases = {"first": linear[0], "last": linear[-1]}
        for wanted, (weight, act) in options.layer_bits.items():
            name = known.get(wanted, aliases.get(wanted))
            if name is None:
                raise InputError(
                    f"option layer_bits, {wanted}",
                    "is no layer of this model",
                    f"Its layers: {', '.join(self.names[each] for each in roots)}; also first and last",
                )
            old = bits[name]
            bits[name] = (weight or old[0], act or old[1])
        return bits


def _never_negative(mlp: Mlp, name: str) -> bool:
    """Whether every value of a node is surely at least zero, channel by channel."""
    by_name = {node.name: node for node in mlp.nodes}
    chain: list[Affine | Clamp] = []
    while name in by_name and isinstance(by_name[name].operator, (Affine, Clamp)):
        operator = by_name[name].operator
        assert isinstance(operator, (Affine, Clamp))
        chain.insert(0, operator)
        (name,) = by_name[name].inputs
    low, high = np.array([-np.inf]), np.array([np.inf])
    for operator in chain:
        if isinstance(operator, Clamp):
            low, high = np.clip(low, operator.low, operator.high), np.clip(high, operator.low, operator.high)
        else:
            with np.errstate(invalid="ignore"):
                ends = np.stack([np.broadcast_to(end * operator.scale, operator.scale.shape) for end in (low, high)])
            ends = np.where(operator.scale == 0, 0.0, ends) + operator.shift
            low, high = ends.min(axis=0), ends.max(axis=0)
    return bool(np.all(low >= 0))


def _identifier(name: str) -> str:
    word = re.sub(r"[^0-9A-Za-z_]", "_", name) or "layer"
    return word if word.isidentifier() else f"n_{word}"


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"


def _identifiers(mlp: Mlp) -> dict[str, str]:
    """Names of letters, digits and underscores for the nodes, unique and stable."""
    names: dict[str, str] = {}
    for node in mlp.nodes:
        names[node.name] = _free(_identifier(node.name), {"input", *names.values()})
    return names
