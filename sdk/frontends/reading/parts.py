"""Layers whose outputs are only taken in parts become a layer for each part: halves of gates, pieces of chunks.

Each part then has scales of its own, and what stands between it and its layer (a batch norm, an activation) becomes
thresholds of that layer. The weights are the same, and no value is computed twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..float_operators.linear import Linear
from ..float_operators.operator import FloatOperator, Role
from ..float_operators.pooled_sum import PooledSum
from ..float_operators.shared_linear import SharedLinear
from ..mlp import MlpNode

__all__ = ["apart"]

Indices = npt.NDArray[np.int64]


def apart(nodes: Sequence[MlpNode], output: str) -> tuple[MlpNode, ...]:
    """`nodes` (in computing order, `output` last) with linear layers, and what acts on each value behind them, cut into
    the parts that are taken of them. Only where all that takes such a layer takes disjoint parts of it."""
    found = list(nodes)
    for place in range(len(found) - 1, -1, -1):
        node = found[place]
        takers = [each for each in found if node.name in each.inputs]
        parts = [_part(each) for each in takers]
        if node.name == output or not takers or not _reaches_weights(found, node):
            continue
        chosen = [part for part in parts if part is not None]
        together = np.concatenate(chosen) if len(chosen) == len(parts) else np.zeros(2, np.int64)
        if len(np.unique(together)) < len(together):
            continue
        cut = [_cut(node.operator, part) for part in chosen]
        if all(operator is not None for operator in cut):
            found = _replaced(found, place, takers, chosen, [each for each in cut if each is not None])
    return tuple(found)


def _replaced(
    nodes: list[MlpNode],
    place: int,
    takers: Sequence[MlpNode],
    parts: Sequence[Indices],
    operators: Sequence[FloatOperator],
) -> list[MlpNode]:
    """`nodes` with the one at `place`, and what takes parts of it, as a node for each part, called after it."""
    node = nodes[place]
    taken = {each.name for each in nodes}
    pieces: list[MlpNode] = []
    renamed: dict[str, str] = {}
    for taker, part, operator in zip(takers, parts, operators, strict=True):
        inputs = node.inputs
        if not _has_weights(node.operator):
            assert isinstance(taker.operator, PooledSum)
            before = _free(f"{taker.name}_of", taken)
            pieces.append(MlpNode(before, PooledSum(_column(part), taker.operator.inputs), inputs, taker.origin))
            inputs = (before,)
        renamed[taker.name] = _free(f"{node.name}_part", taken)
        pieces.append(MlpNode(renamed[taker.name], operator, inputs, node.origin))
    behind = [each for each in nodes[place + 1 :] if each.name not in renamed]
    behind = [replace(each, inputs=tuple(renamed.get(name, name) for name in each.inputs)) for each in behind]
    return [*nodes[:place], *pieces, *behind]


def _free(wanted: str, taken: set[str]) -> str:
    """`wanted`, with a number behind it where it is taken; from then on it is."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    taken.add(name)
    return name


def _part(taker: MlpNode) -> Indices | None:
    """Which values a node takes if it takes some of them as they are, in their order; None if it does anything else."""
    operator = taker.operator
    if not isinstance(operator, PooledSum) or not operator.moves_only or operator.pads:
        return None
    part = operator.gather.index[:, 0]
    return part if np.all(np.diff(part) > 0) else None


def _column(part: Indices) -> npt.NDArray[np.float64]:
    return part[:, None].astype(np.float64)


def _has_weights(operator: FloatOperator) -> bool:
    return isinstance(operator, (Linear, SharedLinear))


def _reaches_weights(nodes: Sequence[MlpNode], node: MlpNode) -> bool:
    """Whether a node is a linear layer, or acts on each value of one that nothing else takes."""
    by_name = {each.name: each for each in nodes}
    while node.operator.role in (Role.LINE, Role.FUNCTION) and node.inputs[0] in by_name:
        node = by_name[node.inputs[0]]
        if sum(node.name in each.inputs for each in nodes) != 1:
            return False
    return _has_weights(node.operator)


def _cut(operator: FloatOperator, part: Indices) -> FloatOperator | None:
    """The operator that gives these of its outputs alone; None if there is none with the same weights."""
    if isinstance(operator, Linear):
        return Linear(operator.weight[part], operator.bias[part])
    if isinstance(operator, SharedLinear):
        return _cut_shared(operator, part)
    size = max((array.size for array in operator.parameters.values()), default=1)
    cut = {name: array[part] for name, array in operator.parameters.items() if array.size == size > 1}
    return dataclasses.replace(operator, **cut) if cut else operator


def _cut_shared(operator: SharedLinear, part: Indices) -> SharedLinear | None:
    """Some rows of weights at some positions."""
    count = len(operator.weight)
    at, rows = np.unique(part // count), np.unique(part % count)
    if len(part) != len(at) * len(rows) or (operator.groups > 1 and len(rows) != count):
        return None
    taken = operator.source[at]
    return SharedLinear(operator.weight[rows], operator.bias[rows], taken, operator.inputs, operator.groups)
