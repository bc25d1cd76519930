"""CONV_2D and DEPTHWISE_CONV_2D: the same weights at every position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.shared_linear import SharedLinear
from edgeml.network import Dense
from edgeml.network.layers.requantize import Requantize
from edgeml.network.layers.shared import Shared

from ..schema import OperatorKind
from .factors import factors
from .fused_activation import fused_bounds
from .operator import FileWriter, Found, Lowering, TfliteOperator
from .positions import gathering

__all__ = ["Convolution"]


@dataclass(frozen=True, eq=False)
class Convolution(TfliteOperator):
    """acc = W·(window − zero point) + b at each position, rescaled to the output's scale, clipped by the activation.

    Parameters
    ----------
    weight : int8 [outputs, columns], 0 between groups.
    weight_scale : float32 [outputs], or [1] for one scale per tensor.
    bias : int32 [outputs].
    gather : int32 [positions, columns], which input each column takes; −1 for padding.
    depthwise : whether it is DEPTHWISE_CONV_2D.
    """

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.CONV_2D, OperatorKind.DEPTHWISE_CONV_2D)
    one_size: ClassVar[bool] = False
    may_compute_in_place: ClassVar[bool] = False

    weight: npt.NDArray[np.int8]
    weight_scale: npt.NDArray[np.float32]
    bias: npt.NDArray[np.int32]
    gather: npt.NDArray[np.int32]
    activation: str
    depthwise: bool

    @property
    def has_fast_kernel(self) -> bool:
        """The matrix products of FULLY_CONNECTED, but with scales in float64."""
        return not self.depthwise

    @classmethod
    def read(cls, found: Found) -> Convolution:
        source = found.tensors.activation(found.indices[0])
        if not (source.signed and found.target.signed) or len(found.indices) not in (2, 3):
            raise InputError(found.where, "takes 2 or 3 tensors, int8 activations among them", "Quantize to int8")
        depthwise = found.kind == OperatorKind.DEPTHWISE_CONV_2D
        axis = 3 if depthwise else 0
        filters, scale = found.tensors.filters(found.indices[1], axis, found.where)
        outputs = filters.shape[axis]
        bias = found.tensors.bias(found.indices[2] if len(found.indices) == 3 else -1, outputs, found.where)
        operator = gathering(found, SharedLinear, filters.astype(np.float64))
        activation = found.activation("DepthwiseConv2DOptions" if depthwise else "Conv2DOptions")
        weight = operator.weight.astype(np.int8)
        gather = operator.source.astype(np.int32)
        return cls(found.target.name, found.inputs, weight, scale, bias, gather, activation, depthwise)

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        raise InputError(f"layer {self.output}", "a convolution is read, and not written")

    def lower(self, lowering: Lowering) -> None:
        (source,), target = lowering.sources(self), lowering.tensors[self.output]
        arithmetic = lowering.arithmetic(self)
        if arithmetic.rounding == "shift":
            raise InputError(f"layer {self.output}", "a convolution is read by the rule of a runtime, not by `shift`")
        parts = factors(self.weight_scale, source, target, arithmetic)
        low, high = fused_bounds(self.activation, target, arithmetic.rounding)
        dense = Dense(self.weight.astype(np.int32), 8, self.bias, source.zero_point)
        rescaled = Requantize(rounding=arithmetic.rounding, zero_point=target.zero_point, low=low, high=high, **parts)
        layer = Shared((dense, rescaled), self.gather, source.size, source.zero_point)
        lowering.add(self.output, layer, self.inputs)
