"""A unit of an event-driven design as yosys reads it: its parameters, the fields of its events, its memories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed

from ..folded.bit_rows import rows_of
from ..folded.evaluation import Evaluation
from ..folded.netlist import Bits, Cell, Memory, Netlist

__all__ = ["ENCODINGS", "Int64", "Unit", "signed"]

Int64 = npt.NDArray[np.int64]
ENCODINGS = ("unary", "ttfs", "stbif", "graded", "sar")
"""The encodings by the number that the units have for them."""


@dataclass(frozen=True, eq=False)
class Unit:
    """An instance's module, whole. `memory` : where its membranes lie."""

    netlist: Netlist
    parameters: Mapping[str, int | str]

    def number(self, name: str) -> int:
        """A parameter that is an integer."""
        return int(self.parameters[name])

    @property
    def words(self) -> int:
        """Words of membranes."""
        return self.number("WORDS")

    @property
    def lanes(self) -> int:
        """Membranes of a word."""
        return self.number("PE")

    @property
    def fires(self) -> bool:
        """Whether it has neurons, not membranes alone."""
        return "ENCODING" in self.parameters

    @property
    def encoding(self) -> str:
        """How its neurons fire; empty for membranes alone."""
        return ENCODINGS[self.number("ENCODING")] if self.fires else ""

    @property
    def levels(self) -> int:
        """Most spikes of a neuron."""
        return self.number("LEVELS")

    @property
    def slots(self) -> int:
        """How often each neuron is looked at behind a frame's end (stbif: once, for what a slot is counted in)."""
        if self.encoding == "stbif":
            return 1
        return self.levels.bit_length() if self.encoding == "sar" else self.levels

    @property
    def count_bits(self) -> int:
        """Bits in which a neuron's spikes are counted."""
        return self.levels.bit_length()

    @property
    def event(self) -> tuple[Bits, Bits, int]:
        """(channel, amount, end) of the events that it takes."""
        amount, channel = self.number("IN_AMOUNT_BITS"), self.number("IN_CHANNEL_BITS")
        bits = self.netlist.ports["in_data"]
        if len(bits) != amount + channel + 1:
            raise CheckFailed("in_data", "has another width than its events")
        return bits[amount : amount + channel], bits[:amount], bits[-1]

    @property
    def given(self) -> tuple[Bits, Bits, int]:
        """(channel, amount, end) of the events that it gives."""
        amount, channel = self.number("OUT_AMOUNT_BITS"), self.number("OUT_CHANNEL_BITS")
        bits = self.netlist.ports["out_data"]
        if len(bits) != amount + channel + 1:
            raise CheckFailed("out_data", "has another width than its events")
        return bits[amount : amount + channel], bits[:amount], bits[-1]

    def bit(self, name: str) -> int:
        """A word of one bit. CheckFailed if it has others."""
        bits = self.netlist.word(name)
        if len(bits) != 1:
            raise CheckFailed(f"signal {name}", "is not one bit")
        return bits[0]

    def memory(self, name: str) -> Memory:
        """A memory by name. CheckFailed if there is none."""
        if name not in self.netlist.memories:
            raise CheckFailed(f"memory {name}", "is not there")
        return self.netlist.memories[name]

    def reads(self, name: str) -> list[Cell]:
        """The cells that read a memory, without a clock. CheckFailed for another kind."""
        found = [c for c in self.netlist.cells if c.kind == "$memrd" and c.parameters["MEMID"] == name]
        if any(
            cell.parameters.get("CLK_ENABLE", 0) or len(cell.ports["DATA"]) != self.memory(name).width for cell in found
        ):
            raise CheckFailed(f"memory {name}", "is not read at once, and whole")
        return found

    def rows(self, count: int, given: Mapping[Any, Any]) -> Evaluation:
        """An evaluation of `count` rows, given the integers of words (by name) or bits, int64 [count] or one of all."""
        found: dict[int, int] = {}
        for name, values in given.items():
            bits = self.netlist.word(name) if isinstance(name, str) else name
            column = np.broadcast_to(np.asarray(values, np.int64), (count,))
            found |= dict(zip(bits, rows_of(column, len(bits)), strict=True))
        return Evaluation(self.netlist, count, {bit: row for bit, row in found.items() if bit > 1})


def signed(values: Int64, bits: int) -> Int64:
    """Integers of so many bits, in two's complement."""
    return np.where(values >> (bits - 1) & 1, values - (1 << bits), values)
