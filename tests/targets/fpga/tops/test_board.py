"""`edgeml hil --emulate verilator`: a bundle's UART top behind a pseudo-terminal, and errors that help."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgeml import hil
from edgeml.bundle import Bundle, load, seal
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

VECTORS = 60


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundle")
    network, profile = small_network(3), load_profile("icebreaker")
    metrics = FpgaTarget().emit(network, profile, folder, {"architecture": "folded", "goal": "area"})
    file.write(network, folder / "network.edgeml")
    q = random_inputs(network, VECTORS, 2).astype(np.int32)
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
    pytest.importorskip("serial", reason="pip install 'edgeml[hil]'")
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
