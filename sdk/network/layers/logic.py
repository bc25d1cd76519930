"""Logic: each output is a Boolean function of a few inputs, given as the table of its values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import integer_array, integer_scalar
from ..layer import Channels, Direction, Layer
from ..value_range import IntArray, ValueRange

__all__ = ["MOST_LOGIC_INPUTS", "Logic"]

MOST_LOGIC_INPUTS = 6
"""Inputs of one function, at most: those of a lookup table of an FPGA."""
_MOST_ENTRIES = 2**26
_WORD = 64
_WORDS_AT_ONCE = 2**16
"""Words of functions and samples that are computed together: so many stay in a processor's cache."""

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Logic(Layer):
    """y[o] = tables[o, Σ_j x[sources[o, j]] << j]; inputs and outputs are 0 or 1.

    A function of fewer inputs names one of them again, or does not depend on some.

    Parameters
    ----------
    sources : int32 [outputs, k], 1 ≤ k ≤ 6; 0 … inputs − 1, in any order, one of them twice too.
    tables : uint8 [outputs, 2^k], 0 or 1.
    inputs : how many inputs the layer takes.

    Raises
    ------
    NetworkError : a field is out of range; an input may be other than 0 or 1 (from `output_range`).
    """

    kind: ClassVar[str] = "logic"

    sources: npt.NDArray[np.int32]
    tables: npt.NDArray[np.uint8]
    inputs: int

    def __post_init__(self) -> None:
        inputs = integer_scalar("logic, inputs", self.inputs, 1, 2**24)
        sources = integer_array("logic, sources", self.sources, 2, 0, inputs - 1)
        outputs, fan_in = sources.shape
        if fan_in > MOST_LOGIC_INPUTS:
            raise NetworkError("logic, sources", f"a function takes 1 … {MOST_LOGIC_INPUTS} inputs, found {fan_in}")
        if outputs << fan_in > _MOST_ENTRIES:
            raise NetworkError("logic", f"holds {outputs} tables of {1 << fan_in}; at most {_MOST_ENTRIES} entries")
        tables = integer_array("logic, tables", self.tables, 2, 0, 1).astype(np.uint8)
        if tables.shape != (outputs, 1 << fan_in):
            wanted = f"[{outputs}, {1 << fan_in}]"
            raise NetworkError("logic, tables", f"must have shape {wanted}, found {list(tables.shape)}")
        tables.setflags(write=False)
        for name, value in (("inputs", inputs), ("sources", sources), ("tables", tables)):
            object.__setattr__(self, name, value)

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return int(self.sources.shape[0])

    @property
    def fan_in(self) -> int:
        """k, the inputs of each function."""
        return int(self.sources.shape[1])

    @property
    def weight_memory(self) -> int:
        return int(self.tables.size)

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.inputs,):
            raise NetworkError("logic", f"takes {self.inputs} inputs, found {list(input_sizes)}")
        return self.outputs

    def reached(self, x: ValueRange) -> npt.NDArray[np.bool_]:
        """Which entries of its table each function can come to, bool [outputs, 2^k]: an input that is constant, or
        that stands twice, leaves some out. NetworkError if an input may be other than 0 or 1."""
        if x.low.min() < 0 or x.high.max() > 1:
            channel = int(np.flatnonzero((x.low < 0) | (x.high > 1))[0])
            ends = f"{x.low[channel]} … {x.high[channel]}"
            raise NetworkError("logic", f"takes inputs of 0 or 1; input {channel} may be {ends}")
        bits = np.arange(1 << self.fan_in)[:, None] >> np.arange(self.fan_in) & 1
        low, high = x.low[self.sources], x.high[self.sources]
        found = np.ones(self.tables.shape, np.bool_)
        for j in range(self.fan_in):
            found &= (low[:, [j]] <= bits[:, j]) & (bits[:, j] <= high[:, [j]])
            for earlier in range(j):
                same = self.sources[:, [j]] == self.sources[:, [earlier]]
                found &= ~same | (bits[:, j] == bits[:, earlier])
        return found

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        """Exact: over the entries that each function can come to."""
        (x,) = inputs
        reached = self.reached(x)
        low = np.where(reached, self.tables, 1).min(axis=1)
        high = np.where(reached, self.tables, 0).max(axis=1)
        return ValueRange(low.astype(np.int64), high.astype(np.int64))

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        """64 samples in a word: input after input halves the table, by low ⊕ x · (low ⊕ high)."""
        (x,) = inputs
        words = _packed(x)
        y = np.empty((self.outputs, words.shape[1]), np.uint64)
        columns = min(_WORD, words.shape[1])
        rows = max(1, _WORDS_AT_ONCE // (columns << self.fan_in - 1))
        low, change = self._halves
        for start in range(0, words.shape[1], columns):
            some = words[:, start : start + columns]
            for first in range(0, self.outputs, rows):
                place = slice(first, first + rows)
                bits = some[self.sources[place]]
                value = low[place, :, None] ^ (bits[:, -1, None] & change[place, :, None])
                for j in range(self.fan_in - 2, -1, -1):
                    half = value.shape[1] // 2
                    value = value[:, :half] ^ (bits[:, j, None] & (value[:, :half] ^ value[:, half:]))
                y[place, start : start + columns] = value[:, 0]
        return _unpacked(y, len(x))

    @cached_property
    def _halves(self) -> tuple[Words, Words]:
        """All bits of words as the entries where the last input is 0, and those that change where it is 1."""
        full: Words = np.where(self.tables, ~np.uint64(0), np.uint64(0)).astype(np.uint64)
        half = full.shape[1] // 2
        return full[:, :half], full[:, :half] ^ full[:, half:]

    def reads(self, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        found = np.zeros(self.inputs, np.bool_)
        found[self.sources[wanted]] = True
        return found

    def of_channels(self, outputs: Channels, inputs: Channels, constants: npt.NDArray[np.int64]) -> Logic:
        places = np.zeros(self.inputs, np.int64)
        places[inputs] = np.arange(inputs.size)
        sources = places[self.sources[outputs]].astype(np.int32)
        return replace(self, sources=sources, tables=self.tables[outputs], inputs=inputs.size)

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        """By how many entries of its table each input of a function raises more than it lowers."""
        signs = 2.0 * (np.arange(1 << self.fan_in)[:, None] >> np.arange(self.fan_in) & 1) - 1.0
        wanted = np.zeros(self.inputs)
        np.add.at(wanted, self.sources, self.tables @ signs * direction[:, None])
        return (wanted,)

    def summary(self) -> str:
        return f"{self.inputs} inputs → {self.outputs} functions of {self.fan_in}"


def _packed(x: IntArray) -> Words:
    """Samples [samples, channels] of 0 and 1 as bits of words: [channels, ⌈samples / 64⌉]."""
    bits = np.packbits(np.ascontiguousarray(x.astype(np.bool_).T), axis=1)
    padded = np.zeros((bits.shape[0], -(-len(x) // _WORD) * _WORD // 8), np.uint8)
    padded[:, : bits.shape[1]] = bits
    return padded.view(np.uint64)


def _unpacked(words: Words, samples: int) -> npt.NDArray[np.int32]:
    """Inverse of `_packed`, int32."""
    bits = np.unpackbits(words.view(np.uint8), axis=1, count=samples)
    return np.ascontiguousarray(bits.T, dtype=np.int32)
