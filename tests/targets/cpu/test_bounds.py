"""Kernels where what they hold is just full, and one past it: saturated sums against thresholds, pairs in 16 bits."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, trace
from edgeml.targets.cpu.native_network import build_native
from tests.targets.cpu.bodies import BODIES, body_flags


def quantizer(inputs: int) -> Node:
    return Node("input", InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, 8, False))


def spread_network(spread: int) -> Network:
    """acc = 127 · (x0 + x1 + x2) + x3, two thresholds so far apart."""
    dense = Dense(np.tile([127, 127, 127, 1], (5, 1)), 8, np.zeros(5, int))
    thresholds = Threshold(np.tile([1000, 1000 + spread], (5, 1)))
    nodes = (quantizer(4), Node("dense", dense, ("input",)), Node("act", thresholds, ("dense",)))
    return Network(f"spread{spread}", nodes, Output(np.ones(1)))


def inputs_for(acc: int) -> list[int]:
    """x0 … x3 whose accumulator is `acc`."""
    whole, rest = divmod(acc, 127)
    return [min(max(whole - 255 * k, 0), 255) for k in range(3)] + [rest]


@pytest.mark.parametrize("body", BODIES)
def test_thresholds_as_far_apart_as_saturated_sums_tell_them(body: str) -> None:
    """Just within and just past what 8 and 16 bits hold: accumulators beside each threshold, and far from them."""
    spreads = [*range(253, 259), *range(65_533, 65_539)]
    for spread, native in zip(spreads, build_native(list(map(spread_network, spreads)), flags=body_flags(body)),
                              strict=True):  # fmt: skip
        near = [end + step for end in (1000, 1000 + spread) for step in (-2, -1, 0, 1, 2)]
        far = [0, 1000 + spread // 2, 1000 + spread + 140, 90_000, 97_155]
        q = np.array([inputs_for(acc) for acc in (*near, *far)], np.int32)
        expected = trace(native.network, q)
        assert expected["dense"][:, 0].tolist()[: len(near)] == near
        np.testing.assert_array_equal(native.invoke(q), expected["act"], err_msg=str(spread))


def pairs_network(levels: int, weight: int, inputs: int) -> Network:
    """Activations of 0 … `levels`, and a layer of equal weights on them."""
    first = Dense(np.eye(inputs, dtype=int), 8, np.zeros(inputs, int))
    last = np.where(np.arange(3)[:, None] == 1, -weight, weight) * np.ones(inputs, int)
    nodes = (
        quantizer(inputs),
        Node("spread", first, ("input",)),
        Node("act", Threshold(np.tile(np.arange(1, levels + 1), (inputs, 1))), ("spread",)),
        Node("sum", Dense(last, 8, np.array([0, 0, 7])), ("act",)),
    )
    return Network(f"pairs_{levels}_{weight}_{inputs}", nodes, Output(np.ones(1)))


@pytest.mark.parametrize("body", BODIES)
def test_pairs_of_products_that_fill_16_bits(body: str) -> None:
    """2^15 is one more than a 16-bit sum of pairs holds: 64 · 128 · 4, 32 · 128 · 8 beside one less."""
    shapes = [(levels, weight, 64) for levels in (127, 128) for weight in (32, 64)]
    networks = [pairs_network(*shape) for shape in shapes]
    for native in build_native(networks, flags=body_flags(body)):
        q = np.zeros((4, 64), np.int32)
        q[1], q[2], q[3, ::2] = 255, 128, 255
        expected = trace(native.network, q)
        np.testing.assert_array_equal(native.invoke(q), expected["sum"], err_msg=native.network.name)
