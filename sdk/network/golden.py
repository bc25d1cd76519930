"""The golden simulator: what the integer network computes, by definition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .network import Network

__all__ = ["DEFAULT_BATCH", "argmax", "simulate", "simulate_batches", "trace"]

DEFAULT_BATCH = 1024
"""Samples that are in flight at once: bounds the memory that simulating takes."""

IntTensor = npt.NDArray[np.int32]


def _evaluate(network: Network, q: IntTensor, keep: bool) -> dict[str, IntTensor]:
    values: dict[str, IntTensor] = {network.nodes[0].name: q}
    last_use = {name: position for position, node in enumerate(network.nodes) for name in node.inputs}
    for position, node in enumerate(network.nodes):
        if position:
            values[node.name] = node.layer.evaluate(*(values[name] for name in node.inputs))
        if not keep:
            for name in {name for name in node.inputs if last_use[name] == position}:
                del values[name]
    return values


def simulate_batches(network: Network, q: npt.NDArray[Any], batch: int = DEFAULT_BATCH) -> Iterator[IntTensor]:
    """Output integers of `network` for q, batch by batch, holding no more than one batch of activations."""
    for start in range(0, len(q), batch):
        checked = network.check_input(q[start : start + batch])
        yield _evaluate(network, checked, keep=False)[network.nodes[-1].name]


def simulate(network: Network, q: npt.NDArray[Any], batch: int = DEFAULT_BATCH) -> IntTensor:
    """Output integers int32 [samples, outputs] for input integers q [samples, inputs].

    Raises InputError if q does not fit the network's input.
    """
    network.check_input(np.asarray(q)[:1])
    outputs = np.empty((len(q), network.output_size), np.int32)
    start = 0
    for part in simulate_batches(network, np.asarray(q), batch):
        outputs[start : start + len(part)] = part
        start += len(part)
    return outputs


def trace(network: Network, q: npt.NDArray[Any]) -> dict[str, IntTensor]:
    """The integers of every node, input included, by node name: int32 [samples, channels] each."""
    return _evaluate(network, network.check_input(np.asarray(q)), keep=True)


def argmax(y: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Index of the largest output of each sample; ties go to the lowest index."""
    winners: npt.NDArray[np.int64] = np.argmax(y, axis=1).astype(np.int64)
    return winners
