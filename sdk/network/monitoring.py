"""What a network's monitor says of samples, by definition: golden of `monitor`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .decisions import decisions
from .golden import DEFAULT_BATCH, trace
from .monitor import Monitored
from .network import Network
from .task import BINARY, VALUES

__all__ = ["margins", "monitored"]


def margins(network: Network, y: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """m, int64 [samples], of output integers y [samples, outputs]: the largest less the next one, 0 of equals; of a
    binary network |y − threshold|. InputError for a network that gives values."""
    if network.task == VALUES:
        raise InputError("network", "gives values, which have no margin")
    wide = y.astype(np.int64)
    if network.task == BINARY:
        return np.asarray(np.abs(wide[:, 0] - network.output.decision_threshold), np.int64)
    ordered = np.sort(wide, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2], np.int64)


def monitored(network: Network, q: npt.NDArray[Any], batch: int = DEFAULT_BATCH) -> Monitored:
    """What the monitor of `network` says of input integers q [samples, inputs], holding one batch at a time.

    Raises InputError if the network has no monitor, or q does not fit its input.
    """
    if network.monitor is None:
        raise InputError(f"network {network.name}", "has no monitor", "Convert with --monitor RATE, such as 0.01")
    monitor, output = network.monitor, network.nodes[-1].name
    q = np.asarray(q)
    parts = []
    for start in range(0, max(1, len(q)), batch):
        values = trace(network, q[start : start + batch])
        y = values[output]
        classes = decisions(network, y)
        parts.append(monitor.observe(values, lambda node: network.ranges[node].bounds[0], classes, margins(network, y)))
    return Monitored(
        np.concatenate([part.classes for part in parts]),
        np.concatenate([part.margin for part in parts]),
        np.concatenate([part.input_distance for part in parts]),
        np.concatenate([part.hidden_distance for part in parts]),
        np.concatenate([part.known for part in parts]),
    )
