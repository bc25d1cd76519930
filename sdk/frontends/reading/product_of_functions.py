"""Products and quotients of functions of one tensor, written out: x · σ(x) is SiLU, x / (1 + |x|) softsign.

Both sides are followed back to a tensor that they come from, through operators on each value that are the same for all
channels. What they give together is held against the functions that there are: p(x) = c · f(k · x), where k is a factor
that x is multiplied by on the way. That it is one is only found at some points; each model that is read is checked
as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..float_operators.arrays import NUMPY
from ..float_operators.curves import CURVES
from ..float_operators.formula import Formula
from ..float_operators.operator import Role
from ..mlp import MlpNode
from .builder import MlpBuilder
from .value import Signal

__all__ = ["function_of_one"]

Floats = npt.NDArray[np.float64]

_POINTS = np.concatenate([np.linspace(-8.0, 8.0, 97), [-0.01, 0.01, -30.0, 30.0]])
_NEAR = 1e-6
"""What may lie between two functions, relative to their size: constants in models are of float32."""
_MOST_NODES = 16


def function_of_one(
    builder: MlpBuilder, a: Signal, b: Signal, combine: Callable[[Floats, Floats], Floats]
) -> Signal | None:
    """`combine` of two tensors that are functions of one, as that function of it; None if it is none of those known."""
    if a.features != b.features or len(a.shape) != len(b.shape) or a.final or b.final:
        return None
    before = [dict(_before(builder, each.node)) for each in (a, b)]
    for source in before[0]:
        if source not in before[1]:
            continue
        x = Signal(source, a.shape, a.batch_axis)
        for k in dict.fromkeys([1.0, *_factors(source, *before)]):
            sides = [_values(each.node, source, _POINTS / k, nodes) for each, nodes in zip((a, b), before, strict=True)]
            if any(side is None for side in sides):
                break
            first, second = (np.asarray(side) for side in sides)
            if combine is np.multiply and np.array_equal(first, second):
                return builder.each_value(Formula("square"), a, "square")
            with np.errstate(all="ignore"):
                found = _known(combine(first, second))
            if found is not None:
                name, factor = found
                value = builder.each_value(Formula(name), builder.affine(x, k, 0.0), name)
                return builder.affine(value, factor, 0.0)
    return None


def _before(builder: MlpBuilder, name: str) -> Iterator[tuple[str, MlpNode | None]]:
    """A tensor and those that it comes from value by value, the latest first; None for one that is not followed."""
    waiting, seen = [name], 0
    while waiting and seen < _MOST_NODES:
        name = waiting.pop(0)
        seen += 1
        node = None if name == "input" else builder.node(name)
        if node is not None:
            operator = node.operator
            sound = operator.role in (Role.LINE, Role.FUNCTION) or operator.kind == "add"
            if sound and all(np.all(array == array[:1]) for array in operator.parameters.values()):
                waiting += node.inputs
            else:
                node = None
        yield name, node


def _factors(source: str, *nodes: dict[str, MlpNode | None]) -> list[float]:
    """What `source` is multiplied by."""
    users = [node for side in nodes for node in side.values() if node is not None and node.inputs == (source,)]
    scales = [user.operator.scale_and_shift for user in users]
    factors = [float(found[0][0]) for found in scales if found is not None]
    return [factor for factor in factors if 2.0**-20 < abs(factor) < 2.0**20]


def _values(name: str, source: str, x: Floats, nodes: dict[str, MlpNode | None]) -> Floats | None:
    """What the tensor `name` is for values x of `source`; None if it is no function of that alone."""
    if name == source:
        return x
    node = nodes.get(name)
    if node is None:
        return None
    given = [_values(each, source, x, nodes) for each in node.inputs]
    if any(each is None for each in given):
        return None
    parameters: dict[str, Any] = {field: array[0] for field, array in node.operator.parameters.items()}
    with np.errstate(all="ignore"):
        return np.asarray(node.operator.compute(NUMPY, parameters, *given))


def _known(wanted: Floats) -> tuple[str, float] | None:
    """The function f and factor c where `wanted` is c · f at all points; None if there are none."""
    for name, curve in CURVES.items():
        if curve.takes is None and (factor := _multiple(Formula(name), wanted)) is not None:
            return name, factor
    return None


def _multiple(formula: Formula, wanted: Floats) -> float | None:
    with np.errstate(all="ignore"):
        values = formula.evaluate(_POINTS)
        if not (np.all(np.isfinite(values)) and np.all(np.isfinite(wanted))):
            return None
        power = float(values @ values)
        factor = float(values @ wanted) / power if power else 0.0
        size = abs(factor) * np.maximum(np.abs(values), 1.0)
        alike = factor != 0 and np.all(np.abs(wanted - factor * values) <= _NEAR * size)
    if not alike:
        return None
    return round(factor) if abs(factor - round(factor)) < _NEAR else factor
