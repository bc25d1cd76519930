"""Networks whose layers are shared by positions: convolutions of one and two dimensions, mixers, odd gathers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.network import (
    Dense,
    InputQuantizer,
    Layer,
    Lookup,
    Network,
    Node,
    Output,
    Requantize,
    Shared,
    Threshold,
)
from edgeml.network.layers.add import Add

__all__ = ["SHAPES", "depthwise_network", "shared_network", "windows_1d", "windows_2d"]

Gather = npt.NDArray[np.int32]


def windows_1d(length: int, channels: int, kernel: int, stride: int = 1, dilation: int = 1, padding: int = 0) -> Gather:
    """[positions, kernel · channels] of a tensor [length, channels]; −1 outside of it."""
    places = np.arange(-padding, length + padding - dilation * (kernel - 1), stride)[:, None]
    times = places + dilation * np.arange(kernel)
    taken = times[:, :, None] * channels + np.arange(channels)
    inside = (times >= 0) & (times < length)
    return np.where(inside[:, :, None], taken, -1).reshape(len(places), -1).astype(np.int32)


def windows_2d(height: int, width: int, channels: int, kernel: tuple[int, int], stride: int, padding: int) -> Gather:
    """[positions, kernel · channels] of a tensor [height, width, channels]; −1 outside of it."""
    rows = np.arange(-padding, height + padding - kernel[0] + 1, stride)[:, None] + np.arange(kernel[0])
    columns = np.arange(-padding, width + padding - kernel[1] + 1, stride)[:, None] + np.arange(kernel[1])
    y, x = rows[:, None, :, None, None], columns[None, :, None, :, None]
    taken = (y * width + x) * channels + np.arange(channels)
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return np.where(inside, taken, -1).reshape(len(rows) * len(columns), -1).astype(np.int32)


def _dense(random: np.random.Generator, outputs: int, inputs: int, bits: int) -> Dense:
    low, high = (-1, 1) if bits == 2 else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    weight = random.integers(low, high, (outputs, inputs), endpoint=True)
    return Dense(weight, bits, random.integers(-20, 20, outputs))


def _thresholds(random: np.random.Generator, channels: int, levels: int, spread: int, base: int = 0) -> Threshold:
    return Threshold(np.sort(random.integers(-spread, spread, (channels, levels)), axis=1), base)


def _block(random: np.random.Generator, gather: Gather, inputs: int, outputs: int, bits: int, levels: int) -> Shared:
    """A convolution with thresholds of its channels."""
    width = gather.shape[1]
    chain: tuple[Layer, ...] = (_dense(random, outputs, width, bits),)
    if levels:
        chain += (_thresholds(random, outputs, levels, 2 * width * (1 << (bits - 2))),)
    return Shared(chain, gather, inputs)


def _gathers() -> dict[str, tuple[int, Gather]]:
    """By name: how many inputs, and what positions take."""
    random = np.random.default_rng(7)
    drawn = random.integers(-1, 40, (9, 12)).astype(np.int32)
    mirrored = windows_1d(24, 4, 3)
    return {
        "conv": (96, windows_1d(24, 4, 3)),
        "conv_stride": (96, windows_1d(24, 4, 5, stride=3)),
        "conv_dilated": (120, windows_1d(40, 3, 3, dilation=4)),
        "conv_padded": (96, windows_1d(24, 4, 3, padding=1)),
        "conv_2d": (128, windows_2d(8, 8, 2, (3, 3), 1, 0)),
        "conv_2d_padded": (108, windows_2d(9, 6, 2, (4, 3), 2, 1)),
        "patches": (192, windows_1d(12, 16, 4, stride=4)),
        "overlapping_vectors": (256, windows_1d(16, 16, 4, stride=2)),
        "whole_vectors": (640, windows_1d(10, 64, 1)),
        "channels_first": (96, np.arange(96, dtype=np.int32).reshape(8, 12).T.copy()),
        "drawn": (40, drawn),
        "mirrored": (96, mirrored[[3, 1, 4, 0, 5, 9, 2, 6]][:, ::-1].copy()),
        "one": (20, np.array([[19, 3, 4, 7, 0, 0]], np.int32)),
        "prime": (37 * 2, windows_1d(37, 2, 1)),
        "first_only_padded": (6, np.array([[-1, -1, -1], [-1, 0, 1], [3, -1, 5]], np.int32)),
    }


SHAPES = tuple(_gathers())
"""What positions gather in `shared_network`."""


def shared_network(
    shape: str, weight_bits: int = 2, levels: int = 3, outputs: int = 8, rounded: bool = False
) -> Network:
    """An input of 2 bits, or of 4 with a sign where weights have more than 2, the shared layer `convolution`, and what
    follows it: a shared chain, another order, and a Dense on all. `rounded` chains requantize and look up."""
    random = np.random.default_rng((weight_bits, levels, outputs))
    inputs, gather = _gathers()[shape]
    signed = weight_bits > 2
    first = _block(random, gather, inputs, outputs, weight_bits, levels)
    nodes = [
        Node("input", InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, 4 if signed else 2, signed)),
        Node("convolution", first, ("input",)),
    ]
    size = first.output_size(inputs)
    if levels:
        chain: tuple[Layer, ...] = (_dense(random, 5, outputs, weight_bits),)
        if rounded:
            chain += (Requantize(random.integers(2**30, 2**31 - 1, 5), np.full(5, -2), "double_rounding"),)
            chain += (Lookup(random.integers(-9, 9, 512), -256),)
        else:
            chain += (_thresholds(random, 5, 7, 10, -4),)
        pointwise = np.arange(size, dtype=np.int32).reshape(-1, outputs)
        turned = np.arange(first.positions * 5, dtype=np.int32).reshape(-1, 5).T.copy()
        nodes += [
            Node("pointwise", Shared(chain, pointwise, size), ("convolution",)),
            Node("turned", Shared((), turned, turned.size), ("pointwise",)),
            Node("sums", _dense(random, 4, turned.size, 4), ("turned",)),
        ]
    else:
        nodes.append(Node("act", _thresholds(random, size, 3, 30), ("convolution",)))
        nodes.append(Node("sums", _dense(random, 4, size, 4), ("act",)))
    return Network(shape, tuple(nodes), Output(np.ones(1)))


def depthwise_network(seed: int = 0) -> Network:
    """Each channel's own convolution: a shared layer for each of three, moved to their places and added."""
    random = np.random.default_rng(seed)
    length, channels, kernel = 12, 3, 3
    nodes = [Node("input", InputQuantizer(length * channels, np.ones(1), np.zeros(1), 0, 2, False))]
    gather = windows_1d(length, channels, kernel, padding=1).reshape(length, kernel, channels)
    total = ""
    for channel in range(channels):
        own = Shared((_dense(random, 1, kernel, 2),), gather[:, :, channel], length * channels)
        place = np.full((length, channels), -1, np.int32)
        place[:, channel] = np.arange(length)
        nodes += [
            Node(f"channel{channel}", own, ("input",)),
            Node(f"placed{channel}", Shared((), place, length), (f"channel{channel}",)),
        ]
        if total:
            nodes.append(Node(f"sum{channel}", Add(), (total, f"placed{channel}")))
        total = f"sum{channel}" if total else f"placed{channel}"
    act = Shared((_thresholds(random, channels, 3, 4),), np.arange(36, dtype=np.int32).reshape(12, 3), 36)
    nodes += [Node("act", act, (total,)), Node("last", _dense(random, 4, 36, 2), ("act",))]
    return Network("depthwise", tuple(nodes), Output(np.ones(1)))
