"""What a tensor of integers is of those before it: in each channel a constant and a function of each of their values.

Dense layers, additions, tables and encodings between two quantizers make sums of functions of single values, whatever
their number and order. Two such sums are equal for all values where the functions are, once each is moved to 0 at the
least value and the constants take the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edgeml.network import Layer, ValueRange

__all__ = ["Sum", "TooLargeError", "follow", "itself", "named", "parts_of"]

Int64 = npt.NDArray[np.int64]

_MOST_ENTRIES = 2**26


class TooLargeError(Exception):
    """A sum of tables with more entries than are looked at, or of a layer that makes no such sum."""


@dataclass(frozen=True, eq=False)
class Sum:
    """y[c] = constant[c] + Σ over tensors, i: weight[c, i] · x[i] + table[c, i, x[i] − low].

    Parameters
    ----------
    constant : [channels]. weights : by tensor [channels, size]. tables : by tensor [channels, size, values].
    ranges : of the tensors; the first value of a table is the least of its tensor.
    """

    constant: Int64
    weights: Mapping[str, Int64]
    tables: Mapping[str, Int64] = field(default_factory=dict)
    ranges: Mapping[str, ValueRange] = field(default_factory=dict)

    def normal(self) -> tuple[Int64, dict[str, Int64]]:
        """(constants, functions): with functions that are 0 at the least value of each channel of their tensor; those
        of a tensor of which none is a table as weights [channels, size], else as tables."""
        constant = self.constant.copy()
        functions: dict[str, Int64] = {}
        for name in {**self.weights, **self.tables}:
            reach = self.ranges[name]
            weight = self.weights.get(name)
            if name not in self.tables:
                assert weight is not None
                constant = constant + weight @ reach.low
                functions[name] = np.where(reach.low < reach.high, weight, 0)
                continue
            table = self.tables[name]
            values = np.arange(table.shape[2]) + reach.bounds[0]
            whole = table if weight is None else table + weight[:, :, None] * values
            first = reach.low - reach.bounds[0]
            start = np.take_along_axis(whole, np.broadcast_to(first[None, :, None], (*whole.shape[:2], 1)), 2)
            can = (values >= reach.low[:, None]) & (values <= reach.high[:, None])
            constant = constant + start[:, :, 0].sum(axis=1)
            functions[name] = np.where(can[None], whole - start, 0)
        return constant, functions

    def as_tables(self, names: set[str]) -> dict[str, Int64]:
        """The functions of `normal`, those of `names` as tables."""
        _, functions = self.normal()
        for name in names & set(functions):
            if functions[name].ndim == 2:
                reach = self.ranges[name]
                values = np.arange(reach.bounds[0], reach.bounds[1] + 1)
                rest = np.clip(values, reach.low[:, None], reach.high[:, None]) - reach.low[:, None]
                can = (values >= reach.low[:, None]) & (values <= reach.high[:, None])
                functions[name] = np.where(can[None], functions[name][:, :, None] * rest[None], 0)
        return functions

    @property
    def reach(self) -> ValueRange:
        """Exact: the least and the largest that values within the ranges add up to."""
        constant, functions = self.normal()
        low, high = constant.copy(), constant.copy()
        for name, function in functions.items():
            if function.ndim == 2:
                function = (function * (self.ranges[name].high - self.ranges[name].low))[:, :, None]
            low += np.minimum(function, 0).min(axis=2).sum(axis=1)
            high += np.maximum(function, 0).max(axis=2).sum(axis=1)
        return ValueRange(low, high)


def itself(name: str, reach: ValueRange) -> Sum:
    """A tensor as a sum of its own values."""
    return Sum(np.zeros(reach.channels, np.int64), {name: np.eye(reach.channels, dtype=np.int64)}, {}, {name: reach})


def _dense(layer: Layer, x: Sum) -> Sum:
    fields = vars(layer)
    weight = fields["weight"].astype(np.int64)
    return _weighed(weight, fields["bias"] - weight.sum(axis=1) * fields["input_zero_point"], x)


def _shared(layer: Layer, x: Sum) -> Sum:
    """What positions gather, and of these the sums of dense layers."""
    fields = vars(layer)
    gather = fields["gather"].astype(np.int64)
    rows, columns = gather.size, len(x.constant)
    _fits(rows * columns)
    weight = np.zeros((rows, columns), np.int64)
    taken = np.flatnonzero(gather.ravel() >= 0)
    weight[taken, gather.ravel()[taken]] = 1
    found = _weighed(weight, np.where(gather.ravel() < 0, fields["padding"], 0), x)
    for each in fields["chain"]:
        if each.kind != "dense":
            raise TooLargeError(f"takes a layer of kind {each.kind} at positions, which is no sum")
        own = vars(each)["weight"].astype(np.int64)
        _fits(len(gather) ** 2 * own.size)
        whole = np.kron(np.eye(len(gather), dtype=np.int64), own)
        less = vars(each)["bias"] - own.sum(axis=1) * vars(each)["input_zero_point"]
        found = _weighed(whole, np.tile(less, len(gather)), found)
    return found


def _concat(layer: Layer, a: Sum, b: Sum) -> Sum:
    """Both, each with nothing at the other one's places."""
    sizes = len(a.constant), len(b.constant)

    def apart(of: Mapping[str, Int64], before: int, behind: int) -> dict[str, Int64]:
        return {name: np.pad(each, [(before, behind)] + [(0, 0)] * (each.ndim - 1)) for name, each in of.items()}

    sides = [
        Sum(np.pad(x.constant, where), apart(x.weights, *where), apart(x.tables, *where), x.ranges)
        for x, where in ((a, (0, sizes[1])), (b, (sizes[0], 0)))
    ]
    return _add(layer, *sides)


