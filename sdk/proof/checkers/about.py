"""Which network a certificate is about: that of a bundle, from before channels were left out, or of plain layers."""

from __future__ import annotations

from pathlib import Path

from ...network import network_file
from ...system.regular_file import read_regular
from .expansion import EXPANDED, EXPANDED_KINDS, follow, ranges_of

__all__ = ["EXPANDED_KINDS", "network_of"]

_LARGEST = 2**28
_OF_CONVERTED = {"quantized", "tflite"}
"""Kinds that are about the network from before channels were left out, where the bundle has that."""
_OF_PLAIN_LAYERS = {"circuit", "equivalence", "folded", "spikes", "step_per_clock"}
"""Kinds that are about hardware, which is made of the plain layers that layers at positions, maxima and concatenations
stand for. That these give the same integers is followed here, whatever the prover `network` claims of it."""


def network_of(folder: Path, kind: str) -> bytes:
    """The file of the network that certificates of a kind in a bundle's folder are about.

    Raises CheckFailed where its layers do not stand for the bundle's; InputError where a file cannot be read.
    """
    if kind in _OF_CONVERTED and (folder / "converted.edgeml").exists():
        return read_regular(folder / "converted.edgeml", _LARGEST)
    content = read_regular(folder / "network.edgeml", _LARGEST)
    if kind not in _OF_PLAIN_LAYERS:
        return content
    if not EXPANDED_KINDS & {node.layer.kind for node in network_file.from_bytes(content).nodes}:
        return content
    network = network_file.from_bytes(content)
    made = read_regular(folder / EXPANDED, _LARGEST)
    follow(network, network_file.from_bytes(made), {node.name for node in network.nodes}, ranges_of(network))
    return made
