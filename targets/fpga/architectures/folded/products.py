"""What a product of few bits takes: a weight and an input that both change, as `edgeml_mvu_row` writes it."""

from __future__ import annotations

from functools import cache

from ...budget import Family
from ...estimate.products import logic_of_product
from ..unrolled.cell_amounts import tables_of_four

__all__ = ["multiplier_bits", "product_luts"]

_TABLE_BITS = 6


def product_luts(x_bits: int, w_bits: int, signed: bool, family: Family) -> float:
    """Lookup tables of a product of an input of `x_bits` bits, with a sign or without, and a weight of `w_bits` bits,
    two's complement (1: ±1): those of its digits that are neither constant nor copies, equal ones once.

    Weights of 1 bit invert the input, or do not; of 2 bits, where product and factors do not fit a table, they choose
    among the bits of it, a table of four inputs for each.
    """
    return _luts(x_bits, w_bits, signed, family.lut_inputs, family.fitted)


@cache
def _luts(x_bits: int, w_bits: int, signed: bool, lut_inputs: int, family: str) -> float:
    if w_bits == 1:
        return float(x_bits)
    inputs = x_bits + w_bits
    if inputs > _TABLE_BITS:
        return x_bits + 1.0
    functions = set()
    for digit in range(inputs):
        table = 0
        for number in range(1 << inputs):
            x, weight = number & (1 << x_bits) - 1, number >> x_bits
            value = x - (signed and x >> x_bits - 1) * (1 << x_bits)
            factor = weight - (weight >> w_bits - 1) * (1 << w_bits)
            table |= (value * factor >> digit & 1) << number
        functions.add(table)
    copies = {sum((number >> place & 1) << number for number in range(1 << inputs)) for place in range(inputs)}
    made = functions - copies - {0}
    if inputs <= lut_inputs:
        return float(len(made))
    return sum(tables_of_four(table, inputs, family) for table in made)


def multiplier_bits(
    x_bits: int, factor: tuple[int, ...], family: Family, *, signed: tuple[bool, bool], unread: int = 0
) -> float:
    """What a product in logic takes: on parts with tables of four inputs those tables, on others bit products.

    factor, signed, unread : as of `estimate.products.logic_of_product`.
    """
    if family.lut_inputs == 4:
        return logic_of_product(x_bits, factor, signed=signed, unread=unread)
    x_signed, factor_signed = signed
    return float((x_bits + (factor_signed and not x_signed)) * len(factor))
