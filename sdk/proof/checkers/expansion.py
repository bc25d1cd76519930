"""The second look at an expansion: that a network of plain layers has the integers of one with layers shared by
positions, maxima and concatenations, for every input.

By induction over the nodes: what a node of the whole network gives, the node of its name gives in the other one, if
what both take is the same. A layer at positions is as many rows as all positions have, each with the weights of one at
the places that it gathers, and 0 elsewhere; padding is a number in its constant. A maximum is followed by its meaning:
the values on the way are max(x[S]) less a number, or what max(x[A]) rises over max(x[B]), and these two add up to that
of A and B together. This file shares no code with what expands networks: it takes the fields of layers, and numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...network import Network, Node, network_file
from .layer_formulas import FOLLOWED_KINDS, Ends, range_of
from .soundness import Claims, need

__all__ = ["EXPANDED", "EXPANDED_KINDS", "follow", "follow_claims", "follow_node", "grouped", "ranges_of"]

Int64 = npt.NDArray[np.int64]


EXPANDED = "proof/network/expanded.edgeml"
EXPANDED_KINDS = {"shared", "maximum", "concat"}
"""Kinds of layer that plain ones stand for in hardware."""


def follow_claims(network: Network, files: dict[str, bytes], said: Claims, ends: dict[str, Ends]) -> None:
    """That each layer that is claimed to be proved is what the network of plain layers has in its place."""
    names = [node.name for node in network.nodes]
    need([claim["layer"] for claim in said] == names, "expansion", "is of other layers")
    proved = {claim["layer"] for claim in said if claim["status"] == "proved"}
    if proved:
        need(EXPANDED in files, "artifacts", "lack the network of plain layers")
        follow(network, network_file.from_bytes(files[EXPANDED]), proved, ends)


def follow(network: Network, made: Network, names: set[str], ends: dict[str, Ends]) -> None:
    """CheckFailed where the layers of these names are not what another network has in their places."""
    sizes = {node.name: network.sizes[node.name] for node in network.nodes}
    for node, nodes in grouped(network, made):
        if node.name in names:
            follow_node(node, nodes, sizes, ends)


def ranges_of(network: Network) -> dict[str, Ends]:
    """The ends of each layer's channels, followed from the input; of those alone whose kinds have formulas."""
    found: dict[str, Ends] = {}
    for node in network.nodes:
        if all(name in found for name in node.inputs) and node.layer.kind in FOLLOWED_KINDS:
            ends = range_of(node.layer.kind, vars(node.layer), *(found[name] for name in node.inputs))
            found[node.name] = [low for low, _ in ends], [high for _, high in ends]
    return found


def grouped(whole: Network, made: Network) -> Iterator[tuple[Node, list[Node]]]:
    """Each node of the whole network with the nodes that stand for it, which are all of the other one, in order."""
    left = list(made.nodes)
    for node in whole.nodes:
        names = [each.name for each in left]
        need(node.name in names, node.name, "is not in the expanded network")
        end = names.index(node.name) + 1
        yield node, left[:end]
        left = left[end:]
    need(not left, "expansion", "has nodes that stand for nothing")
    need(made.nodes[-1].name == whole.nodes[-1].name, "expansion", "has another output")


def follow_node(node: Node, made: Sequence[Node], sizes: dict[str, int], ends: dict[str, Ends]) -> None:
    """CheckFailed where the nodes `made` do not give the integers of `node`.

    sizes, ends : of all nodes of the whole network; ends of those only whose range is known.
    """
    name, kind = node.name, node.layer.kind
    if kind not in EXPANDED_KINDS:
        same = len(made) == 1 and made[0].inputs == node.inputs and made[0].layer.kind == kind
        need(same and plain(vars(made[0].layer)) == plain(vars(node.layer)), name, "is another layer")
        return
    if kind == "concat":
        _follow_side_by_side(node, made, [sizes[each] for each in node.inputs])
        return
    source = node.inputs[0]
    for before, each in zip([source, *(each.name for each in made)], made, strict=False):
        need(each.inputs == (before,), each.name, "takes another layer than the one before it")
    layers = [(each.layer.kind, vars(each.layer)) for each in made]
    fields = vars(node.layer)
    if kind == "shared":
        _follow_positions(name, fields, layers, sizes[source])
    else:
        need(source in ends, name, "follows from a range that is not known")
        _follow_maximum(name, fields["gather"], layers, ends[source])


def plain(layer: dict[str, Any]) -> dict[str, Any]:
    """The fields of a layer as numbers and lists; what begins with _ was computed from them."""
    kept = {key: value for key, value in layer.items() if not key.startswith("_") and key != "schedule"}
    return {key: value.tolist() if hasattr(value, "tolist") else value for key, value in kept.items()}


