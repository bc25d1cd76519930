"""The report: everything in it, nothing from the network, and no text of the user's that acts as markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, argmax, simulate
from edgeml.report import confusion, render

METRICS: dict[str, Any] = {
    "accuracy": {"float": 0.96, "integer": 0.95},
    "agreement": 0.99,
    "flash": {"used": 900, "budget": 600},
    "layers": {"a": {"spikes": 3, "energy": 1.5}, "b": {"spikes": 4, "energy": 2.5}},
    "charts": [
        {
            "kind": "line",
            "title": "Accuracy over time",
            "x_label": "step",
            "y_label": "accuracy",
            "series": [{"name": "rate", "x": [1, 2, 3], "y": [0.1, 0.5, 0.9]}],
        },
        {
            "kind": "raster",
            "title": "Spikes",
            "x_label": "step",
            "y_label": "neuron",
            "steps": 4,
            "neurons": 3,
            "spikes": [[0, 0], [3, 2]],
        },
    ],
}
VERDICT = {"status": "exact", "vectors": 64, "mismatches": 0, "layers": 3, "first_mismatch": None, "detail": "numpy"}


def manifest(name: str = "digits", metrics: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "edgeml": "0.1.0",
        "form": "quantized",
        "target": {"name": "host", "kind": "cpu", "description": "this machine", "values": {}},
        "model_hash": "0" * 64,
        "metrics": METRICS if metrics is None else metrics,
        "notes": ["A note."],
        "verification": [
            {"name": "golden", **VERDICT},
            {"name": "native", **VERDICT, "status": "unavailable"},
            {"name": "brevitas", **VERDICT},
        ],
    }


class Balanced(HTMLParser):
    """Counts opened against closed elements."""

    VOID = frozenset({"meta", "br", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        """An element that closes itself."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_part_of_the_metrics_is_shown_and_elements_are_balanced(small_network: Network) -> None:
    page = render(manifest(), small_network)
    for text in ("96.00%", "95.00%", "99.00%", "1 of 1", "A note.", "Accuracy over time", "Spikes", "150.0%", "dense1"):
        assert text in page
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []


def test_the_page_asks_nothing_of_the_network(small_network: Network) -> None:
    page = render(manifest(), small_network)
    assert not re.search(r"(src|href)\s*=|url\(|@import|https?://", page)


def test_the_confusion_matrix_counts_every_sample_once(small_network: Network) -> None:
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(200, 12)) * 10, generator.integers(0, 4, 200)
    found = confusion(small_network, x, y)
    answers = argmax(simulate(small_network, small_network.quantizer.quantize(x)))
    expected = [[int(np.sum((y == true) & (answers == said))) for said in range(4)] for true in range(4)]
    assert found["counts"] == expected
    assert found["right"] == [expected[index][index] for index in range(4)]
    assert found["samples"] == np.bincount(y).tolist()
    assert f"{sum(found['right'])} of 200 held-back samples right" in render(
        manifest(metrics={"confusion": found}), small_network
    )


def test_classes_that_the_network_cannot_answer_give_no_matrix(small_network: Network) -> None:
    assert confusion(small_network, np.zeros((3, 12)), np.array([0, 1, 9])) == {}
    assert confusion(small_network, np.zeros((3, 5)), np.array([0, 1, 2])) == {}


def test_over_budget_is_said_at_the_top(small_network: Network) -> None:
    target = {"estimate": {"luts": 900}, "budget": {"luts": 600}}
    page = render(manifest(metrics={"target": target}), small_network)
    assert "Does not fit." in page
    assert "150.0%" in page
    assert "Fits." not in page


def test_a_mismatch_is_said_at_the_top(small_network: Network) -> None:
    document = manifest()
    document["verification"][0] |= {"status": "mismatch", "mismatches": 3}
    page = render(document, small_network)
    assert "Not exact." in page
    assert "Exact." not in page


@pytest.mark.parametrize(
    "metrics", [{"target": 3}, {"confusion": [1]}, {"spiking": "x"}, {"target": {"budget": [1], "layers": 2}}]
)
def test_metrics_of_another_shape_are_shown_as_they_are(small_network: Network, metrics: dict[str, Any]) -> None:
    assert "</html>" in render(manifest(metrics=metrics), small_network)


def test_the_page_of_a_large_network_stays_small() -> None:
    generator = np.random.default_rng(0)
    nodes = [Node("input", InputQuantizer(700, np.array([0.25]), np.array([1.0]), 0, 8, True))]
    for index in range(60):
        size = 700 if index == 0 else 200
        weight = generator.integers(-1, 2, (200, size))
        nodes.append(Node(f"dense{index}", Dense(weight, 2, np.zeros(200, int)), (nodes[-1].name,)))
        thresholds = np.sort(generator.integers(-300, 300, (200, 255)), axis=1)
        nodes.append(Node(f"act{index}", Threshold(thresholds), (nodes[-1].name,)))
    network = Network(
        "large", tuple(nodes), Output(np.array([1.0]), 0, tuple(f"class {index}" for index in range(200)))
    )
    found = confusion(network, generator.normal(size=(400, 700)), generator.integers(0, 200, 400))
    page = render(manifest(metrics={"confusion": found}), network, np.zeros((8, 700), np.int32))
    assert len(page) < 1_500_000
    assert "73 more layers are in the table only" in page
    assert "worst classes" in page


def test_the_same_bundle_gives_the_same_bytes(small_network: Network) -> None:
    vectors = np.random.default_rng(2).integers(-128, 128, (64, 12)).astype(np.int32)
    assert render(manifest(), small_network, vectors) == render(manifest(), small_network, vectors)
