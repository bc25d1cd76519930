"""What positions gather, as loops where indices follow a rule and as tables where they do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.network.layers.shared import PADDING

from .arrays import ConstantArray
from .tensor import Tensor

__all__ = ["Gathering", "Loop", "loops_of"]

_MOST_LOOPS = 4

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Loop:
    """So many times, each time a step further."""

    count: int
    step: int


def loops_of(values: Indices, most: int = _MOST_LOOPS) -> tuple[Loop, ...] | None:
    """Nested loops, innermost first, that give values − values[0]; none for a single value; None if these do not."""
    if len(values) == 1:
        return ()
    if most == 0:
        return None
    steps = np.diff(values)
    differs = np.flatnonzero(steps != steps[0])
    run = int(differs[0]) + 1 if differs.size else len(values)
    if len(values) % run:
        return None
    blocks = values.reshape(-1, run)
    if np.any(blocks - blocks[:, :1] != blocks[0] - blocks[0, 0]):
        return None
    outer = loops_of(blocks[:, 0], most - 1)
    return None if outer is None else (Loop(run, int(steps[0])), *outer)


class Gathering:
    """What `gather` [P, C] takes of tensor `x`, row by row, as elements of the tensor `window`; −1 is `padding`.

    With gather[p, c] = base[p] + offset[c] wherever a position takes an input, base and offset are loops, or tables of
    P and C numbers; positions that take padding say by a bit for each c which, once for all that are alike. Else it is
    a table of P · C numbers. `pointer` is what `x` is called in C.
    """

    def __init__(
        self, gather: npt.NDArray[np.int32], x: Tensor, window: Tensor, padding: int, prefix: str, pointer: str = "x"
    ) -> None:
        self._gather = gather.astype(np.int64)
        self._x, self._window, self._prefix, self._pointer = x, window, prefix, pointer
        self._padding = str(padding - window.low)
        self.constants: list[ConstantArray] = []
        """What the statements read."""
        self._taken = self._gather != PADDING
        self.bases = self._bases()
        """int64 [P], the first input of each position if all take what follows it at the same distances; else None."""

    @property
    def contiguous(self) -> bool:
        """Whether each position takes inputs that lie one behind the other, as they are stored."""
        alike = self._x.ctype == self._window.ctype and self._x.low == self._window.low
        width = self._gather.shape[1]
        return (
            alike and bool(self._taken.all()) and bool(np.all(self._gather == self._gather[:, :1] + np.arange(width)))
        )

    def _bases(self) -> Indices | None:
        whole = self._taken.all(axis=1)
        if not whole.any():
            return None
        reference = self._gather[int(np.argmax(whole))]
        self._offsets = reference - reference[0]
        first = np.argmax(self._taken, axis=1)
        bases = self._gather[np.arange(len(first)), first] - self._offsets[first]
        bases = np.where(self._taken.any(axis=1), bases, reference[0])
        fits = np.where(self._taken, bases[:, None] + self._offsets == self._gather, True)
        return bases if bool(fits.all()) else None

    def base(self) -> str:
        """`bases` of `position`, an expression."""
        assert self.bases is not None
        loops = loops_of(self.bases, 3)
        if loops is None:
            return f"(int32_t){self._table('bases', self.bases, 'the first input of each position')}[position]"
        terms, before = [str(int(self.bases[0]))], 1
        for place, loop in enumerate(loops):
            index = "position" if before == 1 else f"position / {before}u"
            index = index if place == len(loops) - 1 else f"{index} % {loop.count}u"
            terms.append(f"(int32_t)({index}) * {_signed(loop.step)}")
            before *= loop.count
        return " + ".join(terms)

    def statements(self) -> list[str]:
        """They fill `row` for `position`."""
        if self.bases is None:
            return self._by_table()
        lines = [f"const int32_t base = {self.base()};"]
        offset, loops = "", loops_of(self._offsets)
        if loops is None:
            offset = f"{self._table('offsets', self._offsets, 'inputs of a position, from its first')}[c]"
            loops = (Loop(len(self._offsets), 0),)
        whole = self._copied(loops, offset, "row[c] = {};")
        if self._taken.all():
            return lines + whole
        kinds, patterns = self._kinds()
        bits = np.packbits(patterns, axis=1, bitorder="little")
        of = self._table("kinds", kinds, "0: takes no padding; else which bits say where it does")
        taken = self._table("taken", bits, f"[{len(bits)}][{bits.shape[1]} bytes]: where inputs are taken, a bit each")
        chosen = f"row[c] = (bits[c >> 3] >> (c & 7u)) & 1u ? {{}} : ({self._window.ctype})({self._padding});"
        return [
            *lines,
            f"const size_t kind = {of}[position];",
            "if (kind == 0) {",
            *_indented(whole),
            "} else {",
            f"    const uint8_t *const bits = {taken} + (kind - 1u) * {bits.shape[1]}u;",
            *_indented(self._copied(loops, offset, chosen)),
            "}",
        ]

    def _kinds(self) -> tuple[Indices, npt.NDArray[np.bool_]]:
        """For each position 0 or 1 + which of the patterns, of those with padding."""
        whole = self._taken.all(axis=1)
        patterns, of = np.unique(self._taken[~whole], axis=0, return_inverse=True)
        kinds = np.zeros(len(whole), np.int64)
        kinds[~whole] = of.reshape(-1) + 1
        return kinds, patterns

    def _copied(self, loops: tuple[Loop, ...], offset: str, statement: str) -> list[str]:
        """Nested loops over the values of a position, `c` being which."""
        places, counters = [offset] if offset else [], []
        before = 1
        for number, loop in enumerate(loops):
            if loop.step:
                places.append(f"(int32_t)c{number} * {_signed(loop.step)}")
            counters.append(f"c{number}" if before == 1 else f"c{number} * {before}u")
            before *= loop.count
        body = [
            f"const size_t c = {' + '.join(reversed(counters)) or '0'};",
            statement.format(self._element(" + ".join(["base", *reversed(places)]))),
        ]
        for number, loop in enumerate(loops):
            head = f"for (size_t c{number} = 0; c{number} < {loop.count}u; c{number}++) {{"
            body = [head, *_indented(body), "}"]
        return body if loops else ["{", *_indented(body), "}"]

    def _by_table(self) -> list[str]:
        inputs, width = self._x.size, self._gather.shape[1]
        places = np.where(self._taken, self._gather, inputs)
        name = self._table("gather", places, f"[{len(places)} positions][{width}]: inputs, {inputs} for padding")
        element = self._element("at")
        if not self._taken.all():
            element = f"at < {inputs} ? {element} : ({self._window.ctype})({self._padding})"
        return [
            f"for (size_t c = 0; c < {width}u; c++) {{",
            f"    const int32_t at = (int32_t){name}[position * {width}u + c];",
            f"    row[c] = {element};",
            "}",
        ]

    def _element(self, index: str) -> str:
        """The stored integer of the window for the input at `index`."""
        x, window = self._x, self._window
        if x.ctype == window.ctype and x.low == window.low:
            return f"{self._pointer}[{index}]"
        return f"({window.ctype})((int32_t){self._pointer}[{index}] + ({x.low - window.low}))"

    def _table(self, name: str, values: npt.NDArray[np.integer], comment: str) -> str:
        """An array of the smallest type that holds the values; its name."""
        low, high = int(values.min()), int(values.max())
        sign = "" if low < 0 else "u"
        bits = next(
            bits for bits in (8, 16, 32) if (-(1 << (bits - 1)) <= low or low >= 0) and high < 1 << (bits - (low < 0))
        )
        array = ConstantArray(f"{self._prefix}_{name}", f"{sign}int{bits}_t", values, comment)
        if all(each.name != array.name for each in self.constants):
            self.constants.append(array)
        return array.name


def _signed(number: int) -> str:
    return str(number) if number >= 0 else f"({number})"


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
