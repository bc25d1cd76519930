"""Networks whose thresholds lie on lines, and inputs that take every accumulator to both sides of each threshold."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.targets.fpga.architectures.folded.choices import FoldedChoices, choices_of, plan_of
from edgeml.targets.fpga.architectures.folded.folding import Folding
from edgeml.targets.fpga.architectures.folded.timing import size_fifos
from edgeml.targets.fpga.design import Design

__all__ = ["around_thresholds", "folded_on_lines", "line_network"]

_COARSE = 97
"""Weight of the first input; the second, of weight 1 or −1, reaches what lies between its multiples."""


def _row(rng: np.random.Generator, levels: int, low: int, high: int, sort: int) -> list[int]:
    """The rounding of a line: across the range, steep at one place, beyond its ends, or flat."""
    across = Fraction(levels, high - low)
    slope = across * Fraction(int(rng.integers(80, 300)), 100)
    middle = Fraction(int(rng.integers(low, high + 1)))
    if sort == 1:  # several levels at one accumulator
        slope = Fraction(int(rng.integers(5, 40)), 7)
    elif sort == 2:  # levels that no accumulator reaches
        slope, middle = across * Fraction(3, 10), Fraction(high)
    elif sort == 3:  # levels that every accumulator reaches
        slope, middle = across / 2, Fraction(low)
    elif sort == 4:  # none within reach
        return [high + 1 + k for k in range(levels)]
    half = Fraction(levels, 2)
    return [-((-(Fraction(2 * k - 1, 2) - half) / slope - middle) // 1) for k in range(1, levels + 1)]


def line_network(
    bits: int, seed: int, *, channels: int = 7, base: int = 0, exceptions: int = 0, signed: bool = False
) -> Network:
    """Two inputs, a dense layer, thresholds of 2^bits − 1 levels, and a dense layer that gives each level.

    exceptions : thresholds that are moved off their lines, each of another channel. signed : inputs.
    """
    rng = np.random.default_rng([bits, seed])
    zero_point = -128 if signed else 0
    weight = np.stack([rng.choice([-_COARSE, _COARSE], channels), rng.choice([-1, 1], channels)], axis=1)
    bias = rng.integers(-20_000, 20_000, channels)
    ends = [(zero_point, zero_point + 255)] * 2
    low = bias + sum(np.minimum(w * a, w * b) for w, (a, b) in zip(weight.T, ends, strict=True))
    high = bias + sum(np.maximum(w * a, w * b) for w, (a, b) in zip(weight.T, ends, strict=True))
    levels = 2**bits - 1
    rows = [_row(rng, levels, int(low[c]), int(high[c]), c if 0 < c < 5 else 0) for c in range(channels)]
    for k in range(exceptions):
        row = rows[(0, *range(5, channels))[k % (channels - 4)]]
        inside = [j for j in range(levels) if 0 < j < levels - 1]
        moved = int(rng.choice(inside))
        row[moved] = min(max(row[moved] + int(rng.choice([-2, -1, 1, 2])), row[moved - 1]), row[moved + 1])
    nodes = (
        Node("input", InputQuantizer(2, np.array([1.0]), np.array([0.0]), zero_point, 8, signed)),
        Node("fc", Dense(weight, 8, bias), ("input",)),
        Node("act", Threshold(np.array(rows), base), ("fc",)),
        Node("out", Dense(np.eye(channels, dtype=np.int64), 2, rng.integers(-3, 4, channels)), ("act",)),
    )
    return Network("lines", nodes, Output(np.array([1.0])))


def around_thresholds(network: Network) -> npt.NDArray[np.int32]:
    """Inputs [samples, 2] for which an accumulator equals each threshold within its reach, and the integer below it."""
    dense, layer = network.layers[0].layer, network.layers[1].layer
    assert isinstance(dense, Dense)
    assert isinstance(layer, Threshold)
    low = network.quantizer.low
    found: set[tuple[int, int]] = set()
    for (coarse, fine), bias, row in zip(
        dense.weight.tolist(), dense.bias.tolist(), layer.thresholds.tolist(), strict=True
    ):
        first = np.arange(low, low + 256)
        for wanted in {t - k for t in row for k in (0, 1)}:
            second = (wanted - bias - coarse * first) * fine
            places = np.flatnonzero((second >= low) & (second < low + 256))
            if places.size:
                place = places[(wanted + row[0]) % places.size]
                found.add((int(first[place]), int(second[place])))
    return np.array(sorted(found), np.int32)


def folded_on_lines(network: Network, lanes: int) -> Design:
    """A folded design whose threshold layer is on lines, with so many channels a clock; FIFOs sized."""
    choices = FoldedChoices({"fc": Folding(lanes, 1), "out": Folding(1, lanes)}, units={"act": "line"})
    plan = plan_of(network, choices)
    size_fifos(plan)
    return Design("folded", choices_of(plan))
