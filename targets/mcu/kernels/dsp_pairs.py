"""2-bit weights on cores with SMLAD. The C is `firmware_stubs/c/edgeml/dense_w2_dsp.h`."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edgeml.targets.c import ConstantArray, LayerCode
from edgeml.targets.c.dense_kernels.kernel import DenseKernel, DenseProblem
from edgeml.targets.c.tensor import Tensor

from .begin import begin
from .segments import GROUP, padded_to, widest_segment
from .unpacked import Reader, pairs_meaning, read_pairs

__all__ = ["LOW_FIELD", "W2DspKernel", "fitting_segment", "packed_weights", "pairs_code", "widened_order"]

_BLOCK = 8
LOW_FIELD, _HIGH_FIELD = 14, 18


def widened_order(inputs: int) -> npt.NDArray[np.int64]:
    """The input at each place of what `edgeml_widen_u8` writes: 0 2 1 3, 4 6 5 7, …"""
    return np.arange(inputs).reshape(-1, 4)[:, [0, 2, 1, 3]].ravel()


@lru_cache(maxsize=256)
def _segment(problem: DenseProblem) -> tuple[int, int] | None:
    return fitting_segment(problem.weight, problem.input)


def fitting_segment(weight: npt.NDArray[np.int32], x: Tensor) -> tuple[int, int] | None:
    """The longest segment of inputs whose sums fit the fields, outputs by turns in the lower and the upper one, and the
    shift of the lower ones."""
    low = np.arange(len(weight)) % 2 == 0
    return widest_segment(
        weight,
        x.stored_low,
        x.stored_high,
        np.where(low, LOW_FIELD, _HIGH_FIELD).astype(np.int64),
        low,
    )


class W2DspKernel(DenseKernel):
    """Two outputs and two inputs for each SMLAD."""

    name = "w2_dsp"

    def applies(self, problem: DenseProblem) -> bool:
        """8-bit inputs, weights −2 … 1; at least one group of inputs fits the fields."""
        fits = int(problem.weight.min()) >= -2 and int(problem.weight.max()) <= 1
        if not fits or problem.thresholds is not None or problem.input.ctype != "uint8_t" or not problem.fits_int32:
            return False
        return _segment(problem) is not None

    def emit(self, problem: DenseProblem) -> LayerCode:
        found = _segment(problem)
        assert found is not None
        length, shift = found
        inputs, outputs = padded_to(problem.inputs, GROUP), padded_to(problem.outputs, _BLOCK)
        words = packed_weights(problem.weight, inputs, outputs, length)
        shift, reader = shift + (1 << (LOW_FIELD - 1)), read_pairs(2, LOW_FIELD)
        return pairs_code(problem, self.name, "w2_dsp", "w + 2 and w", words, length, shift, reader, LOW_FIELD)


def pairs_code(
    problem: DenseProblem,
    kernel: str,
    function: str,
    offset: str,
    words: npt.NDArray[np.uint32],
    length: int,
    shift: int,
    reader: Reader,
    field: int,
) -> LayerCode:
    """A layer of which each product holds two outputs, by the kernel `function` of the header `dense_FUNCTION.h`.

    Parameters
    ----------
    offset : what the weights of the two outputs are in a word. words : packed weights.
    length : inputs of a segment, behind which fields are taken apart.
    shift : how far the low field of a segment lies up, so that it is read as unsigned: what is left over it needs no
        borrow.
    reader, field : what reads the words back, and bits of the lower field.
    """
    inputs, outputs = padded_to(problem.inputs, GROUP), padded_to(problem.outputs, _BLOCK)
    taken = -(-(-inputs // length) * shift)
    start = begin(problem.prefix, problem.bias, outputs, taken, 0, " and shifts of the fields")
    weight, call = f"{problem.prefix}_weight", f"edgeml_dense_{function}("
    return LayerCode(
        statements=(
            *start.statements,
            f"{call}x, {weight}, {start.argument}, {inputs}, {length}, {outputs // _BLOCK},",
            f"{'':{len(call)}}{shift}, y, scratch);",
        ),
        comment=problem.summary(),
        includes=(*start.includes, f"dense_{function}.h"),
        constants=(
            ConstantArray(weight, "uint32_t", words, f"pairs of outputs: {offset}; segments of {length} inputs"),
            *start.constants,
        ),
        scratch_bytes=2 * min(length, inputs),
        fills_padding=problem.output.padded == outputs,
        kernel=kernel,
        small=True,
        meaning=pairs_meaning(problem, start, inputs, length, shift, reader, field, len(words) / inputs / outputs * 2),
    )


def packed_weights(weight: npt.NDArray[np.int32], inputs: int, outputs: int, length: int) -> npt.NDArray[np.uint32]:
    """Words [segments][blocks of 8 outputs][groups of 8 inputs][4 pairs of outputs]."""
    padded = np.zeros((outputs, inputs), np.int64)
    padded[: weight.shape[0], : weight.shape[1]] = weight
    padded = padded[:, widened_order(inputs)]
    place = 4 * np.arange(4)[:, None] + 16 * np.arange(2)[None, :]  # first bit of turn k, half h
    parts = []
    for start in range(0, inputs, length):
        part = padded[:, start : start + length]
        shaped = part.reshape(outputs // _BLOCK, 4, 2, part.shape[1] // 8, 4, 2).astype(np.uint64)
        low = (shaped[:, :, 0] + np.uint64(2)) << (place % 32).astype(np.uint64)
        high = (shaped[:, :, 1] & np.uint64(3)) << ((place + 14) % 32).astype(np.uint64)
        words = (low + high).sum(axis=(3, 4), dtype=np.uint64)
        parts.append(words.transpose(0, 2, 1).ravel())
    return np.concatenate(parts).astype(np.uint32)
