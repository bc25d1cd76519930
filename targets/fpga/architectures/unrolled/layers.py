"""The layers of a network as logic: what each kind adds to the netlist."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Add, Dense, Network, Node, Threshold
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize

from .compressor_tree import compress
from .da4ml_graph import da4ml_sums
from .netlist import (
    ZERO,
    Bit,
    CellKind,
    Netlist,
)
from .number import LUTS_PER_BIT
from .requantize import lookup, requantize
from .reuse import parents_of
from .sharing import (
    Number,
    SharedSums,
    Term,
    cost,
    count_uses,
    dissolving,
    inputs_of,
    share,
)
from .tables import function_bits
from .value import Value, sum_value, two_complement

__all__ = ["Value", "layer_logic", "two_complement"]

_REUSE_PAYS = 0.97
"""A sum made from another waits for it, which costs registers."""
_TABLE_BITS = 6
"""A table of more is no cheaper than sums and comparisons: each bit doubles it, on parts with four inputs sooner."""


def dense(
    netlist: Netlist,
    node: Node,
    network: Network,
    inputs: list[list[Value]],
    *,
    sharing: bool,
    adder_graph: str = "edgeml",
) -> list[Value]:
    """A dense layer: shared sums (ours or da4ml's), then a compressor tree per output.

    Where only thresholds follow, the constant stays an offset, which moves into them for nothing.
    """
    layer = node.layer
    assert isinstance(layer, Dense)
    (values,) = inputs
    reduced = [value.reduced for value in values]
    weight = layer.weight.astype(np.int64)
    constants = [
        int(c) for c in layer.bias + weight @ np.array([v.offset - layer.input_zero_point for v in reduced], np.int64)
    ]
    only_thresholds = all(isinstance(n.layer, Threshold) for n in network.layers if node.name in n.inputs)
    offset_stays = only_thresholds and any(node.name in n.inputs for n in network.layers)
    small = _small_functions(weight, constants, reduced) if offset_stays else {}
    large = [output for output in range(len(weight)) if output not in small]
    shared, parents = _sums(weight[large], reduced, [constants[output] for output in large], sharing, adder_graph)
    numbers = _numbers(netlist, shared, reduced, node.name)
    exact = network.ranges[node.name]
    results: dict[int, Value] = {}
    for row in _parents_first(parents):
        output, constant = large[row], shared.constants[row]
        columns: list[list[Bit]] = []
        for term in shared.outputs[row]:
            _spread(columns, numbers[term.number], term)
        note = f"{node.name}[{output}]"
        parent = parents[row]
        if parent is not None:
            _spread(columns, results[large[parent]].bits, Term(0, 0, False))
            constant += results[large[parent]].offset
            note += f" from {node.name}[{large[parent]}]"
        low, high = int(exact.low[output]) - constant, int(exact.high[output]) - constant
        if offset_stays:
            width = max(high.bit_length(), 1)
            results[output] = Value(tuple(compress(netlist, columns, width, note)), constant, low, high)
        else:
            results[output] = sum_value(netlist, columns, low, high, constant, note)
    for output, function in small.items():
        results[output] = Value((), 0, 0, 0, function)
    return [results[output] for output in range(len(weight))]


def _sums(
    weight: npt.NDArray[np.int64], values: Sequence[Value], constants: list[int], sharing: bool, adder_graph: str
) -> tuple[SharedSums, list[int | None]]:
    """Shared sums of the rows, and which row each is made from: of its terms and constant, that row's are left out."""
    bounds = [(v.low, v.high) for v in values]
    alone: list[int | None] = [None] * len(weight)
    if adder_graph == "da4ml":
        return da4ml_sums(weight, bounds, constants), alone
    shared = share(weight, bounds, constants, sharing=sharing)
    parents = parents_of(weight, bounds) if sharing and len(weight) else None
    if parents is None:
        return shared, alone
    differences, rest, taken = weight.copy(), list(constants), 0.0
    for row, parent in enumerate(parents):
        if parent is not None:
            differences[row] -= weight[parent]
            rest[row] -= constants[parent]
            taken += LUTS_PER_BIT * int(np.abs(weight[parent]) @ np.array([v.high for v in values])).bit_length()
    reused = share(differences, bounds, rest)
    return (reused, parents) if cost(reused) + taken < _REUSE_PAYS * cost(shared) else (shared, alone)


def _parents_first(parents: Sequence[int | None]) -> list[int]:
    """Rows in an order in which each follows the one that it is made from, else ascending."""
    order: dict[int, None] = {}
    for row in range(len(parents)):
        way: list[int] = []
        at: int | None = row
        while at is not None and at not in order:
            way.append(at)
            at = parents[at]
        order.update(dict.fromkeys(reversed(way)))
    return list(order)


def _small_functions(
    weight: npt.NDArray[np.int64], constants: Sequence[int], values: Sequence[Value]
) -> dict[int, tuple[tuple[Bit, ...], tuple[int, ...]]]:
    """Outputs that so few bits reach that a table of them costs least: those bits, and the sum for each number."""
    found = {}
    for output, row in enumerate(weight):
        channels = [channel for channel in map(int, np.flatnonzero(row)) if values[channel].high]
        bits = [bit for channel in channels for bit in values[channel].bits]
        if len(bits) > _TABLE_BITS:
            continue
        sums = []
        for x in range(2 ** len(bits)):
            total, left = constants[output], x
            for channel in channels:
                width = len(values[channel].bits)
                # Numbers above the highest never come: they may stand for it.
                total += int(row[channel]) * min(left & (2**width - 1), values[channel].high)
                left >>= width
            sums.append(total)
        found[output] = (tuple(bits), tuple(sums))
    return found


def _spread(columns: list[list[Bit]], bits: Sequence[Bit], term: Term) -> None:
    for k, bit in enumerate(bits):
        while len(columns) <= term.shift + k:
            columns.append([])
        columns[term.shift + k].append(~bit if term.inverted else bit)


def _numbers(netlist: Netlist, shared: SharedSums, values: list[Value], name: str) -> list[list[Bit]]:
    """Bits of every number that is used, directly or by another; small sums of sums are one table."""
    uses = count_uses(shared)
    tables: dict[int, list[int]] = {}
    dissolved: set[int] = set()
    for index in range(len(shared.numbers) - 1, len(values) - 1, -1):
        inner = dissolving(shared.numbers, uses, index) if uses[index] else []
        if not inner:
            continue
        leaves = inputs_of(shared.numbers, uses, index)
        if index in dissolved or leaves is not None:
            dissolved.update(inner)
        if index not in dissolved and leaves is not None:
            tables[index] = list(leaves)
    result: list[list[Bit]] = []
    for index, number in enumerate(shared.numbers):
        note = f"{name} shared {index}"
        if index < len(values):
            result.append(list(values[index].bits[: number.bits]))
        elif not uses[index] or index in dissolved:
            result.append([])
        elif index in tables:
            result.append(_table_sum(netlist, shared.numbers, index, tables[index], result, note))
        else:
            result.append(_two_terms(netlist, number, result, note))
    return result


def _table_sum(
    netlist: Netlist, numbers: Sequence[Number], index: int, leaves: list[int], known: list[list[Bit]], note: str
) -> list[Bit]:
    """A sum of sums as a table of the numbers at its leaves."""
    inputs = [bit for leaf in leaves for bit in known[leaf]]
    width = numbers[index].bits
    totals = []
    for x in range(2 ** len(inputs)):
        left, assigned = x, {}
        for leaf in leaves:
            assigned[leaf] = left & (2 ** numbers[leaf].bits - 1)
            left >>= numbers[leaf].bits
        totals.append(_sum_of(numbers, index, assigned))
    return function_bits(netlist, inputs, totals, width, note)


def _sum_of(numbers: Sequence[Number], index: int, assigned: Mapping[int, int]) -> int:
    """Value of a number where those of its leaves are given."""
    if index in assigned:
        return assigned[index]
    total = 0
    for part in (numbers[index].a, numbers[index].b):
        assert part is not None
        value = _sum_of(numbers, part.number, assigned)
        total += (2 ** numbers[part.number].bits - 1 - value if part.inverted else value) << part.shift
    return total


def _two_terms(netlist: Netlist, number: Number, known: list[list[Bit]], note: str) -> list[Bit]:
    assert number.a is not None
    assert number.b is not None
    low_term, high_term = (number.a, number.b) if number.b.shift else (number.b, number.a)
    low = [~bit if low_term.inverted else bit for bit in known[low_term.number]]
    high = [~bit if high_term.inverted else bit for bit in known[high_term.number]]
    shift = high_term.shift
    passing, rest = low[:shift], low[shift:]
    passing += [ZERO] * (shift - len(passing))
    outputs = number.bits - shift
    if not rest or outputs <= 0:
        return [*passing, *high][: number.bits]
    # The complement of a number that is never small has leading zeros: bits above the sum's width add nothing.
    rest, high = rest[:outputs], high[:outputs]
    kind = CellKind.SMALL_ADD if len(rest) + len(high) <= 6 else CellKind.ADD
    return [*passing, *netlist.add(kind, [*rest, *high], (len(rest), len(high), 0), outputs, note)]


def threshold(
    netlist: Netlist, node: Node, network: Network, inputs: list[list[Value]], *, sharing: bool
) -> list[Value]:
    """Comparisons with constants; where few bits reach a channel, a table of them."""
    layer = node.layer
    assert isinstance(layer, Threshold)
    (values,) = inputs
    results = []
    for channel, value in enumerate(values):
        if value.function is not None:
            inputs_of_table, sums = value.function
            counts = [int((layer.thresholds[channel] <= total).sum()) for total in sums]
            least, most = min(counts), max(counts)
            table = [count - least for count in counts]
            note = f"neuron {node.inputs[0]}[{channel}] with {node.name}[{channel}], of {len(inputs_of_table)} bits"
            made = function_bits(netlist, inputs_of_table, table, max((most - least).bit_length(), 1), note)
            netlist.spread(made)
            results.append(Value(tuple(made), layer.base + least, 0, most - least))
            continue
        levels = [int(t) - value.offset for t in layer.thresholds[channel]]
        always = sum(1 for t in levels if t <= value.low)
        within = [t for t in levels if value.low < t <= value.high]
        base = layer.base + always
        if not within:
            results.append(Value((ZERO,), base, 0, 0))
            continue
        bits = _reached(netlist, value.bits, within, f"{node.name}[{channel}]")
        netlist.spread(bits)
        results.append(Value(tuple(bits), base, 0, len(within)))
    return results


def _reached(netlist: Netlist, bits: Sequence[Bit], levels: Sequence[int], note: str) -> list[Bit]:
    """How many of the levels a number reaches; up to three are compared first, and counted in the next level."""
    if not 2 <= len(levels) <= 3:
        return netlist.add(CellKind.REACHED, bits, levels, len(levels).bit_length(), note)
    each = [netlist.add(CellKind.REACHED, bits, [level], 1, f"{note} >= {level}")[0] for level in levels]
    # Who reaches a level reaches all below it: bit 1 is the second comparison, bit 0 changes with each.
    odd = [sum((x.bit_count() & 1) << x for x in range(2 ** len(levels)))]
    return [*netlist.add(CellKind.TABLE, each, odd, 1, note), each[1]]


def add(netlist: Netlist, node: Node, network: Network, inputs: list[list[Value]], *, sharing: bool) -> list[Value]:
    """Residual sums."""
    results = []
    for channel, (a, b) in enumerate(zip(*inputs, strict=True)):
        columns: list[list[Bit]] = []
        for value in (a, b):
            _spread(columns, value.bits, Term(0, 0, False))
        note = f"{node.name}[{channel}]"
        results.append(sum_value(netlist, columns, a.low + b.low, a.high + b.high, a.offset + b.offset, note))
    return results


_Logic = Callable[..., list[Value]]
_KINDS: dict[str, _Logic] = {
    Dense.kind: dense,
    Threshold.kind: threshold,
    Add.kind: add,
    Requantize.kind: requantize,
    Lookup.kind: lookup,
}


def layer_logic(node: Node) -> _Logic:
    """The function that adds a layer's logic; InputError where there is none."""
    if node.layer.kind not in _KINDS:
        raise InputError(
            f"layer {node.name}",
            f"the unrolled architecture has no logic for {node.layer.kind!r}",
            f"It has: {', '.join(sorted(_KINDS))}; try --architecture folded",
        )
    return _KINDS[node.layer.kind]
