"""Where the quantizers go: the folded MLP with its integers marked.

Every linear layer takes integers: the input's, those of a quantizer, or of a join, such as a sum. All inputs of a join
are quantized with one shared scale, and it is computed on their integers; what it gives goes straight into the linear
layers that take it, and is quantized again where an activation or another join takes it. The last layer, if linear,
is not quantized: its accumulators are the output.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgeml.allocation.weight_range import has_full_range
from edgeml.errors import InputError
from edgeml.frontends.float_operators.encode import Encode
from edgeml.frontends.float_operators.interval import Interval
from edgeml.frontends.float_operators.operator import FloatOperator, Role
from edgeml.frontends.graph_walk import walk
from edgeml.frontends.mlp import Mlp, MlpNode

from .chains import directions, same_for_all_channels
from .fan_in import FEWEST_WEIGHT_BITS, widened_note
from .fan_in import limits as fan_in_limits
from .fan_in import weight_bits as fan_in_weight_bits
from .options import Options
from .placement import PlacedLinear, PlacedNode, PlacedQuantizer, Placement
from .scales import ACTIVATION_SCALE_BITS, round_scale
from .user_operators import OnFactors, OnGrid, OnIntegers, as_user_operator

__all__ = ["OUTPUT_BITS", "place_quantizers"]

OUTPUT_BITS = 8
"""Bits of a quantizer that nothing but the output takes, whatever the bits of other activations."""
FRONT_BITS = 8
"""Bits of a quantizer before a function that rises and falls, whose table has an entry for each integer."""
_OUTPUT_GROUP = "output of the model"
_HALF_STEP_BITS = 2
"""Signed quantizers of up to so many bits use the levels (q + ½)·scale: symmetric, and of 1 bit ±scale/2. Not
beside padding, which is 0."""


def place_quantizers(mlp: Mlp, options: Options, labels: tuple[str, ...] = ()) -> Placement:
    """Where the quantizers of a folded MLP go; InputError if an option names a layer that there is not.

    Unless the user says otherwise, 2-bit weights have the full range, −2 … 1: a fourth value is worth half a point of
    accuracy, and the four codes are there anyway. On inputs of 1 bit they are −1, 0 and 1, which are counted in two
    planes of bits, where −2 takes two more; with more bits one value more is worth little.
    """
    return _Placing(mlp, options, labels).placement()


@dataclass
class _Placing:
    mlp: Mlp
    options: Options
    labels: tuple[str, ...]
    placed: list[PlacedNode] = field(default_factory=list)
    real: dict[str, str] = field(default_factory=lambda: {"input": "input"})
    """Of each MLP node, the placed node with its values before any quantizer."""
    quantized: dict[str, str] = field(default_factory=lambda: {"input": "input"})
    """Of each MLP node, the placed node with its values as integers that a linear layer can take."""
    sides: dict[str, str] = field(default_factory=dict)
    """Of each MLP node that a join takes, its quantizer."""
    output_sides: dict[str, str] = field(default_factory=dict)
    """The same for the join that is the output."""
    factors: dict[str, str] = field(default_factory=dict)
    """Of each MLP node that a product takes which is the output, its quantizer."""
    chains: dict[str, tuple[str, list[FloatOperator]]] = field(default_factory=lambda: {"input": ("input", [])})
    """Of each MLP node, the last one whose values are integers or sums of them, and the operators on reals behind."""
    fronts: dict[str, str] = field(default_factory=dict)
    """Of each MLP node that a function takes which rises and falls, the quantizer before that function."""
    weight_bits_stated: set[str] = field(default_factory=set)
    """The layers whose weight bits the user stated by name."""
    widened: list[str] = field(default_factory=list)
    """The layers of few inputs whose weights have more bits than all others, since these cost nothing."""

    def placement(self) -> Placement:
        mlp = self.mlp
        self.by_name = {node.name: node for node in mlp.nodes}
        self.names = _identifiers(mlp)
        self.roots = self._roots()
        self.bits = self._bits()
        self.padded = any(node.operator.pads for node in mlp.nodes)
        self.groups = self._groups()
        self.from_zero = self._from_zero()
        linears = mlp.linears
        inputs = {name: linear.weight.shape[1] for name, linear in linears.items()}
        self.fan_in = fan_in_limits(self.options.fan_in, {name: self.names[name] for name in linears}, inputs)
        for node in mlp.nodes:
            self._place(node)
        last = mlp.nodes[-1]
        if last.operator.role in (Role.LINE, Role.FUNCTION):
            self._quantizer(last.name, _OUTPUT_GROUP, OUTPUT_BITS)
        notes = (widened_note(self.widened),) if self.widened else ()
        return Placement(_identifier(mlp.name), mlp.input_size, tuple(self.placed), self.labels, notes)

    def _place(self, node: MlpNode) -> None:
        name = self.names[node.name]
        linear = self.mlp.linears.get(node.name)
        if linear is not None:
            taken = self._integers(node.inputs[0])
            fan_in = self.fan_in.get(node.name, 0)
            bits = self._weight_bits(node.name, fan_in, taken) if fan_in else self.bits[node.name][0]
            if bits == 1 and linear.kept is not None:
                raise InputError(
                    f"layer {name}",
                    "has weights of 1 bit, −1 or +1, and groups, between which weights are 0",
                    f"Give it 2 bits: --layer-bits {name}=2",
                )
            narrow = self._narrow(bits, taken)
            placed = PlacedLinear(linear, bits, narrow, self._is_last(node), fan_in, self.options.powers)
            self._append(name, placed, (taken,), node.name)
        elif node.operator.role is Role.JOIN:
            side = self._output_side if self._is_last(node) else self._side
            self._append(name, OnIntegers(node.operator), tuple(side(source) for source in node.inputs), node.name)
            self.quantized[node.name] = name
        elif node.operator.role is Role.PRODUCT:
            factor = self._output_factor if self._is_last(node) else self._factor
            self._append(name, OnFactors(node.operator), tuple(factor(source) for source in node.inputs), node.name)
        elif isinstance(node.operator, Encode):
            self._place_encoding(node, node.operator, name)
        else:
            self._append(name, as_user_operator(node.operator), (self._before(node),), node.name)
        self.real[node.name] = name
        self.chains.setdefault(node.name, (node.name, []))

    def _before(self, node: MlpNode) -> str:
        """What a line or function takes: real values, so far as the operators since the last integers together have
        thresholds, or are a function of these integers alike in all channels; else a quantizer of its own."""
        (source,) = node.inputs
        root, chain = self.chains[source]
        longer = [*chain, node.operator]
        turns = not np.all(np.prod(directions(longer, self.mlp.sizes[node.name]), axis=0))
        if turns and not (self._is_small(root) and same_for_all_channels(longer)):
            self.chains[node.name] = f"front of {node.name}", [node.operator]
            return self._front(source)
        self.chains[node.name] = root, longer
        return self.real[source]

    def _is_small(self, root: str) -> bool:
        """Whether the values of a chain's first node are few integers: neither sums with weights nor products."""
        node = self.by_name.get(root)
        return node is None or node.operator.role not in (Role.WEIGHTS, Role.PRODUCT)

    def _front(self, source: str) -> str:
        """A quantizer for functions that rise and fall, with more levels than activations."""
        if source not in self.fronts:
            signed = not _never_negative(self.mlp, source)
            group = f"front of {source}"
            self.fronts[source] = self._quantizer_node(source, PlacedQuantizer(group, FRONT_BITS, signed), "_front")
        return self.fronts[source]

    def _weight_bits(self, linear: str, fan_in: int, taken: str) -> int:
        """Of the weights of a layer of few inputs, which takes the integers of the placed node `taken`."""
        stated = self.options.weight_bits_stated or linear in self.weight_bits_stated
        bits = fan_in_weight_bits(self.bits[linear][0], stated, fan_in, self._value_bits(taken))
        if bits > max(self.bits[linear][0], FEWEST_WEIGHT_BITS):
            self.widened.append(self.names[linear])
        return bits

    def _narrow(self, weight_bits: int, taken: str) -> bool:
        """Whether weights of so many bits, on the integers of the placed node `taken`, leave the smallest out."""
        if self.options.narrow is not None:
            return self.options.narrow
        return not has_full_range(weight_bits, self._value_bits(taken))

    def _value_bits(self, taken: str) -> int | None:
        """Bits of the integers of a placed node, or of the input; None where nothing says so."""
        operators = {node.name: node.operator for node in self.placed}
        return self.options.input_bits if taken == "input" else operators[taken].value_bits

    def _is_last(self, node: MlpNode) -> bool:
        return node is self.mlp.nodes[-1]

    def _append(self, name: str, operator: Any, inputs: tuple[str, ...], source: str) -> None:
        self.placed.append(PlacedNode(name, operator, inputs, source))

    def _integers(self, source: str) -> str:
        if source not in self.quantized:
            self.quantized[source] = self._quantizer(source, source, self.bits[self.roots[source]][1])
        return self.quantized[source]

    def _place_encoding(self, node: MlpNode, operator: Encode, name: str) -> None:
        """It takes the input, which is on its grid, or a quantizer of its grid: the nearest one that there is."""
        (source,) = node.inputs
        taken = source
        if source != "input":
            step = round_scale(operator.scale, ACTIVATION_SCALE_BITS)
            offset = round(2.0 * operator.offset / step) / 2.0
            operator = operator.on_grid(step, offset * step)
            quantizer = PlacedQuantizer(f"grid of {node.name}", operator.bits, False, offset, step)
            taken = self._quantizer_node(source, quantizer)
        self._append(name, OnGrid(operator), (taken,), node.name)
        self.quantized[node.name] = name

    def _side(self, source: str) -> str:
        if source not in self.sides:
            node = self.by_name.get(source)
            if node is not None and (node.operator.role is not Role.JOIN or node.operator.moves_only):
                self.sides[source] = self._integers(source)
            else:
                self.sides[source] = self._quantizer(source, source, self.bits[self.roots[source]][1])
        return self.sides[source]

    def _factor(self, source: str) -> str:
        """What a product takes: integers of few bits, whose 0 stands for 0."""
        return "input" if source == "input" else self._side(source)

    def _output_factor(self, source: str) -> str:
        """Factors of a product that is the output have quantizers of their own, of 8 bits."""
        if source not in self.factors:
            self.factors[source] = self._quantizer(source, f"factor {source} of the output", OUTPUT_BITS)
        return self.factors[source]

    def _output_side(self, source: str) -> str:
        """Inputs of a join that is the output have quantizers of their own, of 8 bits."""
        if source not in self.output_sides:
            self.output_sides[source] = self._quantizer(source, _OUTPUT_GROUP, OUTPUT_BITS)
        return self.output_sides[source]

    def _quantizer(self, source: str, group: str, bits: int) -> str:
        """A quantizer behind the real values of `source`, called after the layer that they come from."""
        if group != _OUTPUT_GROUP:
            group = self.groups.get(source, group)
        signed = not _never_negative(self.mlp, source)
        half = signed and bits <= _HALF_STEP_BITS and not self.padded and source not in self.from_zero
        offset = 0.5 if half else 0.0
        return self._quantizer_node(source, PlacedQuantizer(group, bits, signed, offset))

    def _quantizer_node(self, source: str, quantizer: PlacedQuantizer, suffix: str = "_act") -> str:
        taken = {node.name for node in self.placed} | set(self.names.values())
        name = _free(f"{self.names.get(self.roots[source], 'input')}{suffix}", taken)
        self._append(name, quantizer, (self.real[source],), source)
        return name

    def _roots(self) -> dict[str, str]:
        """Of each node, the linear layer, join or input whose values its own are made of."""
        return walk(
            self.mlp.nodes,
            {"input": "input"},
            lambda node, given: given[0] if node.operator.role in (Role.LINE, Role.FUNCTION) else node.name,
        )

    def _groups(self) -> dict[str, str]:
        """Of each node that a join takes, the name of the group whose scale it shares."""
        parent: dict[str, str] = {}

        def find(name: str) -> str:
            while parent.setdefault(name, name) != name:
                name = parent[name]
            return name

        for node in self.mlp.nodes[:-1]:
            if node.operator.role is Role.JOIN:
                first, *others = (*node.inputs, node.name) if node.operator.moves_only else node.inputs
                for other in others:
                    root = find(first)
                    parent[find(other)] = root
        return {name: find(name) for name in parent}

    def _from_zero(self) -> set[str]:
        """The nodes that a product takes, directly or moved: the integer 0 must stand for 0 in them."""
        found: set[str] = set()
        for node in reversed(self.mlp.nodes):
            if node.operator.role is Role.PRODUCT or (node.name in found and node.operator.moves_only):
                found.update(node.inputs)
        return found

    def _bits(self) -> dict[str, tuple[int, int]]:
        """Weight and activation bits by root node, overrides applied."""
        options = self.options
        roots = [node.name for node in self.mlp.nodes if node.operator.role in (Role.WEIGHTS, Role.JOIN, Role.PRODUCT)]
        linear = list(self.mlp.linears)
        bits = dict.fromkeys(roots, (options.weight_bits, options.act_bits))
        bits["input"] = (options.weight_bits, options.input_bits)
        known = {**{self.names[name]: name for name in roots}, **{name: name for name in roots}}
        aliases = {"first": linear[0], "last": linear[-1]}
        for wanted, (weight, act) in options.layer_bits.items():
            name = known.get(wanted, aliases.get(wanted))
            if name is None:
                raise InputError(
                    f"option layer_bits, {wanted}",
                    "is not a layer of this model",
                    f"Its layers: {', '.join(self.names[each] for each in roots)}; also first and last",
                )
            if weight is not None:
                self.weight_bits_stated.add(name)
            old = bits[name]
            bits[name] = (weight or old[0], act or old[1])
        return bits


def _never_negative(mlp: Mlp, name: str) -> bool:
    """Whether every value of a node is surely at least zero, channel by channel, whatever a layer or sum before it
    gives."""

    def after(node: MlpNode, given: list[Interval]) -> Interval:
        bounded = node.operator.role in (Role.LINE, Role.FUNCTION)
        return node.operator.output_range(*given) if bounded else Interval.unbounded()

    ranges = walk(mlp.nodes, {"input": Interval.unbounded()}, after)
    return bool(np.all(ranges[name].low >= 0))


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
