"""`edgeml hil`: vectors against a device, reports, and errors that help."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml import hil
from edgeml.bundle import Bundle
from edgeml.cli import main
from edgeml.errors import CheckFailed, InputError, ToolFailed
from edgeml.hil.boards import start_board
from edgeml.hil.device import Device
from edgeml.hil.link import SerialLink
from edgeml.network import simulate
from edgeml.targets.cpu.compiler import find_compiler

from ..targets.mcu.networks import bundle_for, random_inputs, random_network
from .compiled_device import CompiledDevice, PerfectLink, compiled_devices


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    # 4-bit weights: the sums of 2-bit layers may be in no memory, and so in no trace
    return bundle_for(random_network(1, (12, 10, 4), 4), "cortex-m4", tmp_path_factory.mktemp("m4"))


@pytest.fixture(scope="module")
def device_side(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> CompiledDevice:
    if find_compiler() is None:
        pytest.skip("no C compiler")
    return compiled_devices([bundle.network], tmp_path_factory.mktemp("device"), "m4")[0]


def test_an_emulated_board_is_exact_and_reported(bundle: Bundle) -> None:
    steps: list[tuple[int, int]] = []
    report = hil.run(
        bundle,
        emulate="unicorn-m4",
        vectors=20,
        progress=lambda stage, done, total, values: steps.append((done, total)),
    )
    assert report.passed
    assert (report.vectors, report.mismatches, report.self_test, report.retries) == (20, 0, 0, 0)
    assert steps[-1] == (20, 20)
    metrics = bundle.manifest["metrics"]["target"]
    assert report.unit == "instructions"
    assert abs(report.counts["median"] - metrics["instructions"]) < 60
    document = report.as_json()
    assert (document["instructions"], document["cycles"], document["ticks"]) == (report.counts, {}, {})
    assert set(report.latency_us) == {"minimum", "median", "p99"}
    assert report.traced == tuple(node.name for node in bundle.network.layers)
    assert json.loads(json.dumps(report.as_json()))["passed"] is True
    suite = ElementTree.fromstring(report.junit_xml())
    assert (suite.get("tests"), suite.get("failures")) == ("2", "0")


def test_a_damaged_device_is_told_by_layer_and_index(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """One bit of the bias of the first layer's output 3 is flipped in the emulated flash."""
    from edgeml.hil import session

    link = hil.boards()["unicorn-m4"].load().start(bundle)
    address = link._emulator.image.address("net_layer_dense0_bias") + 4 * 3
    value = int.from_bytes(link._emulator.read(address, 4), "little") ^ 1 << 14
    link._emulator.write(address, value.to_bytes(4, "little"))
    monkeypatch.setattr(session, "start_board", lambda name, bundle: link)
    report = hil.run(bundle, emulate="unicorn-m4", vectors=40)
    assert not report.passed
    assert report.self_test == 1
    assert report.mismatches > 5
    first = report.first_mismatches[0]
    assert (first.layer, first.index) == ("dense0", 3)
    assert abs(first.expected - first.found) == 1 << 14
    suite = ElementTree.fromstring(report.junit_xml())
    assert suite.get("failures") == "2"
    assert "layer dense0, index 3" in "".join(suite.itertext())


def test_another_model_on_the_device_is_refused_by_hash(device_side: CompiledDevice) -> None:
    device_side.reset()
    link = PerfectLink(device_side)
    with pytest.raises(CheckFailed, match="computes model"):
        Device(link, random_network(2, (12, 10, 4), 2), clock=link.clock)


def test_a_device_that_is_flashed_anew_in_between_is_refused_by_hash(
    bundle: Bundle, device_side: CompiledDevice
) -> None:
    device_side.reset()
    link = PerfectLink(device_side)
    device = Device(link, bundle.network, clock=link.clock)
    device._hash = "00" * 32
    with pytest.raises(CheckFailed, match="another model"):
        device.infer(random_inputs(bundle.network, 0, 2)[:1])


