"""Functions of single features as nodes of the `Mlp`: an `Encode`, and the linear layer that takes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..float_operators.encode import BIT, EQUAL, LEVEL, VALUE
from .feature_functions import TOO_MANY_BITS, VALUES, FeatureFunctions
from .value import Budget, NotAnMlp

__all__ = ["Expansion", "expansion"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_TABLE = -1
_CONSTANT = -2
_CLOSE = 1e-12
_MOST_PRODUCTS = 2**31
_PRODUCTS_AT_ONCE = 2**22


@dataclass(frozen=True, eq=False)
class Expansion:
    """y[e] = shift[e] + Σ of gain[k] · encode[output[k]] over the entries k with element[k] = e.

    Parameters
    ----------
    source, rule, operand : of the outputs of an `Encode`, int64 [outputs].
    element, output, gain : of the entries; int64, int64, float64 [entries].
    shift : float64 [elements].
    one_each : element e is gain[e] · encode[e] + shift[e].
    """

    source: Ints
    rule: Ints
    operand: Ints
    element: Ints
    output: Ints
    gain: Floats
    shift: Floats
    one_each: bool

    def weights(self, budget: Budget, weight: Floats, bias: Floats) -> tuple[Floats, Floats]:
        """(W', b') with W' · encode + b' = weight · y + bias; weight [rows, elements]."""
        rows = len(weight)
        if rows * len(self.gain) > _MOST_PRODUCTS:
            raise NotAnMlp(f"an encoding of {len(self.gain)} entries before a layer of {rows} outputs")
        budget.constant((2, rows, len(self.source)))
        found = np.zeros((len(self.source), rows))
        columns = np.ascontiguousarray(weight.T)
        for first in range(0, len(self.gain), part := max(_PRODUCTS_AT_ONCE // max(rows, 1), 1)):
            entries = slice(first, first + part)
            np.add.at(found, self.output[entries], self.gain[entries, None] * columns[self.element[entries]])
        # Not by BLAS, whose order of summation depends on the number of threads.
        return found.T, bias + np.einsum("oe,e->o", weight, self.shift)


def expansion(budget: Budget, x: FeatureFunctions, limits: Ints) -> Expansion:
    """The outputs of an `Encode` that the elements of `x` are made of, and how.

    Parameters
    ----------
    limits : how many values each feature of the input has [features].

    Raises
    ------
    NotAnMlp : it looks at bits, levels or categories past the 8 bits of an input, or is larger than can be held.
    """
    source, function = x.source.reshape(-1), x.function.reshape(-1)
    budget.constant((8, source.size))
    pairs, place = np.unique(function * (VALUES + 1) + limits[source], return_inverse=True)
    kinds = [_classified(x.tables[pair // (VALUES + 1)], int(pair % (VALUES + 1))) for pair in pairs.tolist()]
    rule, operand, gain, shift = (np.array(each)[place] for each in zip(*kinds, strict=True))
    element = np.tile(np.arange(x.size), x.terms)
    total = np.zeros(x.size)
    np.add.at(total, element, shift)
    tables = np.flatnonzero(rule == _TABLE)
    plain = np.flatnonzero(rule >= 0)
    size = limits[source[tables]]
    # At 255 an equality is a level too: it is what the others of its feature are.
    last = (rule == LEVEL) & (operand == VALUES - 1) & np.isin(source, source[rule == EQUAL])
    rule = np.where(last, EQUAL, rule)
    entries = int(size.sum()) + plain.size
    budget.constant((8, entries))
    # The entries of a table one behind the other: for value v of it, the gain is the table's number there.
    of_table = np.repeat(tables, size)
    value = np.arange(of_table.size) - np.repeat(np.cumsum(size) - size, size)
    item = np.concatenate([plain, of_table])
    rules = np.concatenate([rule[plain], np.full(value.size, EQUAL)])
    operands = np.concatenate([operand[plain], value]).astype(np.int64)
    gains = np.concatenate([gain[plain], x.tables[function[of_table], value]])
    if x.terms == 1 and plain.size == source.size:
        outputs = np.arange(plain.size)
        return Expansion(source, rules, operands, outputs, outputs, gains, total, True)
    code = (source[item] * 4 + rules) * (2 * VALUES) + operands
    _, first, output = np.unique(code, return_index=True, return_inverse=True)
    order = np.argsort(item[first], kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    chosen = first[order]
    return Expansion(
        source[item[chosen]], rules[chosen], operands[chosen], element[item], rank[output.reshape(-1)], gains, total,
        False,
    )  # fmt: skip


def _classified(table: Floats, limit: int) -> tuple[int, int, float, float]:
    """(rule, operand, gain, shift) with table = gain · rule(q, operand) + shift at every q below `limit`."""
    f = table[:limit]
    low, high = float(f.min()), float(f.max())
    if low == high:
        if limit == VALUES and np.any(table != low):
            raise NotAnMlp("it looks at bits, levels or categories of inputs past 255", TOO_MANY_BITS)
        return _CONSTANT, 0, 0.0, low
    two = bool(np.all((f == low) | (f == high)))
    if limit < VALUES:
        # A feature with a table of fewer values: each value is its own output, none of them is a number.
        for target, other in ((high, low), (low, high)):
            places = np.flatnonzero(f == target)
            if two and places.size == 1 and limit > 1:
                return EQUAL, int(places[0]), target - other, other
        return _TABLE, 0, 0.0, 0.0
    q = np.arange(VALUES)
    step = float(f[-1] - f[0]) / (VALUES - 1)
    if abs(f[0] + step * q - f).max() <= _CLOSE * abs(f).max():
        step = float(f[1] - f[0]) if np.array_equal((f[1] - f[0]) * q + f[0], f) else step
        return VALUE, 0, step, float(f[0])
    if two:
        for target, other in ((high, low), (low, high)):
            chosen = f == target
            for bit in range(8):
                if np.array_equal(chosen, (q >> bit) & 1 == 1):
                    return BIT, bit, target - other, other
            places = np.flatnonzero(chosen)
            if places.size == 1 and places[0] < VALUES - 1:
                return EQUAL, int(places[0]), target - other, other
            if places.size == VALUES - places[0]:
                return LEVEL, int(places[0]), target - other, other
    return _TABLE, 0, 0.0, 0.0
