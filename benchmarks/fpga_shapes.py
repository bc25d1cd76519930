"""Random small networks of the quantized and the int8 form, as wide as conversions make them: what estimates of FPGA
designs are fitted to and held against.

Widths are drawn by their logarithm; weights are uniform, normal as trained ones are (rounded to a scale for each
channel), or mostly 0; thresholds are spread over what the accumulators of random inputs take. Every input and every
neuron has a way to the output.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize
from edgeml.network.rounding import ROUNDINGS, float32_parts, float64_parts, quantize_multiplier

__all__ = ["int8_shape", "quantized_shape"]

_SAMPLES = 500
Int64 = npt.NDArray[np.int64]


def _sizes(rng: np.random.Generator, depth: int, widest: int, most_weights: int) -> list[int]:
    """Widths of inputs, hidden layers and outputs with at most so many weights, and at least an eighth of them."""
    while True:
        sizes = [round(float(np.exp(rng.uniform(np.log(3), np.log(widest + 0.49))))) for _ in range(depth)]
        sizes.append(int(rng.integers(1, 11)))
        if most_weights <= 8 * sum(inputs * outputs for inputs, outputs in pairwise(sizes)) <= 8 * most_weights:
            return sizes


def _weights(rng: np.random.Generator, outputs: int, inputs: int, bits: int) -> Int64:
    """Weights [outputs, inputs] of so many bits (1: ±1), none of whose rows and columns is empty."""
    if bits == 1:
        return rng.choice(np.array([-1, 1]), (outputs, inputs))
    most = 2 ** (bits - 1) - 1
    way = str(rng.choice(["uniform", "normal", "normal", "sparse"]))
    if way == "uniform":
        weight = rng.integers(-most - 1, most + 1, (outputs, inputs))
    else:
        real = rng.normal(size=(outputs, inputs))
        step = np.abs(real).max(axis=1, keepdims=True) / most * rng.uniform(0.5, 1.0)
        weight = np.clip(np.rint(real / step), -most - 1, most).astype(np.int64)
        if way == "sparse":
            weight[rng.random((outputs, inputs)) < rng.uniform(0.3, 0.8)] = 0
    for row in np.flatnonzero(~weight.any(axis=1)):
        weight[row, int(rng.integers(inputs))] = 1
    for column in np.flatnonzero(~weight.any(axis=0)):
        weight[int(rng.integers(outputs)), column] = -1
    return weight


def quantized_shape(
    rng: np.random.Generator,
    name: str,
    widest: int,
    most_weights: int,
    *,
    most_input_bits: int = 8,
    all_levels: bool = False,
) -> Network:
    """1 to 4 dense layers with thresholds between them.

    most_weights : of 2 bits; of more bits fewer.
    all_levels : activations have 2^bits − 1 thresholds, as spikes of any encoding can stand for.
    """
    depth = int(rng.integers(2 if all_levels else 1, 5))
    weight_bits = int(rng.choice([1, 2, 2, 3, 4, 4, 6, 8]))
    sizes = _sizes(rng, depth, widest, most_weights * 4 // (weight_bits + 2))
    levels = int(rng.choice([1, 3, 3, 7, 15] if all_levels else [1, 2, 3, 3, 5, 7, 15]))
    input_bits = min(int(rng.choice([1, 2, 3, 4, 8])), most_input_bits)
    signed = bool(rng.random() < 0.3) and input_bits > 1
    low = -(2 ** (input_bits - 1)) if signed else 0
    zero_point = 0 if not signed or rng.random() < 0.5 else int(rng.integers(low, 1))
    quantizer = InputQuantizer(sizes[0], np.array([1.0]), np.array([0.0]), zero_point, input_bits, signed)
    nodes = [Node("input", quantizer)]
    x = rng.integers(low, low + 2**input_bits, (_SAMPLES, sizes[0]))
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight = _weights(rng, outputs, inputs, weight_bits)
        spread = max(int(np.abs(x @ weight.T).max()) // 8, 1)
        dense = Dense(weight, weight_bits, rng.integers(-spread, spread + 1, outputs), zero_point if index == 0 else 0)
        nodes.append(Node(f"fc{index}", dense, (nodes[-1].name,)))
        if index + 2 < len(sizes):
            acc = dense.evaluate(x.astype(np.int32))
            first, last = sorted(rng.uniform(0.1, 0.95, 2))
            places = np.linspace(first, max(last, first + 0.1), levels) if levels > 1 else [0.5]
            thresholds = np.quantile(acc, np.minimum(places, 0.98), axis=0).T.round().astype(np.int64)
            thresholds = np.maximum(thresholds, acc.min(axis=0)[:, None] + 1)
            act = Threshold(np.sort(thresholds, axis=1))
            nodes.append(Node(f"act{index}", act, (nodes[-1].name,)))
            x = act.evaluate(acc)
    return Network(name, tuple(nodes), Output(np.array([1.0])))


def _requantize(rng: np.random.Generator, acc: Int64, zero_point: int, low: int) -> Requantize:
    """Brings accumulators into 8 bits, by any of the roundings, per tensor or per channel."""
    rounding = str(rng.choice(ROUNDINGS))
    spread = np.abs(acc).max(axis=0)
    eff = 120.0 / np.maximum(spread if rng.random() < 0.6 else spread.max(keepdims=True), 1)
    fields = {"zero_point": zero_point, "low": low, "high": 127}
    if rounding == "float64_away":
        multiplier, shift, fraction = float64_parts(eff)
        return Requantize(multiplier, shift, rounding, fraction=fraction, **fields)
    if rounding == "shift":
        eff = 2.0 ** np.floor(np.log2(eff))
    return Requantize(*(float32_parts(eff) if rounding == "fp32_rne" else quantize_multiplier(eff)), rounding, **fields)


def int8_shape(rng: np.random.Generator, name: str, widest: int, most_weights: int) -> Network:
    """1 to 3 dense layers, 8-bit (sometimes 4-bit) weights and activations of 8 bits, some with a table behind them."""
    depth = int(rng.integers(1, 4))
    sizes = _sizes(rng, depth, widest, most_weights)
    weight_bits = int(rng.choice([8, 8, 8, 4]))
    zero_point = int(rng.integers(-20, 20))
    nodes = [Node("input", InputQuantizer(sizes[0], np.array([0.1]), np.array([0.0]), zero_point, 8, True))]
    x = rng.integers(-128, 128, (_SAMPLES, sizes[0])).astype(np.int32)
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight = _weights(rng, outputs, inputs, weight_bits)
        dense = Dense(weight, weight_bits, rng.integers(-3000, 3000, outputs), zero_point)
        nodes.append(Node(f"fc{index}", dense, (nodes[-1].name,)))
        acc = dense.evaluate(x)
        relu = bool(rng.random() < 0.5)
        zero_point = -128 if relu else int(rng.integers(-20, 20))
        layer = _requantize(rng, acc, zero_point, -128)
        nodes.append(Node(f"scale{index}", layer, (nodes[-1].name,)))
        x = layer.evaluate(acc)
        if index + 2 < len(sizes) and rng.random() < 0.4:
            table = np.rint(127 * np.tanh(np.arange(-128, 128) / float(rng.uniform(20, 60)))).astype(np.int64)
            nodes.append(Node(f"table{index}", Lookup(table), (nodes[-1].name,)))
            x, zero_point = table[x + 128].astype(np.int32), 0
    return Network(name, tuple(nodes), Output(np.array([1.0])))
