"""One row of 8-bit weights for each output: the kernel that always applies."""

from __future__ import annotations

from ..arrays import ConstantArray
from ..layer_code import LayerCode
from ..stored.meaning import WEIGHTS, Arrays, Ints, Meaning, Part
from ..stored.sums import nested
from .kernel import DenseKernel, DenseProblem

__all__ = ["RowsKernel"]


class RowsKernel(DenseKernel):
    """Plain C for inputs of any type, one byte a weight; sums in 64 bits where 32 might not hold a partial sum."""

    name = "rows"

    def applies(self, problem: DenseProblem) -> bool:
        return problem.thresholds is None

    def cost(self, problem: DenseProblem) -> float:
        return 1.0 * problem.inputs * problem.outputs

    def emit(self, problem: DenseProblem) -> LayerCode:
        narrow = problem.fits_int32
        suffix = {"uint8_t": "u8", "int16_t": "s16", "int32_t": "s32"}[problem.input.ctype]
        weight, bias = f"{problem.prefix}_weight", f"{problem.prefix}_bias"
        kernel = f"edgeml_dense_rows_{suffix}" + ("" if narrow else "_wide")
        return LayerCode(
            statements=(f"{kernel}(x, {weight}, {bias}, {problem.inputs}, {problem.outputs}, y);",),
            comment=problem.summary(),
            includes=("dense_rows.h",),
            constants=(
                ConstantArray(
                    weight, "int8_t", problem.weight, f"[{problem.outputs} outputs][{problem.inputs} inputs]"
                ),
                ConstantArray(
                    bias, "int32_t" if narrow else "int64_t", problem.bias, "bias, offsets of the input folded in"
                ),
            ),
            kernel=self.name,
            meaning=_meaning(problem, weight, bias),
        )


def _meaning(problem: DenseProblem, weight: str, bias: str) -> Meaning:
    """Sums modulo 2^32, whichever way they are added up."""

    def rows(arrays: Arrays) -> Ints:
        return arrays[weight].reshape(problem.outputs, problem.inputs)

    def evaluate(arrays: Arrays, x: Ints) -> Ints:
        return nested(x, [(0, problem.inputs, rows(arrays))], (64,), arrays[bias])

    def decoded(arrays: Arrays) -> dict[str, Ints]:
        return {"weight": rows(arrays), "bias": arrays[bias]}

    return Meaning(evaluate, (Part(weight, WEIGHTS), Part(bias, WEIGHTS)), decoded)
