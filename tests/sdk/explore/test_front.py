"""The Pareto front: which rows are on it, and what is refused as a front.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeml.errors import InputError
from edgeml.explore.front import dominates, non_dominated, read_front, write_front

ROWS = st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=1, max_size=20)


@given(ROWS)
def test_a_row_is_on_the_front_exactly_where_nothing_dominates_it(rows: list[tuple[int, ...]]) -> None:
    front = non_dominated(rows)
    kept = {rows[place] for place in front}
    assert len(kept) == len(front), "equal rows are kept once"
    for row in rows:
        assert (row in kept) == (not any(dominates(other, row) for other in rows))


def _document() -> dict:
    objectives = [{"name": "accuracy", "direction": "maximize"}, {"name": "luts", "direction": "minimize"}]
    point = {"number": 1, "values": {"accuracy": 0.5, "luts": 10.0}}
    return {"objectives": objectives, "points": [point], "baselines": [], "others": []}


def test_a_written_front_is_read_again(tmp_path: Path) -> None:
    write_front(tmp_path, _document())
    assert read_front(tmp_path) == {"schema": 1, **_document()}
    assert [path.name for path in tmp_path.iterdir()] == ["front.json"]


@pytest.mark.parametrize(
    "damage",
    [
        {"schema": 2},
        {"points": {}},
        {"points": [{"number": "1", "values": {}}]},
        {"points": [{"number": 1, "values": {"accuracy": "high", "luts": 1}}]},
        {"others": [{"number": 1, "values": {"accuracy": 0.5}}]},
        {"objectives": [{"name": 3, "direction": "maximize"}]},
        {"objectives": None},
    ],
)
def test_a_front_that_is_not_sound_is_refused(tmp_path: Path, damage: dict) -> None:
    (tmp_path / "front.json").write_text(json.dumps({"schema": 1, **_document(), **damage}))
    with pytest.raises(InputError):
        read_front(tmp_path)


def test_no_front_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="edgeml explore"):
        read_front(tmp_path)
