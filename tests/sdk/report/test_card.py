"""Model cards: metadata that YAML reads, tables that are whole, no text of the user's that acts as markup."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeml
from edgeml.bundle import Bundle
from edgeml.cli import main
from edgeml.network import Network
from edgeml.report.card import render_card

yaml = pytest.importorskip("yaml")


@pytest.fixture(scope="module")
def bundles(pages: dict[str, Path]) -> dict[str, Bundle]:
    return {kind: edgeml.load(path.parent) for kind, path in pages.items() if kind != "explore"}


def parts(text: str) -> tuple[dict[str, Any], str]:
    """The metadata, and what is behind them."""
    begin, metadata, body = re.split(r"^---\n", text, maxsplit=2, flags=re.MULTILINE)
    assert begin == ""
    return yaml.safe_load(metadata), body


def test_every_kind_of_bundle_has_a_card_with_what_was_found(bundles: dict[str, Bundle]) -> None:
    for bundle in bundles.values():
        metadata, body = parts(render_card(bundle.manifest, bundle.network, "drawn", "mit"))
        assert metadata["library_name"] == "edgeml"
        assert metadata["license"] == "mit"
        assert metadata["pipeline_tag"] == "tabular-classification"
        assert {bundle.form, bundle.profile.name} <= set(metadata["tags"])
        (result,) = metadata["model-index"][0]["results"]
        accuracy = bundle.manifest["metrics"]["accuracy"]["integer"]
        assert result["metrics"] == [{"type": "accuracy", "name": "accuracy, integers", "value": accuracy}]
        assert result["dataset"]["name"] == "drawn"
        assert bundle.manifest["model_hash"] in body
        for row in bundle.manifest["verification"]:
            if row["status"] != "unavailable":
                assert f"| {row['name']} | {row['status']} | {row['vectors']} |" in body
    assert "| flash | " in render_card(bundles["mcu"].manifest, bundles["mcu"].network)
    assert "| LUT | " in render_card(bundles["fpga"].manifest, bundles["fpga"].network)


def test_nothing_is_said_of_data_and_licence_that_nobody_named(bundles: dict[str, Bundle]) -> None:
    metadata, body = parts(render_card(bundles["cpu"].manifest, bundles["cpu"].network))
    assert "license" not in metadata
    assert "model-index" not in metadata
    assert "## Answers" in body


def test_text_of_the_users_is_not_markup(bundles: dict[str, Bundle]) -> None:
    attack = "a|b`c<script>[x](javascript:y)\n---\nlicense: none\n# d"
    bundle = bundles["cpu"]
    manifest = {**bundle.manifest, "name": attack, "notes": [attack], "options": {"o": attack}}
    metadata, body = parts(render_card(manifest, bundle.network, attack, attack))
    assert set(metadata) == {"library_name", "pipeline_tag", "tags", "license", "model-index"}
    assert "<script" not in body.replace("\\<script", "")
    assert "\n# d" not in body
    assert not re.search(r"(?<!\\)\[x", body)
    columns: int | None = None
    for line in body.splitlines():
        marks = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
        assert columns is None or marks is None or marks == columns, line
        columns = marks


def test_the_python_of_a_card_runs_in_the_bundles_folder(
    bundles: dict[str, Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = bundles["cpu"]
    text = render_card(bundle.manifest, bundle.network)
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(bundle.folder)
    names: dict[str, Any] = {"x": np.zeros((2, bundle.network.input_size))}
    exec(compile(code, "card", "exec"), names)
    assert names["result"].integers.shape == (2, bundle.network.output_size)


def test_a_card_in_a_bundle_is_one_of_its_files(
    bundles: dict[str, Bundle], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(bundles["cpu"].folder, folder)
    assert main(["card", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert main(["card", str(folder), "-o", str(folder / "card.md")]) == 2
    assert "Use --add" in capsys.readouterr().err
    assert main(["card", str(folder), "--add"]) == 0
    assert main(["card", str(folder), "--add"]) == 0
    assert (folder / "README.md").read_text("utf-8") == printed
    again = edgeml.load(folder)
    assert again.manifest["files"].keys() == bundles["cpu"].manifest["files"].keys() | {"README.md"}
    assert {k: v for k, v in again.manifest.items() if k != "files"} == {
        k: v for k, v in bundles["cpu"].manifest.items() if k != "files"
    }
    (folder / "README.md").write_text("changed")
    assert main(["card", str(folder)]) == 2
    assert main(["card", str(bundles["cpu"].folder), "-o", str(tmp_path / "card.md")]) == 0
    assert (tmp_path / "card.md").read_text("utf-8") == printed.replace(str(folder), "")


def test_a_bundle_shows_itself_in_one_line_and_in_a_notebook(
    bundles: dict[str, Bundle], small_network: Network
) -> None:
    bundle = bundles["mcu"]
    line = repr(bundle)
    assert "\n" not in line
    assert f"quantized for cortex-m4, {small_network.input_size} → {small_network.output_size}" in line
    page = bundle._repr_html_().strip()
    assert page.startswith("<iframe srcdoc=")
    assert " sandbox></iframe>" in page
    assert "executors exact" in page
    assert "<" not in page[1 : -len("</iframe>")].replace("</iframe>", "")
