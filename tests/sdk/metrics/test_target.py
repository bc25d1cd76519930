"""What a target says: read safely from any JSON, and written as it was read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeml.metrics import Amount, Answers, SpikingMetrics, TargetMetrics
from edgeml.network import Network
from edgeml.profile import load_profile
from edgeml.targets.cpu import CpuTarget
from edgeml.targets.fpga import FpgaTarget

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["cycles", "latency_us", "layers", "synthesis", "trace", "part", "budget", "estimate", "mine"])


@given(JSON | st.dictionaries(NAMES, JSON) | st.dictionaries(NAMES, st.dictionaries(NAMES, JSON)))
def test_any_json_is_read_and_what_is_not_of_its_type_counts_as_not_said(document: Any) -> None:
    found = TargetMetrics.from_json(document)
    assert found.latency_us is None or isinstance(found.latency_us, (int, float))
    assert all(isinstance(each, (int, float)) for each in (*found.cycles.values(), *found.budget.values()))
    assert found.placed.fmax_mhz is None or found.placed.fmax_mhz == found.placed.fmax_mhz
    assert found.layer_costs("luts") is not None
    Answers.from_json(document)


@given(st.dictionaries(NAMES, JSON))
def test_what_is_read_says_no_more_than_what_was_written(document: dict[str, Any]) -> None:
    again = TargetMetrics.from_json(document).as_json()
    assert set(again) <= set(document)
    assert [name for name in document if name in again] == list(again)


def test_figures_are_kept_with_their_names_types_and_order() -> None:
    document = {
        "mine": 3, "ram_bytes": 4, "cycles": {"latency": 20, "interval": 1}, "folds": {}, "trace": [],
        "latency_us": 0.5,
        "layers": {"dense": {"luts": 7, "kernel": "q7"}}, "shelf": {"used": 3, "budget": 9},
        "synthesis": {"tool": "yosys", "cells": {"luts": 9}, "placed": {"fmax_mhz": 80.5, "cells": {"luts": {"used": 8,
        "available": 10}}, "utilization": {"ICESTORM_LC": {}}}},
    }  # fmt: skip
    found = TargetMetrics.from_json(document)
    assert json.dumps(found.as_json()) == json.dumps(document)
    assert found.layer_costs("luts") == {"dense": 7}
    assert found.placed.cells == {"luts": Amount(8, 10)}
    assert found.placed.in_logic_cells
    assert found.bars == {"shelf": Amount(3, 9)}


def test_what_was_not_said_is_not_written() -> None:
    assert TargetMetrics().as_json() == {}
    assert TargetMetrics(kernels={}, ram_bytes=0).as_json() == {"kernels": {}, "ram_bytes": 0}


@pytest.mark.parametrize("name", ["host", "ecp5-25k"])
def test_what_our_targets_say_is_all_in_the_schema(name: str, small_network: Network, tmp_path: Any) -> None:
    target = CpuTarget() if name == "host" else FpgaTarget()
    said = json.loads(json.dumps(target.emit(small_network, load_profile(name), tmp_path, {})))
    found = TargetMetrics.from_json(said)
    assert not found.further
    assert json.dumps(found.as_json()) == json.dumps(said)


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({}, "the held-back samples"),
        ({"judged_on": {"samples": 1, "split": "tail"}}, "1 held-back sample"),
        ({"judged_on": {"samples": 1200, "split": "all"}}, "all 1,200 samples given"),
        ({"judged_on": {"samples": True}}, "the held-back samples"),
        ({"judged_on": 3}, "the held-back samples"),
    ],
)
def test_what_qualities_were_found_on_is_told(metrics: dict[str, Any], said: str) -> None:
    assert str(Answers.from_json(metrics).judged_on) == said


@given(JSON | st.dictionaries(st.sampled_from(["measures", "quantized_measures", "total", "layers"]), JSON))
def test_costs_of_spikes_are_read_from_any_json(document: Any) -> None:
    found = SpikingMetrics.from_json({"measures": document, "encoding": "sar"})
    assert found.further == {"encoding": "sar"}
    for costs in [] if found.measures is None else [found.measures.total, *found.measures.layers.values()]:
        assert costs.energy_pj is None or isinstance(costs.energy_pj, (int, float))
