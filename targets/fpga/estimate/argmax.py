"""What the argmax unit behind a design costs."""

from __future__ import annotations

from ..budget import Family
from ..interface import Interface
from .constants import FOLDED_PRIOR
from .costs import Cost, constants_of, cost_of
from .memory import add_fifo
from .parts import Parts

__all__ = ["estimate_argmax"]


def estimate_argmax(interface: Interface, family: Family) -> Cost:
    """Cost of `edgeml_argmax` behind a core: pairs compared and chosen from, and two buffers."""
    outputs, lanes, bits = interface.outputs, interface.output_lanes, interface.output_element.bits
    if outputs == 1:
        # A comparison with a constant, one digit a table at most.
        return Cost() if interface.threshold is None else Cost(float(bits))
    levels, several = (lanes - 1).bit_length(), interface.output_beats > 1
    parts = Parts()
    parts.flip_flops += sum(-(-lanes >> (level + 1)) * (bits + level + 1) + 1 for level in range(levels))
    parts.flip_flops += lanes * bits + levels + several + 2
    if several:
        parts.flip_flops += bits + 2 * interface.class_bits + 1 + (interface.output_beats - 1).bit_length()
        parts.add("stream", (interface.output_beats - 1).bit_length() + 2.0 * interface.class_bits)
    # A pair is compared and chosen from, with the index of the larger.
    # ECP5 puts most of a difference into the carry chain's own tables.
    parts.add("tree", ((lanes - 1) * (0.35 if family.fitted == "ecp5" else 1.0) + several) * bits)
    parts.add("product", (lanes - 1 + several) * (bits + levels))
    add_fifo(parts, levels + several + 3, lanes * bits, family)
    add_fifo(parts, levels + several + 3, interface.class_bits, family)
    return cost_of("argmax", parts, FOLDED_PRIOR[constants_of(family)])
