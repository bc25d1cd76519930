"""Random networks with layers of Boolean functions: behind thermometers or bits, before sums of groups or nothing."""

from __future__ import annotations

import numpy as np

from edgeml.network import Dense, Encode, InputQuantizer, Logic, Network, Node, Output
from edgeml.network.layers.encode import BIT, LEVEL

__all__ = ["classifier", "logic_inputs", "random_logic", "random_logic_network"]


def random_logic(generator: np.random.Generator, inputs: int, outputs: int, fan_in: int) -> Logic:
    """Tables of any values, of single bits of their input, or of none of it; inputs may stand twice."""
    tables = generator.random((outputs, 1 << fan_in)) < generator.choice([0.5, 0.5, 0.5, 0.1, 0.9], (outputs, 1))
    wire, constant = generator.random(outputs) < 0.05, generator.random(outputs) < 0.03
    tables[wire] = (np.arange(1 << fan_in) >> generator.integers(fan_in) & 1).astype(bool)
    tables[constant] = generator.random((int(constant.sum()), 1)) < 0.5
    return Logic(generator.integers(0, inputs, (outputs, fan_in)), tables.astype(np.uint8), inputs)


def classifier(
    seed: int,
    features: int = 8,
    levels: int = 3,
    widths: tuple[int, ...] = (40, 30),
    classes: int = 3,
    fan_in: int = 6,
    name: str = "logic",
) -> Network:
    """Thermometers of `levels` comparisons for each feature of 4 bits, layers of functions, and a sum of functions for
    each class; the last width is a multiple of `classes`."""
    generator = np.random.default_rng(seed)
    operand = generator.integers(1, 16, features * levels)
    encode = Encode(np.repeat(np.arange(features), levels), np.full(operand.size, LEVEL), operand, features)
    quantizer = InputQuantizer(features, np.ones(1), np.zeros(1), 0, 4, False)
    nodes = [Node("input", quantizer), Node("encode", encode, ("input",))]
    size = encode.outputs
    for depth, width in enumerate(widths):
        nodes.append(Node(f"logic{depth}", random_logic(generator, size, width, fan_in), (nodes[-1].name,)))
        size = width
    groups = np.kron(np.eye(classes, dtype=np.int64), np.ones((1, size // classes), np.int64))
    nodes.append(Node("sums", Dense(groups, 2, np.zeros(classes, np.int32)), (nodes[-1].name,)))
    return Network(name, tuple(nodes), Output(np.ones(1)))


def random_logic_network(seed: int, name: str = "net", *, widest: int = 150) -> Network:
    """Any depth and widths, behind bits, levels or inputs of one bit; functions, sums or any dense layer at the end."""
    generator = np.random.default_rng(seed)
    features, bits = int(generator.integers(1, 20)), int(generator.choice([1, 1, 2, 4, 8]))
    nodes = [Node("input", InputQuantizer(features, np.ones(1), np.zeros(1), 0, bits, False))]
    size = features
    if bits > 1 or generator.integers(2):
        size = int(generator.integers(1, 90))
        rule = generator.choice([BIT, LEVEL], size)
        operand = np.where(rule == BIT, generator.integers(0, bits, size), generator.integers(0, (1 << bits) + 1, size))
        nodes.append(Node("encode", Encode(generator.integers(0, features, size), rule, operand, features), ("input",)))
    for depth in range(int(generator.integers(1, 4))):
        width = int(generator.integers(1, int(generator.choice([8, 40, widest])) + 1))
        layer = random_logic(generator, size, width, int(generator.choice([1, 2, 3, 4, 5, 6, 6, 6])))
        nodes.append(Node(f"logic{depth}", layer, (nodes[-1].name,)))
        size = width
    kind, outputs = generator.integers(3), int(generator.integers(1, 12))
    if kind == 1:
        group = (np.arange(size) * outputs // size)[None] == np.arange(outputs)[:, None]
        nodes.append(Node("sums", Dense(group.astype(np.int32), 2, np.zeros(outputs, np.int32)), (nodes[-1].name,)))
    elif kind == 2:
        weight, bias = generator.integers(-4, 4, (outputs, size)), generator.integers(-9, 10, outputs)
        nodes.append(Node("sums", Dense(weight, 3, bias), (nodes[-1].name,)))
    return Network(name, tuple(nodes), Output(np.ones(1)))


def logic_inputs(network: Network, seed: int, count: int) -> np.ndarray:
    """Input integers int32 [count, inputs]: both ends, then any."""
    low, high = network.quantizer.low, network.quantizer.high
    q = np.random.default_rng(seed).integers(low, high + 1, (count, network.input_size))
    q[:1], q[1:2] = low, high
    return q.astype(np.int32)
