"""Seeded faults: what changes a function is refuted by proof, nothing else is, and the table counts them so."""

from __future__ import annotations

import pytest

from benchmarks.proof_mutants.__main__ import judges, table
from benchmarks.proof_mutants.judged import Judged
from benchmarks.proof_mutants.of_spikes import judge
from tests import sweeps


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "cache"))


def test_the_table_tells_what_was_judged_wrongly():
    found = [
        Judged("a", "refuted and shown", True, True, True),
        Judged("a", "nothing changes", False, False, False),
        Judged("a", "neither", True, False, False, True),
        Judged("b", "proved, and it changes", True, False, False),
        Judged("b", "refuted, and nothing changes", False, True, True),
        Judged("b", "refuted, and not shown", True, True, False),
    ]
    assert [each.right for each in found] == [True, True, True, False, False, False]
    lines = table(found).splitlines()
    assert lines[2:] == [
        "| a | 3 | 2 | 1 | 1 | 1 | 0 |",
        "| b | 3 | 2 | 2 | 1 | 0 | 3 |",
        "| all | 6 | 4 | 3 | 2 | 1 | 3 |",
    ]


def test_faults_of_schedules_are_refuted_where_they_change_a_level():
    found = [judge(seed) for seed in range(100, 130)]
    assert all(each.right for each in found)
    assert {each.changes for each in found} == {True, False}


@pytest.mark.slow(scaled=True)
def test_faults_of_c_are_refuted_where_they_change_a_function():
    judged, count = judges()["c"]
    for seed in sweeps.seeds(500, count):
        found = judged(seed)
        assert found.right, (seed, found)
