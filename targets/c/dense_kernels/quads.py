"""Bytes, four inputs of sixteen outputs in a vector: what processors with a dot-product instruction like best."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from .blocks import BlocksKernel, vector_count
from .kernel import DenseProblem

__all__ = ["QuadsKernel"]


class QuadsKernel(BlocksKernel):
    """One byte a weight."""

    name: ClassVar[str] = "quads"
    packing: ClassVar[str] = "EDGEML_QUADS"
    unit: ClassVar[int] = 4

    def packed(self, weight: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return weight % 256

    def layout(self) -> str:
        return "for each block of up to 4 vectors: [4 inputs][vector][16 outputs][input], two's complement"

    def cost(self, problem: DenseProblem) -> float:
        steps = vector_count(problem.outputs) * -(-problem.inputs // 4)
        return 8.0 + 0.25 * steps + memory_cost(steps * 64)


def memory_cost(weight_bytes: int) -> float:
    """Nanoseconds for weights that pass the fastest cache (half of it is taken to be free), about."""
    return max(0, weight_bytes - 24_000) * 0.01
