"""Windows as bits: what the first layer sees of each byte, and the same as the first layer of the integer network.

Of an identifier and of data every bit is an input, the highest first (of an identifier's high byte the lower three: 11
bits in all, and those of a folded 29-bit one). Features of the bus's state are thermometers: an input says whether the
byte reaches a level; what is unusual is bits already. The float model is trained on these inputs; `on_bytes` puts an
`Encode` in front of the network that edgeml makes of it, which then takes bytes: in RTL a bit is a wire, a level one
comparison.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.network import Encode, InputQuantizer, Network, Node
from edgeml.network.layers.encode import BIT, LEVEL

from .windows import FRAME_BYTES, Recipe

__all__ = ["LEVELS", "encode_layer", "encoded", "on_bytes"]

_CHANGED = (1, 2, 4, 6, 9, 13, 19, 26)
LEVELS = (
    (28, 40, 48, 53, 56, 58, 60, 61, 62, 63, 64, 65, 66, 68, 72, 80),
    (64, 90, 110, 118, 122, 126, 128, 130, 134, 140),
    _CHANGED,
    _CHANGED,
)
"""Levels of the first four features of the state: 64ths of a period since the last frame of the identifier and since
the one before (one period is 64, two are 128), and changed bits."""
_HIGH_BYTE_BITS = 3


def encode_layer(recipe: Recipe, extended: bool = False) -> Encode:
    """The layer [features] → [inputs of the first layer]; 16 bits of identifiers where some are `extended`."""
    places = [(0, range(7 if extended else _HIGH_BYTE_BITS - 1, -1, -1))]
    places += [(byte, range(7, -1, -1)) for byte in range(1, FRAME_BYTES)]
    rows = [(byte, BIT, place) for byte, bits in places for place in bits]
    rows += [(FRAME_BYTES + len(LEVELS), BIT, place) for place in range(7, -1, -1)]
    rows += [(FRAME_BYTES + i, LEVEL, level) for i, levels in enumerate(LEVELS) for level in levels]
    step = recipe.features_a_frame
    every = np.array(
        [(frame * step + at, rule, operand) for frame in range(recipe.frames) for at, rule, operand in rows]
    )
    source, rule, operand = (np.ascontiguousarray(column, np.int32) for column in every.T)
    return Encode(source, rule, operand, recipe.features)


def encoded(layer: Encode, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Windows x [windows, features] as zeros and ones [windows, inputs]."""
    values = x[:, layer.source]
    operand = layer.operand.astype(np.uint8)
    bits = (values >> np.where(layer.rule == BIT, operand, 0).astype(np.uint8)) & 1
    return np.where(layer.rule == BIT, bits, values >= operand).astype(np.uint8)


def on_bytes(network: Network, layer: Encode) -> Network:
    """The network, which takes zeros and ones, behind `layer`: it takes bytes."""
    entry, *rest = network.nodes
    quantizer = InputQuantizer(layer.inputs, np.ones(1), np.zeros(1), 0, 8, False)
    front = (Node(entry.name, quantizer), Node("encode", layer, (entry.name,)))
    behind = tuple(
        Node(node.name, node.layer, tuple("encode" if name == entry.name else name for name in node.inputs))
        for node in rest
    )
    return Network(network.name, front + behind, network.output)
