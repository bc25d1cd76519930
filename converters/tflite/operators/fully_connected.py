"""FULLY_CONNECTED: a linear layer with its activation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Dense, Shared
from edgeml.network.layers.requantize import Requantize

from ..packing import pack_weights
from ..schema import OperatorKind, TensorType
from .factors import factors
from .fused_activation import ACTIVATIONS, fused_bounds
from .operator import Arithmetic, FileWriter, Found, Lowering, TfliteOperator

__all__ = ["FullyConnected", "RoundingRule", "by_rule"]

Float32s = npt.NDArray[np.float32]

_WEIGHT_TYPES = {8: TensorType.INT8, 4: TensorType.INT4, 2: TensorType.INT2}
_VERSIONS = {8: 4, 4: 10, 2: 14}
"""As the runtimes ask for them: 4 for int8, 10 for 4-bit and 14 for 2-bit weights, 12 where weights of 8 bits have a
scale per channel (older readers know that as 4 too, and the runtimes take it)."""


@dataclass(frozen=True, eq=False)
class FullyConnected(TfliteOperator):
    """FULLY_CONNECTED: acc = W·(x − zero_point) + b, rescaled to the output's scale, clipped by the activation; at each
    position of an input [positions, inputs].

    Parameters
    ----------
    weight : int8 [outputs, inputs], zero point 0.
    weight_bits : 8, 4 or 2: the element type in the file.
    weight_scale : float32 [outputs], or [1] for one scale per tensor.
    bias : int32 [outputs], of scale input scale · weight scale.
    activation : "none", "relu" or "relu6".
    guard_bits : g ≥ 0: weight and bias were multiplied by 2^g and 1 was added to the bias, so that no rounding rule can
        meet a tie; `weight` and `bias` are those before, and the scales are those of the file.
    """

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.FULLY_CONNECTED,)
    may_compute_in_place: ClassVar[bool] = False
    one_size: ClassVar[bool] = False

    weight: npt.NDArray[np.int8]
    weight_bits: int
    weight_scale: Float32s
    bias: npt.NDArray[np.int32]
    activation: str = "none"
    guard_bits: int = 0

    def __post_init__(self) -> None:
        outputs = self.weight.shape[0]
        if self.weight_scale.dtype != np.float32 or self.weight_scale.shape not in ((1,), (outputs,)):
            raise InputError(f"layer {self.output}", f"needs 1 or {outputs} weight scales")
        if not (np.all(np.isfinite(self.weight_scale)) and np.all(self.weight_scale > 0)):
            raise InputError(f"layer {self.output}", "weight scales must be positive and finite")

    @property
    def stored_weight(self) -> npt.NDArray[np.int8]:
        """The weights as the file stores them."""
        return (self.weight.astype(np.int32) << self.guard_bits).astype(np.int8)

    @property
    def stored_bias(self) -> npt.NDArray[np.int32]:
        """The bias as the file stores it."""
        if not self.guard_bits:
            return self.bias
        return ((self.bias.astype(np.int64) << self.guard_bits) + 1).astype(np.int32)

    @property
    def largest_sum(self) -> int:
        """A bound of |acc| of all outputs, as the file stores weights and biases, for any zero point of the input."""
        weight = np.abs(self.stored_weight.astype(np.int64)).sum(axis=1)
        return int((weight * 255 + np.abs(self.stored_bias.astype(np.int64))).max())

    @classmethod
    def read(cls, found: Found) -> FullyConnected:
        if len(found.indices) not in (2, 3):
            raise InputError(found.where, f"takes 2 or 3 tensors, found {len(found.indices)}")
        source = found.tensors.activation(found.indices[0])
        target = found.target
        if not (source.signed and target.signed):
            raise InputError(found.where, "unsigned activations are the old uint8 scheme", "Quantize to int8")
        weight, bits, scale = found.tensors.weight(found.indices[1], found.where)
        rows, columns = weight.shape
        if source.size % columns or target.size * columns != source.size * rows:
            raise InputError(
                found.where, f"weights {list(weight.shape)} between {source.size} and {target.size} channels"
            )
        bias = found.tensors.bias(found.indices[2] if len(found.indices) == 3 else -1, weight.shape[0], found.where)
        if found.option("FullyConnectedOptions", "weights_format", 0):
            raise InputError(found.where, "shuffled weights are not supported")
        activation = found.activation("FullyConnectedOptions")
        guard = found.tensors.guard_bits(target.name, weight, bias)
        if guard:
            weight, bias = weight >> guard, bias >> guard
        return cls(target.name, (source.name,), weight, bits, scale, bias, activation, guard)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        scale = self.weight_scale
        zeros = np.zeros(scale.size, np.int64)
        weight = file.constant(
            f"{self.output}_weight",
            pack_weights(self.stored_weight, self.weight_bits).tobytes(),
            list(self.weight.shape),
            _WEIGHT_TYPES[self.weight_bits],
            {"scale": scale, "zero_point": zeros, "quantized_dimension": 0},
        )
        input_scale = np.float32(file.activation_info(self.inputs[0]).scale)
        bias = file.constant(
            f"{self.output}_bias",
            self.stored_bias.astype("<i4").tobytes(),
            [self.bias.size],
            TensorType.INT32,
            {"scale": input_scale * scale, "zero_point": zeros, "quantized_dimension": 0},
        )
        options = {"fused_activation_function": ACTIVATIONS[self.activation]}
        file.operator(
            OperatorKind.FULLY_CONNECTED,
            _VERSIONS[self.weight_bits],
            [sources[0], weight, bias],
            target,
            ("FullyConnectedOptions", options),
        )

    def lower(self, lowering: Lowering) -> None:
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        arithmetic = lowering.arithmetic(self)
        rounding = arithmetic.rounding
        parts = factors(self.weight_scale, source, target, arithmetic)
        if rounding == "shift":
            if np.any(parts["multiplier"] != 2**30):
                raise InputError(
                    f"layer {self.output}",
                    "rounding `shift` needs scales that are powers of two, found others",
                    "Convert with --rounding shift, or choose the rule of the runtime you mean",
                )
            weight, bias = self.weight, self.bias
            parts["shift"] = parts["shift"] + np.int32(self.guard_bits)
        else:
            weight, bias = self.stored_weight, self.stored_bias
        dense = Dense(weight.astype(np.int32), self._bits_of(weight), bias, source.zero_point)
        low, high = fused_bounds(self.activation, target, rounding)
        requantize = Requantize(rounding=rounding, zero_point=target.zero_point, low=low, high=high, **parts)
        taken = lowering.taken(self.inputs[0])
        inputs = lowering.tensors[taken.name].size
        gather = taken.index.reshape(-1, self.weight.shape[1])
        if taken.in_order and inputs == self.weight.shape[1]:
            lowering.add(f"{self.output}_acc", dense, (taken.name,))
        else:
            shared = Shared((dense,), gather, inputs, source.zero_point)
            requantize = requantize.over_positions(gather, inputs, source.zero_point)
            lowering.add(f"{self.output}_acc", shared, (taken.name,))
        lowering.add(self.output, requantize, (f"{self.output}_acc",))

    def _bits_of(self, weight: npt.NDArray[np.int8]) -> int:
        """Bits that the weights have: those of the file, less the guard bits where those are taken off."""
        if not self.guard_bits:
            return self.weight_bits
        low, high = int(weight.min()), int(weight.max())
        return max((-low - 1).bit_length() if low < 0 else 0, high.bit_length(), 1) + 1


RoundingRule = Callable[[TfliteOperator], Arithmetic]
"""The arithmetic of each layer: some runtimes have more than one kernel."""


def by_rule(rounding: str) -> RoundingRule:
    """The rule of that name for all layers, as its best known runtime applies it: the runtimes' rules differ in
    FULLY_CONNECTED; other operators are XNNPACK's (`fp32_rne`) or round as `double_rounding` does, but for those of
    which tflite-runtime has kernels of its own (`ruy_half_up`)."""
    arithmetic = Arithmetic(rounding, float32_product=rounding == "ruy_half_up")
    elsewhere = arithmetic if rounding in ("fp32_rne", "shift") else Arithmetic("double_rounding")
    fast = Arithmetic(rounding) if rounding == "ruy_half_up" else elsewhere

    def rule(operator: TfliteOperator) -> Arithmetic:
        if isinstance(operator, FullyConnected):
            return arithmetic
        return fast if operator.has_fast_kernel else elsewhere

    return rule
