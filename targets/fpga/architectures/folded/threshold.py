"""Threshold layers in the folded architecture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from edgeml.network import Network, Node, Threshold

from ...verilog.text import (
    Element,
    memory_image,
    pack_words,
    type_of,
)
from .dense import DenseOperation
from .operation import Operation

if TYPE_CHECKING:
    from .plan import Fold

__all__ = ["ThresholdOperation"]


class ThresholdOperation(Operation):
    """An `edgeml_threshold` unit; the constant of a dense layer right before it moves into the thresholds."""

    module = "edgeml_threshold"
    modules = ("edgeml_threshold.v",)
    latency = 2

    def __init__(
        self, node: Node, network: Network, inputs: Sequence[Element], fold: Fold, before: Sequence[Operation]
    ) -> None:
        super().__init__(node, network, inputs, fold, before)
        layer = node.layer
        assert isinstance(layer, Threshold)
        self.layer = layer
        thresholds = layer.thresholds.astype(np.int64)
        if before and isinstance(before[-1], DenseOperation):
            thresholds = thresholds - before[-1].give_constant()[:, None]
            self.inputs = [before[-1].output]
        # Beyond the range of the input a threshold is always or never reached: its exact place is of no matter.
        self.thresholds = np.clip(thresholds, self.inputs[0].low, self.inputs[0].high + 1)

    @property
    def value_bits(self) -> int:
        """Width of a stored threshold: one above the largest input fits."""
        return self.inputs[0].bits + (1 if self.inputs[0].signed else 2)

    @property
    def output(self) -> Element:
        return type_of(self.layer.base, self.layer.base + self.layer.levels)

    def parameters(self) -> dict[str, int | str]:
        return {
            "LANES": self.pe,
            "FOLD": self.beats,
            "INPUT_BITS": self.inputs[0].bits,
            "INPUT_SIGNED": int(self.inputs[0].signed),
            "LEVELS": self.layer.levels,
            "OUTPUT_BITS": self.output.bits,
            "BASE": self.layer.base,
            "THRESHOLD_FILE": f"{self.node.name}_thresholds.mem",
        }

    def memory_files(self) -> dict[str, str]:
        rows = np.zeros((self.beats * self.pe, self.layer.levels), np.int64)
        rows[: self.channels] = self.thresholds
        fields = rows.reshape(self.beats, self.pe * self.layer.levels)
        image = memory_image(pack_words(fields, self.value_bits), fields.shape[1] * self.value_bits)
        return {f"{self.node.name}_thresholds.mem": image}
