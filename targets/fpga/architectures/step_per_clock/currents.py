"""What the spikes of one slot bring to a layer: the unrolled architecture's adder graph of a network of one layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold

from ...verilog.element import Element
from ..unrolled.network_logic import Logic, network_logic

__all__ = ["slot_logic", "synapse_bits"]

_MOST_WEIGHT_BITS = 8


def synapse_bits(name: str, weight: npt.NDArray[np.int64]) -> int:
    """Width of the synapses [neurons, channels] of a layer. Raises InputError naming it if that is above 8 bits."""
    largest = max(int(weight.max(initial=0)) + 1, int(-weight.min(initial=0)), 2)
    bits = (largest - 1).bit_length() + 1
    if bits > _MOST_WEIGHT_BITS:
        raise InputError(
            f"layer {name}",
            f"has synapses of {bits} bits; adder graphs of one layer take {_MOST_WEIGHT_BITS} at most",
            "Put neurons between layers that follow each other, or use --architecture folded",
        )
    return bits


def slot_logic(
    name: str,
    weight: npt.NDArray[np.int64],
    element: Element,
    *,
    raised: bool,
    thresholds: npt.NDArray[np.int32] | None = None,
    adder_graph: str = "edgeml",
) -> tuple[Logic, npt.NDArray[np.int64]]:
    """Logic of weight [neurons, channels] · spikes, each channel of type `element`, and what was added to its outputs.

    raised : add to each output what makes its smallest value 0, so that no output has a sign.
    thresholds : int32 [neurons, levels]: give the number of them that each (not raised) output reaches instead.
    adder_graph : who shares sums, as in `network_logic`.
    Raises InputError if merged layers have weights of more than 8 bits.
    """
    bits = synapse_bits(name, weight)
    low = np.minimum(weight, 0) * element.high + np.maximum(weight, 0) * element.low
    added: npt.NDArray[Any] = -low.sum(axis=1) if raised else np.zeros(len(weight), np.int64)
    quantizer = InputQuantizer(weight.shape[1], np.ones(1), np.zeros(1), 0, element.bits, element.signed)
    dense = Dense(weight.astype(np.int32), bits, added)
    nodes = [Node("spikes", quantizer), Node(name, dense, ("spikes",))]
    if thresholds is not None:
        nodes.append(Node(f"{name}_spikes", Threshold(thresholds), (name,)))
    return network_logic(Network(name, tuple(nodes), Output(np.ones(1))), adder_graph=adder_graph), added
