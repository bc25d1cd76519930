"""Placement and parameters → the quantized model: integers for the weights, rounded scales, biases on their grid."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError, NetworkError
from edgeml.frontends.float_operators.affine import Affine
from edgeml.frontends.float_operators.encode import Encode
from edgeml.frontends.float_operators.operator import FloatOperator
from edgeml.frontends.graph_walk import walk

from .extract import chain_slopes
from .model import ModelNode, ModelOperator, QuantizedLinear, QuantizedModel, QuantizedShared, Quantizer
from .parameters import Parameters
from .placement import PlacedLinear, PlacedNode, PlacedQuantizer, Placement, PlacementVisitor
from .scales import (
    ACTIVATION_SCALE_BITS,
    WEIGHT_SCALE_BITS,
    integer_range,
    quantize_weights,
    round_scale,
)
from .user_operators import OnFactors, OnGrid, OnIntegers, OnReals

__all__ = ["freeze"]

Floats = npt.NDArray[np.float64]

_LARGEST_BIAS = 2.0**24
"""In units of the accumulator. Rows of weights so small beside their bias count as rows of zeros."""


def freeze(placement: Placement, parameters: Parameters) -> QuantizedModel:
    """The quantized model. InputError where a layer's numbers are beyond all measure."""
    return _Freezing(placement, parameters).model()