def _affine(layer: dict[str, Any]) -> tuple[Int64, Int64]:
    """(factors [outputs, inputs], constants [outputs]) of a dense layer."""
    weight = layer["weight"].astype(np.int64)
    return weight, layer["bias"].astype(np.int64) - int(layer["input_zero_point"]) * weight.sum(axis=1)


def _need_chosen(name: str, layer: tuple[str, dict[str, Any]], places: list[int], inputs: int, padding: int) -> None:
    """That a dense layer gives its input at each of the places; `padding` where that is −1."""
    kind, fields = layer
    need(kind == "dense", name, "does not begin by gathering")
    factors, constants = _affine(fields)
    need(factors.shape == (len(places), inputs), name, "gathers another number of values")
    for row, place in enumerate(places):
        need(int(np.abs(factors[row]).sum()) == (place >= 0), f"{name}[{row}]", "takes more than one value, or none")
        need(place < 0 or factors[row, place] == 1, f"{name}[{row}]", "takes another value")
        need(constants[row] == (padding if place < 0 else 0), f"{name}[{row}]", "adds something")


def _follow_side_by_side(node: Node, made: Sequence[Node], sizes: list[int]) -> None:
    need(len(made) == 3 and made[2].layer.kind == "add", node.name, "is not a sum of two layers")
    need(made[2].inputs == (made[0].name, made[1].name), node.name, "adds other layers")
    first, second = sizes
    for place, each in enumerate(made[:2]):
        need(each.inputs == (node.inputs[place],), each.name, "takes another layer")
        own = [list(range(first)) + [-1] * second, [-1] * first + list(range(second))][place]
        _need_chosen(each.name, (each.layer.kind, vars(each.layer)), own, sizes[place], 0)


# Layers at positions.


def _follow_positions(name: str, shared: dict[str, Any], layers: list[tuple[str, dict[str, Any]]], inputs: int) -> None:
    gather, padding = shared["gather"].astype(np.int64), int(shared["padding"])
    chain = [(each.kind, vars(each)) for each in shared["chain"]]
    left = list(layers)
    in_order = gather.size == inputs and np.array_equal(gather.reshape(-1), np.arange(inputs))
    if not chain or (chain[0][0] != "dense" and not in_order):
        need(bool(left), name, "has no layers")
        _need_chosen(name, left.pop(0), gather.reshape(-1).tolist(), inputs, padding)
        gather, inputs = np.arange(gather.size).reshape(gather.shape), gather.size
    need(len(left) == len(chain), name, "has another number of layers")
    for place, ((kind, once), (made_kind, whole)) in enumerate(zip(chain, left, strict=True)):
        what = f"{name}, layer {place + 1}"
        need(kind == made_kind, what, "is of another kind")
        results = gather.shape[1]
        if kind == "dense":
            results = len(once["weight"])
            _follow_rows(what, once, whole, gather, inputs, padding)
        elif kind == "threshold":
            rows = whole["thresholds"].reshape(len(gather), -1, whole["thresholds"].shape[1])
            need(rows.shape[1:] == once["thresholds"].shape, what, "has other numbers of thresholds")
            need(bool(np.all(rows == once["thresholds"])), what, "has other thresholds at a position")
            need(whole["base"] == once["base"], what, "begins with another level")
        elif kind == "requantize":
            for key in ("multiplier", "shift", "fraction"):
                own = once[key]
                expected = own if len(own) == 1 else np.tile(own, len(gather))
                need(np.array_equal(whole[key], expected), what, f"has another {key} at a position")
            for key in ("rounding", "zero_point", "low", "high"):
                need(whole[key] == once[key], what, f"has another {key}")
        else:
            need(kind == "lookup", what, f"is of kind {kind}, which is not followed at positions")
            need(plain(whole) == plain(once), what, "is another table")
        gather, inputs = np.arange(len(gather) * results).reshape(len(gather), results), len(gather) * results


def _follow_rows(
    what: str, once: dict[str, Any], whole: dict[str, Any], gather: Int64, inputs: int, padding: int
) -> None:
    """That each position's sums are those of the values that it gathers."""
    factors, constants = _affine(whole)
    weight, zero = once["weight"].astype(np.int64), int(once["input_zero_point"])
    results = len(weight)
    need(factors.shape == (len(gather) * results, inputs), what, "has other numbers of inputs or outputs")
    for position, places in enumerate(gather.tolist()):
        expected = np.zeros((results, inputs), np.int64)
        constant = once["bias"].astype(np.int64) - zero * weight.sum(axis=1)
        for column, place in enumerate(places):
            if place < 0:
                constant += padding * weight[:, column]
            else:
                expected[:, place] += weight[:, column]
        rows = slice(position * results, (position + 1) * results)
        need(np.array_equal(factors[rows], expected), f"{what}, position {position}", "has other weights")
        need(np.array_equal(constants[rows], constant), f"{what}, position {position}", "has another constant")


