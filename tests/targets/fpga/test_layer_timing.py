"""What is said of a layer's time: the slowest path of all layers is that of the plan, and folded clocks its folding."""

from __future__ import annotations

import pytest

from edgeml.profile import load_profile
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.target import FpgaTarget
from edgeml.targets.fpga.timing.planned_clock import delays_of

from .designs import folded_designs, plain_network
from .forms import spiking_network

NETWORK = plain_network(9, 12, 8, 3)


@pytest.mark.parametrize("part", ["ecp5-25k", "xczu7ev"])
def test_the_slowest_layer_of_a_pipeline_is_as_slow_as_the_design(part: str) -> None:
    budget = budget_of(load_profile(part))
    layout = build(NETWORK, Design("unrolled", Pipelining(register_every=6))).layout
    delays = delays_of(budget)
    found = layout.architecture.layer_timing(layout.plan, delays)
    slowest = max(entry["slowest_path_ns"] for entry in found.values())
    assert layout.slowest_path(budget) == pytest.approx(slowest, abs=1e-3)
    assert min(entry["first_stage"] for entry in found.values()) == 0
    assert max(entry["last_stage"] for entry in found.values()) <= layout.plan.stages.count - 1


def test_a_unit_takes_as_many_clocks_as_its_lanes_leave() -> None:
    for design in folded_designs(NETWORK, 2):
        layout = build(NETWORK, design).layout
        found = layout.architecture.layer_timing(layout.plan, delays_of(budget_of(load_profile("ecp5-25k"))))
        first = found[NETWORK.layers[0].name]
        assert first["clocks_per_frame"] == -(-12 // first["pe"]) * -(-9 // first["simd"])
        assert all(entry["slowest_path_ns"] > 0 for entry in found.values())


def test_the_metrics_hold_it_beside_the_estimate(tmp_path) -> None:
    said = FpgaTarget().emit(NETWORK, load_profile("ecp5-25k"), tmp_path, {"architecture": "unrolled"})
    entry = said["layers"][NETWORK.layers[0].name]
    assert {"luts", "flip_flops", "first_stage", "last_stage", "slowest_path_ns"} <= set(entry)


@pytest.mark.parametrize("encoding", ["unary", "sar", "ttfs", "graded", "stbif"])
@pytest.mark.parametrize("architecture", ["folded", "unrolled"])
def test_every_layer_of_spikes_has_clocks_and_a_slowest_path(architecture: str, encoding: str) -> None:
    network, budget = spiking_network(2, encoding), budget_of(load_profile("ecp5-25k"))
    layout = build(network, Design(architecture)).layout
    found = layout.architecture.layer_timing(layout.plan, delays_of(budget))
    assert set(found) == {layer.name for layer in layout.plan.layers}
    slowest = max(entry["slowest_path_ns"] for entry in found.values())
    assert 0 < slowest <= layout.slowest_path(budget) + 1e-3
    if architecture == "unrolled":
        # One layer after the other, behind the input's spikes, and the core's two clocks around all of it.
        alone = sum(entry["latency_clocks"] for entry in found.values())
        assert layout.clocks.latency == layout.plan.inputs.begin + alone + 2
        assert max(entry["clocks_per_frame"] for entry in found.values()) <= layout.clocks.interval
    elif encoding == "stbif":
        assert not any("most_clocks_per_frame" in entry for entry in found.values())
    else:
        assert sum(entry["most_clocks_per_frame"] for entry in found.values()) == layout.clocks.latency
