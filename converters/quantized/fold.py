"""Everything that can be folded into the linear layers in float64, before anything is quantized.

Batch norm directly behind a linear layer goes into its weights and bias, so that a negative gamma becomes the sign of
a row and a zero gamma a row of zeros; batch norm behind an activation goes into the linear layers that take it; an
input normalisation goes into the input quantizer, so that features of any unit use the whole range of integers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.mlp import Affine, Clamp, FloatOperator, Linear, Mlp, MlpNode, Sigmoid, Tanh

__all__ = ["FoldedMlp", "fold", "normalise_input", "refuse_unsupported", "takes_only_linear"]

Floats = npt.NDArray[np.float64]

_IGNORED_FEATURE = 1e300
"""Scale of a feature that the model multiplies by zero: every finite value of it is quantized to 0."""


@dataclass(frozen=True, eq=False)
class FoldedMlp:
    """An MLP equal to the user's, as mlp.evaluate((x − offset) / scale).

    Parameters
    ----------
    mlp : of linear layers, clamps, additions, and the affines that could not be folded.
    scale, offset : float64 [inputs], the input normalisation that was taken out; scale > 0.
    normalised : whether there was one, so that features are of comparable size.
    """

    mlp: Mlp
    scale: Floats
    offset: Floats
    normalised: bool = False

    def normalise(self, x: npt.NDArray[np.floating]) -> Floats:
        """x [samples, inputs] in the user's units → what `mlp` takes."""
        return np.asarray((np.asarray(x, np.float64) - self.offset) / self.scale)


def refuse_unsupported(mlp: Mlp) -> None:
    """InputError naming the first sigmoid or tanh: thresholds of few bits would make something else of them."""
    for node in mlp.nodes:
        if isinstance(node.operator, (Sigmoid, Tanh)):
            raise InputError(
                f"layer {node.name}" + (f" ({node.origin})" if node.origin else ""),
                f"is a {type(node.operator).__name__.lower()}, which the quantized form does not have",
                "Convert with --to tflite, which has lookup tables for it, or train with ReLU or hardtanh instead",
            )


def fold(mlp: Mlp) -> FoldedMlp:
    """`mlp` with all that can be folded folded, and what nothing uses left out.

    Raises InputError naming the layer for sigmoid and tanh.
    """
    refuse_unsupported(mlp)
    nodes = _used(list(mlp.nodes))
    scale, offset = np.ones(mlp.input_size), np.zeros(mlp.input_size)
    nodes, first = _take_input_affine(nodes)
    if first is not None:
        nodes, scale, offset = _as_normalisation(nodes, first, mlp.input_size)
    while (shorter := _fold_once(nodes)) is not None:
        nodes = shorter
    folded = Mlp(mlp.name, mlp.input_size, tuple(nodes), mlp.final, mlp.labels, mlp.task)
    return FoldedMlp(folded, scale, offset, first is not None)


def normalise_input(folded: FoldedMlp, mean: Floats, deviation: Floats) -> FoldedMlp:
    """The same function with (x − mean) / deviation taken out of its first linear layers.

    Every consumer of the input must be linear, and the deviations [inputs] positive.
    """
    nodes = []
    for node in folded.mlp.nodes:
        if "input" in node.inputs:
            assert isinstance(node.operator, Linear)
            weight = node.operator.weight
            node = replace(node, operator=Linear(weight * deviation, node.operator.bias + _product(weight, mean)))
        nodes.append(node)
    mlp = replace(folded.mlp, nodes=tuple(nodes))
    return FoldedMlp(mlp, folded.scale * deviation, folded.offset + folded.scale * mean, True)


def _product(weight: Floats, x: Floats) -> Floats:
    """weight · x; not BLAS, whose order of summation depends on the number of threads."""
    return np.asarray(np.einsum("oi,i->o", weight, x))