# Maxima.


@dataclass(frozen=True)
class _Own:
    """max(x[of]) − less."""

    of: frozenset[int]
    less: int


@dataclass(frozen=True)
class _Rise:
    """max(max(x[of]) − max(x[over]), 0); of nothing over nothing 0, where a window names a value twice."""

    of: frozenset[int]
    over: frozenset[int]


_NEVER = _Rise(frozenset(), frozenset())


@dataclass(frozen=True)
class _Difference:
    """max(x[of]) − max(x[over])."""

    of: frozenset[int]
    over: frozenset[int]


def _follow_maximum(name: str, gather: Any, layers: list[tuple[str, dict[str, Any]]], ends: Ends) -> None:
    values: list[Any] = [_Own(frozenset([place]), 0) for place in range(len(ends[0]))]
    for place, (kind, layer) in enumerate(layers):
        what = f"{name}, layer {place + 1}"
        if kind == "dense":
            factors, constants = _affine(layer)
            need(factors.shape[1] == len(values), what, "takes another number of values")
            values = [_summed(what, values, row, int(c)) for row, c in zip(factors, constants, strict=True)]
        else:
            need(kind == "threshold" and len(layer["thresholds"]) == len(values), what, "counts other values")
            rows = zip(values, layer["thresholds"].tolist(), strict=True)
            values = [_counted(what, value, steps, int(layer["base"]), ends) for value, steps in rows]
    need(len(values) == len(gather), name, "has another number of outputs")
    for output, looked_at in enumerate(gather.tolist()):
        need(values[output] == _Own(frozenset(looked_at), 0), f"{name}[{output}]", "is the largest of other values")


def _summed(what: str, values: list[Any], row: Int64, constant: int) -> Any:
    """What a row of a dense layer gives: a maximum less a number, or a difference of two."""
    sides: dict[int, list[_Own]] = {1: [], -1: []}
    rises: list[tuple[int, _Rise]] = []
    if not np.any(row):
        need(constant == 0, what, "is a number of its own")
        return _NEVER
    for place in np.flatnonzero(row).tolist():
        need(abs(int(row[place])) == 1, what, "has a weight other than 1 and −1")
        value, sign = values[place], int(row[place])
        need(isinstance(value, (_Own, _Rise)), what, "adds what is not counted")
        if isinstance(value, _Own):
            sides[sign].append(value)
        else:
            rises.append((sign, value))
    for sign, rise in rises:
        if rise == _NEVER:
            continue
        found = next((each for each in sides[sign] if each.of == rise.over), None)
        need(found is not None, what, "adds a rise to something else than it rises over")
        if found is not None:
            sides[sign].remove(found)
            sides[sign].append(_Own(rise.of | rise.over, found.less))
    need(len(sides[1]) == 1 and len(sides[-1]) <= 1, what, "is neither a maximum nor a difference of two")
    (own,) = sides[1]
    if not sides[-1]:
        return _Own(own.of, own.less - constant)
    (other,) = sides[-1]
    need(constant == own.less - other.less, what, "is not the difference of two maxima")
    return _Difference(own.of, other.of)


def _counted(what: str, value: Any, steps: list[int], base: int, ends: Ends) -> Any:
    """What successive thresholds make of a value, which must not leave them."""
    need(steps == list(range(steps[0], steps[0] + len(steps))), what, "has thresholds that are not successive")
    if value == _NEVER:
        need((base, steps[0] > 0) == (0, True), what, "counts what never comes")
        return value
    low, high = ([side[place] for place in sorted(value.of)] for side in ends)
    if isinstance(value, _Difference):
        most = max(high) - max(ends[0][place] for place in value.over)
        need((steps[0], base) == (1, 0) and len(steps) >= most, what, "counts less than a difference may be")
        return _Rise(value.of, value.over)
    need(isinstance(value, _Own), what, "counts what it does not follow")
    least, most = max(low) - value.less, max(high) - value.less
    need(steps[0] - 1 <= least and most <= steps[-1], what, "does not reach all values")
    return _Own(value.of, value.less + steps[0] - 1 - base)
