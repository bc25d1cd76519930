"""2-bit weights on cores with SMLAD, as words that need no unpacking or with the thresholds behind them. The C is
`firmware_stubs/c/edgeml/dense_w2_levels.h`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.targets.c import ConstantArray, LayerCode
from edgeml.targets.c.dense_kernels.kernel import DenseKernel, DenseProblem

from .begin import begin
from .dsp_pairs import LOW_FIELD, W2DspKernel, fitting_segment, packed_weights, widened_order
from .segments import GROUP, padded_to

__all__ = ["W2LevelsKernel", "W2WordsKernel"]

_BLOCK, _MOST_LEVELS = 8, 3
_ORDER = np.array([0, 2, 1, 3, 4, 6, 5, 7])
"""Outputs of a block as the accumulators hold them: of a word of four results the first and third, then the others."""


class W2LevelsKernel(DenseKernel):
    """Packed weights, and at most three thresholds behind them."""

    name = "w2_levels"
    wide = False

    def applies(self, problem: DenseProblem) -> bool:
        """As `w2_dsp`, in one segment, with thresholds; sums without the bias fit the halves of a word."""
        if problem.thresholds is None or not 1 <= problem.thresholds.shape[1] <= _MOST_LEVELS:
            return False
        if not _is_two_bit(problem) or max(_sums(problem, 1)) >= 2**15 - 1 or min(_sums(problem, 0)) < -(2**15):
            return False
        found = fitting_segment(_ordered(problem), problem.input)
        return found is not None and found[0] >= problem.inputs

    def emit(self, problem: DenseProblem) -> LayerCode:
        weight = _ordered(problem)
        found = fitting_segment(weight, problem.input)
        assert found is not None
        shift = found[1] + (1 << (LOW_FIELD - 1))
        inputs, outputs = padded_to(problem.inputs, GROUP), padded_to(problem.outputs, _BLOCK)
        pack = _words if self.wide else packed_weights
        words = pack(weight, inputs, outputs, inputs).reshape(outputs // _BLOCK, -1)
        name = f"{problem.prefix}_weight"
        kind = "words of two inputs and two outputs" if self.wide else "pairs of outputs: w + 2 and w"
        blocks = np.concatenate([words, _levels(problem, shift, outputs)], axis=1)
        function = "edgeml_dense_w2_words_and_levels" if self.wide else "edgeml_dense_w2_levels"
        return LayerCode(
            statements=(f"{function}(x, {name}, {inputs}, {outputs // _BLOCK}, {shift}, y, scratch);",),
            comment=problem.summary(),
            includes=("dense_w2_levels.h",),
            constants=(ConstantArray(name, "uint32_t", blocks, f"{kind}; 12 words of thresholds behind each block"),),
            scratch_bytes=2 * inputs,
            fills_padding=problem.output.padded == outputs,
            kernel=self.name,
            small=True,
        )


class W2WordsKernel(W2LevelsKernel):
    """Weights as the words that SMLAD takes: half the instructions of packed ones for four times their flash."""

    name = "w2_words"
    wide = True

    def applies(self, problem: DenseProblem) -> bool:
        """As `w2_dsp`, or with thresholds as `w2_levels`."""
        return W2DspKernel().applies(problem) if problem.thresholds is None else super().applies(problem)

    def emit(self, problem: DenseProblem) -> LayerCode:
        if problem.thresholds is not None:
            return super().emit(problem)
        found = fitting_segment(problem.weight, problem.input)
        assert found is not None
        length, shift = found[0], found[1] + (1 << (LOW_FIELD - 1))
        inputs, outputs = padded_to(problem.inputs, GROUP), padded_to(problem.outputs, _BLOCK)
        start = begin(problem.prefix, problem.bias, outputs, -(-(-inputs // length) * shift), 0, " and shifts")
        name = f"{problem.prefix}_weight"
        words = _words(problem.weight, inputs, outputs, length)
        sizes = f"{inputs}, {length}, {outputs // _BLOCK}, {shift}"
        return LayerCode(
            statements=(
                *start.statements,
                f"edgeml_dense_w2_words(x, {name}, {start.argument}, {sizes}, y, scratch);",
            ),
            comment=problem.summary(),
            includes=(*start.includes, "dense_w2_levels.h"),
            constants=(
                ConstantArray(name, "uint32_t", words, f"words of two inputs and two outputs; segments of {length}"),
                *start.constants,
            ),
            scratch_bytes=2 * min(length, inputs),
            fills_padding=problem.output.padded == outputs,
            kernel=self.name,
            small=True,
        )


def _is_two_bit(problem: DenseProblem) -> bool:
    weight = problem.weight
    return int(weight.min()) >= -2 and int(weight.max()) <= 1 and problem.input.ctype == "uint8_t"


def _sums(problem: DenseProblem, end: int) -> npt.NDArray[np.int64]:
    """The smallest or largest sums without bias [outputs]."""
    return np.asarray((problem.low, problem.high)[end] - problem.bias, np.int64)


def _by_blocks(rows: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Rows [outputs, …] as whole blocks in the order of the accumulators."""
    outputs = padded_to(len(rows), _BLOCK)
    padded = np.zeros((outputs, *rows.shape[1:]), np.int64)
    padded[: len(rows)] = rows
    return padded.reshape(-1, _BLOCK, *rows.shape[1:])[:, _ORDER].reshape(padded.shape)


def _ordered(problem: DenseProblem) -> npt.NDArray[np.int32]:
    return _by_blocks(problem.weight).astype(np.int32)


def _words(weight: npt.NDArray[np.int32], inputs: int, outputs: int, length: int) -> npt.NDArray[np.uint32]:
    """Words [segments][blocks of 8 outputs][groups of 8 inputs][4 pairs of outputs][4 pairs of inputs]."""
    padded = np.zeros((outputs, inputs), np.int64)
    padded[: weight.shape[0], : weight.shape[1]] = weight
    padded = padded[:, widened_order(inputs)]
    parts = []
    for start in range(0, inputs, length):
        part = padded[:, start : start + length]
        shaped = part.reshape(outputs // _BLOCK, 4, 2, part.shape[1] // 8, 4, 2)
        halves = (shaped[:, :, 0] + 2 + (shaped[:, :, 1] << LOW_FIELD)) & 0xFFFF
        words = halves[..., 0] | halves[..., 1] << 16
        parts.append(words.transpose(0, 2, 1, 3).ravel())
    return np.concatenate(parts).astype(np.uint32)


def _levels(problem: DenseProblem, shift: int, outputs: int) -> npt.NDArray[np.uint32]:
    """The thresholds [blocks, 4 pairs · 3] as words of two: of outputs a as the field holds sums, of outputs b as they
    are. One beyond a channel's sums stands one beyond them; of outputs that are none, nothing is reached."""
    assert problem.thresholds is not None
    at = np.full((outputs, _MOST_LEVELS), 2**15 - 1, np.int64)
    count = problem.outputs
    low, beyond = _sums(problem, 0)[:, None], _sums(problem, 1)[:, None] + 1
    at[:count] = beyond
    at[:count, : problem.thresholds.shape[1]] = np.clip(
        problem.thresholds.astype(np.int64) - problem.bias[:, None], low, beyond
    )
    pairs = _by_blocks(at).reshape(-1, 4, 2, _MOST_LEVELS)
    a, b = np.minimum(pairs[:, :, 0] + shift, 2**15 - 1), pairs[:, :, 1]
    words: npt.NDArray[np.uint32] = ((a & 0xFFFF) | (b & 0xFFFF) << 16).astype(np.uint32)
    return words.reshape(outputs // _BLOCK, -1)
