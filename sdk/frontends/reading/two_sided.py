"""PReLU with slopes below 0: a channel that falls and then rises becomes two that only rise, which have thresholds.

Below 0 such a channel is |slope| · (−x), above it x: the layer behind it takes two numbers with the same weights.

    y = relu(x) + relu(slope · x),  W · y = W · relu(x) + W · relu(slope · x)        where slope < 0

No value is approximated, and nothing but the two layers around the function changes: the one before gets a row more for
each such channel, the one behind a column more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..float_operators.affine import Affine
from ..float_operators.clamp import Clamp
from ..float_operators.leaky_relu import LeakyRelu
from ..float_operators.linear import Linear
from ..mlp import FloatOperator, MlpNode

__all__ = ["with_two_sides_apart"]

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Place:
    """A PReLU between linear layers.

    Parameters
    ----------
    before : nodes from the linear layer on to the one before the function.
    behind : nodes after the function that act on each channel, in order.
    takers : the linear layers that take what they give.
    """

    before: list[MlpNode]
    behind: list[MlpNode]
    takers: list[MlpNode]


def with_two_sides_apart(nodes: Sequence[MlpNode], output: str) -> tuple[MlpNode, ...]:
    """`nodes` (in computing order, `output` last) with every channel of a PReLU whose slope is below 0 as two channels.

    Only where slopes differ (one slope for all is one table), and where nothing but scales and shifts of each channel
    stand between the function and linear layers; others are left as they are.
    """
    found = {node.name: node for node in nodes}
    for node in nodes:
        operator = node.operator
        if isinstance(operator, LeakyRelu) and np.any(operator.slope < 0.0) and len(set(operator.slope.tolist())) > 1:
            place = _place(list(found.values()), node, output)
            if place is not None:
                _take_apart(found, node, operator, place)
    return tuple(found.values())


def _place(nodes: list[MlpNode], node: MlpNode, output: str) -> _Place | None:
    by_name = {each.name: each for each in nodes}

    def takers(name: str) -> list[MlpNode]:
        return [each for each in nodes if name in each.inputs]

    before: list[MlpNode] = []
    at = node
    while not isinstance(at.operator, Linear):
        if at is not node and not isinstance(at.operator, Affine):
            return None
        source = by_name.get(at.inputs[0])
        if source is None or len(takers(source.name)) != 1:
            return None
        at = source
        before.insert(0, at)
    behind: list[MlpNode] = []
    following = takers(node.name)
    while len(following) == 1 and isinstance(following[0].operator, Affine):
        behind.append(following[0])
        following = takers(following[0].name)
    last = behind[-1].name if behind else node.name
    if last == output or not following or not all(isinstance(each.operator, Linear) for each in following):
        return None
    return _Place(before, behind, following)


def _take_apart(found: dict[str, MlpNode], node: MlpNode, operator: LeakyRelu, place: _Place) -> None:
    below = np.flatnonzero(operator.slope < 0.0)
    factor = operator.slope[below]
    changed: dict[str, FloatOperator] = {}
    for each in place.before:
        # The factor goes into what stands next to the function.
        changed[each.name] = _with_copies(each.operator, below, factor if each is place.before[-1] else None)
    slopes = np.append(np.maximum(operator.slope, 0.0), np.zeros(len(below)))
    changed[node.name] = LeakyRelu(slopes) if np.any(slopes) else Clamp(0.0, np.inf)
    for each in place.behind:
        assert isinstance(each.operator, Affine)
        scale, shift = each.operator.scale, each.operator.shift
        changed[each.name] = Affine(np.append(scale, scale[below]), np.append(shift, np.zeros(len(below))))
    for each in place.takers:
        assert isinstance(each.operator, Linear)
        weight = each.operator.weight
        changed[each.name] = Linear(np.concatenate([weight, weight[:, below]], axis=1), each.operator.bias)
    for name, changed_operator in changed.items():
        found[name] = replace(found[name], operator=changed_operator)


def _with_copies(operator: FloatOperator, channels: Indices, factor: Floats | None) -> FloatOperator:
    """A linear layer or a line of each channel that gives copies of these channels, times `factor`, behind all."""
    by = np.ones(len(channels)) if factor is None else factor
    if isinstance(operator, Affine):
        scale, shift = (np.append(each, each[channels] * by) for each in (operator.scale, operator.shift))
        return Affine(scale, shift)
    assert isinstance(operator, Linear)
    weight = np.concatenate([operator.weight, operator.weight[channels] * by[:, None]])
    return Linear(weight, np.append(operator.bias, operator.bias[channels] * by))
