"""Requantizing layers in the folded architecture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, Node
from edgeml.network.layers.requantize import Requantize
from edgeml.network.rounding import FRACTION_BITS

from ...verilog.text import (
    Element,
    memory_image,
    pack_words,
    type_of,
)
from .operation import Operation

if TYPE_CHECKING:
    from .plan import Fold

__all__ = ["RequantizeOperation"]

_SIGNIFICANT = {"fp32_rne": 24, "float64_away": 53}
_CLOCKS = {"shift": 3, "double_rounding": 5, "ruy_half_up": 5, "fp32_rne": 7, "float64_away": 7}

Int64 = npt.NDArray[np.int64]


class RequantizeOperation(Operation):
    """An `edgeml_requantize` unit: the rule itself, on integers; factors by channel in a ROM."""

    module = "edgeml_requantize"
    modules = (
        "edgeml_requantize.v",
        "edgeml_rescale_fixed.v",
        "edgeml_rescale_float.v",
        "edgeml_significand.v",
        "edgeml_clip.v",
    )

    def __init__(
        self, node: Node, network: Network, inputs: Sequence[Element], fold: Fold, before: Sequence[Operation]
    ) -> None:
        super().__init__(node, network, inputs, fold, before)
        layer = node.layer
        assert isinstance(layer, Requantize)
        self.layer = layer
        self.factor, places = _parts(layer)
        self.right = int(places.min())
        self.more = places - self.right

    @property
    def floating(self) -> bool:
        """Whether the rule is defined in floating point."""
        return self.layer.rounding in _SIGNIFICANT

    @property
    def latency(self) -> int:
        converts = self.floating and self.inputs[0].bits > _SIGNIFICANT[self.layer.rounding]
        return _CLOCKS[self.layer.rounding] + 2 * converts

    @property
    def output(self) -> Element:
        return type_of(*self.network.ranges[self.node.name].bounds)

    @property
    def factor_bits(self) -> int:
        """Bits of a stored factor; one, unused, where the rule only shifts."""
        known = _SIGNIFICANT.get(self.layer.rounding)
        return known if known is not None else max(int(self.factor.max()).bit_length(), 1)

    @property
    def more_bits(self) -> int:
        """Bits of the places that channels are shifted by beyond the least of them."""
        return max(int(self.more.max()).bit_length(), 1)

    def parameters(self) -> dict[str, int | str]:
        return {
            "LANES": self.pe,
            "FOLD": self.beats if self.layer.per_channel else 1,
            "INPUT_BITS": self.inputs[0].bits,
            "INPUT_SIGNED": int(self.inputs[0].signed),
            "ROUNDING": self.layer.rounding,
            "FACTOR_BITS": self.factor_bits,
            "MORE_BITS": self.more_bits,
            "RIGHT": self.right,
            "ZERO_POINT": self.layer.zero_point,
            "LOW": self.layer.low,
            "HIGH": self.layer.high,
            "OUTPUT_BITS": self.output.bits,
            "LATENCY": self.latency,
            "FACTOR_FILE": f"{self.node.name}_factors.mem",
        }

    def memory_files(self) -> dict[str, str]:
        field = self.factor_bits + self.more_bits
        packed = self.factor + (self.more << self.factor_bits)
        if self.layer.per_channel:
            padded = np.zeros(self.beats * self.pe, np.int64)
            padded[: self.channels] = packed
            rows = padded.reshape(self.beats, self.pe)
        else:
            rows = np.repeat(packed[:, None], self.pe, axis=1)
        return {f"{self.node.name}_factors.mem": memory_image(pack_words(rows, field), self.pe * field)}


def _parts(layer: Requantize) -> tuple[Int64, Int64]:
    """(factor, places to shift right) per channel, as the unit takes them."""
    multiplier, shift = layer.multiplier.astype(np.int64), layer.shift.astype(np.int64)
    if layer.rounding == "shift":
        return np.zeros_like(multiplier), 1 - shift
    if layer.rounding == "fp32_rne":
        return multiplier >> 7, 24 - shift
    if layer.rounding == "float64_away":
        assert layer.fraction is not None
        return (multiplier << FRACTION_BITS) + layer.fraction, 53 - shift
    return multiplier << np.maximum(shift, 0), np.maximum(-shift, 0)
