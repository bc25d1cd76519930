"""2-bit weights, four to a byte, on inputs of up to 8 bits."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from .blocks import BlocksKernel, vector_count
from .kernel import DenseProblem
from .quads import memory_cost

__all__ = ["CrumbsKernel"]


class CrumbsKernel(BlocksKernel):
    """A quarter of the memory of bytes for twice the work: for layers that do not fit the fastest cache otherwise."""

    name: ClassVar[str] = "crumbs"
    packing: ClassVar[str] = "EDGEML_CRUMBS"
    unit: ClassVar[int] = 16

    def takes(self, problem: DenseProblem) -> bool:
        # fields are up to 64 times too large while they are summed
        sums = 64 * 2 * problem.input.largest * (problem.inputs // 4 + 4)
        return int(problem.weight.min()) >= -2 and int(problem.weight.max()) <= 1 and sums < 2**31

    def packed(self, weight: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        fields = (weight + 2).reshape(*weight.shape[:2], 4, 4)  # input 4 j + t
        return np.asarray((fields * 4 ** np.arange(4)[:, None]).sum(axis=2))

    def layout(self) -> str:
        return "for each block of up to 4 vectors: [16 inputs][vector][16 outputs][4 bytes], four weights + 2 in a byte"

    def cost(self, problem: DenseProblem) -> float:
        steps = vector_count(problem.outputs) * -(-problem.inputs // 16)
        return 12.0 + 1.7 * steps + memory_cost(steps * 64)
