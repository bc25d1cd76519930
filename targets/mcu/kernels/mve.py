"""Dense layers on cores with the M-profile vector extension. The C is `firmware_stubs/c/edgeml/dense_mve.h`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.targets.c import ConstantArray, LayerCode
from edgeml.targets.c.dense_kernels.kernel import DenseKernel, DenseProblem

from .begin import begin
from .segments import padded_to

__all__ = ["MveKernel"]

_BLOCK = 4
_LANES = 16
_WIDTHS = (8, 4, 2, 1)


class MveKernel(DenseKernel):
    """Weights as codes of 1, 2, 4 or 8 bits, 16 inputs at a time, four outputs at a time."""

    name = "mve"

    def applies(self, problem: DenseProblem) -> bool:
        """8-bit inputs; the sum of an output fits 32 bits."""
        return problem.thresholds is None and problem.input.ctype == "uint8_t" and problem.fits_int32

    def emit(self, problem: DenseProblem) -> LayerCode:
        bits = _code_bits(problem.weight)
        doubled, offset = (1, 1) if bits == 1 else (0, 1 << (bits - 1))
        group = _LANES * 8 // bits
        inputs, outputs = padded_to(problem.inputs, group), padded_to(problem.outputs, _BLOCK)
        groups, blocks = inputs // group, outputs // _BLOCK
        codes = np.zeros((outputs, inputs), np.int64)
        codes[: problem.outputs, : problem.inputs] = (problem.weight.astype(np.int64) + offset) >> doubled
        start = begin(problem.prefix, problem.bias, outputs)
        weight = f"{problem.prefix}_weight"
        layout = f"{bits}-bit codes, [{blocks} blocks][{groups} groups][{_BLOCK} outputs][{_LANES} bytes]"
        return LayerCode(
            statements=(
                *start.statements,
                f"edgeml_dense_mve(x, {weight}, {start.argument}, {problem.inputs}, {groups}, {blocks}, {bits},",
                f"                 {offset}, y, scratch);",
            ),
            comment=problem.summary(),
            includes=(*start.includes, "dense_mve.h"),
            constants=(
                ConstantArray(weight, "uint32_t", _packed(codes, bits), layout),
                *start.constants,
            ),
            scratch_bytes=inputs,
            fills_padding=problem.output.padded == outputs,
            kernel=self.name,
            small=True,
        )


def _code_bits(weight: npt.NDArray[np.int32]) -> int:
    """The width of codes that takes the fewest bytes; of equals the widest, which takes the fewest instructions."""

    def holds(bits: int) -> bool:
        if bits == 1:
            return bool(np.all(np.abs(weight) == 1))
        return int(weight.min()) >= -(1 << (bits - 1)) and int(weight.max()) < 1 << (bits - 1)

    return min(
        (bits for bits in _WIDTHS if holds(bits)), key=lambda bits: padded_to(weight.shape[1] * bits, 8 * _LANES)
    )


def _packed(codes: npt.NDArray[np.int64], bits: int) -> npt.NDArray[np.uint32]:
    """Words [blocks][groups][4 outputs][4]: field k of byte b belongs to input 16 k + b of the group."""
    outputs, inputs = codes.shape
    fields = 8 // bits
    shaped = codes.reshape(outputs // _BLOCK, _BLOCK, inputs // (fields * _LANES), fields, _LANES)
    places = bits * np.arange(fields)[:, None]
    octets = (shaped << places).sum(axis=3).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(octets.astype(np.uint8)).reshape(-1).view("<u4").astype(np.uint32)
