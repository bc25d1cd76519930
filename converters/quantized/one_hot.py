"""Products with one-hot values as what they are: sums of tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, Encode, Tables
from edgeml.network.layers.encode import EQUAL

__all__ = ["SplitDense", "split_one_hot"]

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class SplitDense:
    """acc = tables(x) + dense(encode(x)); `rest` is (encode, dense), or None if all is one-hot."""

    tables: Tables
    rest: tuple[Encode, Dense] | None


def split_one_hot(encode: Encode, weight: Ints, bits: int, bias: Ints, values: int) -> SplitDense:
    """The layers that compute W · encode(x) + bias for x in 0 … values − 1.

    Parameters
    ----------
    encode : with at least one EQUAL output.
    weight, bits, bias : of the dense layer behind it; weight int32 [outputs, encode's outputs].
    """
    chosen = encode.rule == EQUAL
    places = np.flatnonzero(chosen & (encode.operand >= 0) & (encode.operand < values))
    source, feature = np.unique(encode.source[chosen], return_inverse=True)
    feature_of = np.zeros(encode.outputs, np.int64)
    feature_of[chosen] = feature.ravel()
    table = np.zeros((len(source), values, len(weight)), np.int64)
    np.add.at(table, (feature_of[places], encode.operand[places]), weight.T[places])
    rows, row = np.unique(table.reshape(-1, len(weight)), axis=0, return_inverse=True)
    tables = Tables(
        rows.astype(np.int32), _bits(rows, bits), row.reshape(len(source), values).astype(np.int32), source, bias,
        encode.inputs,
    )  # fmt: skip
    if chosen.all():
        return SplitDense(tables, None)
    rest = Encode(encode.source[~chosen], encode.rule[~chosen], encode.operand[~chosen], encode.inputs)
    dense = Dense(np.ascontiguousarray(weight[:, ~chosen]), bits, np.zeros(len(weight), np.int32))
    return SplitDense(tables, (rest, dense))


def _bits(rows: npt.NDArray[np.int64], bits: int) -> int:
    """Bits of the entries: those of the weights, or more where weights add up; 1-bit entries cannot be 0."""
    if bits == 1 and not np.any(np.abs(rows) != 1):
        return 1
    needed = max(int(rows.max()), -int(rows.min()) - 1, 0).bit_length() + 1
    return max(bits, 2, needed)
