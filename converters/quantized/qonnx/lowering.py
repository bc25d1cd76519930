"""Layer by layer from a float chain with staircases in it to integers."""

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
from edgeml.frontends.float_operators.operator import FloatOperator, Role
from edgeml.frontends.mlp import Mlp, MlpNode
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.layer import Layer
from edgeml.network.value_range import ValueRange

from ..thresholds import compose
from .operators import QuantizedConstants
from .staircases import Staircase, first_to_reach

__all__ = ["Lowering"]

_MOST_LEVELS = 255
_WIDEST = 2**15
_MOST_FRACTIONS = 2**20
"""Numbers of a layer that are computed as fractions: bounds the time that a hostile file can take."""
_MOST_WEIGHT = 128
_INTEGER_TYPE = re.compile(r"(U?)INT([1-8])")
_NEAR = 2.0**-18
"""How near to an integer a bias must be, relative to its size: scales are products of two float32 numbers."""


@dataclass(frozen=True)
class _Value:
    """A tensor while it is lowered: slope[c] · (integers of `layer`, or of node `name`) + offset[c], then `chain`."""

    name: str
    layer: Dense | None
    slopes: Sequence[Fraction]
    offsets: Sequence[Fraction]
    chain: tuple[FloatOperator, ...] = ()

    def responses(self) -> list[ClampedLine]:
        return compose(self.slopes, self.offsets, self.chain)


