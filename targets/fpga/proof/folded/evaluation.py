"""What the cells of a module give, for many rows of values at once.

The meaning of each kind of cell is that of yosys's manual (internal cell library). A cell of another kind, an unknown
value, or a value that nobody gave is refused by name: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed

from .bit_rows import Number, chosen, difference, is_less, numbers_of, product, shifted, summed
from .netlist import UNKNOWN, Bits, Cell, Netlist

__all__ = ["Evaluation", "taken_by"]

_BITWISE: dict[str, Callable[[int, int, int], int]] = {
    "$and": lambda a, b, mask: a & b,
    "$or": lambda a, b, mask: a | b,
    "$xor": lambda a, b, mask: a ^ b,
    "$xnor": lambda a, b, mask: mask ^ a ^ b,
}
_COMPARED = {"$lt", "$le", "$gt", "$ge", "$eq", "$ne"}
_SHIFTS = {"$shl", "$sshl", "$shr", "$sshr"}


def taken_by(cell: Cell, port: str, place: int) -> Bits:
    """The bits that one bit of a cell's output is made from (of a register, its next value)."""
    ports, kind = cell.ports, cell.kind
    if kind == "$dff":
        return (ports["D"][place],)
    if kind in _BITWISE:
        return (_wide(cell, "A", len(ports["Y"]))[place], _wide(cell, "B", len(ports["Y"]))[place])
    if kind in ("$not", "$pos"):
        return (_wide(cell, "A", len(ports["Y"]))[place],)
    if kind == "$mux":
        return (ports["A"][place], ports["B"][place], ports["S"][0])
    if kind == "$pmux":
        return (ports["A"][place], *ports["B"][place :: len(ports["A"])], *ports["S"])
    if kind == "$memrd":
        return ports["ADDR"]
    return (*ports.get("A", ()), *ports.get("B", ()), *ports.get("S", ()))


def _signed(cell: Cell, port: str) -> bool:
    return bool(cell.parameters.get(f"{port}_SIGNED", 0))


def _wide(cell: Cell, port: str, width: int) -> Bits:
    """An operand with so many bits: by its sign, or cut off."""
    bits = cell.ports[port]
    return (*bits, *((bits[-1] if _signed(cell, port) and bits else 0,) * (width - len(bits))))[:width]


