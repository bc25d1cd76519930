"""The report: everything in it, nothing from the network, and no text of the user's that acts as markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from edgeml.network import Network
from edgeml.report import render

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
        "verification": [{"name": "golden", **VERDICT}, {"name": "native", **VERDICT, "status": "unavailable"}],
    }


class Balanced(HTMLParser):
    """Counts opened against closed elements."""

    VOID = frozenset({"meta", "br"})

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


@pytest.mark.parametrize("place", ["name", "note", "metric", "detail", "chart"])
def test_text_of_the_users_is_never_markup(small_network: Network, place: str) -> None:
    attack = "<script>alert(1)</script>"
    document = manifest(metrics={})
    if place == "name":
        document["name"] = attack
    elif place == "note":
        document["notes"] = [attack]
    elif place == "metric":
        document["metrics"] = {attack: {attack: attack, "rows": [{attack: attack}]}}
    elif place == "detail":
        document["verification"][0]["detail"] = attack
    else:
        document["metrics"] = {"charts": [{**METRICS["charts"][0], "title": attack, "x_label": attack}]}
    page = render(document, small_network)
    assert "<script" not in page
    assert "&lt;script" in page
