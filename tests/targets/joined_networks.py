"""Networks in which tensors of unlike ranges stand side by side, or are multiplied."""

from __future__ import annotations

import numpy as np

from edgeml.network import (
    Concat,
    Dense,
    InputQuantizer,
    Maximum,
    Multiply,
    Network,
    Node,
    Output,
    Shared,
    Threshold,
)

INPUTS = 6


def concatenated(bits: int, seed: int = 0) -> Network:
    """A DenseNet of two layers: each takes the input's levels, which are signed, and those before it, which are not."""
    random = np.random.default_rng((seed, bits))
    levels = (1 << bits) - 1

    def dense(outputs: int, inputs: int) -> Dense:
        return Dense(random.integers(-2, 2, (outputs, inputs)), 2, random.integers(-9, 9, outputs))

    def threshold(channels: int, low: int, reach: int) -> Threshold:
        rows = np.sort(random.integers(-reach, reach, (channels, levels)), axis=1)
        return Threshold(rows.astype(np.int32), low)

    nodes = (
        Node("input", InputQuantizer(INPUTS, np.ones(1), np.zeros(1), 0, 4, True)),
        Node("entry", threshold(INPUTS, -(1 << (bits - 1)), 8), ("input",)),
        Node("a", dense(9, INPUTS), ("input",)),
        Node("a_act", threshold(9, 0, 40), ("a",)),
        Node("both", Concat(INPUTS, 9), ("entry", "a_act")),
        Node("b", dense(7, 15), ("both",)),
        Node("b_act", threshold(7, 0, 8 << bits), ("b",)),
        Node("all", Concat(15, 7), ("both", "b_act")),
        Node("last", dense(4, 22), ("all",)),
    )
    return Network(f"joined_{bits}_{seed}", nodes, Output(np.ones(1)))


def multiplied(bits: tuple[int, int], signed: tuple[bool, bool], last: bool = False, seed: int = 0) -> Network:
    """Two branches of 9 channels of these bits, their product, thresholds on it and sums; `last`: the product alone.

    Channels 0 and 1 of both branches reach all their levels with the first input alone, together and against each
    other, so that products reach each corner.
    """
    random = np.random.default_rng((seed, *bits, *signed))
    nodes = [Node("input", InputQuantizer(INPUTS, np.ones(1), np.zeros(1), 0, 4, True))]
    for name, width, negative in zip("ab", bits, signed, strict=True):
        weight = random.integers(-2, 2, (9, INPUTS))
        weight[:2] = 0
        weight[:2, 0] = (1, 1) if name == "a" else (1, -1)
        levels, base = (1 << width) - 1, -(1 << (width - 1)) if negative else 0
        rows = np.sort(random.integers(-40, 40, (9, levels)), axis=1)
        rows[:2] = np.rint(np.linspace(-6, 7, levels))
        nodes.append(Node(name, Dense(weight, 2, np.zeros(9, np.int32)), ("input",)))
        nodes.append(Node(f"{name}_act", Threshold(rows.astype(np.int32), base), (name,)))
    nodes.append(Node("product", Multiply(), ("a_act", "b_act")))
    if not last:
        reach = 1 << sum(bits)
        rows = np.sort(random.integers(-reach, reach, (9, 7)), axis=1)
        nodes.append(Node("product_act", Threshold(rows.astype(np.int32), 0), ("product",)))
        weight = random.integers(-2, 2, (4, 9))
        nodes.append(Node("last", Dense(weight, 2, random.integers(-9, 9, 4)), ("product_act",)))
    name = f"gated_{bits[0]}_{bits[1]}_{int(signed[0])}{int(signed[1])}{int(last)}_{seed}"
    return Network(name, tuple(nodes), Output(np.ones(1)))


def every_kind(seed: int = 0, bits: int = 2) -> Network:
    """Four inputs of 2 bits: a padded convolution with thresholds, the larger of its neighbours beside a product of
    two branches of so many bits, sums of these."""
    random = np.random.default_rng((seed, bits))

    def levels(channels: int, count: int, reach: int) -> np.ndarray:
        return np.sort(random.integers(-reach, reach, (channels, count)), axis=1).astype(np.int32)

    windows = np.array([[-1, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, -1]], np.int32)
    chain = (Dense(random.integers(-2, 2, (2, 3)), 2, random.integers(-3, 3, 2)), Threshold(levels(2, 3, 5), -1))
    neighbours = np.array([[0, 2], [1, 3], [4, 6], [5, 7]], np.int32)
    nodes = [
        Node("input", InputQuantizer(4, np.ones(1), np.zeros(1), 0, 2, False)),
        Node("convolution", Shared(chain, windows, 4), ("input",)),
        Node("pool", Maximum(neighbours, 8), ("convolution",)),
    ]
    for name, base in (("a", 0), ("b", -(1 << (bits - 1)))):
        nodes.append(Node(name, Dense(random.integers(-2, 2, (3, 4)), 2, random.integers(-3, 3, 3)), ("input",)))
        nodes.append(Node(f"{name}_act", Threshold(levels(3, (1 << bits) - 1, 7), base), (name,)))
    reach = 1 << (2 * bits - 2)
    nodes += [
        Node("product", Multiply(), ("a_act", "b_act")),
        Node("product_act", Threshold(levels(3, 3, reach), 0), ("product",)),
        Node("both", Concat(4, 3), ("pool", "product_act")),
        Node("last", Dense(random.integers(-2, 2, (2, 7)), 2, random.integers(-9, 9, 2)), ("both",)),
    ]
    return Network("joined", tuple(nodes), Output(np.ones(1)))


def inputs(count: int) -> np.ndarray:
    """int32 [count, INPUTS], both ends among them."""
    q = np.random.default_rng(0).integers(-8, 8, (count, INPUTS)).astype(np.int32)
    q[:2] = [[-8] * INPUTS, [7] * INPUTS]
    return q
