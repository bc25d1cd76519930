"""Random networks with layers that encode inputs, for the tests of their C."""

from __future__ import annotations

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, VALUE, Encode

__all__ = [
    "bits_network",
    "bits_of_bytes",
    "encoded_network",
    "inputs_for",
    "random_encode",
    "ternary",
    "thresholds_for",
]


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


def _weights(generator: np.random.Generator, outputs: int, inputs: int) -> tuple[np.ndarray, int]:
    """Weights of each kind that counts of bits take, and their bits."""
    kind = generator.integers(6)
    if kind == 0:
        return generator.choice([-1, 1], (outputs, inputs)), 1
    if kind == 1:
        return generator.integers(-2, 2, (outputs, inputs)), 2
    if kind == 2:
        return np.full((outputs, inputs), generator.integers(-2, 2)), 2
    weight = ternary(generator, outputs, inputs)
    if kind == 3:
        weight[generator.random(outputs) < 0.3] = 0
    return weight, 2


def bits_network(seed: int, widest: int = 45) -> Network:
    """Bits as they lie, some of them, twice or in any order; few bits of many inputs; levels and equalities among them.
    Behind them weights of up to 2 bits, and any number of thresholds."""
    generator = np.random.default_rng(seed)
    kind, inputs = seed % 5, int(generator.integers(1, widest + 1))
    input_bits = 8 if generator.integers(2) else int(generator.integers(1, 9))
    if kind == 0:
        encode = bits_of_bytes(inputs)
    elif kind == 1:
        outputs = int(generator.integers(1, 8 * inputs + 9))
        encode = Encode(
            generator.integers(0, inputs, outputs), [BIT] * outputs, generator.integers(0, 8, outputs), inputs
        )
    elif kind == 2:
        encode = Encode(np.arange(inputs), [BIT] * inputs, [input_bits - 1] * inputs, inputs)
    else:
        low, high = (-(1 << input_bits - 1), (1 << input_bits - 1) - 1) if kind == 4 else (0, (1 << input_bits) - 1)
        encode = random_encode(generator, inputs, int(generator.integers(1, 150)), low, high)
    outputs = int(generator.choice([1, 5, 31, 32, 33, 40, 64, 70]))
    weight, weight_bits = _weights(generator, outputs, encode.outputs)
    return encoded_network(
        encode,
        weight,
        weight_bits,
        generator,
        levels=int(generator.choice([0, 1, 2, 3, 3, 4, 7, 15, 16, 255])),
        input_bits=input_bits,
        signed=kind == 4,
        zero_point=int(generator.integers(-2, 3)),
        name=f"bits{seed}",
    )
