"""4- and 8-bit weights on cores with SMLAD, by nested masks of a word. The C is `dense_w4_dsp.h` and `dense_w8_dsp.h`
in `firmware_stubs/c/edgeml`."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.targets.c import ConstantArray, LayerCode
from edgeml.targets.c.dense_kernels.kernel import DenseKernel, DenseProblem

from .begin import begin
from .dsp_pairs import widened_order
from .segments import GROUP, padded_to, widest_segment
from .unpacked import nested_meaning

__all__ = ["W4DspKernel", "W8DspKernel"]

_BLOCK = 4


@lru_cache(maxsize=256)
def _segment(problem: DenseProblem, fields: tuple[int, ...]) -> int | None:
    bits = np.resize(np.array(fields, np.int64), problem.outputs)
    found = widest_segment(
        problem.weight,
        problem.input.stored_low,
        problem.input.stored_high,
        bits,
        np.zeros(problem.outputs, np.bool_),
    )
    return found[0] if found else None


class _NestedKernel(DenseKernel):
    """Common to both: blocks of four outputs, inputs as 16-bit pairs."""

    bits: ClassVar[int]
    fields: ClassVar[tuple[int, ...]]
    """Bits that the sum of each output of a block may take."""

    def applies(self, problem: DenseProblem) -> bool:
        """8-bit inputs, weights that fit, and at least one group of inputs fits the fields."""
        limit = 1 << (self.bits - 1)
        fits = int(problem.weight.min()) >= -limit and int(problem.weight.max()) < limit
        if not fits or problem.thresholds is not None or problem.input.ctype != "uint8_t" or not problem.fits_int32:
            return False
        return _segment(problem, self.fields) is not None

    def emit(self, problem: DenseProblem) -> LayerCode:
        length = _segment(problem, self.fields)
        assert length is not None
        inputs, outputs = padded_to(problem.inputs, GROUP), padded_to(problem.outputs, _BLOCK)
        start = begin(problem.prefix, problem.bias, outputs)
        padded = np.zeros((outputs, inputs), np.int64)
        padded[: problem.outputs, : problem.inputs] = problem.weight
        padded = padded[:, widened_order(inputs)]
        words = np.concatenate([self._packed(padded[:, i : i + length]) for i in range(0, inputs, length)])
        weight, kernel = f"{problem.prefix}_weight", f"edgeml_dense_{self.name}"
        return LayerCode(
            statements=(
                *start.statements,
                f"{kernel}(x, {weight}, {start.argument}, {inputs}, {length}, {outputs // _BLOCK}, y, scratch);",
            ),
            comment=problem.summary(),
            includes=(*start.includes, f"dense_{self.name}.h"),
            constants=(
                ConstantArray(weight, "uint32_t", words, f"{4 * 8 // self.bits} weights a word"),
                *start.constants,
            ),
            scratch_bytes=2 * min(length, inputs),
            fills_padding=problem.output.padded == outputs,
            kernel=self.name,
            small=True,
            meaning=nested_meaning(problem, start, inputs, length, self.bits, self.fields[: 16 // self.bits]),
        )

    def _packed(self, weight: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
        raise NotImplementedError


class W4DspKernel(_NestedKernel):
    """Four outputs and two inputs in a word."""

    name = "w4_dsp"
    bits = 4
    fields = (32, 28, 24, 20)

    def _packed(self, weight: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
        outputs, inputs = weight.shape
        shaped = weight.reshape(outputs // 4, 4, inputs // 2, 2)
        codes = (shaped + np.array([8, 8, 8, 0])[:, None, None]) & 15
        place = (4 * np.arange(4))[:, None, None] + 16 * np.arange(2)
        words: npt.NDArray[np.uint32] = (codes << place).sum(axis=(1, 3)).astype(np.uint32)
        return words.ravel()


class W8DspKernel(_NestedKernel):
    """Two outputs and two inputs in a word."""

    name = "w8_dsp"
    bits = 8
    fields = (32, 24)

    def _packed(self, weight: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
        outputs, inputs = weight.shape
        shaped = weight.reshape(outputs // 4, 2, 2, inputs // 2, 2)  # block, outputs' pair, a or b, inputs' pair, half
        codes = (shaped + np.array([128, 0])[:, None, None]) & 255
        place = (8 * np.arange(2))[:, None, None] + 16 * np.arange(2)
        # block, pair of outputs, pair of inputs
        words: npt.NDArray[np.uint32] = (codes << place).sum(axis=(2, 4)).astype(np.uint32)
        return words.transpose(0, 2, 1).ravel()
