"""Dense layers on packed bits, 32 outputs at once. The C is `firmware_stubs/c/edgeml/bits_columns.h`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.targets.c import ConstantArray, LayerCode
from edgeml.targets.c.dense_kernels.bits import BitsKernel, BitsProblem, ternary_parts

from .segments import padded_to

__all__ = ["BitsColumnsKernel"]

_BLOCK = 32
_LOW_PLANES, _MOST_PLANES = 5, 16
_MOST_LEVELS = 15

_PAIRS = np.array([8 * j + 2 * q for q in range(4) for j in range(4)])
"""The first bit of each pair of a word, in the order in which the C takes them."""
_PLACE = 8 * (np.arange(_BLOCK) % 4) + np.arange(_BLOCK) // 4
"""The bit of each output of a block."""

Planes = npt.NDArray[np.uint32]


class BitsColumnsKernel(BitsKernel):
    """Tables of inputs, carry-save adders: a bit of a word for each output.

    Parameters
    ----------
    pairs : whether two inputs find one entry, for 4 bits of flash a weight instead of 2.
    """

    def __init__(self, pairs: bool) -> None:
        self._pairs = pairs

    @property
    def name(self) -> str:  # type: ignore[override]
        """As reported to the user."""
        return "bits_pairs" if self._pairs else "bits_single"

    def applies(self, problem: BitsProblem) -> bool:
        """Weights of −2 … 2; at most 65,534 of them on an output; at most 15 thresholds, and those in uint8_t."""
        parts = ternary_parts(problem.bits.weight)
        if parts is None or (problem.thresholds is not None and problem.thresholds.shape[1] > _MOST_LEVELS):
            return False
        return _planes(problem) <= _MOST_PLANES

    def emit(self, problem: BitsProblem) -> LayerCode:
        bits, prefix = problem.bits, problem.prefix
        parts = ternary_parts(bits.weight)
        assert parts is not None
        blocks, planes = -(-problem.outputs // _BLOCK), _planes(problem)
        rows = [_padded(part) for part in parts]
        # A weight below zero counts where its input is 0: so many too many.
        start = problem.bias - sum(np.count_nonzero(part < 0, axis=1) for part in parts)
        table = f"{prefix}_table"
        words = np.stack([(_pairs if self._pairs else _singles)(row) for row in rows], axis=1)  # [blocks][times] …
        entries = "[16 pairs][4 values][ones, twos]" if self._pairs else "[32 inputs][2 values]"
        layout = f"[{blocks} blocks][{len(parts) * bits.words} words of bits]{entries}"
        constants = [*bits.constants, ConstantArray(table, "uint32_t", words, layout)]
        place = f"{bits.place}, {bits.words}, {len(parts)}"
        count = f"table = edgeml_{self.name.replace('_', '_count_')}({place}, table, {planes}, counts);"
        left = problem.outputs if problem.thresholds is None else problem.output.padded // 4
        most = _BLOCK if problem.thresholds is None else _BLOCK // 4
        before: tuple[str, ...] = ()
        if problem.thresholds is None:
            name = f"{prefix}_start"
            constants.append(ConstantArray(name, "int32_t", start, "bias less the number of weights below zero"))
            after = f"edgeml_bits_sums(counts, {planes}, {name} + first, count, y + first);"
        else:
            levels = _levels(problem.thresholds, start, planes, blocks, _largest(problem))
            name, three = f"{prefix}_levels", levels.shape[-1] == 3
            order = f"[{planes} planes][3]" if three else f"[{levels.shape[1]}][{planes} planes]"
            constants.append(ConstantArray(name, "uint32_t", levels, f"thresholds [{blocks} blocks]{order}"))
            before = (f"const uint32_t *level = {name};",)
            kernel, many = ("three", "") if three else ("many", f"{levels.shape[1]}, ")
            after = f"level = edgeml_bits_{kernel}(counts, {planes}, level, {many}count, y + first);"
        rest = f"{left}u - first" if most == _BLOCK else f"{left}u - first / 4u"
        return LayerCode(
            statements=(
                *bits.statements,
                f"const uint32_t *table = {table};",
                *before,
                f"for (uint32_t first = 0; first < {problem.outputs}u; first += {_BLOCK}u) {{",
                f"    uint32_t counts[{planes}];",
                f"    const uint32_t count = {rest} < {most}u ? {rest} : {most}u;",
                f"    {count}",
                f"    {after}",
                "}",
            ),
            comment=problem.title,
            includes=("bits_columns.h",),
            constants=tuple(constants),
            scratch_bytes=bits.scratch_bytes,
            fills_padding=problem.thresholds is not None and blocks * _BLOCK >= problem.output.padded,
            kernel=self.name,
        )


def _largest(problem: BitsProblem) -> int:
    """The largest count of any output."""
    return int(np.abs(problem.bits.weight).sum(axis=1).max())


def _planes(problem: BitsProblem) -> int:
    """Bits of a count, and of a threshold that no count reaches."""
    return max(_LOW_PLANES, (_largest(problem) + 1).bit_length())


def _padded(weight: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Weights [blocks, 32, bits], of outputs that are none 0."""
    outputs, bits = weight.shape
    whole = np.zeros((padded_to(outputs, _BLOCK), bits), np.int64)
    whole[:outputs] = weight
    return whole.reshape(-1, _BLOCK, bits)