class Evaluation:
    """Values of a module's bits in `count` rows.

    Parameters
    ----------
    given : rows of bits that are known, of registers too. through : whether registers pass their inputs on.
    """

    def __init__(self, netlist: Netlist, count: int, given: Mapping[int, int], *, through: bool = False) -> None:
        self.netlist, self.count, self.through = netlist, count, through
        self.mask = (1 << count) - 1
        self.known: dict[int, int] = {0: 0, 1: self.mask, **given}

    def rows(self, bits: Sequence[int]) -> Number:
        """The rows of some bits."""
        waiting = [bit for bit in bits if bit not in self.known]
        entered: set[int] = set()
        while waiting:
            bit = waiting[-1]
            if bit in self.known:
                waiting.pop()
                continue
            cell, port, place = self._cell(bit)
            missing = [each for each in self._needed(cell, port, place) if each not in self.known]
            if not missing:
                self._compute(bit, cell, port, place)
                waiting.pop()
            elif not entered.isdisjoint(missing):
                raise CheckFailed(f"signal {self.netlist.name_of(bit)}", "feeds back into itself")
            else:
                entered.add(bit)
                waiting += missing
        return [self.known[bit] for bit in bits]

    def numbers(self, bits: Sequence[int]) -> npt.NDArray[np.int64]:
        """Some bits as integers that are not negative, one for each row."""
        return numbers_of(self.rows(bits), self.count)

    def _cell(self, bit: int) -> tuple[Cell, str, int]:
        if bit == UNKNOWN:
            raise CheckFailed("a value", "is read that nobody gave")
        if bit not in self.netlist.driver:
            raise CheckFailed(f"signal {self.netlist.name_of(bit)}", "is driven by nothing that is looked at")
        found = self.netlist.driver[bit]
        if found[0].kind == "$dff" and not self.through:
            raise CheckFailed(f"register {self.netlist.name_of(bit)}", "is not among those that are looked at")
        return found

    def _needed(self, cell: Cell, port: str, place: int) -> Sequence[int]:
        """What must be known first; of a choice that is the same in all rows, only what is chosen."""
        if cell.kind == "$shiftx":
            return self._part_needed(cell, place)
        if cell.kind == "$pmux":
            return self._choice_needed(cell, place)
        if cell.kind == "$and":
            first, second = taken_by(cell, port, place)
            return (first,) if self.known.get(first, 0) == 0 else (first, second)
        if cell.kind == "$shr":
            return self._moved_needed(cell, place)
        if cell.kind != "$mux":
            return taken_by(cell, port, place)
        select = self.known.get(cell.ports["S"][0])
        if select is None:
            return (cell.ports["S"][0],)
        zero, one = cell.ports["A"][place], cell.ports["B"][place]
        return (zero,) if select == 0 else (one,) if select == self.mask else (zero, one)

    def _values(self, bits: Sequence[int]) -> Number:
        return [self.known[bit] for bit in bits]

    def _compute(self, bit: int, cell: Cell, port: str, place: int) -> None:
        if cell.kind == "$mux":
            select = self.known[cell.ports["S"][0]]
            zero, one = cell.ports["A"][place], cell.ports["B"][place]
            if select in (0, self.mask):
                self.known[bit] = self.known[zero if select == 0 else one]
            else:
                self.known[bit] = chosen(select, self.known[zero], self.known[one], self.mask)
            return
        if cell.kind == "$shiftx":
            self.known[bit] = self._part(cell, place)
            return
        if cell.kind == "$pmux":
            self.known[bit] = self._choice(cell, place)
            return
        if cell.kind == "$and" and self.known[taken_by(cell, port, place)[0]] == 0:
            self.known[bit] = 0
            return
        if cell.kind == "$shr" and (moved := self._amount(cell)) is not None:
            self.known[bit] = self.known[self._moved(cell, place, moved)]
            return
        values = self._values(taken_by(cell, port, place))
        if cell.kind in ("$dff", "$pos"):
            self.known[bit] = values[0]
        elif cell.kind == "$not":
            self.known[bit] = self.mask ^ values[0]
        elif cell.kind in _BITWISE:
            self.known[bit] = _BITWISE[cell.kind](values[0], values[1], self.mask)
        else:
            made = self._word(cell)
            for each, value in zip(cell.ports[port], made, strict=True):
                self.known.setdefault(each, value)

    def _word(self, cell: Cell) -> Number:
        """All bits of a cell that works on numbers."""
        kind = cell.kind
        if kind == "$memrd":
            return self._read(cell)
        width = len(cell.ports["Y"])
        if kind in ("$add", "$sub", "$mul"):
            a, b = (self._values(_wide(cell, port, width)) for port in "AB")
            if kind == "$add":
                return summed(a, b, 0)[0]
            return product(a, b) if kind == "$mul" else difference(a, b, self.mask)[0]
        if kind == "$neg":
            return difference([0] * width, self._values(_wide(cell, "A", width)), self.mask)[0]
        if kind in _SHIFTS:
            return self._shift(cell, width)
        answer = self._truth(cell)
        return [answer, *[0] * (width - 1)]

    def _truth(self, cell: Cell) -> int:
        """The answer of a cell that says yes or no."""
        kind, a = cell.kind, self._values(cell.ports["A"])
        if kind in _COMPARED:
            return self._compared(cell)
        some = 0
        for each in a:
            some |= each
        if kind in ("$reduce_or", "$reduce_bool"):
            return some
        if kind == "$logic_not":
            return self.mask ^ some
        if kind == "$reduce_and":
            every = self.mask
            for each in a:
                every &= each
            return every
        if kind == "$reduce_xor":
            odd = 0
            for each in a:
                odd ^= each
            return odd
        if kind in ("$logic_and", "$logic_or"):
            other = 0
            for each in self._values(cell.ports["B"]):
                other |= each
            return some & other if kind == "$logic_and" else some | other
        raise CheckFailed(f"cell {cell.name}", f"is of kind {kind}, which proofs do not know")

    def _compared(self, cell: Cell) -> int:
        width = max(len(cell.ports["A"]), len(cell.ports["B"]))
        signed = _signed(cell, "A") and _signed(cell, "B")
        a, b = self._values(_wide(cell, "A", width)), self._values(_wide(cell, "B", width))
        if cell.kind in ("$eq", "$ne"):
            differs = 0
            for x, y in zip(a, b, strict=True):
                differs |= x ^ y
            return differs if cell.kind == "$ne" else self.mask ^ differs
        if cell.kind in ("$lt", "$ge"):
            less = is_less(a, b, signed, self.mask)
            return less if cell.kind == "$lt" else self.mask ^ less
        less = is_less(b, a, signed, self.mask)
        return less if cell.kind == "$gt" else self.mask ^ less

    def _shift(self, cell: Cell, width: int) -> Number:
        if _signed(cell, "B"):
            raise CheckFailed(f"cell {cell.name}", "shifts by a number with a sign, which proofs do not know")
        size = max(width, len(cell.ports["A"]))
        number, amount = self._values(_wide(cell, "A", size)), self._values(cell.ports["B"])
        top = number[-1] if cell.kind == "$sshr" and _signed(cell, "A") else 0
        if cell.kind in ("$shl", "$sshl"):
            made = shifted(
                number, amount, lambda given, by: [*[0] * min(by, size), *given[: max(size - by, 0)]], self.mask
            )
        else:
            made = shifted(number, amount, lambda given, by: [*given[by:], *[top] * min(by, size)], self.mask)
        return made[:width]

    def _amount(self, cell: Cell) -> int | None:
        """By how much a number is moved, where that is the same in all rows; None else."""
        values = self._values(cell.ports["B"])
        if _signed(cell, "B") or any(value not in (0, self.mask) for value in values):
            return None
        return sum(1 << k for k, value in enumerate(values) if value)

    @staticmethod
    def _moved(cell: Cell, place: int, amount: int) -> int:
        """The bit that comes to a place; 0 from beyond the number."""
        number = _wide(cell, "A", max(len(cell.ports["Y"]), len(cell.ports["A"])))
        return number[place + amount] if place + amount < len(number) else 0

    def _moved_needed(self, cell: Cell, place: int) -> Sequence[int]:
        """What a bit of a number that is moved down needs: by how much first."""
        if any(each not in self.known for each in cell.ports["B"]):
            return cell.ports["B"]
        amount = self._amount(cell)
        return cell.ports["A"] if amount is None else (self._moved(cell, place, amount),)

    def _choice_needed(self, cell: Cell, place: int) -> Sequence[int]:
        """What a bit of a choice among several needs: what chooses first, then what is chosen in some row."""
        selects = cell.ports["S"]
        if any(each not in self.known for each in selects):
            return selects
        chosen_of, width = [self.known[each] for each in selects], len(cell.ports["A"])
        some = 0
        for each in chosen_of:
            some |= each
        ways = [cell.ports["B"][k * width + place] for k, each in enumerate(chosen_of) if each]
        return ways if some == self.mask else [*ways, cell.ports["A"][place]]

    def _choice(self, cell: Cell, place: int) -> int:
        """A bit of a choice among several; CheckFailed where two are chosen at once."""
        width, some, found = len(cell.ports["A"]), 0, 0
        for k, select in enumerate(cell.ports["S"]):
            rows = self.known[select]
            if rows & some:
                raise CheckFailed(f"cell {cell.name}", "chooses two at once")
            some |= rows
            found |= rows & self.known[cell.ports["B"][k * width + place]] if rows else 0
        return found if some == self.mask else found | (self.mask & ~some & self.known[cell.ports["A"][place]])

    def _part_needed(self, cell: Cell, bit: int) -> Sequence[int]:
        """What a bit of a part of a number needs: the place first, then the bits that may stand there."""
        if any(each not in self.known for each in cell.ports["B"]):
            return cell.ports["B"]
        return [cell.ports["A"][place + bit] for place, _ in self._places(cell, len(cell.ports["A"]) - bit)]

    def _part(self, cell: Cell, bit: int) -> int:
        """A bit of a number, from a place on that differs from row to row."""
        found = 0
        for place, rows in self._places(cell, len(cell.ports["A"]) - bit):
            found |= self.known[cell.ports["A"][place + bit]] & rows
        return found

    def _places(self, cell: Cell, most: int) -> list[tuple[int, int]]:
        """(place, the rows in which it is this one) of a part of a number; CheckFailed where it is `most` or more."""
        bits = cell.ports["B"]
        if len(bits) > 62 or (_signed(cell, "B") and self.known[bits[-1]]):
            raise CheckFailed(f"cell {cell.name}", "counts places with more bits, or below zero")
        numbers = self.numbers(bits)
        different = np.unique(numbers).tolist()
        if different and different[-1] >= most:
            raise CheckFailed(f"cell {cell.name}", "takes bits that are not there")
        return [(place, _rows(numbers == place)) for place in different]

    def _read(self, cell: Cell) -> Number:
        """Words of a memory that nothing writes to."""
        memory = self.netlist.memories[str(cell.parameters["MEMID"])]
        if memory.writes:
            raise CheckFailed(f"memory {cell.parameters['MEMID']}", "changes, and is read where only constants may be")
        numbers = self.numbers(cell.ports["ADDR"])
        different, which = np.unique(numbers, return_inverse=True)
        held = [memory.content[place] if place < memory.words else None for place in different.tolist()]
        words = [word for word in held if word is not None]
        if len(words) < len(held):
            raise CheckFailed(f"memory {cell.parameters['MEMID']}", "is read where it holds nothing")
        if len(words) == 1:
            return [self.mask if words[0] >> k & 1 else 0 for k in range(memory.width)]
        found = []
        for k in range(memory.width):
            column = np.array([word >> k & 1 for word in words], np.int64) == 1
            found.append(_rows(column[which]))
        return found


def _rows(column: npt.NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(column, bitorder="little").tobytes(), "little")
