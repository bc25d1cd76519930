"""One row of a matrix-vector unit: products of all operands, their sum, and the accumulator."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed

from ..bit_rows import rows_of
from ..evaluation import Evaluation
from ..induction import next_values
from ..netlist import Netlist
from ..pipeline import latency
from ..word_sums import WordSums

__all__ = ["inverts", "product_of", "prove_row"]

Int64 = npt.NDArray[np.int64]

_MOST_OPERAND_BITS = 20
_LOOKUP_BITS = 6


def inverts(weight_bits: int, input_bits: int) -> bool:
    """Whether a product with a negative weight is one less than w · x."""
    return weight_bits == 1 or (weight_bits == 2 and weight_bits + input_bits > _LOOKUP_BITS)


def product_of(weight: Int64, value: Int64, weight_bits: int, less_one: bool) -> Int64:
    """The product that a row makes of a stored weight (bits, not negative) and a value."""
    if weight_bits == 1:
        w = 2 * weight - 1
    else:
        w = np.where(weight >> (weight_bits - 1), weight - (1 << weight_bits), weight)
    return np.asarray(w * value - (less_one & (w < 0)), np.int64)


def prove_row(netlist: Netlist, parameters: dict[str, int]) -> dict[str, int]:
    """What a row does: step_sum, `clocks` later, is Σ products of this clock; sum follows add, first and start.

    Returns the numbers that the proof looked at. Raises CheckFailed with what does not hold.
    """
    simd, width = parameters["SIMD"], parameters["SUM_BITS"]
    weight_bits, input_bits = parameters["WEIGHT_BITS"], parameters["INPUT_BITS"]
    reset = netlist.ports["rst"][0]
    step_sum = netlist.word("step_sum")
    sources = [*netlist.ports["weights"], *netlist.ports["inputs"]]
    clocks = (simd - 1).bit_length() // 2
    found = latency(netlist, step_sum, sources, {reset: 0})
    if found != clocks:
        raise CheckFailed("step_sum", f"comes {found} clocks after its terms, not {clocks}")
    rows = _prove_products(netlist, parameters)
    held = {reset: 0}
    sums = WordSums(netlist, held, netlist.ports["sum"])
    products, size = netlist.word("products"), weight_bits + input_bits
    low, high = rows["low"], rows["high"]
    for lane in range(simd):
        sums.enter(products[lane * size : (lane + 1) * size], f"{lane}", low, high)
    if len(step_sum) != width or sums.sum_of(step_sum).terms != Counter(map(str, range(simd))):
        raise CheckFailed("step_sum", "is not the sum of each product once")
    _prove_accumulator(netlist, width)
    return {"operands": rows["rows"], "lanes": simd, "clocks": clocks}


def _prove_products(netlist: Netlist, parameters: dict[str, int]) -> dict[str, int]:
    """Every lane's product, for all its operands; the range of a product."""
    weight_bits, input_bits = parameters["WEIGHT_BITS"], parameters["INPUT_BITS"]
    size = weight_bits + input_bits
    if size > _MOST_OPERAND_BITS:
        raise CheckFailed("products", f"have operands of {size} bits together, {_MOST_OPERAND_BITS} at most")
    count = 1 << size
    operands = np.arange(count)
    weight, value = operands >> input_bits, operands & ((1 << input_bits) - 1)
    if parameters["INPUT_SIGNED"]:
        value = np.where(value >> (input_bits - 1), value - (1 << input_bits), value)
    expected = product_of(weight, value, weight_bits, inverts(weight_bits, input_bits))
    wanted, given = rows_of(expected & ((1 << size) - 1), size), rows_of(operands, size)
    for lane in range(parameters["SIMD"]):
        inputs = netlist.ports["inputs"][lane * input_bits : (lane + 1) * input_bits]
        weights = netlist.ports["weights"][lane * weight_bits : (lane + 1) * weight_bits]
        evaluation = Evaluation(netlist, count, dict(zip((*inputs, *weights), given, strict=True)))
        made = evaluation.rows(netlist.word("products")[lane * size : (lane + 1) * size])
        wrong = 0
        for bits, right in zip(made, wanted, strict=True):
            wrong |= bits ^ right
        if wrong:
            row = (wrong & -wrong).bit_length() - 1
            given_there = f"weight {int(weight[row])} (its bits) and input {int(value[row])}"
            raise CheckFailed(f"product {lane}", f"of {given_there} is not {int(expected[row])}")
    return {"rows": count, "low": int(expected.min()), "high": int(expected.max())}


def _prove_accumulator(netlist: Netlist, width: int) -> None:
    """sum + step_sum after add, start + step_sum after add and first, else sum."""
    ports = netlist.ports
    reset, add, first = (ports[name][0] for name in ("rst", "add", "first"))
    following = next_values(netlist, ports["sum"])
    for adds, begins in ((0, 0), (0, 1), (1, 0), (1, 1)):
        sums = WordSums(netlist, {reset: 0, add: adds, first: begins}, ports["sum"])
        for name, bits in (("sum", ports["sum"]), ("start", ports["start"]), ("step", netlist.word("step_sum"))):
            sums.enter(bits, name, -(1 << width - 1), (1 << width - 1) - 1)
        expected = Counter(["start" if begins else "sum", "step"]) if adds else Counter(["sum"])
        if sums.sum_of(following).terms != expected:
            raise CheckFailed("sum", f"does not take over {' + '.join(expected)} where add = {adds}, first = {begins}")
