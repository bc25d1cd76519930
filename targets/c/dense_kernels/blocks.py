"""What kernels share whose sums are 32-bit lanes, 16 outputs to a vector: `edgeml/blocks.h`, `dense_blocks.h`."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..arrays import ConstantArray
from ..layer_code import LayerCode
from .kernel import DenseKernel, DenseProblem
from .levels import MOST_LEVELS, Levels, level_blocks, padded

__all__ = ["BlocksKernel", "blocks_of", "vector_count"]

_LANES = 16
_BLOCK = 4


def vector_count(outputs: int) -> int:
    """Vectors of 16 outputs; a last block of three is filled up to four."""
    count = -(-outputs // _LANES)
    return count + 1 if count % _BLOCK == 3 else count


def blocks_of(vectors: int) -> list[int]:
    """Number of vectors in each block."""
    return [min(_BLOCK, vectors - first) for first in range(0, vectors, _BLOCK)]


def lane_outputs(vectors: int, spread: bool) -> npt.NDArray[np.int64]:
    """Which output each lane holds: [vectors, 16]."""
    lane = np.arange(_LANES)
    rows = []
    for position, count in enumerate(blocks_of(vectors)):
        for m in range(count):
            within = 4 * count * (lane // 4) + 4 * m + lane % 4 if spread else _LANES * m + lane
            rows.append(position * _BLOCK * _LANES + within)
    return np.array(rows)


class BlocksKernel(DenseKernel):
    """Stored inputs of up to 8 bits, sums of 32 bits; with up to 15 thresholds behind the layer, or without."""

    packing: ClassVar[str] = ""
    """The macro that names the packing."""
    unit: ClassVar[int] = 1
    """Inputs that the packing takes at a time."""

    @abstractmethod
    def packed(self, weight: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """weight [outputs, units, inputs of a unit] as bytes [outputs, units, 4]."""

    @abstractmethod
    def layout(self) -> str:
        """What the bytes hold, for the comment."""

    def takes(self, problem: DenseProblem) -> bool:
        """Whether the weights fit the packing, and its sums 32 bits."""
        return True

    def applies(self, problem: DenseProblem) -> bool:
        if problem.input.ctype != "uint8_t" or problem.padding % 64 or not self.takes(problem):
            return False
        if problem.thresholds is None:
            return problem.fits_int32
        levels = Levels.of(problem)
        if levels.count > MOST_LEVELS or not levels.fits(16):
            return False
        low = problem.partial_low - np.maximum(levels.centre, 0)
        high = problem.partial_high - np.minimum(levels.centre, 0)
        return int(low.min()) >= -(2**31) and int(high.max()) < 2**31

    def emit(self, problem: DenseProblem) -> LayerCode:
        levels = None if problem.thresholds is None else Levels.of(problem)
        vectors, units, prefix = vector_count(problem.outputs), -(-problem.inputs // self.unit), problem.prefix
        lanes = lane_outputs(vectors, spread=levels is not None)
        rows = np.zeros((_LANES * vectors, units * self.unit), np.int64)
        rows[: problem.outputs, : problem.inputs] = problem.weight
        packed = self.packed(rows.reshape(len(rows), units, self.unit))[lanes]  # [vectors, 16, units, 4]
        by_block = [
            packed[_BLOCK * position :][:count].transpose(2, 0, 1, 3).ravel()
            for position, count in enumerate(blocks_of(vectors))
        ]
        start = problem.bias if levels is None else problem.bias - levels.centre
        constants = [
            ConstantArray(f"{prefix}_weight", "uint8_t", np.concatenate(by_block), self.layout()),
            ConstantArray(
                f"{prefix}_start",
                "int32_t",
                padded(start, _LANES * vectors, 0)[lanes],
                "bias, input offset folded in" + ("" if levels is None else ", less the centre of the thresholds"),
            ),
        ]
        function, thresholds = "edgeml_blocks_sums", []
        if levels is not None:
            bits = 8 if levels.fits(8) else 16
            gt = level_blocks(levels, bits, halves=[bits == 16 and count == _BLOCK for count in blocks_of(vectors)])
            base = levels.base_array(prefix)
            comment = "thresholds less centre less 1: for each 64 outputs [levels][64]"
            constants += [ConstantArray(f"{prefix}_levels", f"int{bits}_t", gt, comment), *base]
            function = f"edgeml_blocks_levels{bits}"
            thresholds = [f"{prefix}_levels", base[0].name if base else "NULL", levels.count]
        arguments = [
            *(self.packing, "x", problem.input.padded, f"{prefix}_weight", f"{prefix}_start", units),
            *(pairs_run(problem), vectors, "samples", *thresholds, "y", problem.output.padded),
        ]
        return LayerCode(
            statements=(f"{function}({', '.join(map(str, arguments))});",),
            comment=problem.summary(),
            includes=("dense_blocks.h",),
            constants=tuple(constants),
            per_sample=False,
            sixteen=True,
            fills_padding=levels is not None,
            kernel=self.name,
        )


def pairs_run(problem: DenseProblem) -> int:
    """So many quads of inputs may be summed in 16 bits, products of pairs of inputs together; 0 if not even one."""
    products = padded((problem.weight.astype(np.int64) * problem.input.stored_high).T, 4, 0)  # [inputs, outputs]
    pairs = [np.maximum(sign * products, 0).reshape(-1, 2, 2, problem.outputs).sum(axis=2) for sign in (1, -1)]
    run = 0
    for candidate in (1, 2, 4, 8, 16, 32, 64):
        first = np.arange(0, len(products) // 4, candidate)
        if max(int(np.add.reduceat(pair, first, axis=0).max()) for pair in pairs) > 2**15 - 1:
            break
        run = candidate
    return run
