"""Dense layers in the folded architecture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, Network, Node

from ...verilog.text import (
    Element,
    memory_image,
    pack_words,
    signed_bits,
)
from .operation import Operation

if TYPE_CHECKING:
    from .plan import Fold

__all__ = ["DenseOperation"]

_BLOCK_ROM_BITS = 8192
_BLOCK_ROM_WORDS = 64
_SMALL_BUFFER_BITS = 1024
_PRODUCT_TABLE_BITS = 6


class DenseOperation(Operation):
    """An `edgeml_mvu` unit: weights in a ROM, a word per step; constants added only if nobody else takes them."""

    is_head = True
    module = "edgeml_mvu"
    modules = ("edgeml_mvu.v", "edgeml_mvu_row.v", "edgeml_adder_tree.v", "edgeml_pair_sum.v")
    keep_block_rams = False
    """Whether small input buffers stay out of block RAM: for parts with few of them and no smaller memory."""

    def __init__(
        self, node: Node, network: Network, inputs: Sequence[Element], fold: Fold, before: Sequence[Operation]
    ) -> None:
        super().__init__(node, network, inputs, fold, before)
        layer = node.layer
        assert isinstance(layer, Dense)
        self.layer = layer
        weight = layer.weight.astype(np.int64)
        self.constant: npt.NDArray[np.int64] = layer.bias - layer.input_zero_point * weight.sum(axis=1)
        if self.inverts:
            self.constant = self.constant + (weight < 0).sum(axis=1)
        value_range = network.ranges[node.name]
        self.low = value_range.low - self.constant
        self.high = value_range.high - self.constant
        self.has_constant = bool(np.any(self.constant))
        self.small_buffer = self.simd_folds * fold.simd * inputs[0].bits <= _SMALL_BUFFER_BITS
        self.block_rom = self.rom_bits >= _BLOCK_ROM_BITS and self.steps >= _BLOCK_ROM_WORDS

    def give_constant(self) -> npt.NDArray[np.int64]:
        """Leave the constant out of the sums: the caller takes care of it."""
        self.has_constant = False
        return self.constant

    @property
    def simd_folds(self) -> int:
        """Input values per frame."""
        return -(-self.layer.inputs // self.simd)

    @property
    def steps(self) -> int:
        return self.beats * self.simd_folds

    @property
    def levels(self) -> int:
        """Levels of the adder tree over the SIMD products."""
        return (self.simd - 1).bit_length()

    @property
    def latency(self) -> int:
        return 2 + self.levels // 2

    @property
    def output(self) -> Element:
        offset = self.constant if self.has_constant else np.zeros_like(self.constant)
        return Element(signed_bits(int((self.low + offset).min()), int((self.high + offset).max())), True)

    @property
    def weight_bits(self) -> int:
        """Bits of a stored weight: padded places need a zero, which bipolar weights lack."""
        padded = self.layer.inputs % self.simd
        return 2 if self.layer.weight_bits == 1 and padded else self.layer.weight_bits

    @property
    def inverts(self) -> bool:
        """Whether the unit takes −x as ~x = −x − 1, so that each negative weight lacks one: `edgeml_mvu_row`."""
        bits = self.weight_bits
        return bits == 1 or (bits == 2 and bits + self.inputs[0].bits > _PRODUCT_TABLE_BITS)

    @property
    def rom_bits(self) -> int:
        """Bits of the weight memory, padding included."""
        return self.steps * self.pe * self.simd * self.weight_bits

    def parameters(self) -> dict[str, int | str]:
        return {
            "SIMD": self.simd,
            "PE": self.pe,
            "SF": self.simd_folds,
            "NF": self.beats,
            "INPUT_BITS": self.inputs[0].bits,
            "INPUT_SIGNED": int(self.inputs[0].signed),
            "WEIGHT_BITS": self.weight_bits,
            "SUM_BITS": self.output.bits,
            "HAS_CONSTANT": int(self.has_constant),
            "BLOCK_ROM": int(self.block_rom),
            "SMALL_BUFFER": int(self.small_buffer),
            **({"BUFFER_STYLE": "logic"} if self.small_buffer and self.keep_block_rams else {}),
            "WEIGHT_FILE": f"{self.node.name}_weights.mem",
            **({"CONSTANT_FILE": f"{self.node.name}_constants.mem"} if self.has_constant else {}),
        }

    def memory_files(self) -> dict[str, str]:
        rows, columns = self.beats * self.pe, self.simd_folds * self.simd
        weight = np.zeros((rows, columns), np.int64)
        weight[: self.layer.outputs, : self.layer.inputs] = self.layer.weight
        if self.weight_bits == 1:
            weight = (weight > 0).astype(np.int64)
        words = weight.reshape(self.beats, self.pe, self.simd_folds, self.simd).transpose(0, 2, 1, 3)
        width = self.pe * self.simd * self.weight_bits
        packed = pack_words(words.reshape(self.steps, self.pe * self.simd), self.weight_bits)
        files = {f"{self.node.name}_weights.mem": memory_image(packed, width)}
        if self.has_constant:
            constant = np.zeros(rows, np.int64)
            constant[: self.layer.outputs] = self.constant
            bits = self.output.bits
            image = memory_image(pack_words(constant.reshape(self.beats, self.pe), bits), self.pe * bits)
            files[f"{self.node.name}_constants.mem"] = image
        return files

    def describe(self) -> str:
        return f"{self.layer.summary()}; {self.steps} clocks per frame, {self.pe} outputs × {self.simd} inputs each"
