"""What proofs of programs that are kept for another time have in common: what they are found by, and their operations.

A stage of a program is kept with numbers of its own for nodes: its inputs first, then its operations in order.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...network import Node as Layer
from ..own_code import code_digest
from .dataflow import Operand

__all__ = ["described_layers", "local_number", "prover_version", "renumbered"]


def prover_version(prover: str) -> str:
    """A digest of all code that a fact about a stage follows from. prover : the package that follows programs."""
    code = code_digest("edgeml.proof", "edgeml.network", prover)
    return f"{platform.python_version()} {np.__version__} {code}"


def described_layers(layers: Iterable[Layer]) -> list[str | bytes]:
    """Layers whole, for a digest; their names are of no matter."""
    found: list[str | bytes] = []
    for node in layers:
        attributes, tensors = node.layer.parts()
        shapes = {name: [str(array.dtype), list(array.shape)] for name, array in tensors.items()}
        found.append(json.dumps([node.layer.kind, attributes, shapes], sort_keys=True))
        found += [np.ascontiguousarray(tensors[name]).tobytes() for name in sorted(tensors)]
    return found


def local_number(word: Operand, local: Mapping[int, int]) -> int:
    """A word by its local number, a constant c as ~c. KeyError where it is not the stage's own."""
    return ~word if isinstance(word, int) else local[word.number]


def renumbered(operation: Sequence[Any], number: Callable[[int], int]) -> tuple[Any, ...]:
    """An operation with other numbers of its operands. KeyError where one has none."""
    name, *operands = operation
    if name in ("unknown", "input"):
        return (name, *operands)
    if name == "lookup":
        at, first, step, entries = operands
        return (name, number(at), first, step, tuple(entries))
    return (name, *(item if item < 0 else number(item) for item in operands))
