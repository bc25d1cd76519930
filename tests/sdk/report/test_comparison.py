"""Bundles side by side, lines to copy, the picture of the network, and how sure an accuracy is."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.cli import main
from edgeml.network import Add, Dense, InputQuantizer, Network, Node, Output
from edgeml.report.answer import wilson
from edgeml.report.drawing import draw
from edgeml.report.graph import MOST_BOXES, graph
from edgeml.report.page import command
from edgeml.report.snippets import snippets
from edgeml.targets.cpu.compiler import find_compiler
from tests.docs.blocks import check_options, commands

from .browser import browser, browser_path


def _rows(page: str) -> dict[str, list[tuple[str, bool]]]:
    """By the head of its row: each cell's text, and whether it is marked."""
    found = {}
    for head, cells in re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page):
        cell = re.findall(r'<td class="number( good)?">(.*?)</td>', cells)
        found[html.unescape(head)] = [(html.unescape(said), bool(mark)) for mark, said in cell]
    return found


def test_bundles_stand_side_by_side_and_the_smaller_one_is_marked(
    pages: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundles = [str(pages[kind].parent) for kind in ("cpu", "mcu", "tflite")]
    path = tmp_path / "side-by-side.html"
    assert main(["report", *bundles, "-o", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"bundles": bundles, "report": str(path)}
    rows = _rows(path.read_text("utf-8"))
    assert [said for said, _ in rows["target"]] == ["host", "cortex-m4", "host"]
    found = [edgeml.load(bundle).manifest["metrics"]["accuracy"]["integer"] for bundle in bundles]
    assert [said for said, _ in rows["accuracy, integer"]] == [f"{share:.2%}" for share in found]
    weights = [sum(n.layer.multiplications for n in edgeml.load(bundle).network.layers) for bundle in bundles]
    assert [said for said, _ in rows["weights"]] == [f"{count:,}" for count in weights]
    assert not any(mark for _, mark in rows["form"])
    # Of the firmware alone there are instructions: nothing to compare them with.
    assert rows["instructions an inference"][0][0] == "–"
    assert not any(mark for _, mark in rows["instructions an inference"])


def test_qualities_on_other_data_are_not_compared(
    pages: dict[str, Path], small_network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(9)
    other = {"x": random.normal(size=(40, small_network.input_size)).astype(np.float32), "y": np.arange(40) % 4}
    again = edgeml.convert(
        str(pages["cpu"].parent / "network.edgeml"), to="quantized", target="host", data=other, output="again"
    )
    assert again.manifest["data"]["sha256"] != edgeml.load(pages["cpu"].parent).manifest["data"]["sha256"]
    assert main(["report", str(pages["cpu"].parent), "again"]) == 0
    page = Path("comparison.html").read_text("utf-8")
    assert "not all judged on the same data" in page
    assert not any(mark for what, row in _rows(page).items() if "accuracy" in what for _, mark in row)


def test_a_bundle_named_twice_and_a_file_for_one_report_are_refused(
    pages: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(pages["cpu"].parent)
    assert main(["report", bundle, bundle]) == 2
    assert "named twice" in capsys.readouterr().err
    assert main(["report", bundle, "-o", str(tmp_path / "a.html")]) == 2
    assert "for several bundles" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["cpu", "mcu"])
def test_the_c_to_copy_compiles_against_the_bundle(kind: str, pages: dict[str, Path], tmp_path: Path) -> None:
    compiler = find_compiler()
    assert compiler is not None  # zig is, where no other one is
    bundle = edgeml.load(pages[kind].parent)
    (tmp_path / "a.c").write_text(snippets(bundle.manifest, bundle.network)["C"])
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-c", "a.c"]
    include = ["-I", str(bundle.folder / "c" / "include"), "-I", str(bundle.folder / "c")]
    done = subprocess.run([*compiler.command, *flags, *include], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_verilog_to_copy_names_the_ports_that_there_are(pages: dict[str, Path]) -> None:
    bundle = edgeml.load(pages["fpga"].parent)
    snippet = snippets(bundle.manifest, bundle.network)["Verilog"]
    module = (bundle.folder / "rtl" / f"{bundle.network.name}_axis.v").read_text()
    head = module.partition("module ")[2].partition(");")[0]
    ports = re.findall(r"(?:in|out)put\s+wire\s+(?:signed\s+)?(?:\[[^]]+\]\s*)?(\w+)", head)
    assert sorted(re.findall(r"\.(\w+)\(", snippet)) == sorted(ports)


def test_the_python_to_copy_runs(pages: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = edgeml.load(pages["cpu"].parent)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / bundle.network.name).symlink_to(bundle.folder)
    monkeypatch.chdir(tmp_path)
    names = {"x": np.zeros((3, bundle.network.input_size), np.float32)}
    exec(snippets(bundle.manifest, bundle.network)["Python"], names)
    assert len(names["result"]) == 3


def test_the_command_of_a_report_is_one_that_there_is(pages: dict[str, Path]) -> None:
    bundle = edgeml.load(pages["spiking"].parent)
    said = command(bundle.manifest)
    assert "--option encoding=unary" in said
    assert said in html.unescape(pages["spiking"].read_text("utf-8"))
    check_options(commands(said.replace("MODEL", "m.pt2").replace("DATA", "d.npz"))[0])


def test_tables_lose_no_column_in_a_window_of_1280(pages: dict[str, Path], tmp_path: Path) -> None:
    path = browser_path()
    if path is None:
        pytest.skip("no Chromium here: install Debian's package chromium")
    with browser(path, tmp_path) as chromium:
        for kind in ("cpu", "mcu", "fpga", "spiking", "tflite"):
            page = chromium.open(pages[kind], width=1280, scheme="light")
            wider = "[...document.querySelectorAll('.wide')].filter(b => b.scrollWidth > b.clientWidth + 1)"
            named = ".map(b => b.querySelector('table')?.getAttribute('aria-label') ?? b.textContent.slice(0, 80))"
            assert page.evaluate(wider + named) == [], kind
            page.close()


def _residual(count: int) -> Network:
    square = Dense(np.eye(3, dtype=np.int32), 2, np.zeros(3, np.int32))
    nodes = [Node("input", InputQuantizer(3, np.ones(1), np.zeros(1), 0, 2, True)), Node("a", square, ("input",))]
    nodes += [Node("sum", Add(), ("a", "input"))]
    nodes += [Node(f"l{place}", square, (nodes[-1].name if place == 0 else f"l{place - 1}",)) for place in range(count)]
    return Network("net", tuple(nodes), Output(np.ones(1)))


def test_the_picture_has_a_box_for_each_layer_and_an_edge_for_each_input() -> None:
    svg = draw(graph(_residual(1)))
    assert svg.count("<rect") == 4
    assert svg.count('class="edge"') == 4  # input → a, a → sum, input → sum at the side, sum → l0
    assert "−2 … 1" in svg
    assert draw(graph(_residual(MOST_BOXES))) == ""


def test_the_interval_of_an_accuracy_is_wilsons() -> None:
    # The end points solve |share − p| = z √(p (1 − p) / n).
    for share, count in ((0.98, 359), (0.5, 20), (0.0, 10), (1.0, 10)):
        low, high = wilson(share, count)
        assert 0 <= low <= share <= high <= 1
        for end in (low, high):
            if 0 < end < 1:
                assert abs(share - end) == pytest.approx(1.959963984540054 * (end * (1 - end) / count) ** 0.5)
