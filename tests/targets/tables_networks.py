"""Random networks with sums of tables, for the tests of targets: at any depth, before anything that may follow."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from edgeml.network import Add, Dense, InputQuantizer, Network, Node, Output, Threshold, ValueRange
from edgeml.network.layers.encode import BIT, Encode
from edgeml.network.layers.requantize import Requantize
from edgeml.network.layers.tables import Tables

__all__ = ["kan", "mixed", "random_tables", "requantized", "tables_inputs", "tables_of", "thresholds_behind"]


def random_entries(generator: np.random.Generator, rows: int, outputs: int, bits: int) -> np.ndarray:
    """Over the whole range, at its ends only, or mostly 0."""
    if bits == 1:
        return generator.choice([-1, 1], (rows, outputs))
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    kind = generator.integers(3)
    if kind == 0:
        return generator.choice([low, high], (rows, outputs))
    entries = generator.integers(low, high + 1, (rows, outputs))
    return entries * (generator.random(entries.shape) < 0.3) if kind == 1 else entries


def tables_of(
    generator: np.random.Generator, features: int, values: int, outputs: int, bits: int, *, every: bool = False
) -> Tables:
    """Tables of any rows; with `every`, feature f looks at input f, and no row stands twice."""
    count = features * values if every else int(generator.integers(1, features * values + 1))
    inputs = features if every else int(generator.integers(1, features + 3))
    rows = np.arange(count).reshape(features, values) if every else generator.integers(0, count, (features, values))
    source = np.arange(features) if every else generator.integers(0, inputs, features)
    entries = random_entries(generator, count, outputs, bits)
    return Tables(entries, bits, rows, source, generator.integers(-300, 301, outputs), inputs)


def random_tables(seed: int, name: str = "net", *, most_features: int = 100, most_outputs: int = 69) -> Network:
    """One layer, of any shape, as the output or with thresholds behind."""
    generator = np.random.default_rng(seed)
    input_bits = int(generator.integers(1, 9))
    every = bool(generator.integers(2))
    features = min(int(generator.choice([1, 3, 20, 100])), most_features)
    outputs = int(generator.integers(1, most_outputs + 1))
    layer = tables_of(generator, features, 1 << input_bits, outputs, int(generator.integers(1, 9)), every=every)
    nodes = [Node("input", _quantizer(layer.inputs, input_bits)), Node("tables", layer, ("input",))]
    if generator.integers(2):
        nodes.append(thresholds_behind(generator, nodes, "tables", int(generator.choice([1, 3, 7, 20]))))
    return Network(name, tuple(nodes), Output(np.array([1.0])))


def kan(seed: int, widths: tuple[int, ...], bits: int, entry_bits: int, name: str = "kan") -> Network:
    """Edges of a quantized KAN: input, tables, thresholds, tables … tables; also values that start above 0."""
    generator = np.random.default_rng(seed)
    nodes = [Node("input", _quantizer(widths[0], bits))]
    values = 1 << bits
    for depth, (features, outputs) in enumerate(pairwise(widths)):
        layer = tables_of(generator, features, values, outputs, entry_bits, every=True)
        nodes.append(Node(f"tables{depth}", layer, (nodes[-1].name,)))
        if depth < len(widths) - 2:
            base = int(generator.integers(0, 3))
            nodes.append(thresholds_behind(generator, nodes, nodes[-1].name, (1 << bits) - 1, base, f"act{depth}"))
            values = base + (1 << bits)
    return Network(name, tuple(nodes), Output(np.array([1.0])))


def mixed(seed: int, outputs: int = 12, bits: int = 4, name: str = "mixed") -> Network:
    """Bits of some inputs through a dense layer, tables of the others, their sum, thresholds, and tables again."""
    generator = np.random.default_rng(seed)
    inputs = 6
    place = np.arange(3 * bits)
    encode = Encode(place // bits, np.full(place.size, BIT), place % bits, inputs)
    dense = Dense(generator.integers(-2, 2, (outputs, place.size)), 2, np.zeros(outputs, int))
    entries = random_entries(generator, 3 << bits, outputs, 2)
    rows = np.arange(3 << bits).reshape(3, 1 << bits)
    tables = Tables(entries, 2, rows, [5, 3, 4], generator.integers(-9, 10, outputs), inputs)
    nodes = [
        Node("input", _quantizer(inputs, bits)),
        Node("encode", encode, ("input",)),
        Node("dense", dense, ("encode",)),
        Node("tables", tables, ("input",)),
        Node("sum", Add(), ("dense", "tables")),
    ]
    nodes.append(thresholds_behind(generator, nodes, "sum", 3))
    nodes.append(Node("last", tables_of(generator, outputs, 4, 5, 3, every=True), ("act",)))
    return Network(name, tuple(nodes), Output(np.array([1.0])))


def requantized(seed: int, rounding: str = "double_rounding", name: str = "requantized") -> Network:
    """Tables with a requantization to 8 bits behind."""
    generator = np.random.default_rng(seed)
    layer = tables_of(generator, 9, 16, 11, 8, every=True)
    scale = Requantize(
        generator.integers(2**30, 2**31, 11), np.full(11, -2), rounding, 3, -128, 127,
    )  # fmt: skip
    nodes = (Node("input", _quantizer(9, 4)), Node("tables", layer, ("input",)), Node("scale", scale, ("tables",)))
    return Network(name, nodes, Output(np.array([1.0])))


def thresholds_behind(
    generator: np.random.Generator, nodes: list[Node], source: str, levels: int, base: int = 0, name: str = "act"
) -> Node:
    """Thresholds over the range of the last node's sums, some of them reached always or never."""
    ranges: dict[str, ValueRange] = {}
    for node in nodes:
        ranges[node.name] = node.layer.output_range(*(ranges[name] for name in node.inputs))
    low, high = ranges[source].low, ranges[source].high
    at = np.rint(low[:, None] + generator.normal(0.5, 0.2, (low.size, levels)) * (high - low)[:, None])
    at[generator.random(low.size) < 0.05], at[generator.random(low.size) < 0.05] = -(2**31), 2**31 - 1
    return Node(name, Threshold(np.sort(at.astype(np.int64), axis=1), base), (source,))


def tables_inputs(network: Network, seed: int, count: int) -> np.ndarray:
    """Input integers int32 [count, inputs]: both ends, what takes the first tables' outputs to their ends, then any."""
    generator = np.random.default_rng(seed)
    low, high = network.quantizer.low, network.quantizer.high
    q = generator.integers(low, high + 1, (count, network.input_size))
    q[:1], q[1:2] = low, high
    first = next(node.layer for node in network.nodes if isinstance(node.layer, Tables) and node.inputs == ("input",))
    row = 2
    for output in range(first.outputs):
        for sign in (1.0, -1.0):
            if row < count // 2:
                direction = np.zeros(first.outputs)
                direction[output] = sign
                found = first.best_inputs(direction, low, high)
                assert found is not None
                q[row], row = found[0], row + 1
    return q.astype(np.int32)


def _quantizer(inputs: int, bits: int) -> InputQuantizer:
    return InputQuantizer(inputs, np.array([1.0]), np.array([0.0]), 0, bits, False)
