"""The same rows of weights at several positions: which inputs each position takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError

__all__ = ["NOTHING", "Gather", "as_gather", "joined_ties", "tied_least", "tied_mean"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

NOTHING = -1
"""An index that stands for 0: padding."""


@dataclass(frozen=True, eq=False)
class Gather:
    """rows[n·P + p, c] = x[n, index[p, c]], 0 where the index is −1.

    Parameters
    ----------
    index : int64 [positions P, columns C], −1 … inputs − 1.
    inputs : how many values a sample has.
    """

    index: Indices
    inputs: int

    @property
    def positions(self) -> int:
        """P."""
        return int(self.index.shape[0])

    @property
    def columns(self) -> int:
        """C."""
        return int(self.index.shape[1])

    @cached_property
    def pads(self) -> bool:
        """Whether some index stands for 0."""
        return bool(np.any(self.index == NOTHING))

    @cached_property
    def _places(self) -> tuple[Indices, npt.NDArray[np.float64] | None]:
        """Indices that exist, row by row, and 0 or 1 for each, or None where all are 1."""
        flat = self.index.reshape(-1)
        return np.maximum(flat, 0), (flat != NOTHING).astype(np.float64) if self.pads else None

    def taken(self, x: Any) -> Any:
        """x [samples, inputs], an array of numpy or torch → [samples, P·C] of the same library and type."""
        places, kept = self._places
        if isinstance(x, np.ndarray):
            values = x[:, places]
            return values if kept is None else values * kept.astype(x.dtype)
        import torch

        values = x.index_select(1, torch.from_numpy(places).to(x.device))
        return values if kept is None else values * torch.from_numpy(kept).to(x)

    def rows(self, x: Any) -> Any:
        """x [samples, inputs] → [samples · P, C]."""
        return self.taken(x).reshape(x.shape[0] * self.positions, self.columns)

    def joined(self, rows: Any) -> Any:
        """Rows [samples · P, R] → [samples, P·R], position by position."""
        return rows.reshape(rows.shape[0] // self.positions, self.positions * rows.shape[1])

    def at_positions(self, values: Floats, padding: float = 0.0) -> Floats:
        """Values [inputs] as [P, C]; `padding` where the index is −1."""
        return np.asarray(np.where(self.index == NOTHING, padding, values[np.maximum(self.index, 0)]))

    @cached_property
    def ties(self) -> Indices:
        """A number for each input [inputs]; those that one column takes, at whatever position, have the same."""
        return joined_ties([self])


def joined_ties(gathers: Sequence[Gather]) -> Indices:
    """The ties that several gathers of the same inputs make together [inputs]."""
    inputs = gathers[0].inputs
    label = np.arange(inputs + 1)  # the last one is the padding's, which ties nothing
    while True:
        before = label.copy()
        for gather in gathers:
            places = np.where(gather.index == NOTHING, inputs, gather.index)
            np.minimum.at(label, places, np.broadcast_to(label[places].min(axis=0), places.shape))
            label[inputs] = inputs
        label = label[label]
        if np.array_equal(label, before):
            return label[:inputs]


def tied_least(values: Floats, ties: Indices) -> Floats:
    """The smallest of the values [inputs] that are tied, for each of them."""
    least = values.copy()
    np.minimum.at(least, ties, values)
    return np.asarray(least[ties])


def tied_mean(values: Floats, ties: Indices) -> Floats:
    """The mean of the values [inputs] that are tied, for each of them."""
    size = len(values)
    return np.asarray((np.bincount(ties, values, size) / np.maximum(np.bincount(ties, minlength=size), 1))[ties])


def as_gather(where: str, index: Floats, inputs: int) -> Gather:
    """A gather from whole numbers float64 [P, C], as operators store them; InputError naming `where`."""
    whole = np.array_equal(index, np.rint(index))
    if type(inputs) is not int or inputs < 1 or index.ndim != 2 or not index.size:
        raise InputError(where, "must be a matrix of indices into at least one input")
    if not whole or index.min() < NOTHING or index.max() >= inputs:
        raise InputError(where, f"must be whole numbers −1 … {inputs - 1}")
    return Gather(index.astype(np.int64), inputs)
