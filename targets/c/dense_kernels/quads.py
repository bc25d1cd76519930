"""Bytes, four inputs of sixteen outputs in a vector: what processors with a dot-product instruction like best."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..arrays import ConstantArray
from ..emitter import LayerCode
from .kernel import DenseKernel, DenseProblem
from .levels import MOST_LEVELS, Levels, level_blocks, padded

__all__ = ["QuadsKernel", "in_vectors", "vector_outputs"]

_LANES = 16
_BLOCK = 4


def vector_count(outputs: int) -> int:
    """Vectors of 16 outputs; a last block of three is filled up to four."""
    count = -(-outputs // _LANES)
    return count + 1 if count % _BLOCK == 3 else count


def blocks_of(vectors: int) -> list[int]:
    """Vectors in each block."""
    return [min(_BLOCK, vectors - first) for first in range(0, vectors, _BLOCK)]


def vector_outputs(vectors: int, spread: bool) -> npt.NDArray[np.int64]:
    """Which output each lane holds: [vectors, 16] (see `edgeml/dense_quads.h`)."""
    lane = np.arange(_LANES)
    rows = []
    for position, count in enumerate(blocks_of(vectors)):
        for m in range(count):
            within = 4 * count * (lane // 4) + 4 * m + lane % 4 if spread else _LANES * m + lane
            rows.append(position * _BLOCK * _LANES + within)
    return np.array(rows)


def in_vectors(values: npt.NDArray[np.int64], vectors: int, spread: bool) -> npt.NDArray[np.int64]:
    """values [outputs, …] as [vectors, 16, …], zeros where there is no output."""
    return padded(values, _LANES * vectors, 0)[vector_outputs(vectors, spread)]


class QuadsKernel(DenseKernel):
    """One byte a weight, stored inputs of up to 8 bits, sums of 32 bits."""

    name: ClassVar[str] = "quads"

    def applies(self, problem: DenseProblem) -> bool:
        if problem.input.ctype != "uint8_t" or problem.dialect.padding % 64:
            return False
        if problem.thresholds is None:
            return problem.fits_int32
        levels = Levels.of(problem)
        return levels.count <= MOST_LEVELS and levels.fits(16) and starts_fit(problem, levels)

    def cost(self, problem: DenseProblem) -> float:
        return dot_product_cost(problem, bytes_per_weight=1.0, work=1.0)

    def emit(self, problem: DenseProblem) -> LayerCode:
        vectors = vector_count(problem.outputs)
        levels = None if problem.thresholds is None else Levels.of(problem)
        spread = levels is not None
        quads = -(-problem.inputs // 4)
        weight = padded(problem.weight.astype(np.int64).T, 4, 0).T.reshape(problem.outputs, quads, 4)
        lanes = in_vectors(weight, vectors, spread)  # [vectors, 16, quads, 4]
        packed = [
            lanes[4 * position : 4 * position + count].transpose(2, 0, 1, 3).ravel()
            for position, count in enumerate(blocks_of(vectors))
        ]
        prefix = problem.prefix
        constants = [
            ConstantArray(
                f"{prefix}_weight",
                "int8_t",
                np.concatenate(packed),
                f"for each block of up to 4 vectors: [{quads} quads of inputs][vector][16 outputs][4 inputs]",
            )
        ]
        call = f"x, {problem.input.padded}, {prefix}_weight, {prefix}_start, {quads}, {vectors}, samples"
        return finish(
            problem, levels, vectors, spread, constants, "edgeml_dense_quads", call, "dense_quads.h", self.name
        )


def starts_fit(problem: DenseProblem, levels: Levels) -> bool:
    """Whether all partial sums stay within 32 bits when they start at bias − centre."""
    low = problem.partial_low - np.maximum(levels.centre, 0)
    high = problem.partial_high - np.minimum(levels.centre, 0)
    return int(low.min()) >= -(2**31) and int(high.max()) < 2**31


def finish(
    problem: DenseProblem,
    levels: Levels | None,
    vectors: int,
    spread: bool,
    constants: list[ConstantArray],
    kernel: str,
    call: str,
    header: str,
    name: str,
) -> LayerCode:
    """The code of a kernel whose sums lie in vectors of 16 outputs: start values, levels, the call."""
    prefix = problem.prefix
    start = problem.bias if levels is None else problem.bias - levels.centre
    constants.append(
        ConstantArray(
            f"{prefix}_start",
            "int32_t",
            in_vectors(start, vectors, spread),
            "bias, input offset folded in" + ("" if levels is None else ", less the centre of the thresholds"),
        )
    )
    if levels is None:
        statement = f"{kernel}({call}, y, {problem.output.padded});"
    else:
        bits = 8 if levels.fits(8) else 16
        gt = level_blocks(levels, bits, halves=[bits == 16 and count == 4 for count in blocks_of(vectors)])
        comment = "thresholds less centre less 1: for each 64 outputs [levels][64]"
        base = levels.base_array(prefix)
        constants += [ConstantArray(f"{prefix}_levels", f"int{bits}_t", gt, comment), *base]
        base_name = base[0].name if base else "NULL"
        statement = (
            f"{kernel}_levels{bits}({call}, {prefix}_levels, {base_name}, {levels.count}, y, {problem.output.padded});"
        )
    return LayerCode(
        statements=(statement,),
        comment=problem.summary(),
        includes=(header,),
        constants=tuple(constants),
        per_sample=False,
        fills_padding=spread,
        kernel=name,
    )


def dot_product_cost(problem: DenseProblem, bytes_per_weight: float, work: float) -> float:
    """Nanoseconds at batch 1, about, on a processor with 512-bit vectors."""
    vectors = vector_count(problem.outputs)
    steps = vectors * -(-problem.inputs // 4)
    return 0.25 * steps * work + steps * 64 * bytes_per_weight * 0.01
