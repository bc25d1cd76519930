"""Networks whose last layer's sums reach, at the corners of the input, exactly what a test asks for."""

from __future__ import annotations

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold

__all__ = ["CORNERS", "channels", "fan", "parts_of"]

CORNERS = np.array([[0, 0], [0, 255], [255, 0], [255, 255]], np.int32)
"""All inputs that matter to such a network."""


def parts_of(total: int, largest_weight: int, largest_input: int) -> tuple[list[int], list[int]]:
    """Weights and the largest value of each one's input, both up to a size, whose products sum to `total`."""
    weights, highs = [], []
    while total:
        weight = min(largest_weight, total)
        high = min(largest_input, total // weight)
        weights.append(weight)
        highs.append(high)
        total -= weight * high
    return weights, highs


def channels(
    weights: list[int], highs: list[int], weight_bits: int, bias: int = 0, outputs: int = 8, name: str = "net"
) -> Network:
    """Two inputs, a layer of values 0 … highs[i], and a dense layer whose outputs all have these weights.

    The first input drives the values of positive weights, the second those of negative ones, so that the corners of the
    input reach both ends of the sums.
    """
    weight, tops = np.array(weights), np.array(highs)
    drives = np.stack([weight > 0, weight < 0], axis=1).astype(int)
    thresholds = np.arange(1, max(highs) + 1) + np.zeros((len(tops), 1), int)
    thresholds[thresholds > tops[:, None]] = 2**31 - 1
    nodes = (
        Node("input", InputQuantizer(2, np.array([1.0]), np.array([0.0]), 0, 8, False)),
        Node("spread", Dense(drives, 2, np.zeros(len(tops), int)), ("input",)),
        Node("values", Threshold(thresholds, 0), ("spread",)),
        Node("dense", Dense(np.tile(weight, (outputs, 1)), weight_bits, np.full(outputs, bias)), ("values",)),
    )
    return Network(name, nodes, Output(np.array([1.0])))


def fan(rows: list[tuple[int, int]], weight_bits: int, bias: int = 0, largest: int = 255) -> Network:
    """Such a network with sums from `bias` less rows[1] to `bias` plus rows[0].

    rows : (largest weight used, sum of its products) for weights above zero, and below; `largest` bounds the values.
    """
    (up_weight, up), (down_weight, down) = rows
    positive, negative = parts_of(up, up_weight, largest), parts_of(down, down_weight, largest)
    weights = positive[0] + [-weight for weight in negative[0]]
    network = channels(weights, positive[1] + negative[1], weight_bits, bias)
    assert network.ranges["dense"].bounds == (bias - down, bias + up)
    return network
