"""Weights as C text, where at least half of them are zero: each other one a term of a sum.

Two ways to reach the inputs:

- one at a time, `x[3] - x[17] + 2 * x[20]`: a load and an addition for each weight;
- four bytes in a word, read once for several outputs, of which `(word >> 8) & 255` is added: one instruction on cores
  that add a byte of a register (UXTAB of the Arm DSP extension). What is subtracted is added as `largest - x`, a byte
  of the word with its bits inverted, and the sum begins so much lower.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..layer_code import LayerCode
from ..stored.comparisons import compared
from ..stored.meaning import Arrays, Ints, Meaning, Part, signed
from ..stored.sums import products
from .kernel import DenseKernel, DenseProblem

__all__ = ["MOST_LEVELS", "StraightLineKernel", "may_be_written_out"]

_MOST_TERMS = 16384
"""Weights other than zero: their text is compiled whenever kernels are chosen."""
MOST_LEVELS = 3
"""Of more thresholds, one function for all outputs takes less time and far less code."""
_WORD_OUTPUTS = 8
"""Outputs that share a word: so many sums lie in registers."""
_LINE = 104


def may_be_written_out(weight: npt.NDArray[np.int32]) -> bool:
    """Whether so many of a layer's weights are zero that the others may be written out."""
    return int(np.count_nonzero(weight)) <= min(_MOST_TERMS, weight.size // 2)


class StraightLineKernel(DenseKernel):
    """Code of its own for each output; up to three thresholds behind it are computed with it.

    Parameters
    ----------
    words : whether inputs are read four at a time.
    """

    def __init__(self, words: bool) -> None:
        self.words = words

    @property
    def name(self) -> str:  # type: ignore[override]
        """As reported to the user."""
        return "straight_line_words" if self.words else "straight_line"

    def applies(self, problem: DenseProblem) -> bool:
        """At most half of the weights are not zero, and sums fit 32 bits; in words, inputs of 8 bits and weights of
        at most 2."""
        weight = problem.weight
        if not may_be_written_out(weight):
            return False
        low, high = int(problem.partial_low.min()), int(problem.partial_high.max())
        if low <= -(2**31) or high >= 2**31:
            return False
        if self.words and (problem.input.ctype != "uint8_t" or int(np.abs(weight.astype(np.int64)).max()) > 2):
            return False
        if problem.thresholds is None:
            return True
        # sums begin at a value within the range of the accumulator, and end at its difference to another
        return problem.thresholds.shape[1] <= MOST_LEVELS and high - low < 2**31 - 1

    def emit(self, problem: DenseProblem) -> LayerCode:
        sums = [_Sum.of(problem, output) for output in range(problem.outputs)]
        statements = _by_words(problem, sums) if self.words else _by_inputs(sums)
        if not any(each.terms for each in sums):
            statements.insert(0, "(void)x;")
        return LayerCode(
            statements=tuple(statements),
            comment=f"{problem.summary()}; {np.count_nonzero(problem.weight)} weights are not zero",
            includes=("straight_line.h",),
            kernel=self.name,
            meaning=_meaning(problem),
        )


def _meaning(problem: DenseProblem) -> Meaning:
    """Nothing is stored but instructions."""

    def evaluate(arrays: Arrays, x: Ints) -> Ints:
        sums = signed(products(x[:, : problem.inputs], problem.weight.astype(np.int64)) + problem.bias)
        if problem.thresholds is None:
            return sums
        return compared(sums, problem.thresholds.astype(np.int64))

    return Meaning(evaluate, (Part("", "", None, "weights are instructions, which are not flipped"),))


@dataclass(frozen=True)
class _Sum:
    """What is summed up for one output: its accumulator; or, with thresholds behind it, first − 1 − accumulator, which
    is negative where the first of them is reached. How many are reached is then a sum of sign bits.

    Parameters
    ----------
    output : its number.
    start : what the sum begins with.
    terms : (input, factor), ascending by input.
    further : what is added to the sum to compare it with each threshold; None without thresholds.
    always : number of thresholds that every accumulator reaches.
    """

    output: int
    start: int
    terms: tuple[tuple[int, int], ...]
    further: tuple[int, ...] | None = None
    always: int = 0

    @classmethod
    def of(cls, problem: DenseProblem, output: int) -> _Sum:
        row, bias = problem.weight[output], int(problem.bias[output])
        terms = tuple((int(place), int(row[place])) for place in np.flatnonzero(row))
        if problem.thresholds is None:
            return cls(output, bias, terms)
        low, high = int(problem.low[output]), int(problem.high[output])
        thresholds = [int(value) for value in problem.thresholds[output]]
        always = sum(value <= low for value in thresholds)
        open_ = [value for value in thresholds if low < value <= high]
        if not open_:
            return cls(output, 0, (), (), always)
        negated = tuple((place, -weight) for place, weight in terms)
        return cls(output, open_[0] - 1 - bias, negated, tuple(value - open_[0] for value in open_), always)

    def result(self, total: str) -> str:
        """The statement that gives the output; `total` is C for the sum, an int32_t."""
        if self.further is None:
            return f"y[{self.output}] = {total};"
        signs = [f"EDGEML_NEGATIVE({total}{f' + {more}' if more else ''})" for more in self.further]
        if not signs:
            return f"y[{self.output}] = {self.always}u;"
        return f"y[{self.output}] = (uint8_t)({' + '.join([f'{self.always}u'] * (self.always > 0) + signs)});"


def _wrapped(parts: list[str], end: str = "", indent: str = "") -> list[str]:
    """Parts with a space between them, in lines."""
    lines, line = [], ""
    for part in parts:
        if line and len(line) + len(part) > _LINE:
            lines.append(line)
            line = indent + part
        else:
            line = f"{line} {part}" if line else part
    return [*lines, line + end]


def _by_inputs(sums: list[_Sum]) -> list[str]:
    statements = []
    for each in sums:
        if each.further == ():
            statements.append(each.result(""))
            continue
        parts = [str(each.start)] if each.start or not each.terms else []
        for place, factor in each.terms:
            sign = "- " if factor < 0 else "+ "
            product = f"x[{place}]" if abs(factor) == 1 else f"{abs(factor)} * x[{place}]"
            parts.append(sign.strip() * (factor < 0) + product if not parts else sign + product)
        name = f"sum{each.output}"
        statements += _wrapped([f"const int32_t {name} =", *parts], ";", "    ")
        statements.append(each.result(name))
    return statements


def _by_words(problem: DenseProblem, sums: list[_Sum]) -> list[str]:
    mask = (1 << problem.input.largest.bit_length()) - 1
    statements = []
    for together in _sharing(sums):
        lines = _group(together, mask)
        statements += ["{", *(f"    {line}" for line in lines), "}"]
    return statements


def _sharing(sums: list[_Sum]) -> list[list[_Sum]]:
    """Outputs in groups that share words: each group begins with the first output that is left, and takes the one for
    which it has to read and to invert the fewest words more, the first of equals."""
    places = sorted({place // 4 for each in sums for place, _ in each.terms})
    terms = np.zeros((len(sums), len(places)), np.int64)
    negative = np.zeros_like(terms)
    for row, each in enumerate(sums):
        for place, factor in each.terms:
            terms[row, places.index(place // 4)] += 1
            negative[row, places.index(place // 4)] += factor < 0
    left, groups = list(range(len(sums))), []
    while left:
        group = [left.pop(0)]
        while left and len(group) < _WORD_OUTPUTS:
            read = terms[group].sum(axis=0) + terms[left] > 0
            inverted = np.minimum(negative[group].sum(axis=0) + negative[left], 1)
            group.append(left.pop(int(np.argmin((read + inverted).sum(axis=1)))))
        groups.append([sums[row] for row in sorted(group)])
    return groups


def _group(sums: list[_Sum], mask: int) -> list[str]:
    """Outputs that share words; `mask` is the least 2^n − 1 that no input passes."""
    words: dict[int, list[tuple[int, int, int]]] = {}
    for each in sums:
        for place, factor in each.terms:
            words.setdefault(place // 4, []).append((each.output, place % 4, factor))
    start = {each.output: each.start for each in sums}
    body = []
    any_inverse = False
    for word, terms in sorted(words.items()):
        body += [f"word = edgeml_word(x + {4 * word});", "EDGEML_LOAD_HERE(word);"]
        inverted = sum(factor < 0 for _, _, factor in terms) > 1
        if inverted:
            any_inverse = True
            body += [f"inverse = word ^ 0x{mask * 0x01010101:08x}u;", "EDGEML_LOAD_HERE(inverse);"]
        calls = []
        for output, place, factor in terms:
            function, source = ("SUBTRACT", "word") if factor < 0 else ("ADD", "word")
            if factor < 0 and inverted:
                function, source = "ADD", "inverse"
                start[output] += factor * mask
            byte = f"EDGEML_BYTE{place}({source})"
            calls.append(f"EDGEML_{function}(sum{output}, {byte if abs(factor) == 1 else f'{abs(factor)}u * {byte}'});")
        body += _wrapped(calls)
    lines = [f"uint32_t sum{each.output} = {start[each.output] % 2**32}u;" for each in sums if each.further != ()]
    if words:
        lines.append("uint32_t word, inverse;" if any_inverse else "uint32_t word;")
    return [*lines, *body, *(each.result(f"(int32_t)sum{each.output}") for each in sums)]
