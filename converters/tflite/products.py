"""Products in universal mode: scales by which all kernels of MUL round alike.

A kernel gets p = (qa − za)·(qb − zb), and gives p·m with m = sa·sb/sy. XNNPACK rounds that number itself, ties to even;
all others round p·M to an integer first, where m = M·2^−r, ½ ≤ M < 1, and then that, shifted by r, ties away from zero.
With powers of two, p·m is a tie for every 2^r-th p, and so is the first rounding of some p beside it: the kernels
differ there. No p is a tie, nor becomes one, if 1/M = 1 + (1 + 2e)·2^−r with 0 < e < ½·2^−r and r ≥ 9: every tie
lies between two p·M that are more than ½ away on one side, and less than ½ above it on the other (with r = 8 for e
next to ½·2^−r, and outputs whose zero point is 0; with larger r, which reach fewer ties, larger e do too). So one
factor's scale, the *carrier's*, is a power of two times M, and all others are powers of two.

A linear layer can have such an output scale exactly: its weights have scales with the same M, so that the factor of its
own sums stays a power of two. What then takes the carrier is its product alone, and sigmoid and tanh, which are tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from edgeml.frontends.float_operators.shared_linear import SharedLinear

from .fusion import FloatGraph
from .operators.tensor_info import TensorInfo
from .stages import FunctionStage, LinearStage, MultiplyStage, Stage
from .ties import kept_integers, tied

__all__ = ["LEAST_SHIFT", "carried_scales", "mantissa", "products_apart", "with_carriers"]

LEAST_SHIFT = 8
"""The least r; smaller ones have no M."""
_EXCESSES = ((8, 0.51), (9, 0.85), (11, 20.0))
"""(r, e · 2^r), for r and above: within those for which all pairs of 8-bit integers, of any zero points, agree."""


def mantissa(shift: int) -> float:
    """M for a product that is shifted by r = `shift`, a float32 number."""
    steps = max(found for found in _EXCESSES if found[0] <= shift)[1]
    excess = steps * 2.0**-shift
    return float(np.float32(1 / (1 + (1 + 2 * excess) * 2.0**-shift)))


def products_apart(graph: FloatGraph) -> FloatGraph:
    """`graph`, in which no product has the scale of one of its factors, through additions and concatenations: a linear
    layer is put between."""
    for name in [stage.name for stage in graph.stages if isinstance(stage, MultiplyStage)]:
        graph = _apart_from_factors(graph, name)
    return graph


def with_carriers(graph: FloatGraph) -> FloatGraph:
    """`graph` with a carrier for every product: a linear layer that nothing else takes but tables, or else one that is
    put between; `graph` is one of `products_apart`."""
    for name in [stage.name for stage in graph.stages if isinstance(stage, MultiplyStage)]:
        graph = _with_carrier(graph, name)
    return graph


def _between(graph: FloatGraph, source: str, name: str, origin: str) -> LinearStage:
    """The values of `source` in another scale."""
    size = graph.sizes[source]
    operator = SharedLinear(np.ones((1, 1)), np.zeros(1), np.arange(size, dtype=np.float64)[:, None], size)
    return LinearStage(name, (source,), operator, origin=origin, trained=False)


def _apart_from_factors(graph: FloatGraph, name: str) -> FloatGraph:
    """`graph`, in which the product `name` has a scale of its own beside those of its factors."""
    for side in range(2):
        source = _stage(graph, name).inputs[side]
        if _tied_together(graph, name, source):
            graph = _joined_in_another_scale(graph, _root(graph, source))
        if _tied_together(graph, name, source):
            product = _stage(graph, name)
            apart = _between(graph, source, f"{name}_{'ab'[side]}_apart", product.origin)
            inputs = tuple(apart.name if each == source else each for each in product.inputs)
            graph = graph.with_stages(_before(graph, replace(product, inputs=inputs), apart))
    return graph


def _stage(graph: FloatGraph, name: str) -> Stage:
    return next(stage for stage in graph.stages if stage.name == name)


def _tied_together(graph: FloatGraph, name: str, other: str) -> bool:
    groups = tied(graph, kept_integers(graph), "ties_scales")
    return groups[name] == groups[_root(graph, other)]


def _joined_in_another_scale(graph: FloatGraph, root: str) -> FloatGraph:
    """`graph`, in which additions and concatenations take the values of `root` in another scale."""
    name = f"{root}_apart"
    if name in graph.sizes:
        return graph
    apart = _between(graph, root, name, _stage(graph, root).origin)
    stages: list[Stage] = []
    for stage in graph.stages:
        if root in stage.inputs and stage.ties_scales:
            stage = replace(stage, inputs=tuple(name if each == root else each for each in stage.inputs))
        stages += [stage, apart] if stage.name == root else [stage]
    return graph.with_stages(tuple(stages))


def _before(graph: FloatGraph, changed: Stage, put: Stage) -> tuple[Stage, ...]:
    """The graph's stages with `changed` in the place of that of its name, and `put` before it."""
    place = next(place for place, stage in enumerate(graph.stages) if stage.name == changed.name)
    return (*graph.stages[:place], put, changed, *graph.stages[place + 1 :])


def _with_carrier(graph: FloatGraph, name: str) -> FloatGraph:
    product = _stage(graph, name)
    assert isinstance(product, MultiplyStage)
    for source in product.inputs:
        root = _root(graph, source)
        if product.inputs.count(source) == 1 and _is_free(graph, root, name):
            return graph.with_stages(_replaced(graph, replace(product, carrier=root)))
    carrier = _between(graph, product.inputs[1], f"{name}_carrier", product.origin)
    changed = replace(product, inputs=(product.inputs[0], carrier.name), carrier=carrier.name)
    return graph.with_stages(_before(graph, changed, carrier))


def _replaced(graph: FloatGraph, changed: Stage) -> tuple[Stage, ...]:
    return tuple(changed if stage.name == changed.name else stage for stage in graph.stages)


def _root(graph: FloatGraph, name: str) -> str:
    """The stage whose integers those of `name` are."""
    stages = {stage.name: stage for stage in graph.stages}
    while name in stages and stages[name].keeps_integers:
        (name,) = stages[name].inputs
    return name


def _is_free(graph: FloatGraph, root: str, product: str) -> bool:
    """Whether the scale of `root` may be any, as far as others are concerned than `product`."""
    stage = _stage(graph, root)
    if not isinstance(stage, LinearStage) or np.isfinite(stage.high) or (np.isfinite(stage.low) and stage.low != 0):
        return False
    waiting, users = [root], []
    while waiting:
        for user in graph.consumers(waiting.pop()):
            if user.keeps_integers:
                waiting.append(user.name)
            elif not isinstance(user, FunctionStage):
                users.append(user.name)
    return users == [product]


def carried_scales(graph: FloatGraph, tensors: Mapping[str, TensorInfo]) -> dict[str, float]:
    """By name of each carrier, the scale that it must have; all scales of `tensors` are powers of two."""
    found: dict[str, float] = {}
    for stage in graph.stages:
        if isinstance(stage, MultiplyStage) and stage.carrier:
            a, b = (tensors[_root(graph, name)].scale for name in stage.inputs)
            shift = round(np.log2(tensors[stage.name].scale / (a * b)))
            found[stage.carrier] = tensors[stage.carrier].scale * mantissa(max(shift, LEAST_SHIFT))
    return found
