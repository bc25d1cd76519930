"""The class that a design gives beside its results: what its unit costs, and that it is the golden one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed

from .budget import Family
from .estimate.constants import FOLDED_PRIOR
from .estimate.costs import Cost, constants_of
from .estimate.features import _fifo as fifo_features
from .estimate.parts import Parts
from .interface import Interface

__all__ = ["check_classes", "estimate_argmax"]


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
    parts.add("tree", ((lanes - 1) * (0.35 if family.name == "ecp5" else 1.0) + several) * bits)
    parts.add("product", (lanes - 1 + several) * (bits + levels))
    fifo_features(parts, levels + several + 3, lanes * bits, family)
    fifo_features(parts, levels + several + 3, interface.class_bits, family)
    constants = FOLDED_PRIOR[constants_of(family)]
    luts = sum(constants[kind] * amount for kind, amount in parts.logic.items())
    return Cost(luts, round(parts.flip_flops), parts.block_rams)


def check_classes(interface: Interface, outputs: npt.NDArray[np.int32], classes: npt.NDArray[Any]) -> None:
    """Hold the classes that hardware gave [samples] against those of its outputs [samples, outputs].

    The outputs themselves are held against the golden simulator by whoever runs the hardware: where both are right,
    the classes are golden. Raises CheckFailed naming the first frame whose class is another.
    """
    expected = interface.classes_of(outputs)
    if len(classes) != len(expected):
        raise CheckFailed("argmax unit", f"gave {len(classes)} classes for {len(expected)} frames")
    wrong = np.flatnonzero(np.asarray(classes).astype(np.int64) != expected)
    if len(wrong):
        first = int(wrong[0])
        raise CheckFailed("argmax unit", f"frame {first}: class {int(classes[first])}, expected {int(expected[first])}")
