"""Sums of signed numbers in a module, followed from their bits: which numbers a word is the sum of.

A word is known modulo 2^(its bits); it is known exactly where its range fits those bits. Only an exactly known word may
be extended by its sign; every word may be cut off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edgeml.errors import CheckFailed

from .evaluation import Evaluation
from .netlist import UNKNOWN, Bits, Netlist

__all__ = ["KnownSum", "WordSums", "fits"]


def fits(low: int, high: int, width: int, signed: bool) -> bool:
    """Whether integers have so many bits, two's complement or not negative."""
    least = -(1 << width - 1) if signed else 0
    return least <= low and high < least + (1 << width)


@dataclass(frozen=True, eq=False)
class KnownSum:
    """How often each number is in it, the range of the sum of integers, and whether its bits hold it exactly."""

    terms: Counter[str]
    low: int
    high: int
    exact: bool


class WordSums:
    """Sums behind registers, muxes whose choice is settled, and adders.

    Parameters
    ----------
    held : bits that are constant, 0 or 1. stops : bits that nothing is followed behind.
    """

    def __init__(self, netlist: Netlist, held: Mapping[int, int], stops: Iterable[int] = ()) -> None:
        self.netlist, self.stops = netlist, frozenset(stops)
        self.constants = Evaluation(netlist, 1, held)
        self.known: dict[Bits, KnownSum] = {}
        self._by_first: dict[int, list[Bits]] = {}
        self._same: dict[int, int] = {}

    def same(self, bit: int) -> int:
        """The bit that this one is a later or a passed-on copy of."""
        way = []
        while bit > 1 and bit not in self._same and bit not in self.stops and bit in self.netlist.driver:
            cell, _, place = self.netlist.driver[bit]
            if cell.kind == "$dff":
                following = cell.ports["D"][place]
            elif cell.kind == "$pos" and place < len(cell.ports["A"]):
                following = cell.ports["A"][place]
            elif cell.kind == "$mux":
                select = self._constant(cell.ports["S"][0])
                if select is None:
                    break
                following = cell.ports["B" if select else "A"][place]
            else:
                break
            if following in way:
                raise CheckFailed(f"signal {self.netlist.name_of(bit)}", "feeds back into itself")
            way.append(bit)
            bit = following
        found = self._same.get(bit, bit)
        self._same |= dict.fromkeys(way, found)
        return found

    def _constant(self, bit: int) -> int | None:
        try:
            return self.constants.rows([bit])[0]
        except CheckFailed:
            return None

    def enter(self, bits: Sequence[int], name: str, low: int, high: int) -> None:
        """A number that sums may be of, in two's complement; its bits hold it."""
        self._enter(self._plain(bits), KnownSum(Counter([name]), low, high, fits(low, high, len(bits), True)))

    def _enter(self, bits: Bits, what: KnownSum) -> None:
        self.known[bits] = what
        self._by_first.setdefault(bits[0], []).append(bits)

    def _plain(self, bits: Sequence[int]) -> Bits:
        return tuple(self.same(bit) for bit in bits)

    def sum_of(self, bits: Sequence[int]) -> KnownSum:
        """What a word is the sum of. CheckFailed where it is none that can be followed."""
        plain = self._plain(bits)
        found = self._find(plain)
        if found is None:
            self._add(plain)
            found = self._find(plain)
        if found is None:
            raise CheckFailed(f"signal {self.netlist.name_of(bits[0])}", "is not a sum that can be followed")
        return found

    def _find(self, bits: Bits) -> KnownSum | None:
        for known in self._by_first.get(bits[0], ()):
            what, width = self.known[known], len(known)
            if len(bits) <= width:
                if known[: len(bits)] == bits:
                    within = fits(what.low, what.high, len(bits), True) and (what.exact or len(bits) == width)
                    return KnownSum(what.terms, what.low, what.high, within)
            elif what.exact and bits[:width] == known and set(bits[width:]) == {known[-1]}:
                return what
        return None

    def _add(self, bits: Bits) -> None:
        """Enter the sum that a word begins with."""
        cell, _, _ = self.netlist.driver.get(bits[0], (None, "", 0))
        if bits[0] == UNKNOWN or cell is None or cell.kind != "$add":
            return
        width = len(cell.ports["Y"])
        sides = []
        for port in "AB":
            side = cell.ports[port]
            if len(side) > width:
                side = side[:width]
            elif len(side) < width:
                top = side[-1] if cell.parameters.get(f"{port}_SIGNED") else 0
                side = (*side, *(top,) * (width - len(side)))
            sides.append(self.sum_of(side))
        low, high = sides[0].low + sides[1].low, sides[0].high + sides[1].high
        self._enter(
            self._plain(cell.ports["Y"]),
            KnownSum(sides[0].terms + sides[1].terms, low, high, fits(low, high, width, True)),
        )
