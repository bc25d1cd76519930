"""Quantized network → exact spiking network: the same integers, carried by spikes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError, NetworkError
from edgeml.network import Encode, Logic, Network, Node, Threshold, expanded
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.neurons import Neurons
from edgeml.network.spiking.currents import wiring
from edgeml.network.spiking.encodings import ENCODINGS

from .encoded_input import with_one_encoding
from .products import without_products

__all__ = ["to_spikes"]


def _steps_of(layer: Lookup, channels: int, where: str) -> Threshold:
    """A monotone table as thresholds of its argument; InputError if it falls somewhere."""
    table = layer.table.astype(np.int64)
    rises = np.diff(table)
    if np.any(rises < 0):
        raise InputError(
            where,
            "its table falls somewhere: no count of spikes grows with such a function",
            "Use a monotone activation, or the quantized form",
        )
    if int(rises.sum()) == 0:
        raise InputError(where, "its table is constant: such a layer carries nothing", "Remove it from the model")
    positions = np.repeat(np.arange(1, len(table)) + layer.base, rises)
    if positions.size > 255:
        raise InputError(where, f"its table has {positions.size} steps; a spiking neuron has at most 255")
    return Threshold(np.tile(positions, (channels, 1)), int(table[0]))


def _itself(layer: Threshold, channels: int, where: str) -> Threshold:
    return layer


_COUNTS: dict[str, Callable[..., Threshold]] = {"threshold": _itself, "lookup": _steps_of}
"""The thresholds that a layer's outputs count, by its kind."""
_LINEAR = ("dense", "add")
"""The kinds that synapses are made of."""


def to_spikes(network: Network, encoding: str, input_encoding: str | None = None, *, uniform: bool = False) -> Network:
    """`network` (quantized form) with `Neurons` in place of `Threshold`, its integers untouched.

    Signed activations and zero points need nothing special: what silence stands for goes into the receivers' bias.
    Inputs as bits, and tables of inputs (one-hot then), are spikes of one step: an `Encode` right behind the input, and
    Boolean functions of its bits, stay before the population that makes spikes of them. A monotone
    `Lookup` becomes neurons of its own. The last layer, if it does not fire, is read as a membrane.

    Parameters
    ----------
    encoding : unary, sar, ttfs, graded or stbif.
    input_encoding : the same, or `direct`; default: the same as `encoding`.
    uniform : give each neuron one threshold θ, the nearest to its schedule. That changes integers: it makes another
        network, for chips that have no schedules. Without it, none changes.

    Raises
    ------
    InputError : a layer has no exact spikes (named), or the encoding is not known.
    """
    source = encoding if input_encoding is None else input_encoding
    for option, name, known in (
        ("encoding", encoding, tuple(ENCODINGS)),
        ("input_encoding", source, ("direct", *ENCODINGS)),
    ):
        if name not in known:
            raise InputError(f"option {option}", f"{name!r} is not one of {', '.join(known)}")
    network = without_products(with_one_encoding(expanded(network)))
    before = _before_spikes(network)
    first = network.nodes[before - 1].name
    taken = {node.name for node in network.nodes}
    spikes_name = next(name for name in (f"{first}_spikes", f"{first}_spikes_of_edgeml") if name not in taken)
    low, high = network.ranges[first].bounds
    nodes = [
        *network.nodes[:before],
        Node(spikes_name, InputSpikes(network.sizes[first], source, low, max(high, low + 1)), (first,)),
    ]
    for node in network.nodes[before:]:
        kind, where = node.layer.kind, f"layer {node.name}"
        inputs = tuple(spikes_name if name == first else name for name in node.inputs)
        if kind in _COUNTS:
            counter = _COUNTS[kind](node.layer, network.sizes[node.name], where)
            thresholds = _evened(counter) if uniform else _within_reach(counter, network, node)
            nodes.append(Node(node.name, Neurons(thresholds, encoding, counter.base), inputs, node.origin))
        elif kind in _LINEAR:
            nodes.append(Node(node.name, node.layer, inputs, node.origin))
        else:
            raise InputError(
                where,
                f"a layer of kind {kind!r} has no exact spikes",
                "Exact spiking networks come from Linear, batch norm, ReLU and residual layers; use --to quantized",
            )
    spiking = Network(network.name, tuple(nodes), network.output)
    try:
        wiring(spiking)
    except NetworkError as error:
        raise InputError(error.where, error.problem, error.remedy) from error
    return spiking


def _before_spikes(network: Network) -> int:
    """How many nodes give integers to the population that makes spikes of them: the input, an `Encode` and Boolean
    functions of its bits. InputError naming a layer that takes what is no spikes then."""
    count = 1
    for node in network.layers:
        if node.layer.kind not in (Encode.kind, Logic.kind) or node.inputs != (network.nodes[count - 1].name,):
            break
        count += 1
    hidden = {node.name for node in network.nodes[: count - 1]}
    for node in network.nodes[count:]:
        if hidden.intersection(node.inputs):
            raise InputError(
                f"layer {node.name}",
                f"takes values of {next(iter(hidden.intersection(node.inputs)))}, which become no spikes",
                "Spikes begin behind the last of the bits and Boolean functions; use --to quantized",
            )
    return count


def _evened(layer: Threshold) -> npt.NDArray[np.int32]:
    """Each row as first + k·θ, with the integers θ ≥ 1 and first nearest to it on average."""
    wide = layer.thresholds.astype(np.int64)
    k = np.arange(layer.levels, dtype=np.int64)
    span = max(layer.levels - 1, 1)
    theta = np.maximum(np.rint((wide[:, -1] - wide[:, 0]) / span), 1).astype(np.int64)
    first = np.rint((wide - theta[:, None] * k).mean(axis=1)).astype(np.int64)
    rows: npt.NDArray[np.int64] = first[:, None] + theta[:, None] * k
    return np.clip(rows, -(2**31), 2**31 - 1).astype(np.int32)


def _within_reach(layer: Threshold, network: Network, node: Node) -> npt.NDArray[np.int32]:
    """Thresholds that no accumulator reaches, moved to just past its range: the same counts, and a schedule whose
    steps fit the accumulator's width."""
    x = network.ranges[node.inputs[0]]
    low, high = x.low[:, None], np.minimum(x.high + 1, 2**31 - 1)[:, None]
    moved: npt.NDArray[np.int64] = np.clip(layer.thresholds.astype(np.int64), low, high)
    uniform_where_possible = np.where(_spread(layer), layer.thresholds, moved)
    return uniform_where_possible.astype(np.int32)


def _spread(layer: Threshold) -> npt.NDArray[np.bool_]:
    """Channels [channels, 1] that one threshold θ serves as they are: they stay so."""
    steps = np.diff(layer.thresholds.astype(np.int64), axis=1)
    if steps.shape[1] == 0:
        return np.zeros((layer.channels, 1), np.bool_)
    result: npt.NDArray[np.bool_] = np.all(steps == steps[:, :1], axis=1, keepdims=True) & (steps[:, :1] > 0)
    return result
