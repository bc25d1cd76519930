"""Random networks with layers that encode inputs, for the tests of their C."""

from __future__ import annotations

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, VALUE, Encode

__all__ = ["bits_of_bytes", "encoded_network", "inputs_for", "random_encode", "ternary", "thresholds_for"]


def ternary(generator: np.random.Generator, outputs: int, inputs: int) -> np.ndarray:
    """Weights as training leaves them."""
    return generator.choice([-1, 0, 1], (outputs, inputs), p=[0.3, 0.4, 0.3])


def bits_of_bytes(count: int) -> Encode:
    """Every bit of so many bytes, in order."""
    place = np.arange(8 * count)
    return Encode(place // 8, np.full(8 * count, BIT), place % 8, count)


def random_encode(
    generator: np.random.Generator, inputs: int, outputs: int, low: int, high: int, binary: bool = True
) -> Encode:
    """Any rules in any order, of inputs low … high; operands also just outside of that range."""
    rules = [LEVEL, EQUAL, *([] if low < 0 else [BIT, BIT]), *([] if binary else [VALUE])]
    rule = generator.choice(rules, outputs)
    if generator.integers(2):
        rule.sort()
    operand = generator.integers(max(low - 2, -(2**31)), min(high + 2, 2**31 - 1), outputs, endpoint=True)
    most = max(1, int(high).bit_length())
    operand = np.where(rule == BIT, generator.integers(0, most, outputs), operand)
    operand = np.where(rule == VALUE, 0, operand)
    return Encode(generator.integers(0, inputs, outputs), rule, operand, inputs)


def thresholds_for(generator: np.random.Generator, low: np.ndarray, high: np.ndarray, levels: int) -> Threshold:
    """Over the range of sums, some of them reached always or never."""
    at = low[:, None] + generator.random((low.size, levels)) * (high - low + 4)[:, None] - 2
    at = np.rint(at).astype(np.int64)
    at[generator.random(low.size) < 0.05] = -(2**31)
    at[generator.random(low.size) < 0.05] = 2**31 - 1
    return Threshold(np.sort(at, axis=1), 0)


def encoded_network(
    encode: Encode,
    weight: np.ndarray,
    weight_bits: int,
    generator: np.random.Generator,
    *,
    levels: int = 3,
    input_bits: int = 8,
    signed: bool = False,
    zero_point: int = 0,
    name: str = "net",
) -> Network:
    """Input, encode, dense, thresholds (unless `levels` is 0), and a dense layer of 5 outputs behind them."""
    quantizer = InputQuantizer(encode.inputs, np.array([1.0]), np.array([0.0]), 0, input_bits, signed)
    bias = generator.integers(-40, 41, len(weight))
    dense = Dense(weight, weight_bits, bias, zero_point)
    nodes = [Node("input", quantizer), Node("encode", encode, ("input",)), Node("dense", dense, ("encode",))]
    if levels:
        reach = dense.output_range(encode.output_range(quantizer.output_range()))
        act = thresholds_for(generator, reach.low, reach.high, levels)
        nodes.append(Node("act", act, ("dense",)))
        last = Dense(ternary(generator, 5, len(weight)), 2, generator.integers(-9, 10, 5))
        nodes.append(Node("last", last, ("act",)))
    return Network(name, tuple(nodes), Output(np.array([1.0])))


def inputs_for(network: Network, seed: int, count: int) -> np.ndarray:
    """Input integers int32 [count, inputs]: both ends, each input at an end by chance, then any; and, where there is a
    dense layer behind bits, those that its weights make largest and smallest."""
    generator = np.random.default_rng(seed)
    low, high = network.quantizer.low, network.quantizer.high
    q = generator.integers(low, high + 1, (count, network.input_size))
    q[1 : count // 3] = np.where(generator.integers(0, 2, q[1 : count // 3].shape) == 1, low, high)
    q[:1], q[1:2] = low, high
    encode, dense = (next(n.layer for n in network.nodes if n.layer.kind == kind) for kind in ("encode", "dense"))
    row = count // 3
    for output in range(min(dense.outputs, count // 6)):
        for sign in (1, -1):
            best = encode.best_inputs(sign * dense.weight[output].astype(float), low, high)
            if best is not None and row < count:
                q[row] = best[0]
                row += 1
    return q.astype(np.int32)
