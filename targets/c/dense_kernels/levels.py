"""Thresholds behind a dense layer, brought into the form that the fused kernels compare with (`edgeml/levels.h`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays import ConstantArray
from .kernel import DenseProblem

__all__ = ["HALVES", "MOST_LEVELS", "Levels", "level_blocks", "padded"]

MOST_LEVELS = 15
"""Of more thresholds per channel, a binary search is quicker than comparing with all."""


@dataclass(frozen=True, eq=False)
class Levels:
    """y = base + #{k : acc − centre > gt[k]}, for accumulators within their range.

    Parameters
    ----------
    centre : int64 [outputs].
    gt : int64 [outputs, levels]: threshold − centre − 1, ascending; behind the thresholds that some accumulator
        passes and some does not, `never`.
    never : bool [outputs, levels], where no accumulator passes.
    base : int64 [outputs], number of thresholds that every accumulator passes.
    """

    centre: npt.NDArray[np.int64]
    gt: npt.NDArray[np.int64]
    never: npt.NDArray[np.bool_]
    base: npt.NDArray[np.int64]

    @classmethod
    def of(cls, problem: DenseProblem) -> Levels:
        """From the thresholds of a problem that has some."""
        assert problem.thresholds is not None
        thresholds = problem.thresholds.astype(np.int64)
        always = thresholds <= problem.low[:, None]
        base = always.sum(axis=1)
        decides = ~always & (thresholds <= problem.high[:, None])
        most = max(1, int(decides.sum(axis=1).max()))
        columns = np.minimum(base[:, None] + np.arange(most), thresholds.shape[1] - 1)
        never = np.arange(most) >= decides.sum(axis=1)[:, None]
        deciding = np.take_along_axis(thresholds, columns, axis=1)
        smallest = np.where(never, np.iinfo(np.int64).max, deciding).min(axis=1)
        largest = np.where(never, np.iinfo(np.int64).min, deciding).max(axis=1)
        centre = np.where(never.all(axis=1), problem.low, (smallest // 2 + largest // 2 + (smallest & largest & 1)))
        gt = np.where(never, 0, deciding - centre[:, None] - 1)
        return cls(centre, gt, never, base)

    @property
    def count(self) -> int:
        """Number of comparisons per channel."""
        return int(self.gt.shape[1])

    def fits(self, bits: int) -> bool:
        """Whether accumulators saturated to so many bits (after subtraction of the centre) decide alike."""
        low, high = int(self.gt.min()), int(self.gt.max())
        return -(1 << (bits - 1)) <= low and high < (1 << (bits - 1)) - 1

    def filled(self, bits: int) -> npt.NDArray[np.int64]:
        """gt with the largest integer of so many bits for `never`, [outputs, levels]."""
        return np.where(self.never, 2 ** (bits - 1) - 1, self.gt)

    def base_array(self, prefix: str) -> tuple[ConstantArray, ...]:
        """base, padded with zeros to whole blocks of 64; nothing where all are zero."""
        if not self.base.any():
            return ()
        return (ConstantArray(f"{prefix}_base", "uint8_t", padded(self.base, 64, 0), "thresholds always reached"),)


HALVES = np.concatenate([16 * (np.arange(32) // 8) + 8 * half + np.arange(32) % 8 for half in (0, 1)])
"""Which channel of 64 stands where in thresholds that lie in halves."""


def level_blocks(levels: Levels, bits: int, halves: list[bool]) -> npt.NDArray[np.int64]:
    """The array `gt` of `edgeml/levels.h`: [blocks of 64 channels, levels, 64], some of the blocks in halves."""
    gt = padded(levels.filled(bits), 64, 2 ** (bits - 1) - 1).reshape(-1, 64, levels.count).transpose(0, 2, 1)
    return np.stack([block[:, HALVES] if half else block for block, half in zip(gt, halves, strict=True)])


def padded(values: npt.NDArray[np.int64], multiple: int, fill: int) -> npt.NDArray[np.int64]:
    """values [n, …] with rows of `fill` up to a multiple."""
    rows = -len(values) % multiple
    return np.concatenate([values, np.full((rows, *values.shape[1:]), fill, np.int64)])