class _Freezing(PlacementVisitor[None]):
    def __init__(self, placement: Placement, parameters: Parameters) -> None:
        self.placement = placement
        self.parameters = parameters
        self.nodes: list[ModelNode] = [ModelNode("input", parameters.input)]
        self.steps: dict[str, float] = {"input": parameters.input.step}
        self.offsets: dict[str, Floats] = {"input": np.zeros(placement.input_size)}
        """Of integer tensors: real value = q · step + offset [channels]."""

    def model(self) -> QuantizedModel:
        walk(self.placement.nodes, {"input": None}, lambda node, given: node.operator.visit(self, node, given))
        return QuantizedModel(self.placement.name, tuple(self.nodes), self.placement.labels)

    def linear(self, node: PlacedNode, operator: PlacedLinear, given: list[None]) -> None:
        self._append(node.name, self._linear(node, operator), node.inputs)

    def on_integers(self, node: PlacedNode, operator: FloatOperator, given: list[None]) -> None:
        """f(q·s + o) = f(q)·s + f(o): see `Role.JOIN`."""
        _require_join(node.name, operator, [self._offset(side) for side in node.inputs])
        self._append(node.name, OnIntegers(operator), node.inputs)
        self.steps[node.name] = self.steps[node.inputs[0]]
        self.offsets[node.name] = operator.evaluate(*(self.offsets[side][None] for side in node.inputs))[0]

    def on_factors(self, node: PlacedNode, operator: FloatOperator, given: list[None]) -> None:
        """f(q·s, p·t) = f(q, p)·s·t: see `Role.PRODUCT`."""
        _require_product(node.name, operator, [self._offset(side) for side in node.inputs])
        self._append(node.name, OnFactors(operator), node.inputs)
        self.steps[node.name] = math.prod(self.steps[side] for side in node.inputs)
        self.offsets[node.name] = np.zeros(self.placement.sizes[node.name])

    def on_grid(self, node: PlacedNode, operator: FloatOperator, given: list[None]) -> None:
        """Its quantizer's integers, offset left out, are those of its grid."""
        assert isinstance(operator, Encode)
        (source,) = node.inputs
        learned = self.parameters.levels.get(node.name, operator.operand)
        on_integers = replace(operator, operand=learned, scale=self.steps[source], offset=0.0)
        self._append(node.name, OnGrid(on_integers), node.inputs)
        self.steps[node.name] = 1.0
        self.offsets[node.name] = np.zeros(operator.outputs)

    def on_reals(self, node: PlacedNode, operator: FloatOperator, given: list[None]) -> None:
        self._append(node.name, OnReals(operator), (self._with_offset(node.inputs[0]),))

    def _append(self, name: str, operator: ModelOperator, inputs: tuple[str, ...]) -> None:
        self.nodes.append(ModelNode(name, operator, inputs))

    def _shifted(self, source: str, name: str, shift: Floats) -> str:
        """Real values of `source` plus `shift` [channels]: `source` itself for 0, else a node called `name`."""
        if not np.any(shift):
            return source
        if all(node.name != name for node in self.nodes):
            self._append(name, OnReals(Affine(np.ones(len(shift)), shift)), (source,))
        return name

    def _offset(self, source: str) -> Floats:
        return self.offsets.get(source, np.zeros(self.placement.sizes[source]))

    def _with_offset(self, source: str) -> str:
        """`source` where what takes it needs its real values, offset included."""
        return self._shifted(source, f"{source}_offset", self._offset(source))

    def quantizer(self, node: PlacedNode, operator: PlacedQuantizer, given: list[None]) -> None:
        """With half steps, q = round(x / step − ½): the shift is an affine before the quantizer."""
        step = round_scale(self.parameters.steps[operator.group], ACTIVATION_SCALE_BITS)
        (source,) = node.inputs
        before = self._offset(source)
        self.steps[node.name] = step
        self.offsets[node.name] = np.full(len(before), step * operator.offset)
        shifted = self._shifted(source, f"{node.name}_shift", before - self.offsets[node.name])
        self._append(node.name, Quantizer(step, operator.bits, operator.signed), (shifted,))

    def _linear(self, node: PlacedNode, operator: PlacedLinear) -> QuantizedLinear:
        given = self.parameters.linear[node.name]
        step, offset = self.steps[node.inputs[0]], self.offsets[node.inputs[0]]
        least = np.abs(given.bias) / (step * _LARGEST_BIAS)
        scale = np.maximum(given.scale, least.max() if operator.last else least)
        weight = quantize_weights(given.weight, scale, operator.bits, operator.narrow, operator.powers)
        weight = self._negatable(node, operator, weight)
        scale = round_scale(scale, WEIGHT_SCALE_BITS)
        units = scale * step
        bias = given.bias + self._added(node, operator, weight, offset) * scale
        if operator.last:
            grid = units
        else:
            _, exponent = np.frexp(units)
            grid = np.ldexp(1.0, exponent - WEIGHT_SCALE_BITS - ACTIVATION_SCALE_BITS)
        bias = np.rint(bias / grid) * grid
        if not np.all(np.isfinite(bias)) or np.abs(bias / units).max() >= 2**30:
            raise InputError(
                f"layer {node.name}",
                "its weights and biases are of sizes that 32-bit accumulators cannot hold together",
                "Use more bits for this layer, or train the model with weight decay",
            )
        found = weight, operator.bits, operator.narrow, scale, bias
        gather = operator.linear.gather
        if gather is None:
            return QuantizedLinear(*found)
        return QuantizedShared(*found, gather.index.astype(np.float64), gather.inputs)

    def _added(self, node: PlacedNode, operator: PlacedLinear, weight: npt.NDArray[np.int32], offset: Floats) -> Floats:
        """What the offset [inputs] of its input adds to each row; InputError if that is not alike at all positions."""
        if operator.linear.gather is None:
            return _product(weight, offset)
        sums = _product(weight, operator.linear.gather.at_positions(offset).T)
        if np.any(sums != sums[:, :1]):
            raise InputError(
                f"layer {node.name}",
                "takes values whose integer 0 does not stand for 0, beside padding with 0",
                "Use 3 bits or more for the activations that it takes, or no padding",
            )
        return np.asarray(sums[:, 0])

    def _negatable(
        self, node: PlacedNode, operator: PlacedLinear, weight: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        """Full-range rows that thresholds will turn round give up −2^(b−1), which has no negative."""
        if operator.narrow or operator.bits == 1:
            return weight
        low, _ = integer_range(operator.bits, narrow=True)
        negative = np.zeros(len(weight), bool)
        for user in self.placement.quantizers:
            source, chain = self.placement.chain(self.placement.node(user))
            if source == node.name:
                slopes = chain_slopes(chain, operator.linear.positions * len(weight))
                negative |= np.any(slopes.reshape(-1, len(weight)) < 0, axis=0)
        return np.where(negative[:, None], np.maximum(weight, low), weight).astype(np.int32)


def _product(weight: npt.NDArray[np.int32], offset: Floats) -> Floats:
    """weight · offset, exact in any order: an offset is half a step, or a few of them."""
    return np.asarray(weight.astype(np.float64) @ offset)


def _require_product(name: str, operator: FloatOperator, offsets: list[Floats]) -> None:
    """NetworkError if f(q·2, p·4) = layer(q, p)·8 fails for random integers, or an integer 0 does not stand for 0."""
    layer = operator.integer_layer()
    rng = np.random.default_rng(0)
    q = [rng.integers(-128, 128, (16, len(each))).astype(np.int32) for each in offsets]
    steps = [2.0 ** (place + 1) for place in range(len(q))]
    found = operator.evaluate(*(values.astype(np.float64) * step for values, step in zip(q, steps, strict=True)))
    kept = layer is None or np.array_equal(found, layer.evaluate(*q) * math.prod(steps))
    if not kept or any(np.any(offset) for offset in offsets):
        raise NetworkError(
            f"layer {name}",
            f"{operator.kind} of values q·s is not its integer layer of the integers q times all steps s",
            "An operator whose outputs are no multiples of these has no quantized form",
        )


def _require_join(name: str, operator: FloatOperator, offsets: list[Floats]) -> None:
    """NetworkError if f(q·s + o) = layer(q)·s + f(o), as `Role.JOIN` has it, fails for random integers q, o and s = 2;
    o is 0 where the tensor's own offset is."""
    layer = operator.integer_layer()
    if layer is None:
        return
    rng = np.random.default_rng(0)
    q = [rng.integers(-128, 128, (16, len(each))).astype(np.int32) for each in offsets]
    o = [rng.integers(1, 8, len(each)) * (each != 0.0) for each in offsets]
    found = operator.evaluate(*(2.0 * values + offset for values, offset in zip(q, o, strict=True)))
    integers = layer.evaluate(*q)
    at_offset = operator.evaluate(*(offset[None].astype(np.float64) for offset in o))
    if integers.shape != found.shape or not np.array_equal(found, 2.0 * integers + at_offset):
        raise NetworkError(
            f"layer {name}",
            f"{operator.kind} of values q·s + o is not s times {layer.kind} of the integers q, plus its value at o",
            "An operator whose outputs are no multiples of its inputs' step s has no quantized form",
        )
