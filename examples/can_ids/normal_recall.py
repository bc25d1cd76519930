"""How often normal traffic is called normal: a whole number in the network's last bias, set on validation traffic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Dense, Network

__all__ = ["with_normal_recall"]


def with_normal_recall(network: Network, outputs: npt.NDArray[np.integer], wanted: float) -> Network:
    """The network with the least bias of its first class, `normal`, at which at least the share `wanted` of some normal
    windows is called so; `outputs` [windows, classes] are the network's of these. Other classes keep their biases.

    A larger share is fewer false calls and fewer windows of attacks found: one number moves a detector between the two.
    InputError where the share is not in 0 … 1, or the network does not end in a dense layer.
    """
    if not 0 < wanted < 1:
        raise InputError("option normal-recall", f"must lie between 0 and 1, found {wanted:g}")
    *before, last = network.nodes
    if not isinstance(last.layer, Dense):
        raise InputError(f"layer {last.name}", "is not a dense layer: it has no bias to set")
    ahead = outputs[:, 1:].max(axis=1) - outputs[:, 0]  # called normal at 0 and below
    bias = last.layer.bias.copy()
    bias[0] += np.quantile(ahead, wanted, method="inverted_cdf")
    return replace(network, nodes=(*before, replace(last, layer=replace(last.layer, bias=bias))))
