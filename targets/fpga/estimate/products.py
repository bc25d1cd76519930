"""Lookup tables of a product in logic, on parts with tables of four inputs: as yosys builds it, adder by adder.

yosys (`maccmap`) makes a row of bit products for each bit of the shorter factor, adds the rows three by three with full
adders until two are left, and those by a carry chain. Of a constant factor, most adders add zeros, or the same bits as
another one: a row is the constant at the places of one bit, and what three rows add at a place depends on three bits of
it alone. So it is with a factor of few values, many of whose bits are always equal. The adders are counted that differ
and do not add zeros.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["logic_of_product", "pattern"]

_ADDER, _HALF_ADDER, _BIT_PRODUCT, _CHAIN = 2.2, 1.14, 0.52, 0.98
"""Lookup tables of a full adder, of one that adds two bits, of a bit product, and of a place of the last carry chain:
fitted to 24 products of 10 to 18 by 24 to 53 bits, half of constants, 5% off at the worst but for those of few ones."""
_FEW_BITS, _OF_FEW = 3, 0.7
"""Of products of a factor of so few bits without a sign, tables take several bit products and adders: 0.69 and 0.72."""
_KEPT = 4096
_ZERO, _ONE = 0, 1


@dataclass
class _Adders:
    """Signals by number, 0 and 1 the constants; what adds the same signals is there once."""

    signals: int = 2
    adders: dict[tuple[int, ...], tuple[int, int]] = field(default_factory=dict)
    ands: dict[tuple[int, int], int] = field(default_factory=dict)
    inverted: dict[int, int] = field(default_factory=dict)
    luts: float = 0.0

    def signal(self) -> int:
        """A new one."""
        self.signals += 1
        return self.signals - 1

    def complement(self, signal: int) -> int:
        """Its inverse, for which no table is taken."""
        if signal <= _ONE:
            return 1 - signal
        if signal not in self.inverted:
            self.inverted[signal] = self.signal()
        return self.inverted[signal]

    def both(self, a: int, b: int) -> int:
        """A bit product."""
        if min(a, b) == _ZERO:
            return _ZERO
        if min(a, b) == _ONE or a == b:
            return max(a, b)
        key = (min(a, b), max(a, b))
        if key not in self.ands:
            self.ands[key] = self.signal()
            self.luts += _BIT_PRODUCT
        return self.ands[key]

    def add(self, *bits: int) -> tuple[int, int]:
        """(sum, carry) of three."""
        a, b, c = sorted(bits)
        if b == _ZERO:
            return c, _ZERO
        if b == _ONE:  # and a is a constant
            carry = c if a == _ZERO else _ONE
            return (self.complement(c) if a == _ZERO else c), carry
        if a == b or b == c:
            return (c if a == b else a), b
        key = (a, b, c)
        if key not in self.adders:
            self.adders[key] = (self.signal(), self.signal())
            self.luts += _ADDER if a > _ONE else _HALF_ADDER
        return self.adders[key]


def pattern(words: npt.NDArray[np.int64], bits: int) -> tuple[int, ...]:
    """The bits of a factor that takes these values [clocks], from bit 0 on: 0 or 1 of those that never change, the same
    number of those that are always equal."""
    found: dict[bytes, int] = {bytes(len(words)): _ZERO, b"\1" * len(words): _ONE}
    columns = ((words >> place & 1).astype(np.uint8).tobytes() for place in range(bits))
    return tuple(found.setdefault(column, len(found)) for column in columns)


@lru_cache(_KEPT)
def logic_of_product(
    bits: int, factor: tuple[int, ...], *, signed: tuple[bool, bool] = (False, False), unread: int = 0
) -> float:
    """Lookup tables of a product of a number of so many bits and a factor (`pattern`), each with a sign or without.

    unread : how many bits of the product from bit 0 on nothing reads.
    """
    width, tables = bits + len(factor), _Adders(signals=max((*factor, _ONE)) + 1)
    factors = [[tables.signal() for _ in range(bits)], list(factor)]
    if any(signed):
        # A factor without a sign gets a zero for one.
        factors = [[*bits, _ZERO] if not has else bits for bits, has in zip(factors, signed, strict=True)]
        width += not all(signed)
    signs = [bits[-1] if any(signed) else _ZERO for bits in factors]
    longer = 0 if len(factors[0]) >= len(factors[1]) else 1
    rows = _rows(tables, factors[longer], factors[1 - longer], signs[longer], width, has_sign=any(signed))
    while len(rows) > 2:
        rows = _added_by_three(tables, rows, width)
    places = [place for place, bits in enumerate(zip(*rows, strict=True)) if min(bits) > _ZERO] if len(rows) > 1 else []
    luts = tables.luts + _CHAIN * (width - max(places[0], unread) if places else 0)
    few = any(len(each) - any(signed) <= _FEW_BITS for each, has in zip(factors, signed, strict=True) if not has)
    return luts * (_OF_FEW if few and max(factor) > _ONE else 1.0)


def _rows(
    tables: _Adders, longer: list[int], shorter: list[int], sign: int, width: int, *, has_sign: bool
) -> list[list[int]]:
    """The bit products of each bit of the shorter factor; the last one, if it is a sign, subtracts the longer one."""
    wide = (longer + [sign] * width)[:width]
    rows = []
    for place, bit in enumerate(shorter):
        shifted = [_ZERO] * place + wide[: width - place]
        if has_sign and place + 1 == len(shorter):
            shifted[place:] = [tables.complement(each) for each in shifted[place:]]
            rows.append([_ZERO if at != place else bit for at in range(width)])
        rows.append([tables.both(each, bit) for each in shifted])
    return rows


def _added_by_three(tables: _Adders, rows: list[list[int]], width: int) -> list[list[int]]:
    """Each three rows as two: sums, and carries a place further up."""
    found: list[list[int]] = []
    groups = len(rows) // 3
    for group in range(groups):
        sums, carries = zip(
            *(tables.add(*bits) for bits in zip(*rows[3 * group : 3 * group + 3], strict=True)), strict=True
        )
        found += [list(sums), [_ZERO, *carries][:width]]
    return found + rows[3 * groups :]
