"""The nodes of a model in their simplest form: what nothing takes is left out, neighbours that are one become one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ...errors import InputError
from ..mlp import FloatOperator, MlpNode

__all__ = ["simplified"]


def simplified(nodes: Sequence[MlpNode], output: str) -> tuple[MlpNode, ...]:
    """`nodes` (in computing order) as far as `output` needs them, `output` last.

    Merged are operators that are one by `FloatOperator.followed_by`: Affine after Affine; a shift alone after a Linear
    without bias; Clamp after Clamp.
    """
    needed = {output}
    for node in reversed(nodes):
        if node.name in needed:
            needed.update(node.inputs)
    kept = [node for node in nodes if node.name in needed]
    uses = Counter(name for node in kept for name in node.inputs)
    result: dict[str, MlpNode] = {}
    renamed: dict[str, str] = {}
    for node in kept:
        node = replace(node, inputs=tuple(renamed.get(name, name) for name in node.inputs))
        before = result.get(node.inputs[0])
        merged = None
        # `uses` counts original names: a merged node stands under its first name, with its last part's consumers.
        if before is not None and len(node.inputs) == 1 and uses[before.name] == 1:
            merged = _merged(before, node)
        if before is None or merged is None:
            result[node.name] = node
        else:
            result[before.name] = replace(before, operator=merged)
            renamed[node.name] = before.name
            uses[before.name] = uses[node.name]
    last = renamed.get(output, output)
    return tuple([node for node in result.values() if node.name != last] + [result[last]])


def _merged(before: MlpNode, node: MlpNode) -> FloatOperator | None:
    """One operator that computes `node` after `before`, or None if there is none."""
    try:
        return before.operator.followed_by(node.operator)
    except InputError as error:
        raise InputError(node.where, error.problem, error.remedy) from error
