"""Text that means harm, wherever a page takes text: it is shown, it is not markup, and UTF-8 holds the page."""

from __future__ import annotations

import copy
import dataclasses
import html
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import edgeml.report as report
from edgeml.network import Network
from edgeml.report.comparison import render_comparison

from .test_page import METRICS, manifest

MARK = "zq"
HOSTILE = {
    "script": f"{MARK}<script>alert(1)</script>",
    "attribute": f"{MARK}\" onload='x' style=\"a",
    "template": f"{MARK}{{{{ 7*7 }}}}{{% if %}}{{# {MARK} #}}",
    "style": f"{MARK}</style></title><b>",
    "entity": f"{MARK}&lt;i&gt;&amp;",
    "nul": f"{MARK}\x00\x1b[2J\x7f\x9b{MARK}",
    "surrogate": f"{MARK}\ud800{MARK}",
}


def hostile(document: Any, text: str) -> Any:
    """The document with `text` in the place of each string that is a name, a label or a note, and of each key."""
    if isinstance(document, dict):
        return {key: hostile(inner, text) for key, inner in document.items()}
    if isinstance(document, list):
        return [hostile(inner, text) for inner in document]
    return text if document == "TEXT" else document


DOCUMENT: dict[str, Any] = {
    **manifest("TEXT"),
    "form": "TEXT",
    "target": {"name": "TEXT", "kind": "mcu", "description": "TEXT", "values": {"flash_bytes": 10}},
    "options": {"TEXT": "TEXT"},
    "data": {"samples": 3, "held_back": 1, "sha256": "TEXT"},
    "edgeml": "TEXT",
    "notes": ["TEXT"],
    "coverage": {"target_ran": False, "sentence": "TEXT"},
    "metrics": {
        **METRICS,
        "TEXT": {"TEXT": "TEXT", "rows": [{"TEXT": "TEXT"}]},
        "list": ["TEXT"],
        "charts": [{**chart, "title": "TEXT", "x_label": "TEXT", "y_label": "TEXT"} for chart in METRICS["charts"]],
        "confusion": {"samples": [1, 1, 1, 1], "right": [1, 1, 1, 1], "counts": np.eye(4, dtype=int).tolist()},
        "target": {"flash_bytes": 3, "layers": {"TEXT": {"instructions": 3}}, "sections": {"TEXT": 3}, "TEXT": "TEXT"},
        "proof": [
            {"prover": "TEXT", "part": "TEXT", "status": "TEXT", "claims": 2, "method": "TEXT", "detail": "TEXT"}
        ],
        "alternatives": [{"name": "TEXT", "figures": {"luts": 3}, "said": "TEXT"}],
    },
}
DOCUMENT["metrics"]["charts"][0]["series"] = [{"name": "TEXT", "x": [1, 2], "y": [0.5, 1]}]
DOCUMENT["verification"][0] |= {"name": "TEXT", "status": "mismatch", "ran": "TEXT", "detail": "TEXT"}


def with_names(network: Network, text: str) -> Network:
    """The network with `text` as its labels, and where its layers are in the user's model; other names it refuses."""
    nodes = tuple(dataclasses.replace(node, origin=text) for node in network.nodes)
    labels = tuple(f"{text}{place}" for place in range(network.output_size))
    return Network(network.name, nodes, dataclasses.replace(network.output, labels=labels))


class Elements(HTMLParser):
    """The elements of a page with the names of their attributes, and the text in attributes and between."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.texts += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def elements(page: str) -> Elements:
    found = Elements()
    found.feed(page)
    return found


def pages_of(text: str, network: Network, front: dict[str, Any]) -> Iterator[str]:
    """Every page that there is, with this text wherever a page takes text."""
    document, named = hostile(DOCUMENT, text), with_names(network, text)
    document["metrics"] = {key.replace("TEXT", text): item for key, item in document["metrics"].items()}
    yield report.render(document, named, np.zeros((3, network.input_size), np.int32))
    yield html.unescape(report.first_screen(document, named).partition('srcdoc="')[2].partition('"')[0])
    yield render_comparison([(text, document, named), (f"{text}2", document, named)])
    searched = copy.deepcopy(front)
    searched["data"] = {"file": text, "sha256": text}
    searched["target"], searched["constraints"] = [text], [text]
    searched["sensitivity"] = {"layers": [{"name": text, "distortion": {text: 0.5}}]}
    for point in searched["points"]:
        point["command"] = point["number"] = point["candidate"]["form"] = text
    yield report.render_exploration(searched)


@pytest.mark.parametrize("kind", HOSTILE)
def test_text_is_shown_and_is_no_markup_on_any_page(
    kind: str, small_network: Network, front_document: dict[str, Any]
) -> None:
    text = HOSTILE[kind]
    plain = [elements(page).elements for page in pages_of("z" * len(text), small_network, front_document)]
    for page, expected in zip(pages_of(text, small_network, front_document), plain, strict=True):
        page.encode("utf-8")
        found = elements(page)
        # The same elements with the same attributes as around a harmless word of that length.
        assert found.elements == expected
        shown = (
            text
            if kind not in ("nul", "surrogate")
            else {"nul": f"{MARK}[2J{MARK}", "surrogate": f"{MARK}\ufffd{MARK}"}[kind]
        )
        assert sum(shown in each for each in found.texts) >= 5
        assert not any(character < " " and character not in "\t\n" for character in page)


def test_a_label_stands_in_the_titles_of_cells(small_network: Network, front_document: dict[str, Any]) -> None:
    page = next(pages_of(HOSTILE["attribute"], small_network, front_document))
    assert page.count('title="zq&#34; onload=') >= 16
    assert ' onload="' not in page
    assert " onload='" not in page
