"""Random networks whose layers are joined or shared: convolutions, maxima, concatenations, gates, residual sums, tables
of one number. What estimates of FPGA designs are held against, beside those of plain layers."""

from __future__ import annotations

import numpy as np

from edgeml.network import Dense, InputQuantizer, Layer, Network, Node, Output, Threshold, expanded
from edgeml.network.layers.add import Add
from edgeml.network.layers.concat import Concat
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.maximum import Maximum
from edgeml.network.layers.multiply import Multiply
from edgeml.network.layers.shared import Shared

__all__ = ["JOINS", "joined_network"]

JOINS = ("convolution", "maximum", "concat", "multiply", "add", "lookup")
_SAMPLES = 500


def joined_network(rng: np.random.Generator, name: str, widest: int) -> tuple[str, Network]:
    """One of `JOINS` behind hidden layers with thresholds, and a layer of 2 to 6 sums behind it; and which it is. What
    tells of shared positions, maxima and concatenations is written out (`expanded`)."""
    join, bits = str(rng.choice(JOINS)), int(rng.choice([2, 3, 4, 8]))
    weight_bits, levels = int(rng.choice([2, 2, 3, 4, 8])), int(rng.choice([1, 3, 3, 7, 15]))
    inputs = int(rng.integers(4, widest + 1))
    nodes = [Node("input", InputQuantizer(inputs, np.array([1.0]), np.array([0.0]), 0, bits, False))]
    x = rng.integers(0, 2**bits, (_SAMPLES, inputs)).astype(np.int32)

    values = {"input": x}

    def put(name_of: str, layer: Layer, *sources: str) -> str:
        nodes.append(Node(name_of, layer, sources))
        values[name_of] = layer.evaluate(*(values[source] for source in sources))
        return name_of

    def hidden(name_of: str, source: str, taken: int, outputs: int) -> str:
        """A dense layer and thresholds between what its sums take."""
        sums = put(f"{name_of}_sums", _dense(rng, outputs, taken, weight_bits), source)
        return put(name_of, _thresholds(rng, values[sums], levels), sums)

    size = int(rng.integers(4, widest + 1))
    if join == "convolution":
        kernel, channels = int(rng.integers(2, 4)), int(rng.integers(2, 5))
        places = np.arange(inputs - kernel + 1)[:, None] + np.arange(kernel)
        dense = _dense(rng, channels, kernel, weight_bits)
        sums = Shared((dense,), places, inputs).evaluate(x).reshape(-1, channels)
        chain = (dense, _thresholds(rng, sums, levels))
        last, size = put("convolution", Shared(chain, places, inputs), "input"), len(places) * channels
    elif join == "maximum":
        first = hidden("hidden", "input", inputs, 2 * size)
        last = put("maximum", Maximum(np.arange(2 * size).reshape(size, 2), 2 * size), first)
    elif join == "lookup":
        first = hidden("hidden", "input", inputs, size)
        last = put("lookup", Lookup(rng.integers(-8, 8, levels + 1), 0), first)
    else:
        sides = hidden("left", "input", inputs, size), hidden("right", "input", inputs, size)
        layers: dict[str, Layer] = {"concat": Concat(size, size), "multiply": Multiply(), "add": Add()}
        last = put(join, layers[join], *sides)
        size *= 2 if join == "concat" else 1
    put("sums", _dense(rng, int(rng.integers(2, 7)), size, weight_bits), last)
    return join, expanded(Network(name, tuple(nodes), Output(np.array([1.0]))))


def _dense(rng: np.random.Generator, outputs: int, inputs: int, bits: int) -> Dense:
    """Weights of so many bits, of which no row and no column is empty."""
    most = 2 ** (bits - 1) - 1
    weight = rng.integers(-most, most + 1, (outputs, inputs))
    weight[~weight.any(axis=1), 0] = 1
    weight[0, ~weight.any(axis=0)] = -1
    return Dense(weight, bits, rng.integers(-9, 10, outputs))


def _thresholds(rng: np.random.Generator, sums: np.ndarray, levels: int) -> Threshold:
    """Levels [channels, levels] that the sums [samples, channels] pass, each within its channel's."""
    first, last = sorted(rng.uniform(0.1, 0.9, 2))
    places = np.linspace(first, max(last, first + 0.1), levels) if levels > 1 else [0.5]
    found = np.quantile(sums, np.minimum(places, 0.98), axis=0).T.round().astype(np.int64)
    return Threshold(np.sort(np.maximum(found, sums.min(axis=0)[:, None] + 1), axis=1))
