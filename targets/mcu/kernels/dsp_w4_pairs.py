"""4-bit weights on cores with SMLAD, where sums are small. The C is `firmware_stubs/c/edgeml/dense_w4_pairs.h`."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edgeml.targets.c import LayerCode
from edgeml.targets.c.dense_kernels.kernel import DenseKernel, DenseProblem

from .dsp_pairs import pairs_code, widened_order
from .segments import GROUP, padded_to, widest_segment
from .unpacked import read_pairs

__all__ = ["W4PairsKernel"]

_BLOCK = 8
_LOW_FIELD, _HIGH_FIELD = 12, 20
_OFFSET = 8


@lru_cache(maxsize=256)
def _segment(problem: DenseProblem) -> tuple[int, int] | None:
    low = np.arange(problem.outputs) % 2 == 0
    bits = np.where(low, _LOW_FIELD, _HIGH_FIELD).astype(np.int64)
    return widest_segment(problem.weight, problem.input.stored_low, problem.input.stored_high, bits, low)


class W4PairsKernel(DenseKernel):
    """Two outputs and two inputs for each SMLAD."""

    name = "w4_pairs"

    def applies(self, problem: DenseProblem) -> bool:
        """8-bit inputs, weights −8 … 7; at least one group of inputs fits the fields."""
        fits = int(problem.weight.min()) >= -_OFFSET and int(problem.weight.max()) < _OFFSET
        if not fits or problem.thresholds is not None or problem.input.ctype != "uint8_t" or not problem.fits_int32:
            return False
        return _segment(problem) is not None

    def emit(self, problem: DenseProblem) -> LayerCode:
        found = _segment(problem)
        assert found is not None
        length, shift = found
        inputs, outputs = padded_to(problem.inputs, GROUP), padded_to(problem.outputs, _BLOCK)
        words = _packed(problem.weight, inputs, outputs, length)
        shift += 1 << (_LOW_FIELD - 1)
        reader = read_pairs(4, _LOW_FIELD)
        return pairs_code(problem, self.name, "w4_pairs", "w + 8 and w", words, length, shift, reader, _LOW_FIELD)


def _packed(weight: npt.NDArray[np.int32], inputs: int, outputs: int, length: int) -> npt.NDArray[np.uint32]:
    """Words [segments][blocks of 8 outputs][groups of 8 inputs][4 pairs of outputs][2 words of 4 inputs]."""
    padded = np.zeros((outputs, inputs), np.int64)
    padded[: weight.shape[0], : weight.shape[1]] = weight
    padded = padded[:, widened_order(inputs)]
    place = 8 * np.arange(2)[:, None] + 16 * np.arange(2)[None, :]  # first bit of turn k, half h
    parts = []
    for start in range(0, inputs, length):
        part = padded[:, start : start + length]
        # [blocks, pairs, a or b, groups, words, turns, halves]
        shaped = part.reshape(outputs // _BLOCK, 4, 2, part.shape[1] // GROUP, 2, 2, 2).astype(np.uint64)
        low = (shaped[:, :, 0] + np.uint64(_OFFSET)) << (place % 32).astype(np.uint64)
        high = (shaped[:, :, 1] & np.uint64(15)) << ((place + _LOW_FIELD) % 32).astype(np.uint64)
        words = (low + high).sum(axis=(4, 5), dtype=np.uint64)  # [blocks, pairs, groups, words]
        parts.append(words.transpose(0, 2, 1, 3).ravel())
    return np.concatenate(parts).astype(np.uint32)
