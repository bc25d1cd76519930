"""The FPGA target: chooses a design for a part, writes it, and says what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeml.errors import InputError
from edgeml.network import Dense, Network
from edgeml.plugins import NO_OPTIONS, SILENT, Listener, RuleResult, refuse_broken
from edgeml.profile import Profile
from edgeml.system.scratch import ScratchFolder

from .architectures.event_driven.choice import estimate_spiking, spiking_plans
from .architectures.event_driven.plan import SpikingPlan, is_spiking, make_spiking_plan
from .architectures.folded.estimate import estimate_folded
from .architectures.folded.folding_choice import fastest_plan, quickest_plan
from .architectures.folded.plan import FoldedPlan
from .architectures.folded.timing import size_fifos
from .architectures.step_per_clock.estimate import estimate_unrolled_spikes
from .architectures.step_per_clock.plan import UnrolledSpikes, make_unrolled_spikes
from .architectures.unrolled.build import check_unrolled, multiplications, network_logic
from .architectures.unrolled.estimate import estimate_unrolled
from .architectures.unrolled.layer_logic import ADDER_GRAPHS
from .budget import PROFILE_FIELDS, Budget, budget_of
from .design import Built, Design, build, design_of
from .estimate.argmax import estimate_argmax
from .estimate.costs import Cost, accuracy, total
from .files import generated_files
from .options import OPTIONS, Asked, read_options
from .qonnx.hand_off import hand_off
from .rules import fits, layer_has_hardware
from .tools.synthesize import synthesize

__all__ = ["FpgaTarget"]

_UNROLLED_SHARE = 0.5
_UNROLLED_WEIGHTS = 20_000


class FpgaTarget:
    """RTL for FPGAs: readable Verilog-2005, streams on both sides."""

    profile_fields = PROFILE_FIELDS
    options = OPTIONS

    def rules(self, network: Network, profile: Profile, options: Mapping[str, Any] = NO_OPTIONS) -> list[RuleResult]:
        """Every layer has RTL in the architecture asked for, and the smallest design fits the part."""
        budget = budget_of(profile)
        results = layer_has_hardware(network, str(options.get("architecture") or "auto"))
        if not all(result.passed for result in results):
            return results
        if is_spiking(network):
            spiking = make_spiking_plan(network, {})
            return [*results, *fits(estimate_spiking(spiking, budget.family), budget, _build_spiking(spiking))]
        plan = fastest_plan(network, lambda plan: False, keep_block_rams=_scarce(budget))
        size_fifos(plan)
        return [*results, *fits(estimate_folded(plan, budget.family), budget, build(network, design_of(plan)))]

    def estimate(self, network: Network, profile: Profile, options: Mapping[str, Any]) -> dict[str, float]:
        """What the design that `emit` would write costs, without writing it; latency and interval in clocks and µs."""
        budget = budget_of(profile)
        built, costs = choose(network, budget, options)
        return {
            **{name: float(value) for name, value in _cost(total(costs)).items()},
            "cycles": float(built.latency),
            "interval": float(built.interval),
            "latency_us": built.latency / budget.clock_mhz,
        }

    def emit(
        self,
        network: Network,
        profile: Profile,
        folder: Path,
        options: Mapping[str, Any] = NO_OPTIONS,
        listener: Listener = SILENT,
    ) -> dict[str, Any]:
        """Write `rtl/`; returns what was chosen, clocks, and cost by layer.

        Raises InputError where an option is wrong or the design does not fit; CheckFailed where nextpnr finds so.
        """
        budget = budget_of(profile)
        refuse_broken(layer_has_hardware(network, str(options.get("architecture") or "auto")), profile)
        built, costs = choose(network, budget, options)
        if broken := [result for result in fits(costs, budget, built) if not result.passed]:
            first = broken[0]
            raise InputError(f"rule {first.rule}, layer {first.layer}", first.detail, first.remedy)
        rtl = folder / "rtl"
        for path, content in generated_files(network, built, budget).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        metrics = _metrics(built, budget, costs)
        if error := accuracy(network, built.design.architecture):
            metrics["estimate_error"] = error
        metrics["qonnx"] = hand_off(network, max(built.interval, 1), budget.part, folder)
        if read_options(options).synthesize:
            with ScratchFolder("synthesis") as scratch:
                metrics["synthesis"] = synthesize(
                    built, budget, scratch, announce=listener.announce, remark=listener.remark
                )
                bitstream = metrics["synthesis"].get("placed", {}).get("bitstream")
                if bitstream:
                    (rtl / bitstream).write_bytes((scratch / bitstream).read_bytes())
        return metrics


def _scarce(budget: Budget) -> bool:
    """Whether block RAMs are too few for small buffers, and there is no distributed RAM."""
    return budget.family.name == "ice40"


def _can_unroll(network: Network) -> bool:
    try:
        check_unrolled(network)
    except InputError:
        return False
    return multiplications(network) <= _UNROLLED_WEIGHTS


def choose(network: Network, budget: Budget, options: Mapping[str, Any]) -> tuple[Built, dict[str, Cost]]:
    """The design that the options ask for on a part, and its estimated cost by layer.

    Raises InputError where an option is wrong, or nothing that it asks for stays within `max_luts`.
    """
    asked = read_options(options)
    most = None if asked.max_luts is None else asked.max_luts.of(budget.luts)
    built, costs = _choose(network, budget, asked, most)
    if most is not None and (luts := total(costs).luts) > most:
        raise InputError(
            "option max_luts",
            f"allows {most} lookup tables; the design takes {luts:.0f}, as estimated",
            "Allow more, ask for fewer frames a second or goal=area, or train fewer bits",
        )
    return built, costs


def _choose(network: Network, budget: Budget, given: Asked, most: int | None) -> tuple[Built, dict[str, Cost]]:
    architecture, goal, rate = given.architecture, given.goal, given.frames_per_second
    every, argmax, adder_graph = given.register_every, given.argmax, given.adder_graph
    if adder_graph != ADDER_GRAPHS[0] and architecture == "folded":
        raise InputError("option adder_graph", "the folded architecture has no adder graphs", "Leave it out")
    asked = goal != "area" and rate is None
    if is_spiking(network):
        return _choose_spiking(
            network, budget, Design(architecture, {}, {}, every, False, argmax, adder_graph), goal, rate, most
        )
    unrolled: tuple[Built, dict[str, Cost]] | None = None
    if architecture == "unrolled" or (architecture == "auto" and asked and _can_unroll(network)):
        costs = estimate_unrolled(network_logic(network, adder_graph=adder_graph), budget.family, every)
        whole = total(costs)
        if architecture == "unrolled" or _small(whole, budget, most):
            design = Design("unrolled", register_every=every, adder_graph=adder_graph)
            unrolled = _finished(network, design, costs, budget, argmax)
            if architecture == "unrolled" or goal == "throughput":
                return unrolled
    at_most = None
    if rate is not None:
        at_most = int(budget.clock_mhz * 1e6 / rate)
        if at_most < 1:
            raise InputError("option frames_per_second", f"{rate:g} is above the clock of {budget.clock_mhz:g} MHz")

    def within(plan: FoldedPlan) -> bool:
        return goal != "area" and _within(total(estimate_folded(plan, budget.family)), budget, most)

    def in_time(plan: FoldedPlan) -> bool:
        return at_most is None or max(plan.input_beats, *(chain.clocks_per_frame for chain in plan.chains)) <= at_most

    if goal == "latency":
        plan = quickest_plan(network, lambda p: within(p) and in_time(p), keep_block_rams=_scarce(budget))
    else:
        plan = fastest_plan(network, within, keep_block_rams=_scarce(budget), at_most=at_most)
    size_fifos(plan)
    folded = _finished(network, design_of(plan), estimate_folded(plan, budget.family), budget, argmax)
    return unrolled if unrolled is not None and unrolled[0].latency <= folded[0].latency else folded


def _finished(
    network: Network, design: Design, costs: dict[str, Cost], budget: Budget, argmax: bool
) -> tuple[Built, dict[str, Cost]]:
    """The design built, with the argmax unit and its cost where it is asked for."""
    if not argmax:
        return build(network, design), costs
    built = build(network, replace(design, argmax=True))
    return built, {**costs, "argmax": estimate_argmax(built.interface, budget.family)}


def _small(whole: Cost, budget: Budget, most: int | None) -> bool:
    """Whether an unrolled design leaves half of the part to others, or takes no more lookup tables than are allowed."""
    luts = budget.luts * _UNROLLED_SHARE if most is None else most
    return whole.luts <= luts and whole.flip_flops <= budget.flip_flops * _UNROLLED_SHARE


def _within(whole: Cost, budget: Budget, most: int | None) -> bool:
    luts = budget.luts * budget.family.folded_share if most is None else most
    return (
        whole.luts <= luts
        and whole.flip_flops <= budget.flip_flops * budget.family.folded_share
        and whole.block_rams <= budget.block_rams
        and whole.dsps <= budget.dsps
    )


def _build_spiking(plan: SpikingPlan) -> Built:
    return build(plan.network, Design("folded", plan.folds))


def _choose_spiking(
    network: Network, budget: Budget, asked: Design, goal: str, rate: float | None, most: int | None
) -> tuple[Built, dict[str, Cost]]:
    """All neurons at once where that is asked for, or (`auto`) takes less than half of the part; else event-driven
    units with as many membranes per clock as fit, or one where area is the goal."""
    if asked.architecture == "unrolled" or (asked.architecture == "auto" and goal != "area"):
        unrolled = _unrolled_spikes(network, asked)
        if unrolled is not None:
            costs = estimate_unrolled_spikes(unrolled, budget.family)
            enough = rate is None or unrolled.interval * rate <= budget.clock_mhz * 1e6
            if asked.architecture == "unrolled" and not enough:
                raise InputError(
                    "option frames_per_second",
                    f"{rate:g} is above a frame in {unrolled.interval} clocks at {budget.clock_mhz:g} MHz",
                    "Ask for less, or convert --to quantized: the same integers, a frame per clock",
                )
            if asked.architecture == "unrolled" or (enough and _small(total(costs), budget, most)):
                return _finished(
                    network, replace(asked, architecture="unrolled", argmax=False), costs, budget, asked.argmax
                )
    if rate is not None:
        raise InputError(
            "option frames_per_second",
            "the clocks of an event-driven frame depend on its spikes: no rate can be promised",
            "Use --architecture unrolled, or leave it out",
        )
    plans = spiking_plans(network)
    chosen = plans[-1]
    if goal != "area":
        fitting = (plan for plan in plans if _within(total(estimate_spiking(plan, budget.family)), budget, most))
        chosen = next(fitting, chosen)
    design = Design("folded", chosen.folds)
    return _finished(network, design, estimate_spiking(chosen, budget.family), budget, asked.argmax)


def _unrolled_spikes(network: Network, asked: Design) -> UnrolledSpikes | None:
    """The network unrolled; None where that was left open and cannot be, or is too large to try."""
    if asked.architecture == "unrolled":
        return make_unrolled_spikes(network, asked.register_every, asked.adder_graph)
    if sum(n.layer.weight.size for n in network.layers if isinstance(n.layer, Dense)) > _UNROLLED_WEIGHTS:
        return None
    try:
        return make_unrolled_spikes(network, asked.register_every, asked.adder_graph)
    except InputError:
        return None


def _metrics(built: Built, budget: Budget, costs: Mapping[str, Cost]) -> dict[str, Any]:
    whole = total(costs)
    clock = budget.clock_mhz * 1e6
    return {
        "architecture": built.design.architecture,
        "part": budget.part,
        "cycles": {"latency": built.latency, "interval": built.interval},
        "planned_clock_mhz": budget.clock_mhz,
        "latency_us": round(built.latency / clock * 1e6, 4),
        "frames_per_second": round(clock / built.interval, 1),
        "estimate": _cost(whole),
        "budget": {
            "luts": budget.luts,
            "flip_flops": budget.flip_flops,
            "block_rams": budget.block_rams,
            "dsps": budget.dsps,
        },
        "layers": {layer: _cost(cost) for layer, cost in costs.items()},
        "folds": {name: {"pe": fold.pe, "simd": fold.simd} for name, fold in built.design.folds.items()},
    }


def _cost(cost: Cost) -> dict[str, int]:
    return {
        "luts": round(cost.luts),
        "flip_flops": cost.flip_flops,
        "block_rams": cost.block_rams,
        "dsps": cost.dsps,
    }
