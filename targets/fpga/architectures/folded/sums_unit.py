"""Units that sum terms of inputs for each output, a few inputs and outputs a clock: dense layers, sums of tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ...estimate.parts import Parts
from ...timing.delay_model import DelayModel
from ...verilog.element import Element, signed_bits
from ...verilog.memory import memory_image, pack_words
from .clocks import ValueClocks
from .folding import Folding, ceil_div
from .unit import Place, Unit

__all__ = ["SumsUnit"]


class _Summing(Protocol):
    @property
    def inputs(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    def summary(self) -> str: ...


class SumsUnit(Unit):
    """An accumulator for each of `pe` outputs, which takes the terms of `simd` inputs a clock through a tree.

    The frame's input values are kept for all sums but the first. Constants are added only if nobody else takes them:
    `begin_sums` is told them by the constructor of a unit.
    """

    takes_streams = True

    def __init__(self, place: Place, layer: _Summing) -> None:
        super().__init__(place)
        self.summing = layer
        self.keep_block_rams = place.keep_block_rams

    def begin_sums(self, constant: npt.NDArray[np.int64]) -> None:
        """The constant of each output [channels]; and so the ends that each sum has without it."""
        self.constant = constant
        value_range = self.network.ranges[self.node.name]
        self.low = value_range.low - constant
        self.high = value_range.high - constant
        self.has_constant = bool(np.any(constant))

    def clocks_with(self, folding: Folding) -> int:
        return ceil_div(self.summing.inputs, folding.simd) * ceil_div(self.channels, folding.pe)

    def size_with(self, folding: Folding) -> int:
        return folding.pe * folding.simd + folding.pe + folding.simd

    def output_lanes(self, simd: int, offered: Sequence[int]) -> Sequence[int]:
        return offered

    @property
    def takes_frame_at_once(self) -> bool:
        return self.beats > 1

    @property
    def keeps_block_rams(self) -> bool:
        return self.keep_block_rams

    def schedule(
        self, valid: Sequence[ValueClocks], room: ValueClocks, frames: int
    ) -> tuple[list[ValueClocks], ValueClocks]:
        """A value in each clock of the first sum; the last clock of every sum waits for a place for its result."""
        clocks, per_sum = self.clocks_per_frame, self.input_beats
        # Only these clocks of a frame wait for something; those between them follow one another.
        first = per_sum - 1
        places = np.concatenate((np.arange(first), np.arange(first, clocks, per_sum)))
        wait = np.empty((frames, len(places)), np.int64)
        wait[:, :per_sum] = valid[0].reshape(frames, per_sum)
        wait[:, per_sum:] = 0
        wait[:, first:] = np.maximum(wait[:, first:], room.reshape(frames, self.beats))
        index = (np.arange(frames)[:, None] * clocks + places).ravel()
        begun = (np.maximum.accumulate(wait.ravel() - index) + index).reshape(frames, -1)
        return [np.ascontiguousarray(begun[:, :per_sum]).ravel()], np.ascontiguousarray(begun[:, first:]).ravel()

    def give_constant(self) -> npt.NDArray[np.int64]:
        self.has_constant = False
        return self.constant

    @property
    def input_beats(self) -> int:
        """Input values per frame."""
        return ceil_div(self.summing.inputs, self.simd)

    @property
    def tree_depth(self) -> int:
        """Adders on the way through the tree over the SIMD terms."""
        return (self.simd - 1).bit_length()

    @property
    def output(self) -> Element:
        offset = self.constant if self.has_constant else np.zeros_like(self.constant)
        return Element(signed_bits(int((self.low + offset).min()), int((self.high + offset).max())), True)

    def constant_files(self) -> dict[str, str]:
        """The memory of the constants, a word for each sum, where they are added; by file name."""
        if not self.has_constant:
            return {}
        constant = np.zeros(self.beats * self.pe, np.int64)
        constant[: self.summing.outputs] = self.constant
        bits = self.output.bits
        image = memory_image(pack_words(constant.reshape(self.beats, self.pe), bits), self.pe * bits)
        return {f"{self.node.name}_constants.mem": image}

    def describe(self) -> str:
        each = f"{self.pe} outputs × {self.simd} inputs each"
        return f"{self.summing.summary()}; {self.clocks_per_frame} clocks per frame, {each}"

    def slowest_sums(self, delays: DelayModel, terms: float, term_bits: int) -> float:
        """Planned delay of the slowest part of the adder tree over terms that are there after `terms` ns, and of the
        accumulator behind it: a register follows every second level."""
        depth, whole = self.tree_depth, self.output.bits
        last = 1 + depth % 2
        if depth < 2:
            return delays.sum(whole, terms, last)
        within = delays.sum(min(term_bits + depth, whole), delays.route, 2) if depth > 3 else 0.0
        return max(delays.sum(term_bits + 2, terms, 2), within, delays.sum(whole, delays.route, last))

    def add_sums(self, parts: Parts, term_bits: int, kind: str = "tree") -> None:
        """From terms of so many bits to the accumulators: the tree, a register behind every other level of it.

        kind : of its logic: `tree` of terms that come from tables, `sum` of those of multiplier blocks.
        """
        terms, bits, width = self.simd, term_bits, self.output.bits
        for level in range(self.tree_depth):
            bits = min(bits + 1, width)
            parts.add(kind, self.pe * (terms // 2) * bits)
            terms = (terms + 1) // 2
            if level % 2:
                parts.flip_flops += self.pe * terms * bits
        # With one clock per sum the register just takes the sum.
        parts.add("accumulator", self.pe * width * (1.0 if self.input_beats > 1 else 0.2))
