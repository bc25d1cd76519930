"""The packaged IP between AXI models of cocotb: golden outputs through pauses, broken packets, resets and restarts."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest

from edgeml.network import simulate
from edgeml.network.network_file import model_hash
from edgeml.targets.fpga.tools.programs import icarus
from edgeml.targets.fpga.tops.packets import Packets
from tests.network.random_networks import random_inputs
from tests.sweeps import seed_for

from .axi_designs import AxiDesign, written

_MISSING = icarus() is None or any(importlib.util.find_spec(name) is None for name in ("cocotb", "cocotbext"))
pytestmark = pytest.mark.skipif(_MISSING, reason="needs Icarus Verilog, and cocotbext-axi of pip")
VECTORS = 200
DESIGNS = {
    "unrolled 64": AxiDesign("unrolled", 64),
    "wide 32": AxiDesign("wide", 32),
}
OTHERS = {
    "folded 128 with classes": AxiDesign("folded", 128, argmax=True),
    "unrolled 32 with classes": AxiDesign("unrolled", 32, argmax=True),
    "spiking 64": AxiDesign("spiking", 64),
    "folded 32": AxiDesign("folded", 32),
}


def _case(name: str, slow: bool) -> object:
    return pytest.param({**DESIGNS, **OTHERS}[name], id=name, marks=[pytest.mark.slow] if slow else [])


def _run(design: AxiDesign, tmp_path: Path, module: str, tests: int) -> None:
    """Run a module of cocotb's tests on a design."""
    from cocotb_tools.check_results import get_results
    from cocotb_tools.runner import get_runner

    made = written(design, tmp_path)
    packets, seed = Packets(made.built.interface, design.width), seed_for(7)
    q = random_inputs(made.network, VECTORS, seed).astype(np.int32)
    np.save(tmp_path / "inputs.npy", q)
    np.save(tmp_path / "outputs.npy", simulate(made.network, q))
    plan = {
        "seed": seed,
        "model_hash": model_hash(made.network),
        "classes": design.argmax,
        "inputs": str(tmp_path / "inputs.npy"),
        "outputs": str(tmp_path / "outputs.npy"),
        "width": design.width,
        "input_type": packets.input_type,
        "row_bytes": packets.input_words * design.width // 8,
        "spare_bytes": design.width // 8 - packets.last_bytes,
        "result_slots": packets.output_words * packets.results,
        "patience": 60 + 2 * made.built.latency + 2 * made.built.interval,
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    runner, top = get_runner("icarus"), f"{made.network.name}_axi"
    sources = [tmp_path / "rtl" / source for source in made.sources]
    folder = {"build_dir": tmp_path / "rtl", "log_file": tmp_path / "log"}
    runner.build(sources=sources, hdl_toplevel=top, build_args=["-g2005"], timescale=("1ns", "1ps"), **folder)
    environment = {
        "PLAN": str(tmp_path / "plan.json"),
        "DRIVER": str(tmp_path / f"tops/axi/{made.network.name}_pynq.py"),
        "COCOTB_LOG_LEVEL": "WARNING",
        "PYTHONPATH": os.getcwd(),
    }
    try:
        runner.test(
            test_module=f"{__package__}.{module}",
            hdl_toplevel=top,
            test_dir=tmp_path / "rtl",
            extra_env=environment,
            results_xml=str(tmp_path / "results.xml"),
            **folder,
        )
    except SystemExit:  # how cocotb says that a test failed
        pytest.fail((tmp_path / "log").read_text()[-4000:])
    assert get_results(tmp_path / "results.xml") == (tests, 0)


@pytest.mark.parametrize("design", [*(_case(name, False) for name in DESIGNS), *(_case(name, True) for name in OTHERS)])
def test_transactions(design: AxiDesign, tmp_path: Path) -> None:
    _run(design, tmp_path, "axi_transactions", 6)


def test_the_driver_for_pynq_runs_the_design(tmp_path: Path) -> None:
    _run(AxiDesign("wide", 128), tmp_path, "pynq_transactions", 1)