def test_a_pseudo_terminal_carries_the_protocol(bundle: Bundle, device_side: CompiledDevice) -> None:
    pytest.importorskip("serial", reason="pip install 'edgeml-exact[hil]'")
    import pty
    import tty

    device_side.reset()
    host, board = pty.openpty()
    tty.setraw(board)
    name = os.ttyname(board)

    def serve() -> None:
        while True:
            try:
                content = os.read(host, 4096)
            except OSError:
                return
            if not content:
                return
            if answer := device_side.receive(content):
                os.write(host, answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        with SerialLink(name) as link:
            device = Device(link, bundle.network, timeout=10)
            q = random_inputs(bundle.network, 8, 50)
            np.testing.assert_array_equal(device.run(q), simulate(bundle.network, q))
            assert device.benchmark(4)[0] > 0
    finally:
        os.close(board)
        os.close(host)
        thread.join(5)


def test_a_port_that_does_not_answer_is_named(bundle: Bundle) -> None:
    pytest.importorskip("serial", reason="pip install 'edgeml-exact[hil]'")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = f"socket://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ToolFailed, match="does not answer"):
            hil.run(bundle, port=port, timeout=0.05, attempts=2)


def test_a_port_that_is_not_there_is_named(bundle: Bundle) -> None:
    pytest.importorskip("serial", reason="pip install 'edgeml-exact[hil]'")
    with pytest.raises(InputError, match="cannot be opened"):
        hil.run(bundle, port="/dev/tty-that-is-not-there")


def test_boards_that_do_not_fit_are_named(bundle: Bundle) -> None:
    with pytest.raises(InputError, match="unicorn-m4"):
        hil.run(bundle, emulate="unicorn-m0")
    with pytest.raises(InputError, match="is not known"):
        hil.run(bundle, emulate="cray-1")
    with pytest.raises(InputError, match="either a port or"):
        hil.run(bundle)


def test_the_executor_runs_through_a_board(bundle: Bundle) -> None:
    q = random_inputs(bundle.network, 1, 5)
    result = bundle.run(q, on="hil", emulate="unicorn-m4")
    np.testing.assert_array_equal(result.integers, simulate(bundle.network, q))


def test_the_pytest_plugin_runs_the_conformance_tests(bundle: Bundle, tmp_path: Path) -> None:
    options = ["--edgeml-bundle", str(bundle.folder), "--edgeml-emulate", "unicorn-m4", "--edgeml-conformance"]
    own = tmp_path / "test_own.py"
    own.write_text("def test_own(device):\n    assert device.info.inputs == 12\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(own), *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert "6 passed" in done.stdout, done.stdout + done.stderr


def lossy_server(bundle: Bundle, requests: int) -> int:
    """A device behind a socket that is gone after so many requests; the port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        link = start_board("unicorn-m4", bundle)
        connection, _ = server.accept()
        with server, connection:
            for _ in range(requests):
                link.write(connection.recv(65536))
                connection.sendall(link.read(5.0))
            connection.recv(65536)

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


@pytest.mark.parametrize("requests", [0, 3])
def test_a_port_that_is_lost_in_the_middle_of_a_run_is_exit_code_1_and_a_failure_in_the_file(
    bundle: Bundle, tmp_path: Path, capfd: pytest.CaptureFixture[str], requests: int
) -> None:
    pytest.importorskip("serial")
    junit = tmp_path / "result.xml"
    port = f"socket://127.0.0.1:{lossy_server(bundle, requests)}"
    assert main(["hil", str(bundle.folder), "--port", port, "--junit", str(junit)]) == 1
    assert "was lost" in capfd.readouterr().err
    suite = ElementTree.parse(junit).getroot()
    assert suite.get("failures") == "1"
    assert "was lost" in str(suite.find("testcase/failure").get("message"))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-bundle", "--port", "x"],
        ["BUNDLE", "--port", "/dev/no-such-port"],
        ["BUNDLE"],
        ["BUNDLE", "--emulate", "no-such-board"],
        ["BUNDLE", "--emulate", "unicorn-m4", "--vectors", "0"],
        ["BUNDLE", "--emulate", "unicorn-m4", "--no-such-option"],
        ["BUNDLE", "--baud", "many"],
    ],
)
def test_a_result_of_yesterday_does_not_outlive_a_run_that_never_began(
    bundle: Bundle, tmp_path: Path, arguments: list[str]
) -> None:
    junit = tmp_path / "result.xml"
    junit.write_text('<testsuite name="old" tests="2" failures="0"/>')
    named = [str(bundle.folder) if each == "BUNDLE" else each for each in arguments]
    assert main(["hil", *named, "--junit", str(junit)]) == 2
    suite = ElementTree.parse(junit).getroot()
    assert suite.get("failures") == "1"
    assert suite.find("testcase/failure") is not None
