"""Objectives, constraints and qualities as they are written and counted."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.allocation.untrained_networks import stand_in
from edgeml.errors import InputError
from edgeml.explore.candidate import parse_baseline
from edgeml.explore.objectives import general_estimates, parse_constraint, parse_objectives, quality
from edgeml.profile import Profile


def test_short_names_stand_for_the_estimates_names() -> None:
    assert parse_objectives("macro_recall, luts,latency") == ("macro_recall", "luts", "latency_us")


@pytest.mark.parametrize("text", ["", "accuracy", "luts,accuracy", "accuracy,macro_recall", "accuracy,luts,luts"])
def test_objectives_need_one_quality_and_costs(text: str) -> None:
    with pytest.raises(InputError, match="objective"):
        parse_objectives(text)


def test_percent_is_of_what_the_part_has() -> None:
    constraint = parse_constraint("luts <= 5%")
    assert constraint.absolute({"luts": 2000.0}) == 100.0
    assert constraint.violation({"luts": 150.0}, {"luts": 2000.0}) == pytest.approx(0.5)
    assert constraint.violation({"luts": 150.0}, {"flash_bytes": 1.0}) == 0.0


def test_a_quality_may_be_required() -> None:
    constraint = parse_constraint("accuracy>=95%")
    assert constraint.violation({"accuracy": 0.96}, {}) < 0 < constraint.violation({"accuracy": 0.9}, {})


@pytest.mark.parametrize("text", ["luts", "luts<5", "luts<=many", "luts<=nan", "<=5", "luts<=5kB"])
def test_constraints_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="constraint"):
        parse_constraint(text)


def test_macro_recall_counts_every_class_alike() -> None:
    found = quality(np.array([0, 0, 0, 0, 0]), np.array([0, 0, 0, 0, 1]))
    assert found == {"accuracy": 0.8, "macro_recall": 0.5}


def test_general_costs_are_counted_layer_by_layer() -> None:
    network = stand_in((6, 4, 3), (2, 3), (2,), 8)
    profile = Profile("own", "cpu", "a part", {"active_power_mw": 50})
    found = general_estimates(network, profile, {"latency_us": 4.0})
    assert found == {
        "macs": 24 + 12,
        "bit_operations": 24 * 2 * 8 + 12 * 3 * 2,
        "weight_bits": 24 * 2 + 12 * 3,
        "energy_nj": 200.0,
    }


def test_designs_by_hand_are_read() -> None:
    assert parse_baseline("256-128-64-32:2") == ((256, 128, 64, 32), 2)


@pytest.mark.parametrize("text", ["", "64", "64:9", "64-:2", "0:2", "a:2", "64:", "-".join(["8"] * 17) + ":2"])
def test_designs_by_hand_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="256-128-64-32:2"):
        parse_baseline(text)
