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
from edgeml.frontends.float_operators.affine import Affine
from edgeml.frontends.float_operators.arrays import REPRODUCIBLE
from edgeml.frontends.float_operators.curves import FUNCTIONS
from edgeml.frontends.float_operators.operator import FloatOperator, Role
from edgeml.frontends.float_operators.weights import Weights
from edgeml.frontends.mlp import Mlp, MlpNode

__all__ = ["FoldedMlp", "fold", "normalise_input", "refuse_unsupported", "takes_only_linear"]

Floats = npt.NDArray[np.float64]

_IGNORED_FEATURE = 1e300
"""Scale of a feature that the model multiplies by zero: every finite value of it is quantized to 0."""


@dataclass(frozen=True, eq=False)
class FoldedMlp:
    """An MLP equal to the user's, as mlp.evaluate((x − offset) / scale).

    Parameters
    ----------
    mlp : of linear layers, clamps, functions of integers, and the affines that could not be folded.
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
    """InputError naming the first operator that has no integers, or a function that processors round differently."""
    for node in mlp.nodes:
        operator = node.operator
        where = f"layer {node.name}" + (f" ({node.origin})" if node.origin else "")
        if operator.role is Role.FUNCTION:
            _require_reproducible(where, operator, mlp.sizes[node.inputs[0]])
        elif operator.role not in (Role.LINE, Role.JOIN, Role.PRODUCT, Role.ENCODING) and not isinstance(
            operator, Weights
        ):
            raise InputError(
                where, f"is a {operator.kind}, which the quantized form does not have", operator.quantized_remedy
            )


def _require_reproducible(where: str, operator: FloatOperator, channels: int) -> None:
    try:
        operator.compute(REPRODUCIBLE, operator.parameters, np.ones((1, channels)))
    except AttributeError as error:
        raise InputError(
            where,
            f"is a {operator.kind}, of which thresholds would depend on the processor: {error}",
            f"Functions of one number that have integers: {', '.join(FUNCTIONS)}. Train with one of them",
        ) from error


def fold(mlp: Mlp) -> FoldedMlp:
    """`mlp` with all that can be folded folded, and what nothing uses left out.

    Raises InputError naming the layer that the quantized form does not have.
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
    nodes = list(folded.mlp.nodes)
    for node in folded.mlp.consumers("input"):
        nodes = _replaced(nodes, node, _required(node, node.operator.of_scaled_and_shifted(deviation, mean)))
    mlp = replace(folded.mlp, nodes=tuple(nodes))
    return FoldedMlp(mlp, folded.scale * deviation, folded.offset + folded.scale * mean, True)


def takes_normalisation(folded: FoldedMlp, mean: Floats, deviation: Floats) -> bool:
    """Whether `normalise_input` can take these out of the first layers."""
    first = folded.mlp.consumers("input")
    return all(node.operator.of_scaled_and_shifted(deviation, mean) is not None for node in first)


def _required(node: MlpNode, operator: FloatOperator | None) -> FloatOperator:
    if operator is None:
        raise InputError(f"layer {node.name}", "takes no normalisation of its input in")
    return operator


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
    return [replace(node, operator=operator) if node.name == old.name else node for node in nodes]


def _take_input_affine(nodes: list[MlpNode]) -> tuple[list[MlpNode], Affine | None]:
    """Chains of scales and shifts that are the input's only consumer, as one."""
    taken: Affine | None = None
    while len(users := _consumers(nodes, "input")) == 1 and len(nodes) > 1:
        found = users[0].operator.scale_and_shift
        if found is None:
            break
        scale, shift = found
        taken = Affine(scale, shift) if taken is None else Affine(taken.scale * scale, taken.shift * scale + shift)
        nodes = _without(nodes, users[0])
    return nodes, taken


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
        if node.operator.is_identity and len(nodes) > 1:
            return _without(nodes, node)
        found = node.operator.scale_and_shift
        if found is None:
            continue
        source = by_name.get(node.inputs[0])
        if source is not None and len(_consumers(nodes, source.name)) == 1:
            merged = source.operator.scaled_and_shifted(*found)
            if merged is not None:
                return _without(_replaced(nodes, source, merged), node)
        users = _consumers(nodes, node.name)
        merged_users = [user.operator.of_scaled_and_shifted(*found) for user in users]
        if users and None not in merged_users:
            for user, operator in zip(users, merged_users, strict=True):
                nodes = _replaced(nodes, user, _required(user, operator))
            return _without(nodes, next(each for each in nodes if each.name == node.name))
    return None


def takes_only_linear(mlp: Mlp) -> bool:
    """Whether everything that takes the model's input is a linear layer."""
    return all(node.operator.role is Role.WEIGHTS for node in mlp.consumers("input"))
