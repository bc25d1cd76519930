"""The folded architecture: a unit for each layer, used over several clocks for several neurons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.plugins import RuleResult, foreign_kinds

from ...budget import Budget, Family
from ...estimate.constants import FOLDED
from ...estimate.costs import constants_of, total, within
from ...estimate.parts import Parts
from ...interface import Interface
from ...layer_hardware import compared_form, has_unit, unit_kinds
from ...options import Asked
from ...timing.delay_model import DelayModel
from ...timing.planned_clock import delays_of, family_of, planned_clock
from ..architecture import Architecture, Candidate, Clocks, CoreFiles
from ..stored_choices import StoredChoices
from .choices import FoldedChoices, choices_of, plan_of, read_choices
from .estimate import folded_parts, in_block_ram
from .folding import Folding
from .folding_choice import fastest_plan, quickest_plan, smallest_plan
from .plan import FoldedPlan, make_plan
from .rtl import core as core_text
from .rtl import library_modules
from .timing import size_fifos, solve
from .unit import Unit
from .unit_choice import cheapest_units

__all__ = ["ARCHITECTURE", "FoldedArchitecture"]

_RATE_TRIES = 4


class FoldedArchitecture(Architecture[FoldedChoices, FoldedPlan]):
    """Streams between units, each of which handles a few elements per clock."""

    name = "folded"
    order = 2
    equal_rows = True
    constants = FOLDED

    def applies(self, network: Network) -> list[RuleResult]:
        return foreign_kinds(network, "hardware in architecture folded", has_unit, unit_kinds)

    def candidates(self, network: Network, budget: Budget, asked: Asked) -> Iterator[Candidate]:
        """The fastest plan by the goal that fits, FIFOs sized; for area, or if none fits, the smallest."""
        plan = self._at_rate(network, budget, asked)
        size_fifos(plan)
        yield Candidate(self, choices_of(plan), plan, self.estimate(plan, budget.family))

    def read_choices(self, stored: StoredChoices) -> FoldedChoices:
        return read_choices(stored)

    def plan(self, network: Network, choices: FoldedChoices) -> FoldedPlan:
        return plan_of(network, choices)

    def interface(self, plan: FoldedPlan) -> Interface:
        network, last = plan.network, plan.chains[-1]
        return Interface(
            network.input_size, plan.input_lanes, plan.input_element, network.output_size, last.lanes, last.element
        )

    def cycles(self, plan: FoldedPlan, q: npt.NDArray[np.int32] | None = None) -> Clocks:
        timing = solve(plan)
        return Clocks(timing.latency, timing.interval, timing.frames)

    def parts(self, plan: FoldedPlan, family: Family) -> dict[str, Parts]:
        return folded_parts(plan, family)

    def slowest_path(self, plan: FoldedPlan, delays: DelayModel) -> float:
        inside = self.delays_within(plan, delays)
        family = family_of(delays)
        block = any(in_block_ram(plan, chain, family) for chain in plan.chains)
        around = inside.around_block if block else inside.around_streams
        return max([around, *(path for _, path in _slowest_of_units(plan, inside))])

    def layer_timing(self, plan: FoldedPlan, delays: DelayModel) -> dict[str, dict[str, int | float]]:
        """The lanes of each unit, its clocks for a frame and those that it delays a value, and its slowest way."""
        inside = self.delays_within(plan, delays)
        return {
            unit.node.name: {
                "pe": unit.pe,
                "simd": unit.simd,
                "clocks_per_frame": unit.clocks_per_frame,
                "latency_clocks": unit.latency,
                "slowest_path_ns": round(path, 3),
            }
            for unit, path in _slowest_of_units(plan, inside)
        }

    def facts(self, plan: FoldedPlan, clocks: Clocks) -> dict[str, str]:
        return {
            "Latency": f"{clocks.latency} clocks from the first input value to the last result",
            "Interval": f"{clocks.interval} clocks between frames",
        }

    def rtl(self, plan: FoldedPlan, core: str, facts: Mapping[str, str]) -> CoreFiles:
        memories = {
            name: text.encode()
            for chain in plan.chains
            for unit in chain.units
            for name, text in unit.memory_files().items()
        }
        return CoreFiles(library_modules(plan), memories, core_text(plan, core, facts).encode())

    def estimated_form(self, network: Network) -> str:
        form = compared_form(network)
        return f"{form}, folded" if form else ""

    def _at_rate(self, network: Network, budget: Budget, asked: Asked) -> FoldedPlan:
        """The best plan; where a rate is asked for, one that reaches it at the clock that the plan itself allows."""
        rate, clock = asked.frames_per_second, budget.clock_mhz
        if rate is None:
            return self._best_plan(network, budget, asked, None)
        for _ in range(_RATE_TRIES):
            at_most = int(clock * 1e6 / rate)
            if at_most < 1:
                raise InputError("option frames_per_second", f"{rate:g} is above the clock of {clock:g} MHz planned")
            plan = self._best_plan(network, budget, asked, at_most)
            clock = planned_clock(self.slowest_path(plan, delays_of(budget)), budget)
            if max(chain.clocks_per_frame for chain in plan.chains) * rate <= clock * 1e6:
                return plan
        raise InputError(
            "option frames_per_second",
            f"no folded design was found that gives {rate:g} at the clock planned for it, {clock:g} MHz",
            "Ask for less, or let the architecture open",
        )

    def _best_plan(self, network: Network, budget: Budget, asked: Asked, at_most: int | None) -> FoldedPlan:
        """The best plan with at most so many clocks between frames."""
        keep_block_rams, form = not budget.family.distributed_ram, self.estimated_form(network)

        def stays_within(plan: FoldedPlan) -> bool:
            whole = total(self.estimate(plan, budget.family))
            return within(whole, budget, budget.family.folded_share, asked.most_luts(budget), form)

        def fits(plan: FoldedPlan) -> bool:
            return asked.goal != "area" and stays_within(plan)

        def in_time(plan: FoldedPlan) -> bool:
            return (
                at_most is None or max(plan.input_beats, *(chain.clocks_per_frame for chain in plan.chains)) <= at_most
            )

        def lay_out(network: Network, foldings: Mapping[str, Folding]) -> FoldedPlan:
            plan = make_plan(network, foldings, keep_block_rams=keep_block_rams)
            units = cheapest_units(plan, budget, asked.most_luts(budget), self.constants[constants_of(budget.family)])
            if not units:
                return plan
            other = make_plan(network, foldings, keep_block_rams=keep_block_rams, units=units)
            return plan if stays_within(plan) and not stays_within(other) else other

        if asked.goal == "latency":
            return quickest_plan(network, lambda plan: fits(plan) and in_time(plan), lay_out)
        if asked.goal == "area" and at_most is None:
            return smallest_plan(network, lay_out)
        return fastest_plan(network, fits, lay_out, at_most=at_most)


def _slowest_of_units(plan: FoldedPlan, inside: DelayModel) -> Iterator[tuple[Unit, float]]:
    """Each unit with its slowest way between registers, ns; the first of a chain may wait for a block RAM."""
    family = family_of(inside)
    for chain in plan.chains:
        for unit in chain.units:
            begins = unit is chain.head and in_block_ram(plan, chain, family)
            yield unit, (inside.out_of_block if begins else inside.register) + unit.slowest_logic(inside)


ARCHITECTURE = FoldedArchitecture()
