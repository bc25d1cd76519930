"""The one walk over a graph of operators: whatever is computed node by node is computed here.

The nodes are those of a float `Mlp`, or of what a converter has made of one. The values may be arrays of numpy or
torch, ranges, sizes, or anything else that follows from the values of a node's inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

__all__ = ["Placed", "walk"]


class Placed(Protocol):
    """An operator at its place."""

    @property
    def name(self) -> str:
        """Its name, unique in the graph."""
        ...

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of earlier nodes, or of values that are given."""
        ...


_N = TypeVar("_N", bound=Placed)
_V = TypeVar("_V")


def walk(
    nodes: Iterable[_N],
    given: Mapping[str, _V],
    compute: Callable[[_N, list[_V]], _V],
    known: Mapping[str, _V] | None = None,
) -> dict[str, _V]:
    """The value of every node by name, those of `given` among them.

    Parameters
    ----------
    nodes : in computing order.
    given : values by name that no node gives, such as the model's input.
    compute : the value of a node from the values of its inputs.
    known : values of nodes that are taken from here and are not computed.
    """
    values = dict(given)
    for node in nodes:
        if known is not None and node.name in known:
            values[node.name] = known[node.name]
        else:
            values[node.name] = compute(node, [values[name] for name in node.inputs])
    return values
