"""Integers as bits of a netlist: a sum of weighted bits and an offset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeml.errors import InputError

from ...verilog.element import signed_bits
from .compressor_tree import compress
from .netlist import (
    ONE,
    ZERO,
    Bit,
    Netlist,
)

__all__ = ["Value", "spread", "sum_value", "two_complement"]


@dataclass(frozen=True)
class Value:
    """An integer as bits: Σ 2^k · bits[k] + offset, the sum within low … high.

    Parameters
    ----------
    function : (inputs, results): the integer is results[x], x the inputs' number, and has no bits of its own. Given
        only to thresholds, which make one table of it and of themselves.
    """

    bits: tuple[Bit, ...]
    offset: int
    low: int
    high: int
    function: tuple[tuple[Bit, ...], tuple[int, ...]] | None = None

    @property
    def reduced(self) -> Value:
        """Without leading bits that are always zero."""
        used = self.bits[: max(self.high.bit_length(), 1)]
        return Value(used, self.offset, self.low, self.high)


def two_complement(value: Value, width: int) -> list[Bit]:
    """The integer as two's complement of `width` bits; its offset must be 0 or −2^(k−1) for its k bits."""
    bits = list(value.bits)
    if value.offset == 0:
        return [*bits, *[ZERO] * (width - len(bits))][:width]
    if value.offset != -(2 ** (len(bits) - 1)):
        raise InputError("unrolled", f"an offset of {value.offset} on {len(bits)} bits is not a sign bit")
    bits[-1] = ~bits[-1]
    return [*bits, *[bits[-1]] * (width - len(bits))][:width]


def spread(columns: list[list[Bit]], bits: Sequence[Bit], shift: int = 0, *, inverted: bool = False) -> None:
    """Put a number's bits, or their complements, into columns by weight, `shift` places up."""
    for k, bit in enumerate(bits):
        while len(columns) <= shift + k:
            columns.append([])
        columns[shift + k].append(~bit if inverted else bit)


def sum_value(netlist: Netlist, columns: list[list[Bit]], low: int, high: int, constant: int, note: str) -> Value:
    """Bits of weighted columns plus a constant as a Value whose offset is 0 or a sign bit's."""
    offset = 0
    if low + constant < 0:
        width = signed_bits(low + constant, high + constant)
        offset = -(2 ** (width - 1))
    else:
        width = max((high + constant).bit_length(), 1)
    start = constant - offset
    for k in range(width):
        while len(columns) <= k:
            columns.append([])
        if (start >> k) & 1:
            columns[k].append(ONE)
    bits = compress(netlist, columns, width, note)
    return Value(tuple(bits), offset, low + start, high + start)
