"""Networks of sensors of all units, and the real numbers and counts that are hardest to quantize."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output
from edgeml.targets.c.sensors.counts import Count

__all__ = ["NETWORKS", "floats_for", "of_count", "of_floats"]


def _network(name: str, scale: list[float], offset: list[float], zero_point: int, bits: int, signed: bool) -> Network:
    inputs = max(len(scale), len(offset), 4)
    quantizer = InputQuantizer(inputs, np.array(scale), np.array(offset), zero_point, bits, signed)
    weights = np.random.default_rng(inputs).integers(-2, 2, (3, inputs))
    dense = Node("fc", Dense(weights, 2, np.array([1, 0, -1])), ("input",))
    return Network(name, (Node("input", quantizer), dense), Output(np.array([0.1, 0.25, 3e-9]), -7))


NETWORKS = (
    _network("plain", [1 / 16], [0.0], 0, 8, False),
    _network("units", [1, 0.5, 0.1, 1e-3, 7, 1e4], [0, 1e3, -5, 3.3, 1e7, 0], 3, 8, True),
    _network("extremes", [1e-38, 1e-44, 1e-200, 1e30, 1e200], [0.0], 128, 8, False),
    _network("few_bits", [0.3], [0.1], 1, 2, False),
    _network("one_bit", [0.3, 1, 2, 3], [0.1], 0, 1, False),
    _network("ends", [0.3], [0.1], -8, 4, True),
    _network("alike", [0.5, 0.5, 0.5, 0.5], [0.1], 0, 4, False),
)


def floats_for(quantizer: InputQuantizer, seed: int, count: int) -> np.ndarray:
    """float32 [count, inputs]: any bits (subnormals, infinities and what is not a number among them), halfway between
    two integers, a few floats beside that, and anywhere within the range and around it."""
    generator = np.random.default_rng(seed)
    shape = count, quantizer.size
    anything = generator.integers(0, 2**32, shape).astype(np.uint32).view(np.float32)
    first, last = quantizer.low - quantizer.zero_point, quantizer.high - quantizer.zero_point
    with np.errstate(over="ignore"):
        steps = generator.integers(first - 2, last + 3, shape) + generator.choice([0, 0.5], shape)
        halfway = (steps * quantizer.scale + quantizer.offset).astype(np.float32)
        around = (generator.uniform(first - 3, last + 3, shape) * quantizer.scale + quantizer.offset).astype(np.float32)
    beside = (halfway.view(np.int32) + generator.integers(-3, 4, shape).astype(np.int32)).view(np.float32)
    return np.choose(generator.integers(0, 4, shape), [anything, halfway, beside, around]).astype(np.float32)


def of_floats(quantizer: InputQuantizer, x: np.ndarray) -> np.ndarray:
    """What the C promises: the quantizer's integers, the ends for infinities, the zero point for no number."""
    finite = np.isfinite(x)
    q = quantizer.quantize(np.where(finite, x, 0).astype(np.float64))
    q = np.where(x == np.inf, quantizer.high, np.where(x == -np.inf, quantizer.low, q))
    return np.where(np.isnan(x), quantizer.zero_point, q)


def of_count(quantizer: InputQuantizer, feature: int, count: Count, raw: int) -> int:
    """The integer of a raw count, in rational numbers."""
    scale, offset = (values[feature % len(values)] for values in (quantizer.scale, quantizer.offset))
    x = Fraction(count.origin) + Fraction(count.unit) * raw
    steps = round((x - Fraction(offset)) / Fraction(scale))
    return min(max(steps + quantizer.zero_point, quantizer.low), quantizer.high)
