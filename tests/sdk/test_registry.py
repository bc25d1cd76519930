"""Plugins are found by name and word before they are imported, and what is wrong with one names its package."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import EdgemlError, InputError, MissingTool, ToolFailed
from edgeml.frontends import load_model
from edgeml.frontends.mlp import Mlp
from edgeml.plugins.executor import EXECUTORS, executors
from edgeml.plugins.target import TARGETS
from edgeml.registry import ending

from .installed_plugin import install

EXECUTOR = """
class Theirs:
    def applies(self, bundle): return True
    def missing(self, bundle): return ""
    def run(self, bundle, q, *, trace, options): raise AssertionError


class Half:
    def applies(self, bundle): return True


class Shorter(Theirs):
    def run(self, bundle, q): raise AssertionError


class Failing:
    def __init__(self): raise ValueError("no luck")
"""

READER = """
import numpy as np
from edgeml.frontends import Reader
from edgeml.frontends.mlp import Linear, Mlp, MlpNode


class Ours(Reader):
    description = "matrices (.mtx)"

    def read(self, request):
        weight = np.loadtxt(request.path, ndmin=2)
        return Mlp(request.model_name("m"), weight.shape[1], (MlpNode("a", Linear(weight, weight[:, 0]), ("input",)),))


class ByContent(Ours):
    def takes(self, request):
        return request.head(2) == b"7 "
"""


def test_a_word_of_the_group_says_for_what_an_executor_is_and_only_then_is_it_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = {"executors.abacus": "theirs = their_executor:Theirs", "executors.shelf": "theirs = their_executor:Theirs"}
    install(tmp_path, monkeypatch, "their_executor", EXECUTOR, **groups)
    assert "theirs" in executors()
    assert "theirs" in executors({"abacus"})
    assert "theirs" in executors({"shelf", "dense"})
    assert "theirs" not in executors({"fpga", "rtl", "dense"})
    assert next(iter(executors({"fpga"}))) == "golden"
    assert "their_executor" not in sys.modules
    assert EXECUTORS.load("theirs").missing(None) == ""


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        ("their_executor:Half", ToolFailed, "does not follow edgeml.plugins.executor.Executor: it lacks missing, run"),
        (
            "their_executor:Shorter",
            ToolFailed,
            r"does not follow edgeml\S+: run\(bundle, q\) should be run\(bundle, q, \*, trace, options\)",
        ),
        ("their_executor:Failing", ToolFailed, "cannot be loaded from their_executor:Failing .*no luck"),
        ("their_executor:Absent", ToolFailed, "cannot be loaded"),
        ("absent_package:Theirs", MissingTool, "cannot be imported .*absent_package"),
    ],
)
def test_what_is_wrong_with_a_plugin_names_its_package(
    value: str, error: type[EdgemlError], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "their_executor", EXECUTOR, executors=f"theirs = {value}")
    with pytest.raises(error, match=f"executor 'theirs' of package their_executor 1.0: {words}"):
        EXECUTORS.load("theirs")
    assert EXECUTORS.load("golden").missing(None) == "", "the others are found as ever"


def test_two_packages_that_offer_one_name_are_both_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one_package", "other_package"):
        install(tmp_path, monkeypatch, name, EXECUTOR, executors=f"theirs = {name}:Theirs")
    with pytest.raises(InputError, match=r"two packages, one_package 1\.0 and other_package 1\.0"):
        EXECUTORS.load("theirs")


def test_an_unknown_name_shows_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"target kind 'abacus': is not known\. Known: cpu, fpga, mcu, neuromorphic"):
        TARGETS.load("abacus")


def test_the_ending_of_a_path() -> None:
    paths = {
        "a/b.PT2": "pt2",
        "net.py:make": "py",
        "net.py": "py",
        "C:\\x\\net.onnx": "onnx",
        "plain": "",
        "x.tar.gz": "gz",
    }
    assert {path: ending(path) for path in paths} == paths


@pytest.mark.parametrize(
    "groups", [{"readers.mtx": "mtx = their_reader:Ours"}, {"readers": "any = their_reader:ByContent"}]
)
def test_a_package_reads_its_own_format_by_ending_or_by_the_first_bytes(
    groups: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "their_reader", READER, **groups)
    path = tmp_path / "w.mtx"
    path.write_text("7 1 2\n3 4 5\n")
    mlp = load_model(path)
    assert isinstance(mlp, Mlp)
    np.testing.assert_array_equal(mlp.evaluate(np.eye(3)[:1]), [[14.0, 6.0]])
    with pytest.raises(InputError, match="is a pickle or checkpoint"):
        load_model(tmp_path / "w.pt")


def test_a_broken_reader_stops_no_other_and_is_told_of_if_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"readers.mtx": "broken = absent_package:Reader", "readers.edgeml": "broken = absent_package:Reader"}
    install(tmp_path, monkeypatch, "their_reader", READER, **broken)
    with pytest.raises(InputError, match="cannot be read"):
        load_model(tmp_path / "absent.edgeml")
    with pytest.raises(MissingTool, match=r"reader 'broken' of package their_reader 1\.0"):
        load_model(tmp_path / "w.mtx")
