"""Every code block of the documentation runs, in order, as a reader would type it."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeml.bundle import Bundle
from edgeml.cli import main
from tests.forgotten_kinds import forget_kinds

from .blocks import Block, blocks_of, check_options, commands, run_block

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path.name for path in DOCS.glob("*.md"))
FIRST = "index.md"
READ_ONLY = (
    "api.md",
    "architecture.md",
    "commandline.md",
    "convolutions.md",
    "fpga-estimates.md",
    "fpga-frontier.md",
    "gallery.md",
    "learning.md",
    "limits.md",
    "proofs-certificates.md",
    "proofs-library.md",
    "proofs-netlists.md",
    "proofs-spikes.md",
)


def page_blocks(name: str) -> list[Block]:
    return blocks_of((DOCS / name).read_text("utf-8"))


def is_slow(name: str) -> bool:
    return any({"slow", "whole"} & set(block.words) for block in page_blocks(name))


def slow_mark(name: str) -> pytest.MarkDecorator:
    """`whole` in a fence: what the page runs takes a minute, and other tests see it."""
    if any("whole" in block.words for block in page_blocks(name)):
        return pytest.mark.slow(whole=True)
    return pytest.mark.slow(scaled=True)


@pytest.fixture(scope="session")
def first_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the first page leaves; every other page starts from a copy of it."""
    folder = tmp_path_factory.mktemp("docs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        _run_page(FIRST, folder)
    return folder


@pytest.fixture
def folder(first_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    shutil.copytree(first_model, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    paths, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = paths
    new = set(sys.modules) - modules
    gone = [name for name in new if str(tmp_path) in str(getattr(sys.modules[name], "__file__", ""))]
    forget_kinds(gone)
    for name in gone:
        del sys.modules[name]


def _run_page(name: str, folder: Path) -> None:
    names: dict[str, object] = {"__name__": "page"}
    for block in page_blocks(name):
        if block.runs:
            run_block(block, folder, names)


def test_the_first_page(first_model: Path) -> None:
    assert (first_model / "build" / "first" / "report.html").is_file()


def _parameters() -> list[object]:
    names = [name for name in PAGES if name != FIRST and name not in READ_ONLY]
    return [pytest.param(name, marks=slow_mark(name) if is_slow(name) else ()) for name in names]


@pytest.mark.parametrize("name", _parameters())
def test_every_block_of_the_page_runs(name: str, folder: Path) -> None:
    assert any(block.runs for block in page_blocks(name))
    _run_page(name, folder)


@pytest.mark.parametrize("name", PAGES)
def test_blocks_that_are_not_run_say_why_and_name_options_that_there_are(name: str) -> None:
    for block in page_blocks(name):
        assert block.values.get("not-run") != ""
        assert set(block.values) <= {"not-run", "exit", "title"}
        assert set(block.words) <= {"slow", "whole"}
        if block.language == "sh":
            for words in commands(block.text):
                if words[0] == "edgeml":
                    check_options(words)
        elif block.language == "python":
            compile(block.text, name, "exec")


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", (DOCS / name).read_text("utf-8")):
        assert (DOCS / link).exists(), link


def test_every_page_is_in_the_navigation() -> None:
    listed = re.findall(r": ([\w-]+\.md)", (ROOT / "mkdocs.yml").read_text("utf-8"))
    assert sorted(listed) == PAGES


def test_the_commands_of_the_readme_have_options_that_there_are() -> None:
    text = (ROOT / "README.md").read_text("utf-8").replace("\\\n", " ")
    lines = [line.strip().removeprefix("$ ") for line in text.split("\n")]
    found = [line for line in lines if re.match(r"edgeml (convert|hil|verify|report|explore|bench|simulate) ", line)]
    assert len(found) >= 4
    for line in found:
        check_options(commands(line)[0])


@pytest.mark.slow
def test_the_python_of_the_readme_runs(folder: Path) -> None:
    import numpy as np

    names: dict[str, object] = {"__name__": "readme", "x": np.load("data.npz")["x"]}
    blocks = [block for block in blocks_of((ROOT / "README.md").read_text("utf-8")) if block.language == "python"]
    assert blocks
    for block in blocks:
        run_block(block, folder, names)
    assert isinstance(names["bundle"], Bundle)


def test_a_wrong_option_in_a_page_would_be_found(folder: Path) -> None:
    with pytest.raises(Exception, match="no-such-option"):
        check_options(["edgeml", "verify", "build/first", "--no-such-option"])
    with pytest.raises(AssertionError, match="edgeml verify nothing-here"):
        run_block(blocks_of("```sh\nedgeml verify nothing-here\n```\n")[0], folder, {})
    assert main(["report", "build/first"]) == 0
