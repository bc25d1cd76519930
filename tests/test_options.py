"""The options of the test run: a share of the sweeps, other seeds, and which skips are allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import sweeps
from .skipped import ROOT, AllowedSkips


@pytest.mark.parametrize(("fraction", "whole", "kept"), [(1.0, 7, 7), (0.1, 400, 40), (0.1, 7, 1), (0.5, 3, 2)])
def test_a_share_of_the_cases_is_taken_and_never_none(
    fraction: float, whole: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "fraction", fraction)
    assert sweeps.cases(whole) == len(sweeps.seeds(3, whole)) == kept
    chosen = sweeps.thinned(whole, kept, "tests/test_any.py")
    assert len(chosen) == kept
    assert chosen <= set(range(whole))


def test_another_seed_moves_every_seed_and_none_leaves_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "seed", 0)
    assert (sweeps.seed_for(5), sweeps.seeds(5, 4)[0]) == (5, 5)
    monkeypatch.setattr(sweeps, "seed", 2)
    assert sweeps.seed_for(5) == sweeps.seeds(5, 4)[0] != 5


def test_a_skip_is_allowed_by_its_reason_and_where_what_it_needs_is_absent(tmp_path: Path) -> None:
    path = tmp_path / "allowed.toml"
    path.write_text(
        '[[skip]]\nreason = "needs a moon"\nwhy = "there is one only"\n'
        '[[skip]]\nreason = "no such program"\nwhy = "w"\nwithout = "no-such-program-at-all"\n'
        '[[skip]]\nreason = "Python is absent"\nwhy = "w"\nwithout = "python3"\n'
        '[[skip]]\nreason = "this folder is absent"\nwhy = "w"\nwithout = "tests/docs"\n'
    )
    allowed = AllowedSkips(path)
    for reason in ("it needs a moon, really", "no such program", "Python is absent", "this folder is absent", "other"):
        allowed.reasons[reason] += 1
    assert allowed.refused == ["Python is absent", "other", "this folder is absent"]


def test_the_list_of_the_repository_is_sound() -> None:
    for entry in AllowedSkips(ROOT / "tests" / "allowed_skips.toml").entries:
        assert set(entry) <= {"reason", "why", "without"}
        assert entry["why"]
