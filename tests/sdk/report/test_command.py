"""`edgeml report`: names the file, opens it, and draws the page of a search."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from edgeml.cli import main
from edgeml.explore.front import write_front

from .conftest import ATTACK


def test_it_names_the_report_of_a_bundle_and_opens_it(
    pages: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    bundle = pages["cpu"].parent
    assert main(["report", str(bundle), "--open", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["report"] == str(bundle / "report.html")
    assert opened == [(bundle / "report.html").resolve().as_uri()]


def test_it_draws_a_search_and_nothing_in_it_is_markup(
    tmp_path: Path, front_document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    write_front(tmp_path, front_document)
    assert main(["report", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text("utf-8")
    assert str(tmp_path / "report.html") in capsys.readouterr().out
    for text in ("99.10%", "4,200", "points/12/network.edgeml", "64-32", "90", "luts &lt;= 11520"):
        assert text in page
    assert "<script" not in page
    assert page.count("&lt;script") >= 2
    assert ATTACK not in page


def test_a_folder_that_is_neither_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "is not a bundle" in capsys.readouterr().err
