"""What a network can adapt, taken from its training data when it is converted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ..golden import trace
from ..layers.dense import Dense
from ..layers.threshold import Threshold
from ..network import Network
from .definition import Adaptation, LastLayer, Offsets

__all__ = ["PARTS", "Wanted", "derive"]

PARTS = ("offsets", "last-layer")
"""What can be asked for."""
_BLOCKS = 8
_MARGIN_PERCENTILE = 20
_ROOM = 4
"""How much weights may grow before they are clipped, at least, if they are kept in few bits."""


@dataclass(frozen=True)
class Wanted:
    """What is to adapt, and how.

    Parameters
    ----------
    parts : of `PARTS`.
    numerator, windows_log2 : see `Offsets`. fraction, slots : see `LastLayer`.
    replay : windows of each class of the training data that are replayed; 0: none.
    guard : percent of the largest shift among parts of the training data that is left alone. People whom nobody has
        seen are further away than the training data's parts are.
    """

    parts: tuple[str, ...] = PARTS
    numerator: int = 12
    windows_log2: int = 6
    fraction: int = 4
    slots: int = 10
    replay: int = 10
    guard: int = 400


def derive(network: Network, x: npt.NDArray[np.int32], y: npt.NDArray[np.int64] | None, wanted: Wanted) -> Adaptation:
    """The adaptation of `network` for training inputs x [samples, inputs] of classes y [samples].

    Raises InputError naming the layer or the data where the network cannot adapt so: by rules, before anything is made.
    """
    offsets = _offsets(network, x, y, wanted) if "offsets" in wanted.parts else None
    last = _last_layer(network, x, y, wanted) if "last-layer" in wanted.parts else None
    return Adaptation(offsets, last)


def adaptable_layers(network: Network) -> list[str]:
    """Dense layers in front of thresholds alone, in order."""
    thresholds = network.of_kind(Threshold)
    followers = {name: [node.name for node in network.nodes if name in node.inputs] for name in network.of_kind(Dense)}
    return [name for name, behind in followers.items() if behind and all(each in thresholds for each in behind)]


def _offsets(network: Network, x: npt.NDArray[np.int32], y: npt.NDArray[np.int64] | None, wanted: Wanted) -> Offsets:
    names = adaptable_layers(network)
    if not names:
        raise InputError("option adapt=offsets", "the network has no dense layer in front of thresholds alone")
    sums = trace(network, x)
    means = {name: _mean(sums[name]) for name in names}
    first = sums[names[0]]
    shifts = [int(np.abs(_mean(first[part]) - means[names[0]]).sum()) for part in _blocks(len(x), y)]
    limit = min(max(shifts, default=0) * wanted.guard // 100, 2**31 - 1)
    return Offsets(
        {name: each.astype(np.int32) for name, each in means.items()}, wanted.numerator, wanted.windows_log2, limit
    )


def _mean(sums: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Mean of each channel, rounded down."""
    found: npt.NDArray[np.int64] = sums.astype(np.int64).sum(axis=0) // len(sums)
    return found


def _blocks(samples: int, y: npt.NDArray[np.int64] | None) -> list[npt.NDArray[np.intp]]:
    """Parts of the data, each of samples that stand together, and of every class its share: samples of one person or
    one machine stand together in most data, and what differs between these is no drift."""
    classes = np.zeros(samples, np.int64) if y is None else y
    parts = [np.array_split(np.flatnonzero(classes == each), _BLOCKS) for each in np.unique(classes)]
    blocks = [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]
    return [block for block in blocks if block.size]


def _last_layer(
    network: Network, x: npt.NDArray[np.int32], y: npt.NDArray[np.int64] | None, wanted: Wanted
) -> LastLayer:
    where, final = "option adapt=last-layer", network.nodes[-1]
    dense, thresholds = network.of_kind(Dense).get(final.name), network.of_kind(Threshold)
    if network.task != "classes" or dense is None or final.inputs[0] not in thresholds:
        raise InputError(where, "needs a network for classes whose last layer is dense, behind thresholds")
    if y is None:
        raise InputError(where, "needs training data with classes", "Pass y in --data")
    values, threshold = trace(network, x), thresholds[final.inputs[0]]
    ordered = np.sort(values[final.name].astype(np.int64), axis=1)
    margin = int(np.percentile(ordered[:, -1] - ordered[:, -2], _MARGIN_PERCENTILE))
    stored = (values[final.inputs[0]] - threshold.base).astype(np.uint8)
    chosen = _replayed(y, dense.outputs, wanted.replay)
    return LastLayer(
        wanted.fraction,
        margin,
        wanted.slots,
        8 if _needs(dense.weight, wanted.fraction) <= 8 else 16,
        16 if _needs(dense.bias, wanted.fraction) <= 16 else 32,
        stored[chosen],
        y[chosen].astype(np.uint8),
    )


def _needs(values: npt.NDArray[np.int32], fraction: int) -> int:
    """Bits that hold values · 2^fraction, with room to grow."""
    return (int(np.abs(values.astype(np.int64)).max()) * _ROOM << fraction).bit_length()


def _replayed(y: npt.NDArray[np.int64], classes: int, count: int) -> npt.NDArray[np.intp]:
    """Indices of `count` samples of each class, evenly spread over it, the classes in turn."""
    spread = []
    for each in range(classes):
        of_class = np.flatnonzero(y == each)
        places = np.linspace(0, len(of_class) - 1, min(count, len(of_class))).round().astype(np.intp)
        spread.append(of_class[places])
    rows = [index for turn in range(count) for each in spread for index in each[turn : turn + 1]]
    return np.array(rows, np.intp)
