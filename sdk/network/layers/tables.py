"""Sums of tables: each input picks a row, the rows are added. Categories, few-bit features, edges of a KAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import integer_array, integer_scalar
from ..layer import Channels, Direction, Layer
from ..value_range import IntArray, ValueRange

__all__ = ["Tables"]

_MOST_ENTRIES = 2**26
_BATCH = 2**22


@dataclass(frozen=True, eq=False)
class Tables(Layer):
    """acc[o] = bias[o] + Σ_f entries[rows[f, x[source[f]]], o]; exact, never wider than 32 bits.

    A feature's table is the rows that its values pick; values that never differ share a row, so that `entries` holds
    what occurs and nothing else. The same as a `Dense` behind one-hot inputs.

    Parameters
    ----------
    entries : integers [rows, outputs]; of 1 bit: −1 or +1; of b ≥ 2 bits: −2^(b−1) … 2^(b−1) − 1.
    entry_bits : 1 to 8.
    rows : int32 [features, values], 0 … rows − 1: the row for each value 0 … values − 1 of a feature. Values past
        what an input reaches may name any row.
    source : int32 [features], which input each feature is; 0 … inputs − 1.
    bias : int32 [outputs].
    inputs : how many inputs the layer takes.

    Raises
    ------
    NetworkError : a field is out of range; an input may be negative, or past its table (from `output_range`).
    """

    kind: ClassVar[str] = "tables"

    entries: npt.NDArray[np.int32]
    entry_bits: int
    rows: npt.NDArray[np.int32]
    source: npt.NDArray[np.int32]
    bias: npt.NDArray[np.int32]
    inputs: int

    def __post_init__(self) -> None:
        bits = integer_scalar("tables, entry bits", self.entry_bits, 1, 8)
        low, high = (-1, 1) if bits == 1 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        entries = integer_array("tables, entries", self.entries, 2, low, high)
        if bits == 1 and np.any(entries == 0):
            raise NetworkError("tables, entries", "1-bit entries are bipolar: −1 or +1, found 0")
        inputs = integer_scalar("tables, inputs", self.inputs, 1, 2**24)
        rows = integer_array("tables, rows", self.rows, 2, 0, entries.shape[0] - 1)
        source = integer_array("tables, source", self.source, 1, 0, inputs - 1)
        bias = integer_array("tables, bias", self.bias, 1)
        if source.size != rows.shape[0]:
            raise NetworkError("tables, source", f"must have {rows.shape[0]} values, found {source.size}")
        if bias.size != entries.shape[1]:
            raise NetworkError("tables, bias", f"must have {entries.shape[1]} values, found {bias.size}")
        if rows.size * entries.shape[1] > _MOST_ENTRIES:
            raise NetworkError("tables", f"holds more than {_MOST_ENTRIES} entries for all values together")
        for name, value in (
            ("entries", entries),
            ("entry_bits", bits),
            ("rows", rows),
            ("source", source),
            ("bias", bias),
            ("inputs", inputs),
        ):
            object.__setattr__(self, name, value)

    @property
    def outputs(self) -> int:
        """Number of output channels."""
        return int(self.entries.shape[1])

    @property
    def features(self) -> int:
        """Number of tables."""
        return int(self.rows.shape[0])

    @property
    def values(self) -> int:
        """Values that each table has a row for: 0 … values − 1."""
        return int(self.rows.shape[1])

    @property
    def weight_memory(self) -> int:
        return int(self.entries.size) * self.entry_bits

    def table(self, feature: int) -> npt.NDArray[np.int32]:
        """The table of a feature, [values, outputs]."""
        found: npt.NDArray[np.int32] = self.entries[self.rows[feature]]
        return found

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.inputs,):
            raise NetworkError("tables", f"takes {self.inputs} inputs, found {list(input_sizes)}")
        return self.outputs

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        """Exact: over the rows that each input reaches, together."""
        (x,) = inputs
        low, high = x.low[self.source], x.high[self.source]
        if low.min() < 0 or high.max() >= self.values:
            raise NetworkError(
                "tables", f"have rows for 0 … {self.values - 1}; their inputs are {low.min()} … {high.max()}"
            )
        smallest = largest = self.bias.astype(np.int64)
        for source in np.unique(self.source):
            values = slice(x.low[source], x.high[source] + 1)
            # Features of one input take the same value.
            sums = sum(self.entries[self.rows[feature, values]] for feature in np.flatnonzero(self.source == source))
            smallest, largest = smallest + np.min(sums, axis=0), largest + np.max(sums, axis=0)
        return ValueRange(smallest, largest)

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        (x,) = inputs
        acc = np.repeat(self.bias[None], len(x), axis=0)
        step = max(1, _BATCH // self.outputs)
        for start in range(0, len(x), step):
            part = acc[start : start + step]
            for feature, channel in enumerate(self.source):
                part += self.entries[self.rows[feature, x[start : start + step, channel]]]
        return acc

    def _differing(self, outputs: npt.NDArray[np.bool_] | slice) -> npt.NDArray[np.bool_]:
        """Of each feature, whether its rows differ in these outputs for any of its values."""
        _, same = np.unique(self.entries[:, outputs], axis=0, return_inverse=True)
        row = same.reshape(-1)[self.rows]
        found: npt.NDArray[np.bool_] = np.any(row != row[:, :1], axis=1)
        return found

    @property
    def holds_more(self) -> bool:
        """Whether a table has the same row for all values, or a row is in none of them."""
        unread = np.setdiff1d(np.arange(len(self.entries)), self.rows).size
        return bool(unread) or (self.features > 1 and not self._differing(slice(None)).all())

    def reads(self, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        found = np.zeros(self.inputs, np.bool_)
        found[self.source[self._differing(wanted)]] = True
        return found

    def of_channels(self, outputs: Channels, inputs: Channels, constants: npt.NDArray[np.int64]) -> Tables:
        """What left-out features always add goes into the bias; NetworkError where that passes 32 bits. A feature that
        adds one row for all values is left out even if its input is there."""
        of = np.zeros(self.outputs, np.bool_)
        of[outputs] = True
        kept = self._differing(of) & np.isin(self.source, inputs)
        row = self.rows[np.arange(self.features), constants[self.source]]  # of a feature that is left out, for good
        places = np.zeros(self.inputs, np.int32)
        places[inputs] = np.arange(inputs.size)
        source, rows = places[self.source[kept]], self.rows[kept]
        if not kept.any():
            # A sum has one feature at least: the first one, which adds the same whatever comes.
            kept[0], source, rows = True, np.zeros(1, np.int32), np.full((1, self.values), row[0])
        bias = self.bias[outputs] + self.entries[np.ix_(row[~kept], outputs)].astype(np.int64).sum(axis=0)
        named = self.entries[:, outputs][rows.reshape(-1)]
        entries, again = np.unique(named, axis=0, return_inverse=True)
        own = again.reshape(rows.shape).astype(np.int32)
        return Tables(entries, self.entry_bits, own, source, bias, int(inputs.size))

    def best_inputs(self, direction: Direction, low: int, high: int) -> tuple[npt.NDArray[np.int32], Direction] | None:
        """Exact."""
        gain = (self.entries @ direction)[self.rows[:, max(low, 0) : high + 1]]
        total = np.zeros((self.inputs, gain.shape[1]))
        np.add.at(total, self.source, gain)
        return (total.argmax(axis=1) + max(low, 0)).astype(np.int32), total.max(axis=1) - total.min(axis=1)

    def summary(self) -> str:
        return (
            f"{self.features} tables of {self.values} → {self.outputs}, {self.entry_bits} bit entries, "
            f"{len(self.entries)} different rows"
        )
