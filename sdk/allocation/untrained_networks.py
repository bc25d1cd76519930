"""Integer networks of a given shape before anything is trained, to estimate what they would cost."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..frontends.float_operators.gather import Gather
from ..network import Dense, Encode, InputQuantizer, Layer, Network, Node, Output, Shared, Threshold
from .weight_range import has_full_range

__all__ = ["random_thresholds", "random_weights", "stand_in"]


def stand_in(
    sizes: tuple[int, ...],
    weight_bits: tuple[int, ...],
    act_bits: tuple[int, ...],
    input_bits: int,
    encoding: Encode | None = None,
    fan_in: tuple[int, ...] = (),
    full_range: bool = False,
    gather: Gather | None = None,
) -> Network:
    """A random chain of `sizes`, the same for the same arguments.

    Its weights are spread like trained ones and its thresholds cut the distribution of the sums into equal parts. What
    depends on shapes and widths alone costs exactly what it will; what depends on the weights themselves (logic shared
    in an unrolled design) nearly so. With an `encoding`, the first layer takes what that makes of the input. `fan_in`
    limits the inputs of each layer's neurons, 0 not. With `full_range` 2-bit weights on values of more than 1 bit may
    be −2, too. With a `gather`, which a chain of one layer may have, the layer is applied at its positions, and
    sizes[1] are the outputs of one. As many layers as `act_bits` has have thresholds behind them; one without gives the
    outputs.
    """
    generator = np.random.default_rng(0)
    nodes = [Node("input", InputQuantizer(sizes[0], np.ones(1), np.zeros(1), 0, input_bits, False))]
    source, spread, value_bits = "input", float((1 << input_bits) - 1), input_bits
    if encoding is not None:
        nodes.append(Node("encode", encoding, ("input",)))
        source, spread, value_bits, sizes = "encode", 1.0, 1, (encoding.outputs, *sizes[1:])
    for place, (taken, given) in enumerate(pairwise(sizes)):
        bits = weight_bits[place]
        name = f"linear{place + 1}"
        full = full_range and has_full_range(bits, value_bits)
        taken = taken if gather is None else gather.columns
        most = fan_in[place] if fan_in and 0 < fan_in[place] < taken else taken
        weight = random_weights(generator, (given, taken), bits, place < len(act_bits), full, most)
        layer: Layer = Dense(weight, bits, np.zeros(given, dtype=np.int64))
        if gather is not None:
            layer = Shared((layer,), gather.index.astype(np.int32), gather.inputs)
        nodes.append(Node(name, layer, (source,)))
        source = name
        if place < len(act_bits):
            levels = (1 << act_bits[place]) - 1
            width = np.sqrt(most) * spread * (1 << max(bits - 2, 0)) * 0.4
            thresholds = random_thresholds(generator, given, levels, width)
            thresholds = thresholds if gather is None else np.tile(thresholds, (gather.positions, 1))
            nodes.append(Node(f"{name}_act", Threshold(thresholds), (name,)))
            source, spread, value_bits = f"{name}_act", float(levels), act_bits[place]
    return Network("stand_in", tuple(nodes), Output(np.ones(1), 0, ()))


def random_thresholds(generator: np.random.Generator, rows: int, levels: int, width: float) -> np.ndarray:
    """Thresholds int64 [rows, levels] of sums that spread by `width`."""
    cuts = np.linspace(-1.0, 1.5, levels + 2)[1:-1] * max(width, levels)
    thresholds = np.sort(np.rint(cuts + generator.normal(0, 0.1, (rows, 1)) * width), axis=1)
    return thresholds.astype(np.int64)


def random_weights(
    generator: np.random.Generator, shape: tuple[int, int], bits: int, hidden: bool, full: bool, most: int = 0
) -> np.ndarray:
    """Weights int64 [rows, columns] like trained ones, at most so many of a row where that is not 0."""
    weight = _weights(generator, shape, bits, hidden, full)
    return _limited(generator, weight, most) if 0 < most < shape[1] else weight


def _weights(generator: np.random.Generator, shape: tuple[int, int], bits: int, hidden: bool, full: bool) -> np.ndarray:
    """Normal, clipped to the codes. Of trained networks of 2, 3 and 4 bits (digits, a smart watch) hidden layers have
    a deviation of 1.26, 2.0 and 3.6 codes: the largest weight and a little; output layers well beyond that."""
    if bits == 1:
        return generator.choice(np.array([-1, 1]), shape)
    most = (1 << (bits - 1)) - 1
    deviation = (0.85 + 0.39 * most) * (1.0 if hidden else 1.6)
    return np.clip(np.rint(generator.normal(0, deviation, shape)), -most - full, most).astype(np.int64)


def _limited(generator: np.random.Generator, weight: np.ndarray, most: int) -> np.ndarray:
    """So many weights of each row, at random places, none of them 0."""
    kept = np.argsort(generator.random(weight.shape), axis=1)[:, :most]
    signs = generator.choice(np.array([-1, 1]), kept.shape)
    limited = np.zeros_like(weight)
    values = np.take_along_axis(weight, kept, axis=1)
    np.put_along_axis(limited, kept, np.where(values == 0, signs, values), axis=1)
    return limited