def _weighed(weight: Int64, bias: Int64, x: Sum) -> Sum:
    _fits(*(len(weight) * int(np.prod(table.shape[1:])) for table in x.tables.values()))
    tables = {name: np.tensordot(weight, table, 1) for name, table in x.tables.items()}
    return Sum(weight @ x.constant + bias, {name: weight @ each for name, each in x.weights.items()}, tables, x.ranges)


def _add(layer: Layer, a: Sum, b: Sum) -> Sum:
    def together(one: Mapping[str, Int64], other: Mapping[str, Int64]) -> dict[str, Int64]:
        both = dict(one)
        for name, each in other.items():
            both[name] = both[name] + each if name in both else each
        return both

    ranges = {**a.ranges, **b.ranges}
    return Sum(a.constant + b.constant, together(a.weights, b.weights), together(a.tables, b.tables), ranges)


def _only(x: Sum) -> tuple[str, ValueRange]:
    """The tensor that a sum is itself."""
    if x.tables or len(x.weights) != 1 or x.constant.any():
        raise TooLargeError("takes what is made of several values")
    ((name, weight),) = x.weights.items()
    if weight.shape[0] != weight.shape[1] or not np.array_equal(weight, np.eye(len(weight), dtype=np.int64)):
        raise TooLargeError("takes what is made of several values")
    return name, x.ranges[name]


def named(x: Sum | str) -> str:
    """The tensor that a sum is itself; "" if it is more, or none."""
    try:
        return "" if isinstance(x, str) else _only(x)[0]
    except TooLargeError:
        return ""


def _tables(layer: Layer, x: Sum) -> Sum:
    name, reach = _only(x)
    fields = vars(layer)
    low, high = reach.bounds
    outputs = fields["entries"].shape[1]
    _fits(outputs * reach.channels * (high - low + 1))
    table = np.zeros((outputs, reach.channels, high - low + 1), np.int64)
    for feature, source in enumerate(fields["source"].tolist()):
        values = np.arange(reach.low[source], reach.high[source] + 1)
        table[:, source, values - low] += fields["entries"][fields["rows"][feature, values]].T
    return Sum(fields["bias"].astype(np.int64), {}, {name: table}, x.ranges)


def _encode(layer: Layer, x: Sum) -> Sum:
    name, reach = _only(x)
    low, high = reach.bounds
    sources = vars(layer)["source"].tolist()
    _fits(len(sources) * reach.channels * (high - low + 1))
    values = np.arange(low, high + 1)
    given = layer.evaluate(np.repeat(values[:, None], reach.channels, axis=1).astype(np.int32))
    table = np.zeros((len(sources), reach.channels, len(values)), np.int64)
    for output, source in enumerate(sources):
        table[output, source] = given[:, output]
    return Sum(np.zeros(len(sources), np.int64), {}, {name: table}, x.ranges)


def _fits(*entries: int) -> None:
    if max(entries, default=0) > _MOST_ENTRIES:
        raise TooLargeError(f"is a sum of more than {_MOST_ENTRIES} table entries")


_FOLLOWED: Mapping[str, Callable[..., Sum]] = {
    "dense": _dense,
    "add": _add,
    "tables": _tables,
    "encode": _encode,
    "shared": _shared,
    "concat": _concat,
    "input_spikes": lambda layer, x: x,
}
"""What a layer makes of the sums it takes, by its kind."""


def follow(layer: Layer, *given: Sum) -> Sum:
    """The sums that a layer gives. Raises TooLargeError where it gives none, or one that is too large."""
    if layer.kind not in _FOLLOWED:
        raise TooLargeError(f"takes a layer of kind {layer.kind}, which is no sum")
    return _FOLLOWED[layer.kind](layer, *given)


def parts_of(one: Sum, other: Sum) -> tuple[Int64, Int64, list[tuple[Int64, Int64]]]:
    """Constants of both, and their functions, tensor by tensor in one form; those of a tensor that one lacks are 0."""
    tabled = set(one.tables) | set(other.tables)
    both = [each.as_tables(tabled) for each in (one, other)]
    constants = one.normal()[0], other.normal()[0]
    parts = []
    for name in dict.fromkeys([*both[0], *both[1]]):
        there = both[0].get(name, both[1].get(name))
        assert there is not None
        none = np.zeros_like(there)
        parts.append((both[0].get(name, none), both[1].get(name, none)))
    return constants[0], constants[1], parts
