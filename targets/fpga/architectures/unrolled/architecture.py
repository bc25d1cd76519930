"""The unrolled architecture: the whole network as one pipeline of logic, a frame per clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.plugins import RuleResult, foreign_kinds

from ...budget import Budget, Family
from ...estimate.constants import UNROLLED
from ...estimate.parts import Parts
from ...interface import Interface
from ...layer_hardware import compared_form, has_logic, logic_kinds
from ...options import Asked
from ...timing.delay_model import DelayModel
from ...timing.planned_clock import family_of
from ...verilog.shipped_modules import library_text
from ..architecture import Architecture, Candidate, Clocks, CoreFiles
from ..stored_choices import StoredChoices
from .estimate import results_in_block_ram, unrolled_amounts
from .layer_logic import ADDER_GRAPHS
from .layer_text import layer_lines
from .network_logic import Logic, check_unrolled, multiplications, network_logic
from .pipelining import (
    Pipelining,
    delays_in,
    fitting_logic,
    leaves_room,
    most_multiplications,
    pipelinings,
    placed_registers,
    reaches_rate,
    read_choices,
)
from .rtl import core as core_text
from .rtl import pipeline
from .stages import Stages, path_ends, slowest_stage

__all__ = ["ARCHITECTURE", "UnrolledArchitecture", "UnrolledPlan"]

_FRAMES = 6
_AROUND, _STRAIGHT = 2, 1
"""Clocks of the core around its pipeline: through the FIFO of results, and past it."""


@dataclass(frozen=True, eq=False)
class UnrolledPlan:
    """A network as logic, and where its registers stand."""

    network: Network
    logic: Logic
    stages: Stages


class UnrolledArchitecture(Architecture[Pipelining, UnrolledPlan]):
    """Adder graphs and comparisons for every neuron, without weights in memories."""

    name = "unrolled"
    order = 0
    adder_graphs = ADDER_GRAPHS
    constants = UNROLLED
    if_too_large = "Use --architecture folded"

    def applies(self, network: Network) -> list[RuleResult]:
        results = foreign_kinds(network, "hardware in architecture unrolled", has_logic, logic_kinds)
        if not all(result.passed for result in results):
            return results
        try:
            check_unrolled(network)
        except InputError as error:
            return [*results, replace(RuleResult.broken("unrolled-size", error), option="architecture")]
        return results

    def candidates(self, network: Network, budget: Budget, asked: Asked) -> Iterator[Candidate]:
        """The network unrolled; if that was left open: where speed is wanted and it leaves room to others."""
        if not (asked.named or multiplications(network) <= most_multiplications(asked)):
            return
        for choices in pipelinings(budget, asked):
            plan = self.plan(network, choices)
            candidate = Candidate(self, choices, plan, self.estimate(plan, budget.family))
            if reaches_rate(candidate, budget, asked) and (asked.named or leaves_room(candidate, budget, asked)):
                yield candidate

    def read_choices(self, stored: StoredChoices) -> Pipelining:
        return read_choices(stored)

    def plan(self, network: Network, choices: Pipelining) -> UnrolledPlan:
        made = network_logic(network, adder_graph=choices.adder_graph, table_inputs=choices.table_inputs)
        logic = fitting_logic(made, choices)
        return UnrolledPlan(network, logic, placed_registers(logic, choices))

    def interface(self, plan: UnrolledPlan) -> Interface:
        inputs, outputs = plan.network.input_size, plan.network.output_size
        return Interface(inputs, inputs, plan.logic.input_element, outputs, outputs, plan.logic.output_element)

    def cycles(self, plan: UnrolledPlan, q: npt.NDArray[np.int32] | None = None) -> Clocks:
        latency = plan.stages.clocks + (_STRAIGHT if plan.stages.straight else _AROUND)
        return Clocks(latency, 1, tuple(latency - 1 + frame for frame in range(_FRAMES)))

    def parts(self, plan: UnrolledPlan, family: Family) -> dict[str, Parts]:
        """Registers behind a layer's logic are its own, those of the input the first layer's."""
        return unrolled_amounts(plan.logic, family, plan.stages)

    def slowest_path(self, plan: UnrolledPlan, delays: DelayModel) -> float:
        logic, inside = plan.logic, delays_in(plan.logic, delays)
        block = results_in_block_ram(logic, family_of(delays), plan.stages)
        around = inside.around_straight if plan.stages.straight else inside.around_pipeline
        around = inside.around_block if block else around
        return max(slowest_stage(logic.netlist, logic.outputs, inside, plan.stages), around)

    def layer_timing(self, plan: UnrolledPlan, delays: DelayModel) -> dict[str, dict[str, int | float]]:
        """The stages in which a layer's cells are, from 0, and the slowest way within a stage that ends in one."""
        logic, inside = plan.logic, delays_in(plan.logic, delays)
        ends = path_ends(logic.netlist, logic.outputs, inside, plan.stages)
        found: dict[str, dict[str, int | float]] = {}
        for layer, cells in logic.layer_cells.items():
            if cells:
                stages = [plan.stages.of[cell] for cell in cells]
                slowest = round(max(ends[cell] for cell in cells), 3)
                found[layer] = {"first_stage": min(stages), "last_stage": max(stages), "slowest_path_ns": slowest}
        return found

    def facts(self, plan: UnrolledPlan, clocks: Clocks) -> dict[str, str]:
        return {
            "Latency": f"{clocks.latency} clocks from the input to the result",
            "Interval": "1 clock between frames",
        }

    def rtl(self, plan: UnrolledPlan, core: str, facts: Mapping[str, str]) -> CoreFiles:
        name, stages = f"{plan.network.name}_pipeline", plan.stages
        modules = {
            "edgeml_fifo.v": library_text("edgeml_fifo.v"),
            f"{name}.v": pipeline(plan.logic, name, stages, facts, layer_lines(plan.network)).encode(),
        }
        text = core_text(plan.logic, core, name, stages, facts)
        return CoreFiles(modules, {}, text.encode())

    def estimated_form(self, network: Network) -> str:
        form = compared_form(network)
        return f"{form}, unrolled" if form else ""


ARCHITECTURE = UnrolledArchitecture()
