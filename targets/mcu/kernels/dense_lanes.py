"""Kernels without SIMD: one multiplication serves the lanes of a word. The C is `dense_lanes.h`."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edgeml.targets.c import ConstantArray, LayerCode
from edgeml.targets.c.dense_kernels.kernel import DenseKernel, DenseProblem

from .begin import begin
from .segments import GROUP, padded_to, widest_segment
from .unpacked import lanes_meaning

__all__ = ["LanesKernel"]


@lru_cache(maxsize=256)
def _segment(problem: DenseProblem, lane_bits: int) -> tuple[int, int] | None:
    outputs = problem.outputs
    return widest_segment(
        problem.weight,
        problem.input.stored_low,
        problem.input.stored_high,
        np.full(outputs, lane_bits, np.int64),
        np.ones(outputs, np.bool_),
    )


class LanesKernel(DenseKernel):
    """Weights of up to `bits` bits in `lanes` lanes of a 32-bit word.

    Parameters
    ----------
    bits : 2 or 4, how many bits a weight is stored in.
    lanes : 4 (lanes of 8 bits; 2-bit weights only) or 2 (16 bits).
    """

    def __init__(self, bits: int, lanes: int) -> None:
        self.bits, self.lanes = bits, lanes

    @property
    def name(self) -> str:  # type: ignore[override]
        """As reported to the user."""
        return f"w{self.bits}_lanes{self.lanes}"

    def applies(self, problem: DenseProblem) -> bool:
        """8-bit inputs, and weights that fit; at least one group of inputs fits a lane."""
        limit = 1 << (self.bits - 1)
        fits = int(problem.weight.min()) >= -limit and int(problem.weight.max()) < limit
        if not fits or problem.thresholds is not None or problem.input.ctype != "uint8_t" or not problem.fits_int32:
            return False
        return _segment(problem, 32 // self.lanes) is not None

    def emit(self, problem: DenseProblem) -> LayerCode:
        found = _segment(problem, 32 // self.lanes)
        assert found is not None
        length, shift = found
        shift += 1 << (32 // self.lanes - 1)  # lanes are read as unsigned: what is left over them needs no borrow
        inputs = padded_to(problem.inputs, GROUP)
        block = 4 * self.lanes
        outputs = padded_to(problem.outputs, block)
        segments = -(-inputs // length)
        taken = -segments * shift
        start = begin(problem.prefix, problem.bias, outputs, taken, taken, " and shifts of the lanes")
        weight = f"{problem.prefix}_weight"
        kernel = f"edgeml_dense_w{self.bits}_lanes{self.lanes}_segment"
        return LayerCode(
            statements=(
                *start.statements,
                f"edgeml_dense_lanes({kernel}, {self.bits}, {self.lanes}, x, {weight}, {start.argument}, {inputs},",
                f"                   {length}, {outputs // block}, {shift}, y);",
            ),
            comment=problem.summary(),
            includes=(*start.includes, "dense_lanes.h"),
            constants=(
                ConstantArray(
                    weight,
                    "uint32_t",
                    _packed(problem.weight, inputs, outputs, length, self.bits, self.lanes),
                    f"codes w + {1 << (self.bits - 1)} in {self.lanes} lanes; segments of {length} inputs",
                ),
                *start.constants,
            ),
            fills_padding=problem.output.padded == outputs,
            kernel=self.name,
            small=True,
            meaning=lanes_meaning(problem, start, inputs, length, shift, self.bits, self.lanes),
        )


def _packed(
    weight: npt.NDArray[np.int32], inputs: int, outputs: int, length: int, bits: int, lanes: int
) -> npt.NDArray[np.uint32]:
    """Words [segments][blocks][groups of inputs][4]; what is padded holds the code of zero."""
    codes = np.full((outputs, inputs), 1 << (bits - 1), np.uint32)
    codes[: weight.shape[0], : weight.shape[1]] += weight.astype(np.int64).astype(np.uint32)
    width = 32 // lanes
    steps = width // bits
    parts = []
    for start in range(0, inputs, length):
        part = codes[:, start : start + length]
        # [blocks, word, lane, group, step] → shifts of lane and step are summed away
        shaped = part.reshape(outputs // (4 * lanes), 4, lanes, part.shape[1] // steps, steps)
        shift = (np.arange(lanes) * width)[:, None, None] + (np.arange(steps) * bits)[None, None, :]
        words = (shaped << shift.astype(np.uint32)).sum(axis=(2, 4), dtype=np.uint64)
        parts.append(words.transpose(0, 2, 1).ravel())
    return np.concatenate(parts).astype(np.uint32)
