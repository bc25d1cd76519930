"""The curve of a binary network: against its definition by pairs, and in the bundle of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import edgeml
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, network_file
from edgeml.report.roc import area, curve, roc_chart


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 1)), min_size=2, max_size=30))
def test_the_area_is_the_share_of_pairs_in_order(samples: list[tuple[int, int]]) -> None:
    scores, y = np.array([score for score, _ in samples]), np.array([label for _, label in samples])
    if len(set(y.tolist())) < 2:
        assert roc_chart({"integer": scores}, y) is None
        return
    differences = scores[y == 1][:, None] - scores[y == 0]
    false, true = curve(scores, y)
    assert np.isclose(area(false, true), np.mean((differences > 0) + 0.5 * (differences == 0)))
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    # Each threshold that decides is a point of it.
    for threshold in np.unique(scores):
        point = np.mean(scores[y == 0] >= threshold), np.mean(scores[y == 1] >= threshold)
        assert np.any(np.isclose(false, point[0]) & np.isclose(true, point[1]))


def test_the_bundle_of_a_binary_network_draws_it(tmp_path: Path) -> None:
    quantizer = InputQuantizer(2, np.ones(1), np.zeros(1), 0, 4, True)
    dense = Dense(np.array([[1, 1]]), 2, np.array([0]))
    nodes = (Node("input", quantizer), Node("sum", dense, ("input",)))
    network_file.write(Network("net", nodes, Output(np.ones(1), task="binary")), tmp_path / "net.edgeml")
    x = np.array([[3, 3], [2, 2], [-1, -1], [1, 1]], np.float32)
    data = {"x": x, "y": np.array([1, 1, 0, 0])}
    bundle = edgeml.convert(tmp_path / "net.edgeml", to="quantized", target="host", data=data, output=tmp_path / "b")
    assert [found["name"] for found in bundle.manifest["metrics"]["charts"][0]["series"]] == ["integer"]
    assert "area 1.0000 integer" in (bundle.folder / "report.html").read_text("utf-8")
