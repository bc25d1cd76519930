"""The design rules of the FPGA target, one small named function each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeml.errors import InputError
from edgeml.network import Network, expanded
from edgeml.plugins import RuleResult

from .architectures.architecture import Architecture, Candidate, applying
from .budget import Budget
from .choice import best_candidate, cost_of_top, room_beside_top
from .estimate.costs import NOTHING, Cost, interval, total
from .estimate.uart import ROW, upper_end
from .options import Asked, read_options

__all__ = ["check_network", "fits", "layers_have_hardware", "planned_time"]

_CELLS = (
    ("fits-luts", "luts"),
    ("fits-flip-flops", "flip_flops"),
    ("fits-block-rams", "block_rams"),
    ("fits-dsps", "dsps"),
)


def layers_have_hardware(network: Network, asked: Asked) -> list[RuleResult]:
    """Rule `layer-kind`, and what an architecture says of its own: the one that is asked for applies to a network."""
    found, why_not = applying(network, asked.architecture if asked.named else "")
    return found[0].applies(expanded(network)) if found else why_not


def check_network(network: Network, budget: Budget, asked: Asked) -> list[RuleResult]:
    """Every layer has RTL in the architecture asked for, and the smallest design fits the part: rules `layer-kind`,
    `has-design`, `fits-…` and `planned-time`."""
    results = layers_have_hardware(network, asked)
    if not all(result.passed for result in results):
        return results
    try:
        budget = asked.at_clock(budget)
        smallest = best_candidate(network, *room_beside_top(network, budget, read_options({"goal": "area"})))
    except InputError as error:
        return [*results, RuleResult.broken("has-design", error)]
    top = cost_of_top(smallest.architecture.interface(smallest.plan), budget)
    found = fits(smallest.costs, budget, smallest.architecture, network, top)
    return [*results, *found, planned_time(smallest, budget)]


def planned_time(candidate: Candidate, budget: Budget) -> RuleResult:
    """Rule `planned-time`, which nothing breaks: how long a design takes to an answer at its planned clock."""
    clock, clocks = candidate.planned_clock(budget), candidate.clocks.latency
    nanoseconds = f"{clocks / clock * 1e3:,.4g} ns"
    detail = f"{nanoseconds} to an answer of the smallest design, planned: {clocks} clocks at {clock:g} MHz"
    return RuleResult("planned-time", True, detail)


def fits(
    costs: Mapping[str, Cost],
    budget: Budget,
    architecture: Architecture[Any, Any],
    network: Network,
    top: Cost = NOTHING,
) -> list[RuleResult]:
    """Rules `fits-luts`, `fits-flip-flops`, `fits-block-rams`, `fits-dsps`: the most that the design takes, by what
    estimates of its form were off, within the part, beside the board's UART top.

    A failing rule names the layer that takes the most, by how much the design is over, and the remedy.
    """
    _, upper = interval(total(costs), architecture.estimated_form(expanded(network)), budget.family)
    if top != NOTHING:
        costs, upper = {**costs, ROW: top}, upper + upper_end(top, budget.family)
    whole = total(costs)
    results = []
    for rule, name in _CELLS:
        used, most, have = round(getattr(whole, name)), round(getattr(upper, name)), getattr(budget, name)
        largest = max(costs, key=lambda layer: float(getattr(costs[layer], name)))
        at_most = f", at most {most}," if most != used else ""
        detail = f"estimated {used}{at_most} of {have} {name.replace('_', ' ')}"
        if most <= have:
            results.append(RuleResult(rule, True, detail))
            continue
        detail += f", {most - have} too many; {largest} alone takes {round(getattr(costs[largest], name))}"
        results.append(RuleResult(rule, False, detail, largest, architecture.if_too_large))
    return results
