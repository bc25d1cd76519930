"""The same rows of weights at several positions: which inputs each position takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError

__all__ = ["NOTHING", "Gather", "as_gather", "joined_ties", "tied"]

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
        parent = np.arange(self.inputs)
        for column in self.index.T:
            members = parent[column[column != NOTHING]]
            if members.size:
                parent[np.isin(parent, members)] = members.min()
        return parent


def joined_ties(each: Sequence[Indices]) -> Indices:
    """The ties that several layers make together [inputs]."""
    result = each[0].copy()
    for ties in each[1:]:
        for value in np.unique(ties):
            members = np.unique(result[ties == value])
            result[np.isin(result, members)] = members[0]
    return result


def tied(values: Floats, ties: Indices, combine: Callable[[Floats], Any]) -> Floats:
    """`values` [inputs] combined over the inputs that are tied, the same for each of them."""
    result = values.copy()
    for value in np.unique(ties):
        result[ties == value] = combine(values[ties == value])
    return result


def as_gather(where: str, index: Floats, inputs: int) -> Gather:
    """A gather from whole numbers float64 [P, C], as operators store them; InputError naming `where`."""
    whole = np.array_equal(index, np.rint(index))
    if type(inputs) is not int or inputs < 1 or index.ndim != 2 or not index.size:
        raise InputError(where, "must be a matrix of indices into at least one input")
    if not whole or index.min() < NOTHING or index.max() >= inputs:
        raise InputError(where, f"must be whole numbers −1 … {inputs - 1}")
    return Gather(index.astype(np.int64), inputs)