def _as_words(bits: npt.NDArray[np.int64]) -> Planes:
    """[32 outputs, …] of 0 and 1 as one word each."""
    place = _PLACE.reshape(-1, *(1,) * (bits.ndim - 1))
    return np.asarray((bits << place).sum(axis=0), np.uint32)


def _pairs(weight: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """Of weights [blocks, 32, bits]: words [blocks, bits / 32, 16 pairs, 4 values, 2]."""
    blocks, _, bits = weight.shape
    pairs = weight.reshape(blocks, _BLOCK, bits // 32, 32)
    value = np.arange(4)
    counts: npt.NDArray[np.int64] = np.zeros(1, np.int64)
    for which in (0, 1):
        x = (value >> which & 1)[:, None, None, None, None]
        w = pairs[..., _PAIRS + which]
        counts = counts + np.where(w > 0, x, 0) + np.where(w < 0, 1 - x, 0)
    planes = np.stack([counts & 1, counts >> 1])  # [2, 4, blocks, 32, words, 16]
    return _as_words(planes.transpose(3, 2, 4, 5, 1, 0))


def _singles(weight: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """Of weights [blocks, 32, bits]: words [blocks, bits / 32, 32 inputs, 2 values]."""
    blocks, _, bits = weight.shape
    order = (_PAIRS[:, None] + np.arange(2)).ravel()
    inputs = weight.reshape(blocks, _BLOCK, bits // 32, 32)[..., order]
    values = np.stack([inputs < 0, inputs > 0], axis=-1).astype(np.int64)
    return _as_words(values.transpose(1, 0, 2, 3, 4))


def _levels(
    thresholds: npt.NDArray[np.int32], start: npt.NDArray[np.int64], planes: int, blocks: int, largest: int
) -> npt.NDArray[np.uint32]:
    """The planes of the counts from which on the thresholds are reached: [blocks, planes, 3], or for more than three
    [blocks, levels, planes]. 0 is reached by all, largest + 1 by none."""
    outputs, levels = thresholds.shape
    count = max(3, levels)
    at = np.full((blocks * _BLOCK, count), largest + 1, np.int64)
    at[:outputs, :levels] = np.clip(thresholds.astype(np.int64) - start[:, None], 0, largest + 1)
    bits = at.reshape(blocks, _BLOCK, count, 1) >> np.arange(planes) & 1
    words = _as_words(bits.transpose(1, 0, 2, 3))  # [blocks, levels, planes]
    return words.transpose(0, 2, 1) if count == 3 else words
