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
from .unpacked import levels_meaning, pairs_meaning, read_pairs, read_words

__all__ = ["W2LevelsKernel", "W2WordsKernel"]

_BLOCK, _WORD, _MOST_LEVELS = 8, 4, 3
_HALF = 16
"""Bits of a half of a word."""


class W2LevelsKernel(DenseKernel):
    """Packed weights, and at most three thresholds behind them."""

    name = "w2_levels"
    wide = False

    def applies(self, problem: DenseProblem) -> bool:
        """As `w2_dsp`, in one segment, with thresholds; sums without the bias fit the halves of a word, none is above 0
        at its smallest, as it may be where channels have ranges of their own, and of four outputs each those of the
        first two, or of the last two, fit the lower field."""
        if problem.thresholds is None or not 1 <= problem.thresholds.shape[1] <= _MOST_LEVELS:
            return False
        low, high = _sums(problem, 0), _sums(problem, 1)
        if (
            not _is_two_bit(problem)
            or int(high.max()) >= 2**15 - 1
            or not -(2**15) <= int(low.min()) <= int(low.max()) <= 0
        ):
            return False
        return bool(_widths(problem).min(axis=1).max() < 1 << LOW_FIELD)

    def emit(self, problem: DenseProblem) -> LayerCode:
        order, rotated = _order(problem)
        inputs, outputs = padded_to(problem.inputs, GROUP), padded_to(problem.outputs, _BLOCK)
        pack = _words if self.wide else packed_weights
        weight = _padded(problem.weight, outputs)[order].astype(np.int32)
        words = pack(weight, inputs, outputs, inputs).reshape(outputs // _BLOCK, -1)
        starts, levels = _fields(problem, order)
        name = f"{problem.prefix}_weight"
        kind = "words of two inputs and two outputs" if self.wide else "pairs of outputs: w + 2 and w"
        blocks = np.concatenate([starts, words, levels, rotated], axis=1)
        function = "edgeml_dense_w2_words_and_levels" if self.wide else "edgeml_dense_w2_levels"
        layout = f"{kind}; around each block 4 starts, 12 words of thresholds, rotations"
        return LayerCode(
            statements=(f"{function}(x, {name}, {inputs}, {outputs // _BLOCK}, y, scratch);",),
            comment=problem.summary(),
            includes=("dense_w2_levels.h",),
            constants=(ConstantArray(name, "uint32_t", blocks, layout),),
            scratch_bytes=2 * inputs,
            fills_padding=problem.output.padded == outputs,
            kernel=self.name,
            small=True,
            meaning=levels_meaning(name, inputs, blocks.shape, read_words if self.wide else read_pairs(2, LOW_FIELD)),
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
            meaning=pairs_meaning(problem, start, inputs, length, shift, read_words, LOW_FIELD, 1 / 2),
        )


def _is_two_bit(problem: DenseProblem) -> bool:
    weight = problem.weight
    return int(weight.min()) >= -2 and int(weight.max()) <= 1 and problem.input.ctype == "uint8_t"


def _sums(problem: DenseProblem, end: int) -> npt.NDArray[np.int64]:
    """The smallest or largest sums without bias [outputs]."""
    return np.asarray((problem.low, problem.high)[end] - problem.bias, np.int64)


def _padded(rows: npt.NDArray[np.integer], outputs: int) -> npt.NDArray[np.int64]:
    """Rows [outputs, …], zeros behind them."""
    padded = np.zeros((outputs, *rows.shape[1:]), np.int64)
    padded[: len(rows)] = rows
    return padded


def _widths(problem: DenseProblem) -> npt.NDArray[np.int64]:
    """The widest range of sums of each word's first two outputs, and of its last two: [words, 2]."""
    widths = _padded(problem.high - problem.low, padded_to(problem.outputs, _BLOCK))
    return np.asarray(widths.reshape(-1, 2, _WORD // 2).max(axis=2), np.int64)


def _order(problem: DenseProblem) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The outputs as the accumulators hold them, two for each, the one in the lower field first, and how far the
    results of a block's two words are rotated then, a byte each, [blocks, 1]. Lower fields hold outputs 0 and 1 of a
    word, or 2 and 3."""
    lower = _widths(problem).argmin(axis=1)
    first, second = 2 * lower, 2 - 2 * lower
    places = np.stack([first, second, first + 1, second + 1], axis=1) + _WORD * np.arange(len(lower))[:, None]
    return places.ravel(), _HALF * (lower[0::2] | lower[1::2] << 8)[:, None]


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


def _fields(problem: DenseProblem, order: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """What the four accumulators of a block start with, so that the smallest sum of an output in a lower field is 0
    there, as halves of two words; and the thresholds [blocks, 4 pairs · 3] as words of two: of outputs in lower fields
    as the field holds them, of the others as they are. One beyond a channel's sums stands one beyond them; of outputs
    that are none, nothing is reached."""
    assert problem.thresholds is not None
    outputs, count = len(order), problem.outputs
    at = np.full((outputs, _MOST_LEVELS), 2**15 - 1, np.int64)
    low, beyond = _sums(problem, 0)[:, None], _sums(problem, 1)[:, None] + 1
    at[:count] = beyond
    at[:count, : problem.thresholds.shape[1]] = np.clip(
        problem.thresholds.astype(np.int64) - problem.bias[:, None], low, beyond
    )
    starts = -_padded(_sums(problem, 0), outputs)[order].reshape(-1, 4, 2)[:, :, 0]
    pairs = at[order].reshape(-1, 4, 2, _MOST_LEVELS)
    a, b = np.minimum(pairs[:, :, 0] + starts[:, :, None], 2**15 - 1), pairs[:, :, 1]
    words = (a & 0xFFFF) | (b & 0xFFFF) << _HALF
    return starts[:, 0::2] | starts[:, 1::2] << _HALF, words.reshape(outputs // _BLOCK, -1)
