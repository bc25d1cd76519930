"""From the quantized model (float64 parameters, as Brevitas computes) to the integer network, exactly.

A linear layer becomes a `Dense` of its integer weights; whatever lies between integers and a quantizer becomes the
thresholds of a `Threshold`, or of few integers the table of a `Lookup`; an addition stays one. The last linear layer
keeps its accumulators as outputs, its bias an integer. Every threshold is proved before the network is given away.

A channel whose chain decreases (a negative batch norm behind a clamp) needs its comparison turned round: its row of
weights is negated. −2^(b−1) has no negative of b bits, and a row that holds it is refused by name; the converter
never makes one (`freeze.py` keeps such rows narrow). Where integers that no dense layer gives must be mirrored (a sum,
the input), a dense layer of ±1 on the diagonal does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed, NetworkError
from edgeml.frontends.float_operators.operator import FloatOperator
from edgeml.frontends.graph_walk import walk
from edgeml.network import Add, Dense, Encode, InputQuantizer, Layer, Network, Node, Output, Threshold, ValueRange
from edgeml.network.layers.encode import EQUAL

from .chains import are_lines, directions
from .function_levels import rising_thresholds, table
from .model import Input, ModelNode, ModelVisitor, QuantizedLinear, QuantizedModel, Quantizer
from .one_hot import split_one_hot
from .proof import Reference, prove, require_exact_sums
from .thresholds import compose, thresholds

__all__ = ["chain_slopes", "extract"]

Integers = npt.NDArray[np.int64]


def extract(model: QuantizedModel) -> Network:
    """The integer network that computes the same integers as `model` in float64.

    Raises
    ------
    NetworkError : a row to be negated holds −2^(bits−1), or a range passes 32 bits; the layer is named.
    CheckFailed : thresholds and float64 reference differ somewhere (never expected).
    """
    return _Extraction(model).network()


class _Extraction(ModelVisitor[None]):
    def __init__(self, model: QuantizedModel) -> None:
        self.model = model
        self.nodes: list[Node] = []
        self.ranges: dict[str, ValueRange] = {}
        self.dense_names: dict[tuple[str, bytes], str] = {}
        self.linears: dict[str, QuantizedLinear] = {}
        self.encoded: dict[str, tuple[Encode, str]] = {}
        """Of one-hot encodings, which are no nodes of the network, the layer and the name of what it would take."""
        self.chains: dict[str, tuple[ModelNode, list[FloatOperator]]] = {}
        """Of each node, the last one whose values are integers or sums of them, and the operators on reals behind."""

    def network(self) -> Network:
        model = self.model
        walk(model.nodes, {}, lambda node, given: node.operator.visit(self, node, given))
        return Network(
            model.name,
            tuple(self.nodes),
            Output(np.array([model.units[model.nodes[-1].name]]), 0, model.labels),
        )

    def input(self, node: ModelNode, operator: Input, given: list[None]) -> None:
        layer = InputQuantizer(operator.size, operator.scale, operator.offset, 0, operator.bits, operator.signed)
        self._add(node.name, layer, ())
        self.chains[node.name] = node, []

    def linear(self, node: ModelNode, operator: QuantizedLinear, given: list[None]) -> None:
        """The last one now; others when a quantizer behind them says which rows are negated."""
        self.chains[node.name] = node, []
        self.linears[node.name] = operator
        if node is self.model.nodes[-1]:
            self._add_last(node, operator)

    def quantizer(self, node: ModelNode, operator: Quantizer, given: list[None]) -> None:
        self._add_threshold(node, operator)
        self.chains[node.name] = node, []

    def on_reals(self, node: ModelNode, operator: FloatOperator, given: list[None]) -> None:
        source, chain = self.chains[node.inputs[0]]
        self.chains[node.name] = source, [*chain, operator]

    def on_integers(self, node: ModelNode, operator: FloatOperator, given: list[None]) -> None:
        layer = operator.integer_layer()
        if layer is None:
            raise NetworkError(
                f"layer {node.name}", f"a {operator.kind} has no integer layer", operator.quantized_remedy
            )
        self._add(node.name, layer, node.inputs)
        self.chains[node.name] = node, []

    def on_grid(self, node: ModelNode, operator: FloatOperator, given: list[None]) -> None:
        """One-hot values stay behind: the sums of them are tables of what they are made from."""
        layer = operator.integer_layer()
        assert isinstance(layer, Encode)
        if np.any(layer.rule == EQUAL) and self._only_linears_take(node):
            self.encoded[node.name] = layer, node.inputs[0]
        else:
            self._add(node.name, layer, node.inputs)
        self.chains[node.name] = node, []

    def _only_linears_take(self, node: ModelNode) -> bool:
        consumers = [each.operator for each in self.model.nodes if node.name in each.inputs]
        return bool(consumers) and all(each.kind == QuantizedLinear.kind for each in consumers)

    def _add(self, name: str, layer: Layer, inputs: tuple[str, ...]) -> None:
        value_range = layer.output_range(*(self.ranges[each] for each in inputs))
        low, high = value_range.bounds
        if low < -(2**31) or high >= 2**31 - 1:
            raise NetworkError(
                f"layer {name}",
                f"its values range from {low} to {high}, past 32 bits",
                "Use fewer bits or fewer inputs for this layer",
            )
        self.nodes.append(Node(name, layer, inputs))
        self.ranges[name] = value_range

    def _add_sums(
        self,
        name: str,
        operator: QuantizedLinear,
        weight: npt.NDArray[np.int32],
        bias: npt.NDArray[np.int32],
        inputs: tuple[str, ...],
    ) -> None:
        """Products with weights; of one-hot values, which are sums of tables, those sums."""
        (source,) = inputs
        if source not in self.encoded:
            self._add(name, operator.layer(weight, bias), inputs)
            return
        bits = operator.bits
        encode, taken = self.encoded[source]
        split = split_one_hot(encode, weight, bits, bias, int(self.ranges[taken].high.max()) + 1)
        if split.rest is None:
            self._add(name, split.tables, (taken,))
            return
        rest, dense = split.rest
        if (rest_name := f"{source}_rest") not in self.ranges:
            self._add(rest_name, rest, (taken,))
        sides = self._free_name(f"{name}_dense"), self._free_name(f"{name}_tables")
        self._add(sides[0], dense, (rest_name,))
        self._add(sides[1], split.tables, (taken,))
        self._add(name, Add(), sides)

    def _largest(self, linear: ModelNode, operator: QuantizedLinear) -> npt.NDArray[np.float64]:
        """Σ |w| · max |x| of each row of weights, at the positions where x is largest."""
        (name,) = linear.inputs
        if name in self.encoded:
            encode, taken = self.encoded[name]
            source = encode.output_range(self.ranges[taken])
        else:
            source = self.ranges[name]
        reach = np.maximum(np.abs(source.low), np.abs(source.high))
        weight = np.abs(operator.weight.astype(np.int64))
        if operator.gather is None:
            return (weight @ reach).astype(np.float64)
        at_positions = operator.gather.at_positions(reach.astype(np.float64)).max(axis=0)
        return np.asarray(weight @ at_positions)

    def _add_last(self, node: ModelNode, operator: QuantizedLinear) -> None:
        step = self.model.steps[node.inputs[0]]
        if operator.scale.size != 1:
            raise CheckFailed(f"layer {node.name}", "the last layer needs one scale for all its outputs")
        scale = float(operator.scale[0]) * step
        bias = np.rint(operator.bias / scale)
        if not np.array_equal(bias * scale, operator.bias) or np.abs(bias).max() >= 2**31:
            raise CheckFailed(f"layer {node.name}", "its bias is not a multiple of its accumulator's scale")
        outputs = len(operator.weight)
        require_exact_sums(node.name, self._largest(node, operator), np.full(outputs, scale), operator.bias)
        self._add_sums(node.name, operator, operator.weight, bias.astype(np.int32), node.inputs)

    def _add_threshold(self, node: ModelNode, quantizer: Quantizer) -> None:
        source, chain = self.chains[node.inputs[0]]
        operator = self.linears.get(source.name)
        if operator is not None:
            scale = operator.scale * self.model.steps[source.inputs[0]]
            scale = np.broadcast_to(scale, (len(operator.weight),)).copy()
            bias = operator.bias
            require_exact_sums(source.name, self._largest(source, operator), scale, bias)
            scale, bias = np.tile(scale, operator.positions), np.tile(bias, operator.positions)
        else:
            scale = np.full(self.model.sizes[source.name], self.model.steps[source.name])
            bias = np.zeros(len(scale))
        if not are_lines(chain):
            rising = np.ones(len(scale), np.int64)
            self._add_function(node, source, Reference(scale, bias, rising, chain, quantizer))
            return
        responses = compose([Fraction(each) for each in scale.tolist()], [Fraction(b) for b in bias.tolist()], chain)
        sign = np.array([-1 if response.slope < 0 else 1 for response in responses], np.int64)
        responses = [each.mirrored() if each.slope < 0 else each for each in responses]
        taken = self._accumulators(node, source, sign)
        acc = self.ranges[taken]
        rows = thresholds(responses, quantizer, acc.low, acc.high)
        self._add_proved(node, rows, Reference(scale, bias, sign, chain, quantizer), taken)

    def _add_function(self, node: ModelNode, source: ModelNode, reference: Reference) -> None:
        """Of few integers a table, if it is one of all channels; else thresholds, of a chain that does not turn."""
        if source.name not in self.linears:
            layer = table(reference, *self.ranges[source.name].bounds)
            if layer is not None:
                self._add(node.name, layer, (source.name,))
                return
        sign = np.prod(directions(reference.chain, len(reference.scale)), axis=0).astype(np.int64)
        if not np.all(sign):
            raise NetworkError(
                f"layer {node.name}",
                "rises and falls otherwise in each channel: neither thresholds nor one table of all channels give it",
                "Give all its channels the same parameters (PReLU: num_parameters=1, or a Linear behind it)",
            )
        taken = self._accumulators(node, source, sign)
        reference = replace(reference, sign=sign)
        rows = rising_thresholds(reference, self.ranges[taken].low, self.ranges[taken].high)
        self._add_proved(node, rows, reference, taken)

    def _add_proved(self, node: ModelNode, rows: Integers, reference: Reference, taken: str) -> None:
        acc, base = self.ranges[taken], reference.quantizer.low
        prove(node.name, rows, base, reference, acc.low, acc.high)
        self._add(node.name, Threshold(rows.astype(np.int32), base), (taken,))

    def _accumulators(self, node: ModelNode, source: ModelNode, sign: Integers) -> str:
        """Name of the node that gives sign · acc, added where there is none yet."""
        operator = self.linears.get(source.name)
        by_row = sign.reshape(1, -1)
        if operator is not None:
            by_row = sign.reshape(operator.positions, -1)
        if operator is None or np.any(by_row != by_row[0]):
            if operator is not None:
                source = replace(source, name=self._sums(source, operator, np.ones_like(by_row[0])))
            if np.all(sign > 0):
                return source.name
            name = self._free_name(f"{node.name}_sign")
            diagonal = np.diag(sign).astype(np.int32)
            self._add(name, Dense(diagonal, 2, np.zeros(len(sign), np.int32)), (source.name,))
            return name
        return self._sums(source, operator, by_row[0])

    def _sums(self, source: ModelNode, operator: QuantizedLinear, sign: Integers) -> str:
        """Name of the node that gives the sums of `source` with the sign of each row of weights."""
        key = (source.name, sign.tobytes())
        if key not in self.dense_names:
            weight = _negated_rows(source.name, operator, sign)
            first = all(name != source.name for name, _ in self.dense_names)
            name = source.name if first else self._free_name(f"{source.name}_negated")
            self._add_sums(name, operator, weight, np.zeros(len(weight), np.int32), source.inputs)
            self.dense_names[key] = name
        return self.dense_names[key]

    def _free_name(self, name: str) -> str:
        taken = {node.name for node in self.model.nodes} | {node.name for node in self.nodes}
        while name in taken:
            name += "_"
        return name


def _negated_rows(name: str, operator: QuantizedLinear, sign: Integers) -> npt.NDArray[np.int32]:
    weight = operator.weight.astype(np.int64) * sign[:, None]
    if operator.bits > 1 and weight.max() > operator.high:
        row = int(np.argmax(weight.max(axis=1) > operator.high))
        raise NetworkError(
            f"layer {name}, row {row}",
            f"must be negated (its batch norm is negative), and holds {-operator.high - 1}, whose negative has no "
            f"{operator.bits} bits",
            "Use the narrow weight range for this layer",
        )
    return weight.astype(np.int32)


def chain_slopes(chain: Sequence[FloatOperator], channels: int) -> npt.NDArray[np.float64]:
    """The sign [channels] of each channel's slope through `chain`: −1, 0 or 1; 0 of one that turns."""
    if not are_lines(chain):
        return np.asarray(np.prod(directions(chain, channels), axis=0))
    lines = compose([Fraction(1)] * channels, [Fraction(0)] * channels, chain)
    return np.array([float((line.slope > 0) - (line.slope < 0)) for line in lines])
