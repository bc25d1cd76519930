"""The LiteX module: LiteX itself makes a SoC of it, which gives golden outputs from memory to memory in simulation."""

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
from .litex_soc import MEMORY, TOP, write_soc

_MISSING = icarus() is None or any(importlib.util.find_spec(name) is None for name in ("cocotb", "litex", "migen"))
_RESULTS_AT = 2**14
DESIGNS = {"wide 64 on ECP5": (AxiDesign("wide", 64), "ecp5-25k", 30)}
OTHERS = {
    "folded 128 with classes on iCE40": (AxiDesign("folded", 128, argmax=True), "ice40-hx8k", 200),
    "unrolled 32 with classes on Zynq": (AxiDesign("unrolled", 32, argmax=True), "xc7z020", 200),
    "spiking 64 on Gowin": (AxiDesign("spiking", 64), "gw2ar-18", 60),
}


def _case(name: str, slow: bool) -> object:
    return pytest.param(*{**DESIGNS, **OTHERS}[name], id=name, marks=[pytest.mark.slow] if slow else [])


@pytest.mark.skipif(_MISSING, reason="needs LiteX and cocotb of pip, and Icarus Verilog")
@pytest.mark.parametrize(
    ("design", "part", "vectors"), [*(_case(name, False) for name in DESIGNS), *(_case(name, True) for name in OTHERS)]
)
def test_a_soc_of_litex_computes_the_network(
    design: AxiDesign, part: str, vectors: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cocotb_tools.check_results import get_results
    from cocotb_tools.runner import get_runner

    made = written(design, tmp_path, part)
    work = tmp_path / "soc"
    work.mkdir()
    monkeypatch.chdir(work)  # LiteX writes memory images where it runs
    sources, registers = write_soc(tmp_path / "tops" / "litex" / f"{made.network.name}_litex.py", work)
    packets, seed = Packets(made.built.interface, design.width), seed_for(11)
    q = random_inputs(made.network, vectors, seed).astype(np.int32)
    np.save(work / "inputs.npy", q)
    np.save(work / "outputs.npy", simulate(made.network, q))
    plan = {
        "seed": seed, "model_hash": model_hash(made.network), "classes": design.argmax, "vectors": vectors,
        "inputs": str(work / "inputs.npy"), "outputs": str(work / "outputs.npy"),
        "input_type": packets.input_type, "input_words": packets.input_words,
        "row_bytes": packets.input_words * design.width // 8,
        "result_slots": packets.output_words * packets.results,
        "registers": registers, "memory": MEMORY, "results_at": _RESULTS_AT,
        "patience": 300 + 2 * made.built.latency + 4 * made.built.interval,
    }  # fmt: skip
    (work / "plan.json").write_text(json.dumps(plan))
    runner, folder = get_runner("icarus"), {"build_dir": work, "log_file": work / "log"}
    runner.build(
        sources=[*sources, work / f"{TOP}.v"],
        hdl_toplevel=TOP,
        build_args=["-g2005"],
        timescale=("1ns", "1ps"),
        **folder,
    )
    repository = Path(__file__).parents[4]
    environment = {"PLAN": str(work / "plan.json"), "COCOTB_LOG_LEVEL": "WARNING", "PYTHONPATH": os.fspath(repository)}
    try:
        runner.test(
            test_module=f"{__package__}.litex_transactions",
            hdl_toplevel=TOP,
            test_dir=work,
            extra_env=environment,
            results_xml=str(work / "results.xml"),
            **folder,
        )
    except SystemExit:  # how cocotb says that a test failed
        pytest.fail((work / "log").read_text()[-4000:])
    assert get_results(work / "results.xml") == (3, 0)
