"""`edgeml hil --emulate verilator`: a bundle's UART top behind a pseudo-terminal, and errors that help."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgeml import hil
from edgeml.bundle import Bundle, load, seal
from edgeml.cli import main
from edgeml.errors import CheckFailed, InputError, ToolFailed
from edgeml.hil.device import Device
from edgeml.hil.link import SerialLink
from edgeml.network import network_file as file
from edgeml.network import simulate
from edgeml.profile import load_profile
from edgeml.targets.fpga import FpgaTarget
from edgeml.targets.fpga.tops.board import VerilatorBoard
from tests.network.random_networks import random_inputs

from ..designs import small_network
from .test_synthesis import BOARDS

VECTORS = 60
_WITH_PLL = ("ulx3s-85", "tangnano9k", "hx8k-evn")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return _bundle(tmp_path_factory.mktemp("bundle"), "icebreaker", VECTORS)


def _bundle(folder: Path, board: str, vectors: int, **options: object) -> Bundle:
    network, profile = small_network(3), load_profile(board)
    metrics = FpgaTarget().emit(network, profile, folder, {"architecture": "folded", "goal": "area", **options})
    file.write(network, folder / "network.edgeml")
    q = random_inputs(network, vectors, 2).astype(np.int32)
    (folder / "golden").mkdir()
    np.save(folder / "golden" / "inputs.npy", q)
    np.save(folder / "golden" / "outputs.npy", simulate(network, q))
    target = {"name": profile.name, "kind": "fpga", "description": profile.description, "values": dict(profile.values)}
    seal(folder, {"form": "quantized", "target": target, "options": {}, "metrics": {"target": metrics}})
    return load(folder)


def test_the_bundle_holds_the_top_and_its_hashes(bundle: Bundle) -> None:
    files = bundle.manifest["files"]
    for name in ("random_uart.v", "random_board.v", "random_board.pcf", "edgeml_hil_device.v", "sources.f"):
        assert f"tops/uart/{name}" in files
    folder = bundle.folder / "tops" / "uart"
    for line in (folder / "sources.f").read_text().split():
        assert (folder / line).is_file()


def test_a_run_over_the_port_is_exact_and_takes_the_predicted_cycles(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing := VerilatorBoard().missing(bundle):
        pytest.skip(missing)
    from edgeml.hil import session

    started = hil.boards()["verilator"].load().start(bundle)
    try:
        monkeypatch.setattr(session, "start_board", lambda name, bundle: _Kept(started.name))
        report = hil.run(bundle, emulate="verilator", timeout=20.0)
        assert report.passed
        assert (report.vectors, report.mismatches, report.self_test, report.retries) == (VECTORS, 0, 0, 0)
        latency = bundle.manifest["metrics"]["target"]["cycles"]["latency"]
        assert report.counts == {"minimum": latency, "median": latency, "maximum": latency}
        assert json.loads(json.dumps(report.as_json()))["passed"] is True
        # The same device under its name, as anybody would reach it: the executor, and a bundle of another model.
        q = random_inputs(bundle.network, 40, 5).astype(np.int32)
        result = bundle.run(q, on="hil", port=started.name, timeout=20.0)
        np.testing.assert_array_equal(result.integers, simulate(bundle.network, q))
        with SerialLink(started.name) as link, pytest.raises(CheckFailed, match="computes model"):
            Device(link, small_network(4), timeout=20.0)
    finally:
        started.close()
    assert started._process.returncode == 0


class _Kept(SerialLink):
    """A second user of a port, which stays."""


def test_a_silent_port_is_reported(bundle: Bundle) -> None:
    pytest.importorskip("serial", reason="pip install 'edgeml-exact[hil]'")
    import os
    import pty

    near, far = pty.openpty()
    try:
        with pytest.raises(ToolFailed, match="does not answer: asked 2 times"):
            hil.run(bundle, port=os.ttyname(far), timeout=0.1, attempts=2)
    finally:
        os.close(near)
        os.close(far)


def test_a_microcontroller_board_refuses_an_fpga_bundle_and_names_this_one(bundle: Bundle) -> None:
    with pytest.raises(InputError, match="Boards that can: verilator"):
        hil.run(bundle, emulate="unicorn-m4")


@pytest.mark.slow
@pytest.mark.parametrize("board", ["hx8k-evn", *(each for each in BOARDS if each != "icebreaker"), "zcu104"])
def test_boards_of_all_families_answer_at_their_pins(board: str, tmp_path: Path) -> None:
    made = _bundle(tmp_path, board, 200)
    if missing := VerilatorBoard().missing(made):
        pytest.skip(missing)
    report = hil.run(made, emulate="verilator", timeout=60.0)
    assert (report.vectors, report.mismatches, report.self_test, report.retries) == (200, 0, 0, 0)


@pytest.mark.parametrize("board", ["icebreaker", *(pytest.param(each, marks=pytest.mark.slow) for each in _WITH_PLL)])
def test_a_board_whose_pll_makes_the_clock_answers_at_its_pins(board: str, tmp_path: Path) -> None:
    """The PLL's model passes a clock of its output's frequency on; bits of the line last what they do at that clock."""
    made = _bundle(tmp_path, board, 20, clock_mhz=33)
    if missing := VerilatorBoard().missing(made):
        pytest.skip(missing)
    hertz = int(re.findall(r"CLOCK_HZ = 32'd(\d+)", (tmp_path / "tops/uart/random_uart.v").read_text())[0])
    assert abs(hertz - 33_000_000) < 660_000
    report = hil.run(made, emulate="verilator", timeout=60.0)
    assert (report.vectors, report.mismatches, report.self_test, report.retries) == (20, 0, 0, 0)


def test_flash_hands_the_boards_bitstream_to_openfpgaloader(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(bundle.folder, folder)
    assert main(["flash", str(folder)]) == 2
    assert "holds no bitstream. Convert with --synthesize" in capsys.readouterr().err
    # A bundle as --synthesize leaves it, and a program that keeps the words that it is called with.
    (folder / "tops" / "uart" / "random_board.bin").write_bytes(b"x")
    target = {**bundle.manifest["metrics"]["target"], "synthesis": {"placed": {"bitstream": "random_board.bin"}}}
    seal(folder, {**bundle.manifest, "metrics": {"target": target}})
    program = tmp_path / "openFPGALoader"
    program.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/words\nexit $FLASH_STATUS\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("FLASH_STATUS", "0")
    assert main(["flash", str(folder), "--show"]) == 0
    assert not (tmp_path / "words").exists()
    bitstream = f"{folder}/tops/uart/random_board.bin"
    for words, said in ((), f"--board ice40_generic {bitstream}"), (("--permanent",), f"--write-flash {bitstream}"):
        assert main(["flash", str(folder), *words]) == 0
        assert (tmp_path / "words").read_text().strip().endswith(said)
    monkeypatch.setenv("FLASH_STATUS", "3")
    assert main(["flash", str(folder)]) == 1
    assert "failed with status 3" in capsys.readouterr().err
