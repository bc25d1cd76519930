"""A chain of layers at one of many positions."""

from __future__ import annotations

from ...network import Node
from ...network.layers.shared import PADDING, Shared
from ..statement import Affine, Function, FunctionOfSum, Statement, composed, statement_of

__all__ = ["statement"]


def statement(layer: Shared, channel: int) -> Statement | None:
    """What the chain says of the result, of the values that the position gathers; padding is a number.

    None where a layer of the chain takes several functions of sums.
    """
    position, result = divmod(channel, layer.sizes[-1])
    places = layer.gather[position].tolist()
    if not layer.chain:
        return _gathered(layer, places, {result: 1}, 0)
    first, *behind = layer.chain
    found = statement_of(Node("first", first), result)
    if isinstance(found, Affine):
        made: Statement | None = _gathered(layer, places, {c: w for (_, c), w in found.weights.items()}, found.constant)
    elif isinstance(found, Function) and len(found.sources) == 1:
        ((_, place),) = found.sources
        made = composed(_gathered(layer, places, {place: 1}, 0), found)
    else:
        return None
    for each in behind:
        last = statement_of(Node("behind", each), result)
        own = isinstance(last, Function) and last.sources == ((0, result),)
        made = composed(made, last) if own and isinstance(made, Affine | FunctionOfSum) else None
    return made


def _gathered(layer: Shared, places: list[int], weights: dict[int, int], constant: int) -> Affine:
    """A weighted sum of what a position gathers."""
    found: dict[tuple[int, int], int] = {}
    for place, weight in weights.items():
        if places[place] == PADDING:
            constant += layer.padding * weight
        else:
            source = (0, places[place])
            found[source] = found.get(source, 0) + weight
    return Affine({source: weight for source, weight in found.items() if weight}, constant)
