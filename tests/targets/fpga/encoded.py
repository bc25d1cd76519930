"""Networks whose values are looked at bit by bit and level by level, small enough to simulate as hardware."""

from __future__ import annotations

import numpy as np

from edgeml.network import Add, Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, VALUE, Encode
from edgeml.network.value_range import ValueRange

__all__ = ["bits_of", "encode_of", "encoded_network"]


def bits_of(inputs: int, bits: int = 8) -> Encode:
    """Every bit of every input, the highest first."""
    places = np.tile(np.arange(bits)[::-1], inputs)
    return Encode(np.repeat(np.arange(inputs), bits), np.full(inputs * bits, BIT), places, inputs)


def encode_of(rng: np.random.Generator, taken: ValueRange, outputs: int, *, regular: bool = False) -> Encode:
    """Any mixture of rules in any order; `regular`: the same rules for each input, in order."""
    inputs = len(taken.low)
    if regular:
        each = -(-outputs // inputs)
        source = np.repeat(np.arange(inputs), each)
        rule = np.tile(rng.integers(VALUE, EQUAL + 1, each), inputs)
    else:
        source = rng.integers(0, inputs, outputs)
        rule = rng.integers(VALUE, EQUAL + 1, outputs)
    low, high = taken.low[source], taken.high[source]
    rule = np.where((rule == BIT) & (low < 0), LEVEL, rule)
    operand = rng.integers(low - 1, high + 2)
    if regular:
        operand = np.tile(operand[: len(operand) // inputs], inputs)
    places = rng.integers(0, 9, len(source)) if not regular else np.tile(rng.integers(0, 8, each), inputs)
    operand = np.where(rule == BIT, places, np.where(rule == VALUE, 0, operand))
    return Encode(source, rule, operand, inputs)


def encoded_network(seed: int, *, widest: int = 9) -> Network:
    """Encode behind the input, often behind thresholds and sums too, sometimes last; every seed another one."""
    rng = np.random.default_rng([seed, 77])
    regular = bool(rng.random() < 0.4)
    signed = bool(rng.random() < 0.3)
    bits = int(rng.integers(2 if signed else 1, 9))
    size = int(rng.integers(1, widest + 1))
    nodes = [Node("input", InputQuantizer(size, np.ones(1), np.zeros(1), int(rng.integers(0, 2)), bits, signed))]

    def taken(name: str) -> ValueRange:
        if name == "input":
            low, high = nodes[0].layer.low, nodes[0].layer.high
            return ValueRange(np.full(size, low, np.int64), np.full(size, high, np.int64))
        return Network("so_far", tuple(nodes), Output(np.ones(1))).ranges[name]

    outputs = int(rng.integers(1, 4 * widest))
    nodes.append(Node("bits", encode_of(rng, taken("input"), outputs, regular=regular), ("input",)))
    for k in range(int(rng.integers(0, 3))):
        before = taken(nodes[-1].name)
        channels = int(rng.integers(1, widest + 1))
        weight = rng.integers(-2, 2, (channels, len(before.low))) * (rng.random((channels, len(before.low))) < 0.6)
        nodes.append(Node(f"fc{k}", Dense(weight, 2, rng.integers(-5, 6, channels)), (nodes[-1].name,)))
        if rng.random() < 0.3:
            nodes.append(Node(f"sum_bits{k}", encode_of(rng, taken(f"fc{k}"), channels + 2), (f"fc{k}",)))
            continue
        ends, levels = taken(f"fc{k}"), int(rng.choice([1, 3, 7]))
        thresholds = np.sort(rng.integers(ends.low[:, None], ends.high[:, None] + 2, (channels, levels)), axis=1)
        nodes.append(Node(f"act{k}", Threshold(thresholds, int(rng.integers(-2, 3))), (f"fc{k}",)))
        if rng.random() < 0.5:
            again = encode_of(rng, taken(f"act{k}"), channels + int(rng.integers(0, 2)))
            nodes.append(Node(f"again{k}", again, (f"act{k}",)))
            if again.outputs == channels:
                nodes.append(Node(f"both{k}", Add(), (f"act{k}", f"again{k}")))
    return Network("encoded", tuple(nodes), Output(np.ones(1)))
