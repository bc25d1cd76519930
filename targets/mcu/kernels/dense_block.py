"""8-bit weights without SIMD, four outputs at a time. The C is `firmware_stubs/c/edgeml/dense_w8_block.h`."""

from __future__ import annotations

import numpy as np

from edgeml.targets.c import ConstantArray, LayerCode
from edgeml.targets.c.dense_kernels.kernel import DenseKernel, DenseProblem

from .begin import begin
from .segments import GROUP, padded_to
from .unpacked import block_meaning

__all__ = ["W8BlockKernel"]

_BLOCK = 4


class W8BlockKernel(DenseKernel):
    """Weights of up to 8 bits, a byte each."""

    name = "w8_block"

    def applies(self, problem: DenseProblem) -> bool:
        """8-bit inputs; the sum of an output fits 32 bits."""
        return problem.thresholds is None and problem.input.ctype == "uint8_t" and problem.fits_int32

    def emit(self, problem: DenseProblem) -> LayerCode:
        inputs, outputs = padded_to(problem.inputs, GROUP), padded_to(problem.outputs, _BLOCK)
        start = begin(problem.prefix, problem.bias, outputs)
        codes = np.full((outputs, inputs), 128, np.int64)
        codes[: problem.outputs, : problem.inputs] += problem.weight
        words = (codes.reshape(-1, _BLOCK, inputs) << 8 * np.arange(_BLOCK)[:, None]).sum(axis=1).astype(np.uint32)
        weight = f"{problem.prefix}_weight"
        layout = f"codes w + 128, [{outputs // _BLOCK} blocks][{inputs} inputs][{_BLOCK} outputs]"
        return LayerCode(
            statements=(
                *start.statements,
                f"edgeml_dense_w8_block(x, {weight}, {start.argument}, {inputs}, {outputs // _BLOCK}, y);",
            ),
            comment=problem.summary(),
            includes=(*start.includes, "dense_w8_block.h"),
            constants=(
                ConstantArray(weight, "uint32_t", words, layout),
                *start.constants,
            ),
            fills_padding=problem.output.padded == outputs,
            kernel=self.name,
            small=True,
            meaning=block_meaning(problem, start, inputs),
        )
