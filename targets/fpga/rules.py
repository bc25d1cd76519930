"""The design rules of the FPGA target, one small named function each."""

from __future__ import annotations

from collections.abc import Mapping

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.plugins import RuleResult, foreign_kinds

from .architectures.event_driven.plan import is_spiking, make_spiking_plan
from .budget import Budget
from .design import Built
from .estimate.costs import Cost, total
from .layer_hardware import has_logic, has_unit, logic_kinds, unit_kinds

__all__ = ["fits", "layer_has_hardware"]

_SHARE = 1.0


def layer_has_hardware(network: Network, architecture: str) -> list[RuleResult]:
    """Rule `layer-kind`: every layer kind has RTL in the architecture asked for; `auto` can fold every network."""
    if is_spiking(network):
        return [_spiking_has_hardware(network)]
    if architecture == "unrolled":
        return foreign_kinds(network, "hardware in architecture unrolled", has_logic, logic_kinds)
    return foreign_kinds(network, "hardware in architecture folded", has_unit, unit_kinds)


def _spiking_has_hardware(network: Network) -> RuleResult:
    try:
        make_spiking_plan(network, {})
    except InputError as error:
        return RuleResult.broken("layer-kind", error)
    return RuleResult("layer-kind", True, "every kind of layer has hardware in event-driven units")


def fits(costs: Mapping[str, Cost], budget: Budget, built: Built) -> list[RuleResult]:
    """Rules `fits-luts`, `fits-flip-flops`, `fits-block-rams`, `fits-dsps`: the estimate within the part.

    A failing rule names the layer that takes the most, by how much the design is over, and what to change.
    """
    whole = total(costs)
    results = []
    for rule, name, have in (
        ("fits-luts", "luts", budget.luts),
        ("fits-flip-flops", "flip_flops", budget.flip_flops),
        ("fits-block-rams", "block_rams", budget.block_rams),
        ("fits-dsps", "dsps", budget.dsps),
    ):
        used = round(getattr(whole, name))
        passed = used <= have * _SHARE
        largest = max(costs, key=lambda layer: getattr(costs[layer], name))
        detail = f"estimated {used} of {have} {name.replace('_', ' ')}"
        remedy = ""
        if not passed:
            detail += f", {used - have} too many; {largest} alone takes {round(getattr(costs[largest], name))}"
            remedy = (
                "Use --architecture folded"
                if built.design.architecture == "unrolled"
                else "Allow more clocks per frame (--option frames_per_second=…), fewer bits, or a larger part"
            )
        results.append(RuleResult(rule, passed, detail, "" if passed else largest, remedy))
    return results