def _used(nodes: list[MlpNode]) -> list[MlpNode]:
    """The nodes that the last one depends on."""
    needed = {nodes[-1].name}
    for node in reversed(nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return [node for node in nodes if node.name in needed]


def _consumers(nodes: list[MlpNode], name: str) -> list[MlpNode]:
    return [node for node in nodes if name in node.inputs]


def _without(nodes: list[MlpNode], gone: MlpNode) -> list[MlpNode]:
    """`nodes` without `gone`, whose consumers take its input instead."""
    (source,) = gone.inputs
    return [
        replace(node, inputs=tuple(source if name == gone.name else name for name in node.inputs))
        for node in nodes
        if node is not gone
    ]


def _replaced(nodes: list[MlpNode], old: MlpNode, operator: FloatOperator) -> list[MlpNode]:
    return [replace(node, operator=operator) if node is old else node for node in nodes]


def _take_input_affine(nodes: list[MlpNode]) -> tuple[list[MlpNode], Affine | None]:
    """Chains of affines that are the input's only consumer, as one affine."""
    taken: Affine | None = None
    while len(users := _consumers(nodes, "input")) == 1 and isinstance(users[0].operator, Affine) and len(nodes) > 1:
        operator = users[0].operator
        taken = operator if taken is None else _composed(taken, operator)
        nodes = _without(nodes, users[0])
    return nodes, taken


def _composed(first: Affine, second: Affine) -> Affine:
    return Affine(first.scale * second.scale, first.shift * second.scale + second.shift)


def _as_normalisation(nodes: list[MlpNode], affine: Affine, inputs: int) -> tuple[list[MlpNode], Floats, Floats]:
    """Scale and offset of the input for `affine`: x · a + c = ±(x − offset) / scale.

    Where a is negative or zero an affine of ±1 or (0, c) is left behind the input; it folds into what follows.
    """
    a, c = affine.scale, affine.shift
    dead = np.abs(a) < 1.0 / _IGNORED_FEATURE
    divisor = np.where(dead, 1.0, a)
    scale = np.where(dead, _IGNORED_FEATURE, 1.0 / np.abs(divisor))
    offset = np.where(dead, 0.0, -c / divisor)
    rest = Affine(np.where(dead, 0.0, np.sign(a)), np.where(dead, c, 0.0))
    if np.all(a > 0):
        return nodes, scale, offset
    name = "input_sign"
    while any(node.name == name for node in nodes):
        name += "_"
    renamed = [
        replace(node, inputs=tuple(name if source == "input" else source for source in node.inputs)) for node in nodes
    ]
    return [MlpNode(name, rest, ("input",)), *renamed], scale, offset


def _fold_once(nodes: list[MlpNode]) -> list[MlpNode] | None:
    """`nodes` after one more folding, or None where nothing is left to fold."""
    by_name = {node.name: node for node in nodes}
    for node in nodes:
        operator = node.operator
        if isinstance(operator, Clamp) and operator.low == -np.inf and operator.high == np.inf and len(nodes) > 1:
            return _without(nodes, node)
        if not isinstance(operator, Affine):
            continue
        source = by_name.get(node.inputs[0])
        users = _consumers(nodes, node.name)
        if source is not None and len(_consumers(nodes, source.name)) == 1:
            before = source.operator
            if isinstance(before, Linear):
                merged: FloatOperator = Linear(
                    before.weight * operator.scale[:, None], before.bias * operator.scale + operator.shift
                )
                return _without(_replaced(nodes, source, merged), node)
            if isinstance(before, Affine):
                return _without(_replaced(nodes, source, _composed(before, operator)), node)
        if users and all(isinstance(user.operator, Linear) for user in users):
            return _into_consumers(nodes, node, operator)
    return None


def _into_consumers(nodes: list[MlpNode], node: MlpNode, affine: Affine) -> list[MlpNode]:
    folded = []
    for user in nodes:
        if node.name in user.inputs and isinstance(user.operator, Linear):
            weight, bias = user.operator.weight, user.operator.bias
            user = replace(user, operator=Linear(weight * affine.scale, bias + _product(weight, affine.shift)))
        folded.append(user)
    return _without(folded, next(each for each in folded if each.name == node.name))


def takes_only_linear(mlp: Mlp) -> bool:
    """Whether everything that takes the model's input is a linear layer."""
    return all(isinstance(node.operator, Linear) for node in mlp.consumers("input"))
