"""The float model's accuracy goes with its integers: from a bundle's `network.edgeml` onto other targets."""

from __future__ import annotations

import html
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeml
from edgeml import pipeline
from edgeml.baseline import baseline_of
from edgeml.bundle import Bundle
from edgeml.data.dataset import as_dataset
from edgeml.metrics.baseline import Baseline
from edgeml.report import render
from edgeml.report.card import render_card
from edgeml.verification.verify import run_executors

SAMPLES = 150


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    generator = np.random.default_rng(5)
    y = generator.integers(0, 3, SAMPLES)
    return {"x": (generator.normal(size=(SAMPLES, 6)) + np.eye(6)[y] * 2).astype(np.float32), "y": y}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]) -> Bundle:
    """A trained float model as integers, for this machine."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)).eval()
    return convert(model, tmp_path_factory.mktemp("first") / "bundle", data, "host", epochs=0)


def convert(model: Any, output: Path, data: Any, target: str, **options: Any) -> Bundle:
    """A conversion that golden alone verifies: what ran is not what is asked here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "run_executors", lambda bundle, **_: run_executors(bundle, ["golden"]))
        return edgeml.convert(model, to="quantized", target=target, data=data, output=output, options=options)


def baseline(bundle: Bundle) -> Baseline | None:
    return Baseline.from_json(bundle.manifest["metrics"].get("baseline"))


def test_the_accuracy_is_told_with_its_origin_of_the_second_conversion_and_the_third(
    first: Bundle, data: dict[str, Any], tmp_path: Path
) -> None:
    assert baseline(first) is None
    accuracy, held_back = first.manifest["metrics"]["accuracy"], first.manifest["data"]["held_back"]
    second = convert(first.folder / "network.edgeml", tmp_path / "second", data, "cpu-aarch64")
    third = convert(str(second.folder / "network.edgeml"), tmp_path / "third", data, "cpu-x86_64")
    for bundle in (second, third):
        found = baseline(bundle)
        assert found is not None
        assert (found.conversion, found.qualities["accuracy"], found.now) == ("quantized for host", accuracy, "same")
        assert "float" not in bundle.manifest["metrics"]["accuracy"]
        page = html.unescape((bundle.folder / "report.html").read_text("utf-8"))
        assert f"The float model had {accuracy['float']:.2%}." in page
        origin = f"(quantized for host), on {held_back} held-back samples, its integers {accuracy['integer']:.2%}. "
        assert f"{origin}The data given now are the same" in page
        assert "The float model had" in render_card(bundle.manifest, bundle.network)


@pytest.mark.parametrize("change", ["values", "order", "split"])
def test_other_data_are_told_from_the_same(first: Bundle, data: dict[str, Any], tmp_path: Path, change: str) -> None:
    other = {name: array.copy() for name, array in data.items()}
    if change == "values":
        other["x"][7, 3] += 1
    elif change == "order":
        other = {name: array[::-1] for name, array in other.items()}
    else:
        rows = np.arange(SAMPLES)
        other = {
            **{n: a[rows % 5 > 0] for n, a in data.items()},
            **{f"{n}_test": a[rows % 5 == 0] for n, a in data.items()},
        }
    found = baseline_of(first.folder / "network.edgeml", as_dataset(other).undivided())
    assert found is not None
    assert found.now == "other"
    assert "others, or split otherwise" in found.origin


def test_without_data_that_is_said(first: Bundle) -> None:
    found = baseline_of(first.folder / "network.edgeml", None)
    assert found is not None
    assert "No data were given now." in found.origin


def test_a_manifest_that_is_not_the_files_says_nothing_of_it(first: Bundle, tmp_path: Path) -> None:
    alone = tmp_path / "alone" / "network.edgeml"
    alone.parent.mkdir()
    shutil.copyfile(first.folder / "network.edgeml", alone)
    assert baseline_of(alone, None) is None
    manifest = json.loads((first.folder / "bundle.json").read_text("utf-8"))
    manifest["files"]["network.edgeml"]["sha256"] = "0" * 64
    (alone.parent / "bundle.json").write_text(json.dumps(manifest))
    assert baseline_of(alone, None) is None
    shutil.copyfile(first.folder / "bundle.json", alone.parent / "bundle.json")
    assert baseline_of(alone, None) is not None
    (alone.parent / "bundle.json").write_text("{")
    assert baseline_of(alone, None) is None
    assert baseline_of(first.network, None) is None


@pytest.mark.parametrize(
    "document",
    [
        3,
        {},
        {"accuracy": 0.5},
        {"accuracy": {"integer": 0.5}},
        {"accuracy": {"float": "0.5"}},
        {"mae": {"float": None}},
    ],
)
def test_what_is_not_sound_is_not_said(first: Bundle, document: Any) -> None:
    assert Baseline.from_json(document) is None
    manifest = {**first.manifest, "metrics": {**first.manifest["metrics"], "baseline": document}}
    assert "The float model had" not in render(manifest, first.network)


def test_of_values_it_is_r2_and_what_is_hostile_stays_text(first: Bundle) -> None:
    document = {
        "r2": {"float": 0.98765, "integer": 0.9},
        "conversion": "<b>" * 99,
        "data": {"held_back": "3"},
        "now": 7,
    }
    found = Baseline.from_json(document)
    assert found is not None
    assert found.headline == "The float model had R² 0.9877."
    assert Baseline.from_json(found.as_json()) == found
    assert "on the held-back samples, its integers 0.9000. No data were given now." in found.origin
    assert len(found.conversion) == 120
    page = render({**first.manifest, "metrics": {"baseline": document}}, first.network)
    assert "<b><b>" not in page
    assert "&lt;b&gt;&lt;b&gt;" in page
