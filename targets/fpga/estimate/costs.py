"""What a design costs: lookup tables, flip-flops, block RAMs and multipliers per layer, before any tool is run.

The amounts of logic follow the RTL (`estimate_features`); how many lookup tables synthesis makes of each kind was
fitted to yosys (`estimate_constants`), and `make bench-fpga` prints how far off the estimates are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeml.network import Network
from edgeml.network.layers.requantize import Requantize

from ..architectures.event_driven.plan import SpikingPlan, is_spiking
from ..architectures.folded.plan import INPUT, Plan
from ..architectures.unrolled.build import Logic
from ..budget import Family
from .constants import (
    ERRORS,
    FOLDED,
    SPIKING,
    UNROLLED,
)
from .event_driven import spiking_features
from .features import folded_features, unrolled_features
from .parts import Parts

__all__ = ["Cost", "accuracy", "constants_of", "estimate_folded", "estimate_spiking", "estimate_unrolled", "total"]


@dataclass(frozen=True)
class Cost:
    """Cells of a layer or of a design; `luts` are lookup tables of the part, two for each CCU2C of ECP5."""

    luts: float = 0.0
    flip_flops: int = 0
    block_rams: int = 0
    dsps: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.luts + other.luts,
            self.flip_flops + other.flip_flops,
            self.block_rams + other.block_rams,
            self.dsps + other.dsps,
        )


def total(costs: Mapping[str, Cost]) -> Cost:
    """Sum over layers."""
    return sum(costs.values(), Cost())


def constants_of(family: Family) -> str:
    """The name of the family's constants in `estimate_constants`."""
    return "xilinx" if family.lut_inputs == 6 else family.name


def _cost(parts: Parts, constants: Mapping[str, float]) -> Cost:
    luts = sum(constants[kind] * amount for kind, amount in parts.logic.items())
    return Cost(luts, round(parts.flip_flops), parts.block_rams, parts.dsps)


def estimate_folded(plan: Plan, family: Family) -> dict[str, Cost]:
    """Cost per segment, by the name of its first node."""
    constants = FOLDED[constants_of(family)]
    costs = {segment.name: _cost(folded_features(segment, family), constants) for segment in plan.segments}
    takers = plan.takers(INPUT)
    if len(takers) > 1:
        first = plan.segments[0].name
        costs[first] = costs[first] + Cost(float(4 * len(takers)), len(takers))
    return costs


def estimate_unrolled(logic: Logic, family: Family, register_every: int) -> dict[str, Cost]:
    """Cost per layer; registers behind a layer's logic are its own, those of the input the first layer's."""
    constants = UNROLLED[constants_of(family)]
    return {layer: _cost(parts, constants) for layer, parts in unrolled_features(logic, family, register_every).items()}


def estimate_spiking(plan: SpikingPlan, family: Family) -> dict[str, Cost]:
    """Cost per layer; the encoder of the input belongs to the first."""
    constants = SPIKING[constants_of(family)]
    return {layer: _cost(parts, constants) for layer, parts in spiking_features(plan, family).items()}


def accuracy(network: Network, architecture: str) -> str:
    """A sentence on how far estimates were from yosys over designs of this form; "" where none were compared."""
    form = "quantized"
    if is_spiking(network):
        form = f"spiking, {architecture}"
    elif any(isinstance(node.layer, Requantize) for node in network.layers):
        form = f"int8, {architecture}"
    if form not in ERRORS:
        return ""
    median, worst, count = ERRORS[form]
    off = f"lookup tables were {median:.0%} off yosys's on the median, {worst:.0%} at worst"
    return f"{off}, over {count} designs of this form"
