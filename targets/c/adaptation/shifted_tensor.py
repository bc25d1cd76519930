"""Sums less an offset, as the layers behind them find them."""

from __future__ import annotations

from dataclasses import replace

from edgeml.errors import InputError
from edgeml.network import Network

from ..tensor import Tensor

__all__ = ["has_offsets", "shifted"]


def has_offsets(name: str, network: Network) -> bool:
    """Whether the sums of a node are less an offset, so that nothing may absorb what stands behind it."""
    adaptation = network.adaptation
    return adaptation is not None and adaptation.offsets is not None and name in adaptation.offsets.means


def shifted(tensor: Tensor, network: Network) -> Tensor:
    """A tensor as those behind it find it: of a layer with offsets with the range of sums less any offset.

    InputError where its sums are not stored in 32 bits."""
    offsets = network.adaptation.offsets if network.adaptation is not None else None
    if offsets is None or tensor.name not in offsets.means:
        return tensor
    if tensor.ctype != "int32_t":
        raise InputError(f"layer {tensor.name}", "has offsets, but its sums are not stored in 32 bits")
    found = offsets.adapted_range(network.ranges[tensor.name])
    return replace(tensor, stored_low=found.low, stored_high=found.high)
