"""Spikes a step per clock: all neurons of a spiking network at once, a slot of their spikes in each clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Dense, Network
from edgeml.plugins import RuleResult

from ...budget import Budget, Family
from ...estimate.constants import STEP_PER_CLOCK
from ...estimate.parts import Parts
from ...interface import Interface
from ...options import Asked
from ...timing.delay_model import DelayModel
from ...verilog.shipped_modules import library_text
from ..architecture import Architecture, Candidate, Clocks, CoreFiles
from ..spiking_networks import spiking_network
from ..stored_choices import StoredChoices
from ..unrolled.layer_logic import ADDER_GRAPHS
from ..unrolled.pipelining import Pipelining, leaves_room, most_multiplications, pipelinings, reaches_rate, read_choices
from .estimate import step_per_clock_parts
from .plan import StepPerClockPlan, check_encodings, make_step_per_clock_plan
from .rtl import LIBRARY_MODULES, pipelines, step_per_clock_core
from .slowest_path import slowest_of_layer

__all__ = ["ARCHITECTURE", "StepPerClockArchitecture"]

_FRAMES = 6
_AROUND = 2
"""Clocks of the core around its layers."""


class StepPerClockArchitecture(Architecture[Pipelining, StepPerClockPlan]):
    """An adder graph for the synapses of each layer, and a small unit for every neuron."""

    name = "unrolled"
    order = 1
    adder_graphs = ADDER_GRAPHS
    constants = STEP_PER_CLOCK
    if_too_large = "Use --architecture folded"

    def applies(self, network: Network) -> list[RuleResult]:
        try:
            spikes = spiking_network(network)
        except InputError as error:
            return [RuleResult.broken("layer-kind", error)]
        kinds = RuleResult("layer-kind", True, "every kind of layer has hardware that takes a step per clock")
        try:
            check_encodings(spikes)
        except InputError as error:
            return [kinds, replace(RuleResult.broken("unrolled-encodings", error), option="architecture")]
        return [kinds]

    def candidates(self, network: Network, budget: Budget, asked: Asked) -> Iterator[Candidate]:
        """The network unrolled; if that was left open: where it reaches the rate and leaves room to others."""
        if not (asked.named or _synapses(network) <= most_multiplications(asked)):
            return
        choices = pipelinings(budget, asked)[0]
        try:
            plan = self.plan(network, choices)
        except InputError:
            # Sums of so many synapses that an adder graph cannot hold them are found only here.
            if asked.named:
                raise
            return
        candidate = Candidate(self, choices, plan, self.estimate(plan, budget.family))
        if reaches_rate(candidate, budget, asked) and (asked.named or leaves_room(candidate, budget, asked)):
            yield candidate

    def read_choices(self, stored: StoredChoices) -> Pipelining:
        return read_choices(stored)

    def plan(self, network: Network, choices: Pipelining) -> StepPerClockPlan:
        return make_step_per_clock_plan(network, choices)

    def interface(self, plan: StepPerClockPlan) -> Interface:
        inputs, outputs = plan.network.input_size, plan.network.output_size
        return Interface(inputs, inputs, plan.input_element, outputs, outputs, plan.output_element)

    def cycles(self, plan: StepPerClockPlan, q: npt.NDArray[np.int32] | None = None) -> Clocks:
        latency, interval = plan.latency + _AROUND, plan.interval
        return Clocks(latency, interval, tuple(latency - 1 + frame * interval for frame in range(_FRAMES)))

    def parts(self, plan: StepPerClockPlan, family: Family) -> dict[str, Parts]:
        """The input population belongs to the first layer, the buffer of results to the last."""
        return step_per_clock_parts(plan, family)

    def slowest_path(self, plan: StepPerClockPlan, delays: DelayModel) -> float:
        return max([delays.around_streams, *(slowest_of_layer(layer, delays) for layer in plan.layers)])

    def layer_timing(self, plan: StepPerClockPlan, delays: DelayModel) -> dict[str, dict[str, int | float]]:
        """A layer's slots, each a clock of a frame, the clocks from its first spikes to the first that it gives (of a
        readout: to its values), and its slowest way."""
        return {
            layer.name: {
                "clocks_per_frame": layer.window,
                "latency_clocks": layer.latency_clocks,
                "slowest_path_ns": round(slowest_of_layer(layer, delays), 3),
            }
            for layer in plan.layers
        }

    def facts(self, plan: StepPerClockPlan, clocks: Clocks) -> dict[str, str]:
        unit = "clocks" if clocks.interval > 1 else "clock"
        return {
            "Latency": f"{clocks.latency} clocks from the input to the result",
            "Interval": f"{clocks.interval} {unit} between frames, one for each slot",
        }

    def rtl(self, plan: StepPerClockPlan, core: str, facts: Mapping[str, str]) -> CoreFiles:
        modules = {name: library_text(name) for name in LIBRARY_MODULES}
        modules.update({f"{name}.v": text.encode() for name, text in pipelines(plan, facts).items()})
        return CoreFiles(modules, {}, step_per_clock_core(plan, core, facts).encode())

    def estimated_form(self, network: Network) -> str:
        return "spiking, unrolled"


def _synapses(network: Network) -> int:
    return sum(layer.weight.size for layer in network.of_kind(Dense).values())


ARCHITECTURE = StepPerClockArchitecture()
