"""Dense layers on packed bits where a processor counts the bits of a word. The C is
`firmware_stubs/c/edgeml/bits_rows.h`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..arrays import ConstantArray
from ..layer_code import LayerCode
from .bits import BitsKernel, BitsProblem, ternary_parts

__all__ = ["BitsRowsKernel"]

_ROWS = 8
_WORD = 64
_MOST_WORDS = 4095
"""Of so many words, times gone through, a lane of 16 bits holds the count: 16 in each."""


class BitsRowsKernel(BitsKernel):
    """Two masks for each output, 64 inputs at a time; thresholds are left to the stage behind."""

    name = "bits_rows"

    def applies(self, problem: BitsProblem) -> bool:
        """Weights of −2 … 2, at most 262,080 inputs or half as many, and no thresholds."""
        parts = ternary_parts(problem.bits.weight)
        if parts is None or problem.thresholds is not None or problem.output.padded % _ROWS:
            return False
        return len(parts) * -(-problem.bits.words // 2) <= _MOST_WORDS

    def emit(self, problem: BitsProblem) -> LayerCode:
        bits, prefix = problem.bits, problem.prefix
        parts = ternary_parts(bits.weight)
        assert parts is not None
        outputs = problem.outputs
        blocks, words = -(-outputs // _ROWS), -(-bits.words // 2)
        start = np.zeros(blocks * _ROWS, np.int64)
        start[:outputs] = problem.bias - sum(np.count_nonzero(part < 0, axis=1) for part in parts)
        masks = np.stack([_masks(part, blocks, words) for part in parts], axis=1)
        layout = f"[{blocks} blocks][{len(parts) * words} words][any, minus][{_ROWS} outputs][2 halves]"
        mask, first = f"{prefix}_masks", f"{prefix}_start"
        call = f"{bits.place}, {words}, {len(parts)}, {mask}, {first}, {blocks}, y"
        return LayerCode(
            statements=(*bits.statements, f"edgeml_bits_rows({call});"),
            comment=problem.title,
            includes=("bits_rows.h",),
            constants=(
                *bits.constants,
                ConstantArray(mask, "uint32_t", masks, layout),
                ConstantArray(first, "int32_t", start, "bias less the number of weights below zero"),
            ),
            scratch_bytes=bits.scratch_bytes,
            kernel=self.name,
        )


def _masks(weight: npt.NDArray[np.int64], blocks: int, words: int) -> npt.NDArray[np.uint32]:
    """Of weights −1, 0, 1 [outputs, bits]: words [blocks, words, 2, 8 outputs, 2 halves]."""
    whole = np.zeros((blocks * _ROWS, words * _WORD), np.int64)
    whole[: weight.shape[0], : weight.shape[1]] = weight
    split = whole.reshape(blocks, _ROWS, words, 2, _WORD // 2)
    planes = np.stack([split != 0, split < 0])  # [2, blocks, 8, words, halves, 32]
    halves = (planes.astype(np.int64) << np.arange(_WORD // 2)).sum(axis=-1)
    return np.asarray(halves.transpose(1, 3, 0, 2, 4), np.uint32)
