"""The layer kinds that the folded architecture knows, one file each."""

from __future__ import annotations

from edgeml.errors import InputError
from edgeml.network import Node

from .add import AddOperation
from .dense import DenseOperation
from .lookup import LookupOperation
from .operation import Operation
from .passing import PassOperation
from .requantize import RequantizeOperation
from .threshold import ThresholdOperation

__all__ = ["operation_class"]

_CLASSES: dict[str, type[Operation]] = {
    "dense": DenseOperation,
    "threshold": ThresholdOperation,
    "requantize": RequantizeOperation,
    "lookup": LookupOperation,
    "add": AddOperation,
    "pass": PassOperation,
}


def operation_class(node: Node | str) -> type[Operation]:
    """The hardware for a node (or a kind by name); InputError where there is none."""
    kind = node if isinstance(node, str) else node.layer.kind
    if kind not in _CLASSES:
        where = kind if isinstance(node, str) else f"layer {node.name}"
        raise InputError(where, f"the folded architecture has no unit for {kind!r}", f"It has: {', '.join(_CLASSES)}")
    return _CLASSES[kind]
