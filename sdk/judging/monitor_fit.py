"""The monitor of a converted network: prototypes from samples to train with, thresholds from samples held back.

A network answers the samples that it was trained with by larger margins than others, and thresholds from those would
give more false alarms than wanted. So every second held-back sample sets the thresholds, and the others say what the
monitor is worth (`unknown_inputs`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.dataset import Dataset
from ..errors import InputError
from ..network import Network, decisions, trace
from ..network.golden import DEFAULT_BATCH
from ..network.monitor import Monitor, Prototypes, fraction_bits
from ..network.monitoring import monitored
from ..network.task import BINARY, VALUES

__all__ = ["for_figures", "for_thresholds", "hidden_node", "with_monitor"]


def for_thresholds(held_back: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Of what is held back, what sets the thresholds."""
    return held_back[0::2]


def for_figures(held_back: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Of what is held back, what the monitor is judged by."""
    return held_back[1::2]


def hidden_node(network: Network) -> str | None:
    """The last node between the first one and the last whose values fit a byte; None if there is none."""
    fitting = [node.name for node in network.nodes[1:-1] if fraction_bits(network.ranges[node.name]) is not None]
    return fitting[-1] if fitting else None


def with_monitor(network: Network, data: Dataset | None, rate: float) -> Network:
    """The network with a monitor that takes a share `rate` of inputs like the held-back ones for unknown.

    Of n samples that set the thresholds ⌊rate · (n + 1)⌋ − 1 at most are taken for unknown: as many as let the share of
    new ones be expected at `rate` or less. All three thresholds are as strict as each other: each leaves out as many
    of the n samples.

    Raises InputError where the network gives values, there is no data, too little is held back, or a class has no
    sample.
    """
    if network.task == VALUES:
        raise InputError("option monitor", "needs classes, and the network gives values", "Leave it out")
    if data is None:
        raise InputError("option monitor", "needs data", "Pass samples with --data")
    first = network.nodes[0].name
    names = [first] + ([] if (hidden := hidden_node(network)) is None else [hidden])
    means = _means(network, data, names)
    prototypes = [Prototypes(name, *means[name], 0) for name in names]
    open_monitor = replace(network, monitor=Monitor(0, *prototypes))
    q = network.quantizer.quantize(for_thresholds(data.x_test))
    seen = monitored(open_monitor, q)
    signals = [-seen.margin, seen.input_distance, seen.hidden_distance][: 1 + len(names)]
    margin, *limits = _thresholds(signals, rate)
    limited = [replace(each, limit=limit) for each, limit in zip(prototypes, limits, strict=True)]
    return replace(network, monitor=Monitor(-margin, *limited))


def _means(network: Network, data: Dataset, names: list[str]) -> dict[str, tuple[int, npt.NDArray[np.int32]]]:
    """Fraction bits and prototypes [classes, channels] of these nodes by name; classes are those of the data, or the
    network's answers where it has none."""
    classes = 2 if network.task == BINARY else network.output_size
    counts = np.zeros(classes, np.int64)
    sums = {name: np.zeros((classes, network.sizes[name]), np.int64) for name in names}
    output = network.nodes[-1].name
    for start in range(0, len(data.x), DEFAULT_BATCH):
        values = trace(network, network.quantizer.quantize(data.x[start : start + DEFAULT_BATCH]))
        rows = slice(start, start + DEFAULT_BATCH)
        labels = decisions(network, values[output]) if data.y is None else data.y[rows].reshape(-1).astype(np.int64)
        counts += np.bincount(labels, minlength=classes)
        for name in names:
            np.add.at(sums[name], labels, values[name].astype(np.int64) - network.ranges[name].bounds[0])
    if missing := np.flatnonzero(counts == 0).tolist():
        labels_said = network.output.labels
        said = ", ".join(labels_said[index] if labels_said else str(index) for index in missing[:5])
        raise InputError("option monitor", f"the data to train with holds no sample of class {said}")
    made = {}
    for name in names:
        bits = fraction_bits(network.ranges[name])
        assert bits is not None
        scaled = sums[name] << bits
        # Halves up: the floor of (2 sum + count) / (2 count).
        made[name] = bits, ((2 * scaled + counts[:, None]) // (2 * counts[:, None])).astype(np.int32)
    return made


def _thresholds(signals: list[npt.NDArray[np.int64]], rate: float) -> list[int]:
    """The largest value of each signal [samples] that is known: each of them leaves out as many samples, and together
    they leave out no more than `rate` allows."""
    n = len(signals[0])
    allowed = int(rate * (n + 1)) - 1
    if allowed < 0:
        raise InputError(
            "option monitor",
            f"a rate of {rate:g} cannot be set by {n} samples, of which each stands for {1 / (n + 1):.2g}",
            f"Give {int(2 / rate)} samples to test with, or ask for a rate of {1 / (n + 1):.2g} or more",
        )
    ordered = [np.sort(signal)[::-1] for signal in signals]
    # How many samples a threshold leaves out at least if it leaves out this one, by the signal that does so first.
    order = np.min([n - np.searchsorted(np.sort(signal), signal, side="left") for signal in signals], axis=0)
    level = max(level for level in range(n) if int((order <= level).sum()) <= allowed)
    return [int(signal[level]) for signal in ordered]
