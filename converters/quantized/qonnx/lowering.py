"""Layer by layer from a float graph with staircases in it to integers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.clamped_line import ClampedLine
from edgeml.frontends.float_operators.linear import Linear
from edgeml.frontends.float_operators.operator import Role
from edgeml.frontends.float_operators.pooled_maximum import PooledMaximum
from edgeml.frontends.float_operators.pooled_sum import PooledSum
from edgeml.frontends.mlp import Mlp, MlpNode
from edgeml.network import Add as AddLayer
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, integer_threshold
from edgeml.network.layer import Layer
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.shared import Shared
from edgeml.network.task import BINARY
from edgeml.network.value_range import ValueRange

from .joins import JOINED
from .lowered_value import LoweredValue, value_at
from .operators import QuantizedConstants
from .positions import at_positions, pooled, positions_of
from .small_integers import MOST_WEIGHT, clip_table, floats, signed, weight_bits
from .staircases import Staircase, first_to_reach
from .sums import exact_sum, reach_before

__all__ = ["Lowering"]

_MOST_LEVELS = 255
_WIDEST = 2**15
_MOST_FRACTIONS = 2**20
"""Numbers of a layer that are computed as fractions: bounds the time that a hostile file can take."""
_INTEGER_TYPE = re.compile(r"(U?)INT([1-8])")
_NEAR = 2.0**-18
"""How near to an integer a bias must be, relative to its size: scales are products of two float32 numbers."""


@dataclass
class Lowering:
    """One reading of one graph.

    Parameters
    ----------
    mlp : operators of the sdk's and staircases, in computing order.
    constants : the scales of the file's quantized constants.
    input_type : qonnx's name of the input's integers ("INT8", "BIPOLAR" …) where the file declares one, else "".
    """

    mlp: Mlp
    constants: QuantizedConstants
    input_type: str = ""
    nodes: list[Node] = field(default_factory=list)
    ranges: dict[str, ValueRange] = field(default_factory=dict)
    where: str = ""
    origin: str = ""
    thresholds: int = 0
    denses: int = 0
    """How many layers of these kinds there are already: their names are counted."""
    decided: bool = False
    """Whether the last quantizer gives a probability: an only output is then the class above one half."""

    def network(self) -> Network:
        """The finished network."""
        self.mlp = self.mlp.without_tail()
        widest = max(self.mlp.sizes.values())
        if widest > _WIDEST:
            raise InputError("model", f"has a tensor of {widest} features; QONNX files are read up to {_WIDEST}")
        size = self.mlp.input_size
        values = {"input": LoweredValue("", None, [Fraction(1)] * size, [Fraction(0)] * size)}
        for node in self.mlp.nodes:
            self.where, self.origin = node.origin or node.name, node.origin
            values[node.name] = self._applied(node, [values[name] for name in node.inputs])
        self.where, self.origin = "output", ""
        return self._finished(values[self.mlp.nodes[-1].name])

    def _applied(self, node: MlpNode, inputs: Sequence[LoweredValue]) -> LoweredValue:
        operator: Any = node.operator
        if operator.kind in JOINED:
            return JOINED[operator.kind](self, *inputs)
        if len(inputs) > 1:
            raise InputError(
                self.where, f"is a {operator.kind} of two tensors", "QONNX files may have sums and products"
            )
        (value,) = inputs
        if operator.role is Role.FUNCTION and value.name and value.layer is None:
            return replace(value, function=(*value.function, *value.chain, operator), chain=())
        if operator.role is Role.WEIGHTS and not value.is_line:
            raise InputError(self.where, "takes values that no quantizer made integers", "Quantize each activation")
        if operator.role is Role.LINE:
            return replace(value, chain=(*value.chain, operator))
        if operator.role is Role.WEIGHTS:
            return self._linear(self._declared_input(value) if value.is_input else value, operator)
        if isinstance(operator, (PooledSum, PooledMaximum)):
            return self._pooled(value, operator)
        if operator.role is Role.QUANTIZER:
            stairs = operator.at_output() if operator is self._last_staircase else operator
            return self._input(value, stairs) if value.is_input else self._quantized(value, stairs)
        raise InputError(self.where, f"a {operator.kind} stands between two quantizers", "Train with ReLU or hardtanh")

    @property
    def _last_staircase(self) -> Any:
        """The quantizer behind which no other is: what follows must stay whole numbers."""
        return [node.operator for node in self.mlp.nodes if node.operator.role is Role.QUANTIZER][-1]

    def add(self, name: str, layer: Layer, *sources: str) -> str:
        """Put `layer` behind the nodes `sources`."""
        taken = {node.name for node in self.nodes}
        while name in taken:
            name += "_"
        self.nodes.append(Node(name, layer, sources, self.origin))
        self.ranges[name] = layer.output_range(*(self.ranges[source] for source in sources))
        return name

    # The input

    def _input(self, value: LoweredValue, stairs: Staircase) -> LoweredValue:
        """The first quantizer, with the arithmetic before it."""
        if stairs.scale_of_signs is not None:
            return self._bipolar_input(value, stairs.scale_of_signs)
        rounding = stairs.as_input
        if rounding is None:
            raise InputError(
                self.where, "the input is quantized by other than rounding half to even", "Use a Quant of mode ROUND"
            )
        responses = self._increasing(value)
        for response in responses:
            low, high = (rounding.scale * (end - rounding.zero) for end in (rounding.low, rounding.high))
            above = response.low is not None and response.low > low
            if above or (response.high is not None and response.high < high):
                raise InputError(self.where, "the input is clamped to less than its quantizer's range")
        signed = rounding.low < 0
        bits = max((-rounding.low - 1).bit_length() + 1 if signed else 0, rounding.high.bit_length() + int(signed), 1)
        scale = floats([rounding.scale / response.slope for response in responses])
        offset = floats([-response.offset / response.slope for response in responses])
        quantizer = InputQuantizer(self.mlp.input_size, scale, offset, rounding.zero, bits, signed)
        name = self.add("input", quantizer)
        if (quantizer.low, quantizer.high) != (rounding.low, rounding.high):
            row = np.arange(rounding.low + 1, rounding.high + 1)
            self.thresholds += 1
            narrow = Threshold(np.tile(row, (self.mlp.input_size, 1)), rounding.low)
            name = self.add("input_narrow", narrow, name)
        return self._levels(name, rounding)

    def _bipolar_input(self, value: LoweredValue, scale: Fraction) -> LoweredValue:
        """−1 and 1 as the integers −1 and 0: (x − x₀) − ½ rounds to 0 or more exactly where x ≥ x₀."""
        responses = self._increasing(value)
        if any(response.low is not None or response.high is not None for response in responses):
            raise InputError(self.where, "the input is clamped before a bipolar quantizer")
        start = [-response.offset / response.slope for response in responses]
        offset = floats([zero + Fraction(1, 2) for zero in start])
        self.add("input", InputQuantizer(self.mlp.input_size, np.array([1.0]), offset, 0, 1, True))
        size = self.mlp.input_size
        return LoweredValue("input", None, [2 * scale] * size, [scale] * size)

    def _increasing(self, value: LoweredValue) -> list[ClampedLine]:
        responses = value.responses()
        if any(response.slope <= 0 for response in responses):
            raise InputError(self.where, "the input is multiplied by zero or less before it is quantized")
        return responses

    def _declared_input(self, value: LoweredValue) -> LoweredValue:
        """An input that no node quantizes, of the integers that the file declares for it."""
        size = self.mlp.input_size
        one, zero = np.array([1.0]), np.array([0.0])
        found = _INTEGER_TYPE.fullmatch(self.input_type)
        if self.input_type == "BIPOLAR":
            # −1 and 1 are 2q − 1 for q of 0 and 1.
            self.add("input", InputQuantizer(size, 2 * one, -one, 0, 1, False))
            return replace(value, name="input", slopes=[Fraction(2)] * size, offsets=[Fraction(-1)] * size)
        if self.input_type == "BINARY" or found:
            signed, bits = (found[1] == "", int(found[2])) if found else (False, 1)
            self.add("input", InputQuantizer(size, one, zero, 0, bits, signed))
            return replace(value, name="input")
        raise InputError(
            self.where,
            "the input reaches a linear layer without a quantizer",
            "Export the model with an input quantizer (QuantIdentity), or, if it takes integers, declare them: "
            "qonnx's ModelWrapper.set_tensor_datatype(input, DataType['INT8'])",
        )

    # Layers

    def _linear(self, value: LoweredValue, operator: Linear) -> LoweredValue:
        """A matrix of integers on integers; its scales and biases go into slopes and offsets."""
        value = self._clipped(value)
        responses = value.responses()
        slope = responses[0].slope
        if value.layer is not None or any(r.low is not None or r.high is not None for r in responses):
            raise InputError(
                self.where, "takes values that no quantizer made integers", "Quantize each activation (QuantReLU)"
            )
        if slope == 0 or any(response.slope != slope for response in responses):
            raise InputError(self.where, "takes channels of different scales", "Give the quantizer before it one scale")
        weight, scale = self._integers(operator.weight)
        offsets = [response.offset for response in responses]
        constant = [Fraction(bias) for bias in operator.bias.tolist()]
        if len(set(offsets)) == 1:
            sums = [offsets[0] * int(total) for total in weight.sum(axis=1)]
        elif weight.size > _MOST_FRACTIONS:
            raise InputError(self.where, "takes channels of different offsets, too many to be folded exactly")
        else:
            sums = [sum((w * o for w, o in zip(row, offsets, strict=True)), Fraction(0)) for row in weight.tolist()]
        dense = Dense(weight.astype(np.int32), weight_bits(weight), np.zeros(len(weight), np.int32))
        layer, count = at_positions(dense, operator, slope, offsets, self.where), positions_of(operator)
        shifts = [factor * total + bias for factor, total, bias in zip(scale, sums, constant, strict=True)]
        return LoweredValue(value.name, layer, [factor * slope for factor in scale] * count, shifts * count)

    def _clipped(self, value: LoweredValue) -> LoweredValue:
        """Integers that a clamp behind their quantizer makes others of them (a ReLU at the integer of 0): a table."""
        if value.layer is not None or not value.name or not value.chain or not value.is_line:
            return value
        responses = value.responses()
        table = clip_table(responses, *self.ranges[value.name].bounds)
        if table is None:
            return value
        name = self.add("clip", table, value.name)
        return LoweredValue(name, None, [responses[0].slope] * len(responses), [responses[0].offset] * len(responses))

    def _pooled(self, value: LoweredValue, operator: PooledSum | PooledMaximum) -> LoweredValue:
        """Sums and maxima of windows of integers, which all stand for numbers alike."""
        responses = [] if value.layer is not None or not value.name or not value.is_line else value.responses()
        first = responses[0] if responses else None
        if first is None or any(each != first for each in responses) or (first.low, first.high) != (None, None):
            raise InputError(self.where, "takes values that no quantizer made integers", "Quantize what it takes")
        layer, offsets = pooled(operator, first.slope, first.offset, self.where)
        return LoweredValue(self.add("pool", layer, value.name), None, [first.slope] * len(offsets), offsets)

    def _integers(self, weight: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], list[Fraction]]:
        """Weights as integers of at most 8 bits times a scale per row, one that the file quantizes constants with."""
        known = [scale for scale in self.constants.scales if scale.size in (1, len(weight))]
        for scale in [*sorted(known, key=lambda each: -float(each.max())), np.ones(1)]:
            column = np.broadcast_to(scale, (len(weight),))[:, None]
            integers = np.rint(weight / column)
            fits = integers.min() >= -MOST_WEIGHT and integers.max() < MOST_WEIGHT
            if fits and np.array_equal(integers * column, weight):
                return integers.astype(np.int64), [Fraction(value) for value in column[:, 0].tolist()]
        raise InputError(
            self.where,
            "its weights are not integers of at most 8 bits times a scale",
            "Quantize its weights: QuantLinear with Brevitas; quantize_static(…, weight_type=QuantType.QInt8) with "
            "onnxruntime, as uint8 weights less their zero point may need 9 bits",
        )

    def _quantized(self, value: LoweredValue, stairs: Staircase) -> LoweredValue:
        """Thresholds that give the staircase's level for every integer before it; a table for other functions."""
        if value.terms:
            return self._quantized_sum(value, stairs)
        self.decided = False
        if value.function:
            return self._quantized_function(value, stairs)
        responses = value.responses()
        falling = [response.slope < 0 for response in responses]
        if any(falling) and value.layer is None:
            raise InputError(self.where, "multiplies integers by a negative number between two quantizers")
        if value.layer is not None:
            signs = np.where(falling, -1, 1)[:, None]
            source = self.add_weighted(value, value.layer, signs, 0)
        else:
            source = value.name
        responses = [each.mirrored() if down else each for each, down in zip(responses, falling, strict=True)]
        bounds = self.ranges[source]
        low, high = stairs.levels_met(
            value_at(response, int(end))
            for response, pair in zip(responses, zip(bounds.low, bounds.high, strict=True), strict=True)
            for end in pair
        )
        base, rows = stairs.base(low), []
        for channel, response in enumerate(responses):
            reaches = stairs.reaches(channel, low, high)
            if len(reaches) > _MOST_LEVELS:
                raise InputError(self.where, f"gives {len(reaches) + 1} levels; the most is {_MOST_LEVELS + 1}")
            if len(reaches) * len(responses) > _MOST_FRACTIONS:
                raise InputError(self.where, f"has {len(responses)} channels of {len(reaches)} levels, too many")
            ends = int(bounds.low[channel]), int(bounds.high[channel])
            rows.append([first_to_reach(response, reach, *ends) for reach in reaches])
        if not rows[0]:
            raise InputError(self.where, "gives the same level for every input")
        return self._levels(self._add_levels(Threshold(np.array(rows), base), source), stairs)

    def _add_levels(self, layer: Layer, source: str) -> str:
        self.thresholds += 1
        return self.add(f"act_{self.thresholds - 1}", layer, source)

    def _quantized_function(self, value: LoweredValue, stairs: Staircase) -> LoweredValue:
        """The level of each of the integers before it: a table."""
        bounds = self.ranges[value.name]
        values = value.table(bounds, self.where)
        self.decided = value.function[-1].gives_probability and not value.chain
        low, high = stairs.levels_met((min(values), max(values)))
        reaches = stairs.reaches(0, low, high)
        levels = [sum(x >= point if at else x > point for point, at in reaches) for x in values]
        table = Lookup(stairs.base(low) + np.array(levels), bounds.bounds[0])
        return self._levels(self._add_levels(table, value.name), stairs)

    def _quantized_sum(self, value: LoweredValue, stairs: Staircase) -> LoweredValue:
        """Two tables, their sum and thresholds on it: see `sums`."""
        bounds = [self.ranges[term.name] for term in value.terms]
        first, second = (term.table(range_, self.where) for term, range_ in zip(value.terms, bounds, strict=True))
        responses = value.responses()
        if any(response != responses[0] for response in responses) or responses[0].slope <= 0:
            raise InputError(self.where, "takes a sum whose channels have different scales")
        ends = min(first) + min(second), max(first) + max(second)
        low, high = stairs.levels_met(responses[0].slope * end + responses[0].offset for end in ends)
        reaches = [reach_before(responses[0], reach, *ends) for reach in stairs.reaches(0, low, high)]
        one, other, row = exact_sum(first, second, reaches, self.where)
        names = [
            self.add("term", Lookup(table.astype(np.int32), each.bounds[0]), term.name)
            for table, each, term in zip((one, other), bounds, value.terms, strict=True)
        ]
        name = self.add("sum", AddLayer(), *names)
        # Levels that every sum reaches, or none, are no thresholds: what is left is one line, clipped at both ends.
        total = self.ranges[name].bounds
        met = row[(row > total[0]) & (row <= total[1])]
        always, row = (int((row <= total[0]).sum()), met) if len(met) else (0, row)
        rows = np.tile(row.astype(np.int32), (len(value.slopes), 1))
        return self._levels(self._add_levels(Threshold(rows, stairs.base(low) + always), name), stairs)

    def _levels(self, name: str, stairs: Staircase) -> LoweredValue:
        size = self.ranges[name].channels
        return LoweredValue(name, None, [stairs.slope] * size, [stairs.offset] * size)

    def add_weighted(self, value: LoweredValue, layer: Dense | Shared, signs: Any, bias: Any) -> str:
        """The layer with its rows times `signs`, and with biases."""
        self.denses += 1
        return self.add(f"linear_{self.denses - 1}", signed(layer, signs, bias, self.where), value.name)

    # The output

    def _finished(self, value: LoweredValue) -> Network:
        """The last layer's integers are the outputs; what scales them is kept where it changes no order."""
        responses = value.responses()
        slope = responses[0].slope
        if (
            any(response.low is not None or response.high is not None for response in responses)
            or not value.name
            or value.function
        ):
            raise InputError(self.where, "the last layer is followed by an activation without quantizer")
        if slope == 0 or any(response.slope != slope for response in responses):
            raise InputError(
                self.where,
                "the outputs have different scales",
                "Give the last layer one weight scale, or quantize its outputs, too",
            )
        shifts = [response.offset / slope for response in responses]
        zero_point = 0
        if value.layer is None:
            if slope < 0:
                raise InputError(self.where, "the outputs are multiplied by a negative number behind their quantizer")
            # A constant that all outputs have in common changes no answer; it is kept to the nearest step.
            zero_point = -round(shifts[0])
            if any(shift != shifts[0] for shift in shifts):
                raise InputError(self.where, "the outputs are shifted differently behind their quantizer")
        else:
            sign = 1 if slope > 0 else -1
            bias, zero_point = self._bias([shift * sign for shift in shifts])
            self.add_weighted(value, value.layer, sign, bias)
        scale = float(abs(slope))
        task, threshold = "", None
        if self.mlp.output_size == 1 and (self.decided or self.mlp.task == BINARY):
            task, threshold = BINARY, integer_threshold(0.5 if self.decided else 0.0, scale, zero_point)
        output = Output(np.array([scale]), zero_point, self.mlp.labels, task, threshold)
        return Network(self.mlp.name, tuple(self.nodes), output)

    def _bias(self, shifts: Sequence[Fraction]) -> tuple[npt.NDArray[np.int64], int]:
        """Integer biases, and a zero point: what all outputs have in common is no matter of whole numbers."""
        for common in (Fraction(0), shifts[0]):
            own = [shift - common for shift in shifts]
            whole = [round(shift) for shift in own]
            if all(abs(float(s - w)) <= _NEAR * max(1, abs(w)) for s, w in zip(own, whole, strict=True)):
                return np.array(whole), -round(common)
        raise InputError(
            self.where,
            "the last layer's biases are not integers in units of its sums",
            "Export it with bias_quant=Int32Bias, or without a bias",
        )