@dataclass
class Lowering:
    """One reading of one chain.

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

    def network(self) -> Network:
        """The finished network."""
        widest = max(self.mlp.sizes.values())
        if widest > _WIDEST:
            raise InputError("model", f"has a tensor of {widest} features; QONNX files are read up to {_WIDEST}")
        size = self.mlp.input_size
        value = _Value("", None, [Fraction(1)] * size, [Fraction(0)] * size)
        last = "input"
        for node in self.mlp.nodes:
            self.where, self.origin = node.origin or node.name, node.origin
            if node.inputs != (last,):
                raise InputError(self.where, "is part of a branch; QONNX files are read where they are one chain")
            value = self._applied(value, node)
            last = node.name
        self.where, self.origin = "output", ""
        return self._finished(value)

    def _applied(self, value: _Value, node: MlpNode) -> _Value:
        operator: Any = node.operator
        if operator.role is Role.LINE:
            return replace(value, chain=(*value.chain, operator))
        if operator.role is Role.WEIGHTS:
            return self._linear(value if value.name else self._declared_input(value), operator)
        if operator.role is Role.QUANTIZER:
            stairs = operator.at_output() if operator is self._last_staircase else operator
            return self._quantized(value, stairs) if value.name else self._input(value, stairs)
        raise InputError(self.where, f"a {operator.kind} stands between two quantizers", "Train with ReLU or hardtanh")

    @property
    def _last_staircase(self) -> Any:
        """The quantizer behind which no other is: what follows must stay whole numbers."""
        return [node.operator for node in self.mlp.nodes if node.operator.role is Role.QUANTIZER][-1]

    def _add(self, name: str, layer: Layer) -> str:
        """Put `layer` behind the last one."""
        taken = {node.name for node in self.nodes}
        while name in taken:
            name += "_"
        before = self.nodes[-1].name if self.nodes else None
        self.nodes.append(Node(name, layer, () if before is None else (before,), self.origin))
        self.ranges[name] = layer.output_range(*([] if before is None else [self.ranges[before]]))
        return name

    # The input

    def _input(self, value: _Value, stairs: Staircase) -> _Value:
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
        scale = _floats([rounding.scale / response.slope for response in responses])
        offset = _floats([-response.offset / response.slope for response in responses])
        quantizer = InputQuantizer(self.mlp.input_size, scale, offset, rounding.zero, bits, signed)
        name = self._add("input", quantizer)
        if (quantizer.low, quantizer.high) != (rounding.low, rounding.high):
            row = np.arange(rounding.low + 1, rounding.high + 1)
            self.thresholds += 1
            name = self._add("input_narrow", Threshold(np.tile(row, (self.mlp.input_size, 1)), rounding.low))
        return self._levels(name, rounding)

    def _bipolar_input(self, value: _Value, scale: Fraction) -> _Value:
        """−1 and 1 as the integers −1 and 0: (x − x₀) − ½ rounds to 0 or more exactly where x ≥ x₀."""
        responses = self._increasing(value)
        if any(response.low is not None or response.high is not None for response in responses):
            raise InputError(self.where, "the input is clamped before a bipolar quantizer")
        start = [-response.offset / response.slope for response in responses]
        offset = _floats([zero + Fraction(1, 2) for zero in start])
        self._add("input", InputQuantizer(self.mlp.input_size, np.array([1.0]), offset, 0, 1, True))
        size = self.mlp.input_size
        return _Value("input", None, [2 * scale] * size, [scale] * size)

    def _increasing(self, value: _Value) -> list[ClampedLine]:
        responses = value.responses()
        if any(response.slope <= 0 for response in responses):
            raise InputError(self.where, "the input is multiplied by zero or less before it is quantized")
        return responses

    def _declared_input(self, value: _Value) -> _Value:
        """An input that no node quantizes, of the integers that the file declares for it."""
        size = self.mlp.input_size
        one, zero = np.array([1.0]), np.array([0.0])
        found = _INTEGER_TYPE.fullmatch(self.input_type)
        if self.input_type == "BIPOLAR":
            # −1 and 1 are 2q − 1 for q of 0 and 1.
            self._add("input", InputQuantizer(size, 2 * one, -one, 0, 1, False))
            return replace(value, name="input", slopes=[Fraction(2)] * size, offsets=[Fraction(-1)] * size)
        if self.input_type == "BINARY" or found:
            signed, bits = (found[1] == "", int(found[2])) if found else (False, 1)
            self._add("input", InputQuantizer(size, one, zero, 0, bits, signed))
            return replace(value, name="input")
        raise InputError(
            self.where,
            "the input reaches a linear layer without a quantizer",
            "Export the model with an input quantizer (QuantIdentity), or, if it takes integers, declare them: "
            "qonnx's ModelWrapper.set_tensor_datatype(input, DataType['INT8'])",
        )

    # Layers

    def _linear(self, value: _Value, operator: Linear) -> _Value:
        """A matrix of integers on integers; its scales and biases go into slopes and offsets."""
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
        layer = Dense(weight.astype(np.int32), _weight_bits(weight), np.zeros(len(weight), np.int32))
        return _Value(
            value.name,
            layer,
            [factor * slope for factor in scale],
            [factor * total + bias for factor, total, bias in zip(scale, sums, constant, strict=True)],
        )

    def _integers(self, weight: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], list[Fraction]]:
        """Weights as integers of at most 8 bits times a scale per row, one that the file quantizes constants with."""
        known = [scale for scale in self.constants.scales if scale.size in (1, len(weight))]
        for scale in [*sorted(known, key=lambda each: -float(each.max())), np.ones(1)]:
            column = np.broadcast_to(scale, (len(weight),))[:, None]
            integers = np.rint(weight / column)
            if np.array_equal(integers * column, weight) and np.abs(integers).max() <= _MOST_WEIGHT:
                return integers.astype(np.int64), [Fraction(value) for value in column[:, 0].tolist()]
        raise InputError(
            self.where,
            "its weights are not integers of at most 8 bits times a scale",
            "Quantize its weights (QuantLinear)",
        )

    def _quantized(self, value: _Value, stairs: Staircase) -> _Value:
        """Thresholds that give the staircase's level for every integer before it."""
        responses = value.responses()
        falling = [response.slope < 0 for response in responses]
        if any(falling) and value.layer is None:
            raise InputError(self.where, "multiplies integers by a negative number between two quantizers")
        if value.layer is not None:
            signs = np.where(falling, -1, 1)[:, None]
            self._add_dense(value.layer, signs, value.layer.bias)
        responses = [each.mirrored() if down else each for each, down in zip(responses, falling, strict=True)]
        bounds = self.ranges[self.nodes[-1].name]
        low, high = stairs.levels_met(
            response.slope * int(end) + response.offset
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
        self.thresholds += 1
        return self._levels(self._add(f"act_{self.thresholds - 1}", Threshold(np.array(rows), base)), stairs)

    def _levels(self, name: str, stairs: Staircase) -> _Value:
        size = self.ranges[name].channels
        return _Value(name, None, [stairs.slope] * size, [stairs.offset] * size)

    def _add_dense(self, layer: Dense, signs: Any, bias: Any) -> None:
        weight = layer.weight.astype(np.int64) * signs
        if weight.max() >= _MOST_WEIGHT:
            raise InputError(self.where, "a weight of −128 meets a negative scale", "Use narrow weights")
        self.denses += 1
        self._add(f"linear_{self.denses - 1}", Dense(weight, _weight_bits(weight), bias))

    # The output

    def _finished(self, value: _Value) -> Network:
        """The last layer's integers are the outputs; what scales them is kept where it changes no order."""
        responses = value.responses()
        slope = responses[0].slope
        if any(response.low is not None or response.high is not None for response in responses) or not value.name:
            raise InputError(self.where, "the last layer is followed by an activation without quantizer")
        if slope == 0 or any(response.slope != slope for response in responses):
            raise InputError(self.where, "the outputs have different scales", "Give the last layer one weight scale")
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
            self._add_dense(value.layer, sign, bias)
        return Network(self.mlp.name, tuple(self.nodes), Output(np.array([float(abs(slope))]), zero_point))

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


def _floats(values: Sequence[Fraction]) -> npt.NDArray[np.float64]:
    """One number where all are the same."""
    distinct = set(values)
    return np.array([float(value) for value in (distinct if len(distinct) == 1 else values)])


def _weight_bits(weight: npt.NDArray[np.int64]) -> int:
    """The fewest bits that hold all weights; 1 where all are −1 or 1."""
    if np.all(np.abs(weight) == 1):
        return 1
    low, high = int(weight.min()), int(weight.max())
    return max(int(-low - 1).bit_length() if low < 0 else 0, int(high).bit_length()) + 1 if low < -1 or high > 0 else 2
