"""Tables of one small integer in the folded architecture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from edgeml.errors import InputError
from edgeml.network import Network, Node
from edgeml.network.layers.lookup import Lookup

from ...verilog.text import (
    Element,
    memory_image,
    pack_words,
    type_of,
)
from .operation import Operation

if TYPE_CHECKING:
    from .plan import Fold

__all__ = ["LookupOperation"]

_MOST_INPUT_BITS = 17


class LookupOperation(Operation):
    """An `edgeml_lookup` unit: its table in a ROM per lane, by the bits of the input."""

    module = "edgeml_lookup"
    modules = ("edgeml_lookup.v",)
    latency = 1

    def __init__(
        self, node: Node, network: Network, inputs: Sequence[Element], fold: Fold, before: Sequence[Operation]
    ) -> None:
        super().__init__(node, network, inputs, fold, before)
        layer = node.layer
        assert isinstance(layer, Lookup)
        self.layer = layer
        if inputs[0].bits > _MOST_INPUT_BITS:
            raise InputError(
                f"layer {node.name}", f"takes {inputs[0].bits} bits: a table of 2^{inputs[0].bits} words is too large"
            )

    @property
    def output(self) -> Element:
        return type_of(*self.network.ranges[self.node.name].bounds)

    def parameters(self) -> dict[str, int | str]:
        return {
            "LANES": self.pe,
            "INPUT_BITS": self.inputs[0].bits,
            "OUTPUT_BITS": self.output.bits,
            "TABLE_FILE": f"{self.node.name}_table.mem",
        }

    def memory_files(self) -> dict[str, str]:
        element, table = self.inputs[0], self.layer.table.astype(np.int64)
        words = np.zeros(2**element.bits, np.int64)
        # Beyond the ends of the table, and of the output's type, nothing is ever read.
        first, last = max(self.layer.base, element.low), min(self.layer.base + len(table) - 1, element.high)
        values = np.arange(first, last + 1)
        words[values & (2**element.bits - 1)] = table[values - self.layer.base]
        image = memory_image(pack_words(words[:, None], self.output.bits), self.output.bits)
        return {f"{self.node.name}_table.mem": image}
