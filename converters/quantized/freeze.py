"""Plan and parameters → the quantized model: integers for the weights, rounded scales, biases on their grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.mlp import Add, Affine

from .extract import chain_slopes
from .model import ModelNode, ModelOperator, QuantizedLinear, QuantizedModel, Quantizer
from .parameters import Parameters
from .quantizer_placement import (
    Plan,
    PlannedLinear,
    PlannedNode,
    PlannedQuantizer,
)
from .scales import (
    ACTIVATION_SCALE_BITS,
    WEIGHT_SCALE_BITS,
    integer_range,
    quantize_weights,
    round_scale,
)

__all__ = ["freeze"]

Floats = npt.NDArray[np.float64]

_LARGEST_BIAS = 2.0**24
"""In units of the accumulator. Rows of weights so small beside their bias count as rows of zeros."""


def freeze(plan: Plan, parameters: Parameters) -> QuantizedModel:
    """The quantized model. InputError where a layer's numbers are beyond all measure."""
    return _Freezing(plan, parameters).model()


class _Freezing:
    def __init__(self, plan: Plan, parameters: Parameters) -> None:
        self.plan = plan
        self.parameters = parameters
        self.nodes: list[ModelNode] = [ModelNode("input", parameters.input)]
        self.steps: dict[str, float] = {"input": parameters.input.step}
        self.offsets: dict[str, float] = {"input": 0.0}
        """Of integer tensors: real value = q · step + offset."""

    def model(self) -> QuantizedModel:
        for node in self.plan.nodes:
            operator = node.operator
            if isinstance(operator, PlannedLinear):
                self._append(node.name, self._linear(node, operator), node.inputs)
            elif isinstance(operator, PlannedQuantizer):
                self._quantizer(node, operator)
            elif isinstance(operator, Add):
                self._append(node.name, operator, node.inputs)
                self.steps[node.name] = self.steps[node.inputs[0]]
                self.offsets[node.name] = sum(self.offsets[side] for side in node.inputs)
            else:
                self._append(node.name, operator, (self._with_offset(node.inputs[0]),))
        return QuantizedModel(self.plan.name, tuple(self.nodes), self.plan.labels)

    def _append(self, name: str, operator: ModelOperator, inputs: tuple[str, ...]) -> None:
        self.nodes.append(ModelNode(name, operator, inputs))

    def _shifted(self, source: str, name: str, shift: float) -> str:
        """Real values of `source` plus `shift`: `source` itself for 0, else a node called `name`."""
        if shift == 0.0:
            return source
        if all(node.name != name for node in self.nodes):
            channels = self.plan.sizes[source]
            self._append(name, Affine(np.ones(channels), np.full(channels, shift)), (source,))
        return name

    def _with_offset(self, source: str) -> str:
        """`source` where what takes it needs its real values, offset included."""
        return self._shifted(source, f"{source}_offset", self.offsets.get(source, 0.0))

    def _quantizer(self, node: PlannedNode, operator: PlannedQuantizer) -> None:
        """With half steps, q = round(x / step − ½): the shift is an affine before the quantizer."""
        step = round_scale(self.parameters.steps[operator.group], ACTIVATION_SCALE_BITS)
        self.steps[node.name] = step
        self.offsets[node.name] = step / 2 if operator.half else 0.0
        (source,) = node.inputs
        shift = self.offsets.get(source, 0.0) - self.offsets[node.name]
        shifted = self._shifted(source, f"{node.name}_shift", shift)
        self._append(node.name, Quantizer(step, operator.bits, operator.signed), (shifted,))

    def _linear(self, node: PlannedNode, operator: PlannedLinear) -> QuantizedLinear:
        given = self.parameters.linear[node.name]
        step, offset = self.steps[node.inputs[0]], self.offsets[node.inputs[0]]
        least = np.abs(given.bias) / (step * _LARGEST_BIAS)
        scale = np.maximum(given.scale, least.max() if operator.last else least)
        weight = quantize_weights(given.weight, scale, operator.bits, operator.narrow)
        weight = self._negatable(node, operator, weight)
        scale = round_scale(scale, WEIGHT_SCALE_BITS)
        units = scale * step
        bias = given.bias + weight.astype(np.float64).sum(axis=1) * scale * offset
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
        return QuantizedLinear(weight, operator.bits, operator.narrow, scale, bias)

    def _negatable(
        self, node: PlannedNode, operator: PlannedLinear, weight: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        """Full-range rows that thresholds will turn round give up −2^(b−1), which has no negative."""
        if operator.narrow or operator.bits == 1:
            return weight
        low, _ = integer_range(operator.bits, narrow=True)
        negative = np.zeros(len(weight), bool)
        for user in self.plan.nodes:
            if isinstance(user.operator, PlannedQuantizer):
                source, chain = self.plan.chain(user)
                if source == node.name:
                    negative |= chain_slopes(chain, len(weight)) < 0
        return np.where(negative[:, None], np.maximum(weight, low), weight).astype(np.int32)
