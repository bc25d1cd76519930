"""Random networks whose neurons are functions of few bits: Boolean ones, and weighted sums of few inputs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from edgeml.network import Dense, InputQuantizer, Logic, Network, Node, Output, Threshold
from edgeml.network.layers.encode import LEVEL, Encode

__all__ = ["few_inputs_network", "logic_network"]


def logic_network(rng: np.random.Generator, name: str) -> Network:
    """Thermometers, one to three layers of functions of up to six bits, and a sum of functions for each of 2 to 6
    classes. A function is any, or one of weighted inputs that reach half of their sum, as trained ones are like."""
    features, each, classes = int(rng.integers(4, 13)), int(rng.integers(1, 6)), int(rng.integers(2, 7))
    fan_in, alike = int(rng.choice([4, 6, 6])), float(rng.choice([0.0, 0.5, 1.0]))
    operand = rng.integers(1, 16, features * each)
    encode = Encode(np.repeat(np.arange(features), each), np.full(operand.size, LEVEL), operand, features)
    nodes = [Node("input", InputQuantizer(features, np.array([1.0]), np.array([0.0]), 0, 4, False))]
    nodes.append(Node("bits", encode, ("input",)))
    size, bits = encode.outputs, np.arange(1 << fan_in)[:, None] >> np.arange(fan_in) & 1
    widths = [int(width) for width in rng.integers(20, 61, int(rng.integers(0, 3)))]
    for depth, width in enumerate([*widths, classes * int(rng.integers(5, 17))]):
        weight = np.rint(rng.normal(0, 3, (width, fan_in)))
        like = (weight @ bits.T > weight.sum(axis=1, keepdims=True) / 2).astype(np.uint8)
        table = np.where(rng.random((width, 1)) < alike, like, rng.integers(0, 2, like.shape, np.uint8))
        nodes.append(
            Node(f"logic{depth}", Logic(rng.integers(0, size, (width, fan_in)), table, size), (nodes[-1].name,))
        )
        size = width
    groups = np.kron(np.eye(classes, dtype=np.int64), np.ones((1, size // classes), np.int64))
    nodes.append(Node("sums", Dense(groups, 2, np.zeros(classes, np.int64)), (nodes[-1].name,)))
    return Network(name, tuple(nodes), Output(np.array([1.0])))


def few_inputs_network(rng: np.random.Generator, name: str, widest: int, *, largest: bool = False) -> Network:
    """2 hidden layers of neurons of 3 to 8 inputs with 1- or 2-bit activations, and an output layer of few inputs:
    wired at random, with thresholds where those of trained networks lie. `largest`: neurons may see more than 6 bits
    (`--fan-in 8`, or 4 and more inputs of 2 bits)."""
    input_bits, levels = int(rng.choice([1, 1, 2, 3])), int(rng.choice([1, 1, 1, 3]))
    act_bits = levels.bit_length()
    inputs = int(rng.integers(widest // 2, widest + 1))
    first, second = int(rng.integers(widest // 2, widest + 1)), int(rng.integers(widest // 4, widest // 2 + 1))
    sizes = [inputs, first, second, int(rng.choice([2, 4, 6, 10, 10]))]
    fan_in = int(rng.integers(3, 9)) if largest else 6
    limits = [fan_in if largest else 6 // input_bits, fan_in if largest else 6 // act_bits]
    limits.append(int(rng.choice([6, 8, 12, 16, 24])))
    nodes = [Node("input", InputQuantizer(inputs, np.array([1.0]), np.array([0.0]), 0, input_bits, False))]
    x = rng.integers(0, 2**input_bits, (500, inputs))
    for index, (before, outputs) in enumerate(pairwise(sizes)):
        most = 1 if index == 2 else 7
        kept = rng.random((outputs, before)).argsort(axis=1) < limits[index]
        weight = rng.choice([-1, 1], (outputs, before)) * rng.integers(1, most + 1, (outputs, before)) * kept
        bias = rng.integers(-20, 21, outputs) if index == 2 else np.zeros(outputs, np.int64)
        nodes.append(Node(f"fc{index}", Dense(weight, 2 if index == 2 else 4, bias), (nodes[-1].name,)))
        if index < 2:
            acc = x @ weight.T + bias
            places = np.sort(rng.uniform(0.3, 0.8, levels))
            thresholds = np.sort(np.quantile(acc, places, axis=0).T.round().astype(np.int64), axis=1)
            nodes.append(Node(f"act{index}", Threshold(thresholds), (nodes[-1].name,)))
            x = (acc[:, :, None] >= thresholds).sum(axis=2)
    return Network(name, tuple(nodes), Output(np.array([1.0])))
