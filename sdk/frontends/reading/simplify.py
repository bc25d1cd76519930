"""The nodes of a model in their simplest form: what nothing takes is left out, neighbours that are one become one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...errors import InputError
from ..mlp import Affine, Clamp, Linear, MlpNode, Operator

__all__ = ["simplified"]


def simplified(nodes: Sequence[MlpNode], output: str) -> tuple[MlpNode, ...]:
    """`nodes` (in computing order) as far as `output` needs them, `output` last.

    Merged are: Affine after Affine; a shift alone after a Linear without bias; Clamp after Clamp.
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


def _merged(before: MlpNode, node: MlpNode) -> Operator | None:
    """One operator that computes `node` after `before`, or None where there is none."""
    first, second = before.operator, node.operator
    if isinstance(first, Affine) and isinstance(second, Affine):
        with np.errstate(all="ignore"):
            scale, shift = first.scale * second.scale, first.shift * second.scale + second.shift
        if np.all(np.isfinite(scale)) and np.all(np.isfinite(shift)):
            return Affine(scale, shift)
    elif isinstance(first, Linear) and isinstance(second, Affine):
        if np.all(second.scale == 1) and not np.any(first.bias):
            return Linear(first.weight, second.shift)
    elif isinstance(first, Clamp) and isinstance(second, Clamp):
        low, high = (min(max(bound, second.low), second.high) for bound in (first.low, first.high))
        if not low < high:
            where = node.origin or node.name
            raise InputError(where, f"clamps to {second.low} … {second.high} what lies in {first.low} … {first.high}")
        return Clamp(low, high)
    return None
