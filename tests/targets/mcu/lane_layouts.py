"""How packed kernels of microcontrollers lay sums into a word of 32 bits and read them again, written down anew.

Nothing here is taken from the planner (`targets/mcu/kernels/segments.py`): its lengths and shifts are held
against this.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from edgeml.targets.c.dense_kernels.kernel import DenseKernel, DenseProblem
from edgeml.targets.c.tensor import Tensor

__all__ = ["LAYOUTS", "Layout", "Plan", "ends_of_row", "planned", "problem_of", "sums_are_read_right"]


@dataclass(frozen=True)
class Layout:
    """Sums S_0, S_1 … of a word, S_k times 2^places[k], all added modulo 2^32.

    Parameters
    ----------
    weights : the least and the largest weight. places : the first bit of each sum. moved : which sums begin with the
        plan's shift, so that the field is read without a sign; the others have one.
    nested : each sum has an accumulator of its own above it, so that it may fill all bits from its place on.
    length, shift : where the arguments of the emitted call name them, from the end; a shift of None is 0.
    """

    weights: tuple[int, int]
    places: tuple[int, ...]
    moved: tuple[bool, ...]
    nested: bool
    length: int
    shift: int | None

    @property
    def outputs(self) -> int:
        """Outputs of a word."""
        return len(self.places)


LAYOUTS = {
    "w2_lanes4": Layout((-2, 1), (0, 8, 16, 24), (True,) * 4, False, -4, -2),
    "w2_lanes2": Layout((-2, 1), (0, 16), (True,) * 2, False, -4, -2),
    "w4_lanes2": Layout((-8, 7), (0, 16), (True,) * 2, False, -4, -2),
    "w2_dsp": Layout((-2, 1), (0, 14), (True, False), False, -5, -3),
    "w2_words": Layout((-2, 1), (0, 14), (True, False), False, -5, -3),
    "w4_pairs": Layout((-8, 7), (0, 12), (True, False), False, -5, -3),
    "w4_dsp": Layout((-8, 7), (0, 4, 8, 12), (False,) * 4, True, -4, None),
    "w8_dsp": Layout((-128, 127), (0, 8), (False,) * 2, True, -4, None),
}
"""By the kernel's name."""


@dataclass(frozen=True)
class Plan:
    """What the generated call says: inputs of a segment, and what each moved sum begins with."""

    length: int
    shift: int


def problem_of(weight: np.ndarray, low: np.ndarray, high: np.ndarray, thresholds: np.ndarray | None = None):
    """A dense layer without bias: weight [outputs, inputs], stored inputs within low … high [inputs]."""
    outputs, inputs = weight.shape
    ends = [ends_of_row(row, low, high) for row in weight]
    least, most = (np.array([end[k] for end in ends], np.int64) for k in (0, 1))
    partial = np.minimum(least, 0), np.maximum(most, 0)
    x = Tensor("x", inputs, "uint8_t", 0, low, high, -(-inputs // 16) * 16)
    y = Tensor("y", outputs, "int32_t", 0, least, most, -(-outputs // 16) * 16)
    bias = np.zeros(outputs, np.int64)
    return DenseProblem(weight.astype(np.int32), 8, bias, thresholds, x, y, least, most, *partial, 16, "layer")


def ends_of_row(row: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[int, int]:
    """The smallest and the largest Σ w x, each input at the end that makes it so."""
    at_low, at_high = row.astype(np.int64) * low, row.astype(np.int64) * high
    return int(np.minimum(at_low, at_high).sum()), int(np.maximum(at_low, at_high).sum())


def planned(kernel: DenseKernel, layout: Layout, problem: DenseProblem) -> Plan | None:
    """What the kernel plans for a layer; None if it does not take it."""
    if not kernel.applies(problem):
        return None
    said = " ".join(kernel.emit(problem).statements).rstrip(");").replace(" ", "").split(",")
    return Plan(int(said[layout.length]), 0 if layout.shift is None else int(said[layout.shift]))


def sums_are_read_right(layout: Layout, ends: list[tuple[int, int]], shift: int) -> bool:
    """Whether every sum is read as it is, whatever the sums of a word are: at the ends of all of them, all together.

    What lies between the ends of a field that is right at both is right as well, since a field is an interval.
    """
    for sums in product(*ends):
        fields = [value + shift * moved for value, moved in zip(sums, layout.moved, strict=True)]
        if layout.nested:
            words = [
                sum(value << place for value, place in zip(fields[: k + 1], layout.places, strict=False))
                for k in range(layout.outputs)
            ]
            words = [words[0], *(words[k] - words[k - 1] for k in range(1, layout.outputs))]
        else:
            words = [sum(value << place for value, place in zip(fields, layout.places, strict=True))] * layout.outputs
        for k, (place, word) in enumerate(zip(layout.places, words, strict=True)):
            left = word % 2**32
            if layout.moved[k]:
                bits = ((*layout.places, 32)[k + 1]) - place
                found = (left >> place) % 2**bits
            else:
                found = (left - 2**32 * (left >> 31)) >> place
            if found != fields[k]:
                return False
    return True
