"""`edgeml certify`: what is found of a bundle's samples is shown, kept, and in its report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import edgeml
from edgeml.cli import app
from edgeml.network import Network, network_file


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = np.random.default_rng(3)
    x = random.normal(size=(40, 12)) * 8
    path = tmp_path / "data.npz"
    np.savez(path, x=x, y=random.integers(0, 4, 40), labels=np.array(["a", "b", "c", "d"]))
    return path


@pytest.fixture
def bundle(tmp_path: Path, small_network: Network) -> Path:
    network_file.write(small_network, tmp_path / "small.edgeml")
    made = edgeml.convert(tmp_path / "small.edgeml", to="quantized", target="host", output=tmp_path / "out")
    return made.folder


def test_the_shares_are_printed_kept_and_reported(bundle: Path, data: Path) -> None:
    words = ["certify", str(bundle), "--data", str(data), "--radius", "1", "--radius", "100", "--json", "-q"]
    found = json.loads(CliRunner().invoke(app, words, catch_exceptions=False).stdout)
    assert [row["radius"] for row in found["radii"]] == [1, 100]
    assert found["samples"] == 8, "the held-back fifth"
    near, far = found["radii"]
    assert near["certified"] > far["certified"]
    assert far["changed"] > 0.5, "the inputs have 256 levels"
    assert 0 < near["right"] <= near["certified"]
    kept = edgeml.load(bundle)
    assert kept.manifest["metrics"]["certificate"]["radii"] == found["radii"]
    report = (bundle / "report.html").read_text()
    assert "Near its samples" in report
    assert re.search(rf"±100.*?{far['changed']:.1%}", report, re.DOTALL)


def test_a_bundle_without_samples_and_data_of_another_width_are_refused(bundle: Path, tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["certify", str(bundle)])
    assert "keeps no real samples" in str(refused.exception)
    np.savez(tmp_path / "narrow.npz", x=np.zeros((20, 3)))
    refused = CliRunner().invoke(app, ["certify", str(bundle), "--data", str(tmp_path / "narrow.npz")])
    assert isinstance(refused.exception, edgeml.errors.InputError)
    assert "12" in str(refused.exception)
