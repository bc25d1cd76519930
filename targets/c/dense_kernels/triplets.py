"""Tables of sums of three products: 2-bit weights on inputs of up to 2 bits, with thresholds behind them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..arrays import ConstantArray
from ..layer_code import LayerCode
from .kernel import DenseKernel, DenseProblem
from .levels import HALVES, MOST_LEVELS, Levels, level_blocks, padded
from .quads import memory_cost

__all__ = ["TripletsKernel"]

_CHUNK = 192
_BLOCK = 64


def input_groups(inputs: int) -> npt.NDArray[np.int64]:
    """The three inputs of each group, [groups, 3]; numbers from `inputs` on stand for none. See
    `edgeml/dense_triplets.h`."""
    parts = []
    for first in range(0, inputs, _CHUNK):
        left = min(_CHUNK, inputs - first)
        stride = 64 if left > 128 else -(-left // 3)
        members = first + np.arange(stride)[:, None] + stride * np.arange(3)
        parts.append(np.where(members < first + left, members, inputs))
    return np.concatenate(parts)


def table(offset: int) -> npt.NDArray[np.int64]:
    """[64 codes of inputs, 64 codes of weights]: sum of three products and offsets, modulo 256."""
    digits = np.stack([np.arange(64) // 4**j % 4 for j in range(3)])
    products = ((digits[:, None, :] - 2) * digits[:, :, None]).sum(axis=0)
    return np.asarray((products + 3 * offset) % 256, np.int64)


class TripletsKernel(DenseKernel):
    """Three weights a byte; 192 products in one table look-up of 64 bytes."""

    name: ClassVar[str] = "triplets"

    def applies(self, problem: DenseProblem) -> bool:
        if problem.thresholds is None or problem.input.ctype != "uint8_t" or problem.padding % 64:
            return False
        if problem.input.largest > 3 or int(problem.weight.min()) < -2 or int(problem.weight.max()) > 1:
            return False
        levels = Levels.of(problem)
        near = problem.low - levels.centre, problem.high - levels.centre
        return levels.count <= MOST_LEVELS and int(near[0].min()) >= -(2**15) and int(near[1].max()) < 2**15

    def cost(self, problem: DenseProblem) -> float:
        groups, blocks = len(input_groups(problem.inputs)), -(-problem.outputs // _BLOCK)
        return 10.0 + 0.4 * groups * blocks + memory_cost(groups * blocks * 64)

    def emit(self, problem: DenseProblem) -> LayerCode:
        levels = Levels.of(problem)
        offset = 3 if int(problem.weight.min()) >= -1 else 6
        members = input_groups(problem.inputs)
        groups = len(members)
        rows = padded(problem.weight.astype(np.int64), _BLOCK, 0)
        blocks = len(rows) // _BLOCK
        weight = np.concatenate([rows, np.zeros((len(rows), 1), np.int64)], axis=1)[:, members]  # [rows, groups, 3]
        codes = ((weight + 2) * np.array([1, 4, 16])).sum(axis=2).reshape(blocks, _BLOCK, groups)
        start = padded(problem.bias - levels.centre, _BLOCK, 0) - 3 * offset * groups
        wrapped = (start + 2**15) % 2**16 - 2**15
        prefix, bits = problem.prefix, 8 if levels.fits(8) else 16
        table_name = f"edgeml_triplets_table{offset}"
        base = levels.base_array(prefix)
        constants = (
            ConstantArray(
                f"{prefix}_weight",
                "uint8_t",
                codes[:, byte_outputs()].transpose(0, 2, 1),
                f"[{blocks} blocks][{groups} groups][64 outputs], three weights + 2 in a byte",
            ),
            ConstantArray(
                f"{prefix}_start",
                "int16_t",
                wrapped.reshape(blocks, _BLOCK)[:, HALVES],
                "bias, input offset folded in, less the centre of the thresholds, less the table's offsets",
            ),
            ConstantArray(
                f"{prefix}_levels",
                f"int{bits}_t",
                level_blocks(levels, bits, halves=[bits == 16] * blocks),
                "thresholds less centre less 1: for each 64 outputs [levels][64]",
            ),
            *base,
            ConstantArray(
                table_name, "uint8_t", table(offset), "sums of three products: [inputs][weights]", shared=True
            ),
        )
        call = ", ".join(
            str(argument)
            for argument in (
                *("x", problem.input.padded, f"{prefix}_weight", table_name, f"{prefix}_start", problem.inputs),
                *(groups, longest_run(problem, members, offset), blocks, "samples", f"{prefix}_levels"),
                *(base[0].name if base else "NULL", levels.count, "y", problem.output.padded, "scratch"),
            )
        )
        return LayerCode(
            statements=(f"edgeml_dense_triplets_levels{bits}({call});",),
            comment=problem.summary(),
            includes=("dense_triplets.h",),
            constants=constants,
            scratch_bytes=-(-groups // 64) * 64,
            per_sample=False,
            sixteen=True,
            fills_padding=True,
            kernel=self.name,
        )


def byte_outputs() -> npt.NDArray[np.int64]:
    """Which output each byte of a block holds."""
    byte = np.arange(_BLOCK)
    return np.asarray(16 * (byte // 16) + 8 * (byte % 2) + byte % 16 // 2)


def longest_run(problem: DenseProblem, members: npt.NDArray[np.int64], offset: int) -> int:
    """How many groups at a time can be summed in a byte, whatever the inputs are."""
    largest = np.maximum(problem.weight.astype(np.int64) * problem.input.stored_high, 0)
    largest = np.concatenate([largest, np.zeros((len(largest), 1), np.int64)], axis=1)
    entries = largest[:, members].sum(axis=2) + 3 * offset
    entries = np.concatenate([entries, np.full((1, len(members)), 3 * offset)])  # outputs that are padding
    for run in range(min(len(members), 255 // (3 * offset)), 1, -1):
        sums = np.add.reduceat(entries, np.arange(0, len(members), run), axis=1)
        if int(sums.max()) <= 255:
            return run
    return 1
