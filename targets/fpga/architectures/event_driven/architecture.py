"""The event-driven architecture: a unit for each layer of neurons, which works if spikes come, and rests if not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.plugins import RuleResult

from ...budget import Budget, Family
from ...estimate.constants import SPIKING
from ...estimate.costs import total, within
from ...estimate.parts import Parts
from ...interface import Interface
from ...options import Asked
from ...timing.delay_model import DelayModel
from ...verilog.shipped_modules import library_text
from ..architecture import Architecture, Candidate, Clocks, CoreFiles
from ..stored_choices import StoredChoices
from .choices import MembranesPerClock, read_choices
from .cycles import longest_by_layer, longest_frame, run_clocks
from .estimate import event_driven_parts
from .plan import EventDrivenPlan, make_event_driven_plan
from .rtl import LIBRARY_MODULES, event_driven_core, memory_files
from .slowest_path import slowest_of_layer

__all__ = ["ARCHITECTURE", "EventDrivenArchitecture"]

_RANDOM_FRAMES = 4


class EventDrivenArchitecture(Architecture[MembranesPerClock, EventDrivenPlan]):
    """Streams of events between units, each of which handles a few membranes per clock."""

    name = "folded"
    order = 3
    exact_clocks = False
    constants = SPIKING

    def applies(self, network: Network) -> list[RuleResult]:
        try:
            make_event_driven_plan(network, {})
        except InputError as error:
            return [RuleResult.broken("layer-kind", error)]
        return [RuleResult("layer-kind", True, "every kind of layer has hardware in event-driven units")]

    def candidates(self, network: Network, budget: Budget, asked: Asked) -> Iterator[Candidate]:
        """The most membranes per clock that fit; for area, or if none fits, one."""
        if asked.frames_per_second is not None:
            raise InputError(
                "option frames_per_second",
                "the clocks of an event-driven frame depend on its spikes: no rate can be promised",
                "Use --architecture unrolled, or leave it out",
            )
        plan = make_event_driven_plan(network, {})
        if asked.goal != "area":
            plan = self._most_that_fit(plan, budget, asked)
        costs = self.estimate(plan, budget.family)
        yield Candidate(self, MembranesPerClock(plan.membranes), plan, costs)

    def read_choices(self, stored: StoredChoices) -> MembranesPerClock:
        return read_choices(stored)

    def plan(self, network: Network, choices: MembranesPerClock) -> EventDrivenPlan:
        return make_event_driven_plan(network, choices.by_layer)

    def interface(self, plan: EventDrivenPlan) -> Interface:
        network = plan.network
        return Interface(
            network.input_size, 1, plan.input_element, network.output_size, plan.layers[-1].pe, plan.output_element
        )

    def cycles(self, plan: EventDrivenPlan, q: npt.NDArray[np.int32] | None = None) -> Clocks:
        """Without q a bound for all frames, or (with `stbif`) the most of a few random ones."""
        if q is not None:
            ends = run_clocks(plan, q).ends
            return Clocks(ends[0] + 1, _longest(ends), ends, exact=False)
        longest = longest_frame(plan)
        clocks = _longest(run_clocks(plan, _random_frames(plan.network)).ends) if longest is None else longest
        return Clocks(clocks, clocks, exact=False)

    def parts(self, plan: EventDrivenPlan, family: Family) -> dict[str, Parts]:
        """The encoder of the input belongs to the first layer."""
        return event_driven_parts(plan, family)

    def slowest_path(self, plan: EventDrivenPlan, delays: DelayModel) -> float:
        """From a membrane's memory through its sum, and through the comparison with thresholds."""
        inside = self.delays_within(plan, delays)
        return max([inside.around_streams, *(slowest_of_layer(layer, inside) for layer in plan.layers)])

    def layer_timing(self, plan: EventDrivenPlan, delays: DelayModel) -> dict[str, dict[str, int | float]]:
        """Membranes per clock, the most clocks that a frame's spikes can make a layer take (the encoder's are the first
        layer's; unknown with `stbif`), and its slowest way."""
        inside, longest = self.delays_within(plan, delays), longest_by_layer(plan)
        found: dict[str, dict[str, int | float]] = {}
        for place, layer in enumerate(plan.layers):
            clocks = {} if longest is None else {"most_clocks_per_frame": longest[place]}
            slowest = round(slowest_of_layer(layer, inside), 3)
            found[layer.name] = {"membranes_per_clock": layer.pe, **clocks, "slowest_path_ns": slowest}
        return found

    def facts(self, plan: EventDrivenPlan, clocks: Clocks) -> dict[str, str]:
        kind = "measured on random frames, at most" if longest_frame(plan) is None else "at most"
        return {"Clocks": f"depend on the spikes; {kind} {clocks.latency} for a frame"}

    def rtl(self, plan: EventDrivenPlan, core: str, facts: Mapping[str, str]) -> CoreFiles:
        modules = {name: library_text(name) for name in LIBRARY_MODULES}
        memories = {name: text.encode() for name, text in memory_files(plan).items()}
        return CoreFiles(modules, memories, event_driven_core(plan, core, facts).encode())

    def estimated_form(self, network: Network) -> str:
        return "spiking, folded"

    def _most_that_fit(self, plan: EventDrivenPlan, budget: Budget, asked: Asked) -> EventDrivenPlan:
        """The plan with the most membranes per clock, a power of two, that fits; with one if none does."""
        widest = max(layer.neurons for layer in plan.layers)
        for power in range((widest - 1).bit_length(), 0, -1):
            wider = plan.with_membranes(2**power)
            whole = total(self.estimate(wider, budget.family))
            share, form = budget.family.folded_share, self.estimated_form(plan.network)
            if within(whole, budget, share, asked.most_luts(budget), form):
                return wider
        return plan


def _longest(ends: tuple[int, ...]) -> int:
    """The most clocks from the end of one frame to that of the next."""
    return max(after - before for before, after in zip((-1, *ends), ends, strict=False))


def _random_frames(network: Network) -> npt.NDArray[np.int32]:
    shape = (_RANDOM_FRAMES, network.input_size)
    q = np.random.default_rng(0).integers(network.quantizer.low, network.quantizer.high + 1, shape)
    return q.astype(np.int32)


ARCHITECTURE = EventDrivenArchitecture()
