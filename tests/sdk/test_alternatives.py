"""What else a model could become, beside it: other forms, converted and run; other designs, estimated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import edgeml
from edgeml.cli import main
from edgeml.errors import InputError
from edgeml.metrics import Alternative, Answers, TargetMetrics, costs_of, read_alternatives
from edgeml.report.alternatives import beside
from edgeml.report.drawing import draw
from edgeml.report.page import command


def _model_and_data() -> tuple[nn.Module, dict[str, np.ndarray]]:
    torch.manual_seed(4)
    random = np.random.default_rng(4)
    x = random.normal(size=(120, 6)).astype(np.float32)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), {"x": x, "y": np.arange(120) % 3}


def _cells(page: str) -> list[list[str]]:
    table = re.search(r'<table aria-label="Alternatives">(.*?)</table>', page, re.DOTALL)
    assert table is not None
    rows = re.findall(r"<tr>(.*?)</tr>", table[1], re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_another_form_is_converted_run_and_shown_beside_the_bundle(tmp_path: Path) -> None:
    model, data = _model_and_data()
    how: dict[str, Any] = {"target": "host", "data": data}
    bundle = edgeml.convert(
        model, to="quantized", output=tmp_path / "both", options={"epochs": 1}, beside=("tflite", "spiking"), **how
    )
    alone = edgeml.convert(model, to="tflite", output=tmp_path / "alone", **how)
    found = {each.name: each for each in read_alternatives(bundle.manifest["metrics"]["alternatives"])}
    assert list(found) == ["tflite form", "spiking form"]
    own = costs_of(alone.target_metrics, Answers.from_json(alone.manifest["metrics"]))
    shown = found["tflite form"].figures
    assert own
    assert {name: shown[name] for name in own} == own
    (file,) = (alone.folder / "tflite").glob("*.tflite")
    assert shown["file_bytes"] == file.stat().st_size
    if "tflite-micro" in found["tflite form"].said:
        (verdict,) = (each for each in alone.manifest["verification"] if each["name"] == "tflm")
        assert f"arena {shown['arena_bytes']:.0f} bytes" in verdict["detail"]
    page = (bundle.folder / "report.html").read_text("utf-8")
    rows = _cells(page)
    assert rows[0][:2] == ["what", "accuracy"]
    assert rows[1][0] == "this bundle: quantized"
    assert rows[2][0] == "tflite form"
    assert rows[2][1] == f"{shown['accuracy']:.2%}"
    assert "--beside tflite --beside spiking" in command(bundle.manifest)


def test_a_form_that_the_model_cannot_have_is_a_row_with_the_reason(tmp_path: Path) -> None:
    torch.manual_seed(5)
    data = {"x": np.random.default_rng(5).normal(size=(60, 4)).astype(np.float32)}
    model = nn.Sequential(nn.Linear(4, 5), nn.Softplus(), nn.Linear(5, 2))
    made = edgeml.convert(
        model, to="quantized", target="host", data=data, output=tmp_path / "g", options={"epochs": 1}, beside=["tflite"]
    )
    (other,) = read_alternatives(made.manifest["metrics"]["alternatives"])
    assert other.figures == {}
    assert other.said.startswith("not possible: ")
    assert "SOFTPLUS" in other.said.upper()


@pytest.mark.parametrize(("forms", "said"), [(["quantized"], "form of the bundle itself"), (["tflit"], "tflite")])
def test_a_form_that_compares_with_nothing_is_refused_before_any_work(
    forms: list[str], said: str, tmp_path: Path
) -> None:
    model, data = _model_and_data()
    with pytest.raises(InputError, match=said):
        edgeml.convert(model, to="quantized", target="host", data=data, output=tmp_path / "b", beside=forms)
    assert not (tmp_path / "b").exists()


def test_the_command_takes_forms_to_compare_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "missing.pt2", "--to", "tflite", "--target", "host", "--beside", "tflite"]) == 2
    assert "beside=tflite" in capsys.readouterr().err


def test_an_unrolled_design_stands_beside_the_folded_ones(tmp_path: Path) -> None:
    model, data = _model_and_data()
    how: dict[str, Any] = {"to": "quantized", "target": "ecp5-25k", "data": data}
    unrolled = edgeml.convert(model, output=tmp_path / "u", options={"epochs": 1}, **how)
    found = read_alternatives(unrolled.manifest["metrics"]["alternatives"])
    assert [each.name for each in found] == ["folded, most frames a second", "folded, fewest lookup tables"]
    again = {"architecture": "folded", "goal": "area"}
    folded = edgeml.convert(model, output=tmp_path / "f", options={"epochs": 1, **again}, **how)
    own = costs_of(folded.target_metrics, Answers.from_json({}))
    assert {name: pytest.approx(found[1].figures[name], rel=1e-3) for name in own} == own
    assert [each.name for each in read_alternatives(folded.manifest["metrics"]["alternatives"])] == [found[0].name]


def test_what_a_manifest_of_anybody_says_is_text_and_of_the_declared_type() -> None:
    document = [
        {"name": "<b>x</b>", "figures": {"luts": 3, "dsps": "many", "accuracy": 0.5}, "said": "<script>"},
        {"name": 7, "figures": [1]},
        "no mapping",
    ]
    assert read_alternatives(document) == [
        Alternative("<b>x</b>", {"luts": 3, "accuracy": 0.5}, "<script>"),
        Alternative(""),
        Alternative(""),
    ]
    assert read_alternatives({"name": "x"}) == read_alternatives("name") == read_alternatives(None) == []
    manifest = {"form": "quantized", "metrics": {"alternatives": document}}
    page = draw(beside(manifest, Answers.from_json({}), TargetMetrics()))
    assert "<script>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "50.00%" in page
    assert draw(beside({"form": "quantized", "metrics": {}}, Answers.from_json({}), TargetMetrics())) == ""
