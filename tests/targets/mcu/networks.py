"""Networks and bundles for the tests of microcontrollers: random, of every width of weights, seeded."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

import edgeml.pipeline
from edgeml.bundle import Bundle
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.network_file import write


def dense_weights(generator: np.random.Generator, shape: tuple[int, int], bits: int) -> np.ndarray:
    """Integers over the whole range of so many bits."""
    if bits == 1:
        return generator.choice([-1, 1], shape)
    return generator.integers(-(1 << (bits - 1)), 1 << (bits - 1), shape)


def random_network(
    seed: int,
    sizes: tuple[int, ...],
    weight_bits: int,
    activation_bits: int = 2,
    input_bits: int = 8,
    signed: bool = False,
    name: str = "net",
) -> Network:
    """Dense layers with thresholds in between, spread over the values that occur."""
    generator = np.random.default_rng(seed)
    quantizer = InputQuantizer(sizes[0], np.array([1.0]), np.array([0.0]), 0, input_bits, signed)
    nodes = [Node("input", quantizer)]
    values = generator.integers(quantizer.low, quantizer.high + 1, (64, sizes[0]))
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        bias = generator.integers(-200, 200, outputs)
        dense = Dense(dense_weights(generator, (outputs, inputs), weight_bits), weight_bits, bias)
        nodes.append(Node(f"dense{index}", dense, (nodes[-1].name,)))
        values = dense.evaluate(values.astype(np.int32))
        if index < len(sizes) - 2:
            levels = (1 << activation_bits) - 1
            places = np.linspace(0, 1, levels + 2)[1:-1]
            threshold = Threshold(np.quantile(values, places, axis=0).T.astype(np.int64), 0)
            nodes.append(Node(f"threshold{index}", threshold, (nodes[-1].name,)))
            values = threshold.evaluate(values)
    return Network(name, tuple(nodes), Output(np.array([1.0])))


def random_inputs(network: Network, seed: int, count: int) -> np.ndarray:
    """Input integers int32 [count, inputs], the extremes first."""
    quantizer = network.quantizer
    q = np.random.default_rng(seed).integers(quantizer.low, quantizer.high + 1, (count, network.input_size))
    q[0], q[1] = quantizer.low, quantizer.high
    return q.astype(np.int32)


def bundle_for(network: Network, target: str, folder: Path, form: str = "quantized") -> Bundle:
    """A bundle made by the pipeline."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.edgeml"
    write(network, path)
    return edgeml.pipeline.convert(str(path), to=form, target=target, output=str(folder / "bundle"))
