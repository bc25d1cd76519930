"""da4ml's adder graph of a constant matrix as shared sums, if its users ask for it instead of ours.

da4ml (https://github.com/calad0i/da4ml, LGPL-3.0) decomposes the matrix in two stages and shares two-term sums in
both. Its operations a ± b · 2^shift on signed numbers become sums of unsigned numbers and complements here: a value
is ±2^exponent · (number + offset).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import EdgemlError, missing_package

from .number import Number, Term, add_number
from .sharing import SharedSums

__all__ = ["da4ml_sums"]


@dataclass(frozen=True)
class _Signed:
    """sign · 2^exponent · (number + offset); `number` is an index."""

    number: int
    offset: int = 0
    exponent: int = 0
    negative: bool = False

    def times(self, negative: bool, shift: int) -> _Signed:
        return _Signed(self.number, self.offset, self.exponent + shift, self.negative != negative)


def da4ml_sums(
    weight: npt.NDArray[np.int64], bounds: Sequence[tuple[int, int]], constants: Sequence[int]
) -> SharedSums:
    """As `sharing.share`, by da4ml. Raises MissingTool if da4ml is not installed."""
    try:
        from da4ml.cmvm import solve
        from da4ml.types import QInterval
    except ModuleNotFoundError as error:
        raise missing_package("option adder_graph", error) from error
    numbers = [Number(low, high) for low, high in bounds]
    used = [int(channel) for channel in np.flatnonzero(weight.any(axis=0)) if numbers[channel].high]
    if not used:
        return SharedSums(numbers, [[] for _ in weight], [int(constant) for constant in constants])
    intervals = [QInterval(float(bounds[channel][0]), float(bounds[channel][1]), 1.0) for channel in used]
    solved = solve(np.ascontiguousarray(weight.T[used], np.float32), qintervals=intervals)
    values: list[_Signed | None] = [_Signed(channel) for channel in used]
    for stage in solved.solutions:
        values = _stage(stage, values, numbers)
    outputs: list[list[Term]] = []
    offsets = []
    for value, constant in zip(values, constants, strict=True):
        terms, offset = _output(value, numbers)
        outputs.append(terms)
        offsets.append(int(constant) + offset)
    return SharedSums(numbers, outputs, offsets)


def _stage(stage: Any, inputs: list[_Signed | None], numbers: list[Number]) -> list[_Signed | None]:
    """The outputs of one of da4ml's stages; its operations: −1 an input, 0 a sum, 1 a difference."""
    known: list[_Signed | None] = []
    for operation in stage.ops:
        if operation.opcode == -1:
            value = inputs[operation.id0]
            known.append(value and value.times(False, int(stage.inp_shifts[operation.id0])))
        elif operation.opcode in (0, 1):
            second = known[operation.id1]
            second = second and second.times(operation.opcode == 1, int(operation.data))
            known.append(_sum(known[operation.id0], second, numbers))
        else:
            raise EdgemlError("da4ml", f"gave an operation {operation.opcode}, which no sum has")
    ends = zip(stage.out_idxs, stage.out_negs, stage.out_shifts, strict=True)
    results: list[_Signed | None] = []
    for index, negative, shift in ends:
        value = known[int(index)] if index >= 0 else None
        results.append(value and value.times(bool(negative), int(shift)))
    return results


def _sum(first: _Signed | None, second: _Signed | None, numbers: list[Number]) -> _Signed | None:
    if first is None or second is None:
        return first or second
    base = min(first.exponent, second.exponent)
    negative = first.negative and second.negative
    terms, offset = [], 0
    for value in (first, second):
        shift, inverted = value.exponent - base, value.negative != negative
        terms.append(Term(value.number, shift, inverted))
        # −a is the complement of a, less that of zero.
        full = 2 ** numbers[value.number].bits - 1
        offset += (-value.offset - full if inverted else value.offset) << shift
    return _Signed(add_number(numbers, terms[0], terms[1]), offset, base, negative)


def _output(value: _Signed | None, numbers: list[Number]) -> tuple[list[Term], int]:
    if value is None:
        return [], 0
    if value.exponent < 0:
        raise EdgemlError("da4ml", "gave a fraction for a sum of integers")
    full = 2 ** numbers[value.number].bits - 1
    offset = -value.offset - full if value.negative else value.offset
    return [Term(value.number, value.exponent, value.negative)], offset << value.exponent
