"""How tables lie in the memory of generated C: which rows are stored, how they are found, how they are packed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from edgeml.network.layers.tables import Tables

from .tensor import Tensor

__all__ = ["StoredTables", "stored_tables"]

Ints = npt.NDArray[np.int64]

_FIELD_BITS = (2, 4, 8)


@dataclass(frozen=True, eq=False)
class StoredTables:
    """acc[o] = bias[o] + Σ_f rows[row of f, o] over the features whose rows differ; the others are in the bias.

    Parameters
    ----------
    source : int64 [features], the input of each feature.
    rows : int16 [rows, outputs], at least 0: entries less what is in the bias.
    first : int64 [features]. Without `row_of`, the row for the stored integer 0 of a feature's input (below 0, if that
        is not reached); with it, where in `row_of` that row's number stands.
    row_of : int64, numbers of rows; None where a feature's rows lie in the order of its values.
    bias : int64 [outputs].
    largest : int64 [features, outputs], the largest entry of each feature.
    """

    source: Ints
    rows: npt.NDArray[np.int16]
    first: Ints
    row_of: Ints | None
    bias: Ints
    largest: Ints

    @property
    def features(self) -> int:
        """Features that are not constant."""
        return int(self.source.size)

    @property
    def bits(self) -> int:
        """Bits of a field: 2, 4 or 8."""
        fitting = (bits for bits in _FIELD_BITS if self.rows.size == 0 or int(self.rows.max()) < 1 << bits)
        return next(fitting)

    @property
    def bytes(self) -> int:
        """Bytes of rows and of the numbers of rows, about."""
        words = -(-self.rows.shape[1] * self.bits // 32) * len(self.rows)
        wide = 1 if len(self.rows) <= 256 else 2 if len(self.rows) <= 2**16 else 4
        return int(4 * words + (0 if self.row_of is None else wide * self.row_of.size))

    @property
    def step(self) -> int | None:
        """Rows of each feature's table, where all have as many and they lie one behind the other; else None."""
        if self.row_of is not None or self.features < 1:
            return None
        steps = np.diff(self.first)
        step = len(self.rows) // self.features
        return step if step * self.features == len(self.rows) and np.all(steps == step) else None

    @cached_property
    def group(self) -> int:
        """Features, a multiple of 4 or all of them, whose fields may be added in lanes of twice a field's width, from
        each multiple of it on."""
        return _run(self.largest, 2 ** (2 * self.bits) - 1, 4)

    @cached_property
    def segment(self) -> int:
        """Features that may be added in lanes of four times a field's width; whole groups, or all features."""
        return _run(self.largest, 2 ** (4 * self.bits) - 1, self.group)

    def packed(self, width: int) -> npt.NDArray[np.uint32]:
        """Words [columns, rows, width]: bits · p … of word i of a column hold output width · p + i of it."""
        fields = 32 // self.bits
        columns = -(-self.rows.shape[1] // (fields * width))
        padded = np.zeros((len(self.rows), columns * fields * width), np.uint32)
        padded[:, : self.rows.shape[1]] = self.rows
        shaped = padded.reshape(len(self.rows), columns, fields, width)
        shifts = (self.bits * np.arange(fields, dtype=np.uint32))[:, None]
        return np.ascontiguousarray((shaped << shifts).sum(axis=2, dtype=np.uint32).transpose(1, 0, 2))


def stored_tables(layer: Tables, x: Tensor) -> StoredTables:
    """Of two ways the one of fewer bytes: each feature's rows in the order of its values, or each different row once
    and an array that says which; the second, which takes a look more, must save an eighth."""
    low, high = x.stored_low[layer.source], x.stored_high[layer.source]
    spans = [
        layer.rows[feature, low[feature] + x.low : high[feature] + x.low + 1].astype(np.int64)
        for feature in range(layer.features)
    ]
    ordered, shared = _ordered(layer, spans, low), _shared(layer, spans, low)
    return shared if 8 * shared.bytes < 7 * ordered.bytes else ordered


def _ordered(layer: Tables, spans: list[Ints], low: Ints) -> StoredTables:
    """Every feature's rows, the smallest entry of each output taken off; all tables of one length, where few rows are
    stored in vain for it."""
    bias = layer.bias.astype(np.int64)
    tables, kept, largest = [], [], []
    for feature, span in enumerate(spans):
        table = layer.entries[span]
        smallest = table.min(axis=0)
        bias = bias + smallest
        if np.any(table != smallest):
            tables.append((table - smallest).astype(np.int16))
            kept.append(feature)
            largest.append(tables[-1].max(axis=0).astype(np.int64))
    start, lengths = low[kept], np.array([len(table) for table in tables], np.int64)
    base = int(start.min(initial=2**31))
    whole = int((start - base + lengths).max(initial=0))
    if 8 * whole * len(tables) <= 9 * int(lengths.sum()):
        for number, table in enumerate(tables):
            tables[number] = np.zeros((whole, layer.outputs), np.int16)
            tables[number][start[number] - base :][: len(table)] = table
        first = whole * np.arange(len(tables)) - base
    else:
        first = np.cumsum(lengths) - lengths - start
    rows = np.concatenate(tables) if tables else np.zeros((0, layer.outputs), np.int16)
    source = layer.source[kept].astype(np.int64)
    return StoredTables(source, rows, first, None, bias, np.array(largest).reshape(len(tables), layer.outputs))


def _shared(layer: Tables, spans: list[Ints], low: Ints) -> StoredTables:
    """Every row once, the smallest entry of all taken off everywhere."""
    constant = [bool(np.all(layer.entries[span] == layer.entries[span[0]])) for span in spans]
    kept = [feature for feature, same in enumerate(constant) if not same]
    bias = layer.bias.astype(np.int64)
    for span, same in zip(spans, constant, strict=True):
        bias = bias + layer.entries[span[0]] if same else bias
    named = np.unique(np.concatenate([spans[feature] for feature in kept] or [np.zeros(0, np.int64)]))
    rows, number = np.unique(layer.entries[named], axis=0, return_inverse=True)
    smallest = int(rows.min()) if rows.size else 0
    rows = (rows - smallest).astype(np.int16)
    row_of = [number.ravel()[np.searchsorted(named, spans[feature])] for feature in kept]
    lengths = np.array([len(part) for part in row_of], np.int64)
    return StoredTables(
        layer.source[kept].astype(np.int64),
        rows,
        np.cumsum(lengths) - lengths - low[kept],
        np.concatenate(row_of or [np.zeros(0, np.int64)]),
        bias + smallest * len(kept),
        np.array([rows[part].max(axis=0) for part in row_of], np.int64).reshape(len(kept), layer.outputs),
    )


def _run(largest: Ints, limit: int, unit: int) -> int:
    """The longest run of features, a multiple of `unit` or all of them, of which any from a multiple of the run on adds
    up to at most `limit` for each output; a run of `unit` does."""
    features = len(largest)
    sums = np.concatenate([np.zeros((1, largest.shape[1]), np.int64), largest.cumsum(axis=0)])
    if features == 0 or int(sums[-1].max()) <= limit:
        return max(features, 1)
    sure = max(unit, limit // max(1, int(largest.max())) // unit * unit)
    longest = min(features - 1, 4 * sure) // unit * unit
    for run in range(longest, sure, -unit):
        ends = np.append(np.arange(0, features, run), features)
        if int(np.diff(sums[ends], axis=0).max()) <= limit:
            return run
    return sure
