"""What a target chooses for the C that is generated for it."""

from __future__ import annotations

from dataclasses import dataclass

from .dense_kernels.bits import BitsKernel
from .dense_kernels.kernel import DenseKernel

__all__ = ["Dialect"]


@dataclass(frozen=True)
class Dialect:
    """The choices of a target.

    Parameters
    ----------
    dense_kernels : what a dense layer may use; of those that apply to a layer, the one of the least `cost`, the
        first of equals.
    bits : what a dense layer on bits that an `encode` makes may use, the first that applies; none if the bits become
        bytes and a dense kernel takes them.
    padding : tensors are padded to a multiple of so many elements.
    alignment : bytes to which constants are aligned, and to which an arena should be.
    tile : samples that the batched entry point computes together; 0 leaves that entry point out.
    cached : bytes of constants that stay in the caches beside the processor. Where a network has more, twice as many
        samples are computed together, so that its weights are fetched half as often.
    separate_stages : whether each stage is a function of its own, shared by the entry points (small code, and cost that
        can be told by stage), and not inlined into each of them.
    vectors : whether the processor computes on vectors; if not, thresholds are searched, not all compared.
    sliced : whether networks of Boolean functions compute many samples at once, a bit of each in a word.
    compared : up to so many thresholds per channel are quicker compared with than computed as a line.
    """

    dense_kernels: tuple[DenseKernel, ...]
    bits: tuple[BitsKernel, ...] = ()
    padding: int = 64
    alignment: int = 64
    tile: int = 8
    cached: int = 2**20
    separate_stages: bool = False
    vectors: bool = True
    compared: int = 15
    sliced: bool = False
