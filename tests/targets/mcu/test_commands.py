"""MLPerf Tiny's commands on the very image, by a client that follows the published protocol: a command ends with %, an
answer with a line m-ready; inputs go as hexadecimal digits (mlcommons/tiny, benchmark/api and benchmark/runner)."""

from __future__ import annotations

import re

import numpy as np
import pytest

from edgeml.hil.device import Device
from edgeml.network import simulate
from edgeml.profile import load_profile
from edgeml.targets.mcu.board import board_of
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.emulator import emulator_missing
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image_build import board_elf
from edgeml.targets.mcu.toolchain import compiler_missing
from edgeml.targets.mcu.unicorn_image import UnicornImageLink

from .networks import random_inputs, random_network

pytestmark = pytest.mark.skipif(
    bool(emulator_missing() or compiler_missing()), reason="pip install 'edgeml-exact[mcu]'"
)
_BYTES_A_COMMAND = 31
_LAP = re.compile(r"m-lap-us-(\d+)")


class Runner:
    """The host of the benchmark, as far as one device goes."""

    def __init__(self, link: UnicornImageLink) -> None:
        self._link = link

    def send(self, command: str) -> list[str]:
        """The lines of the answer without its last, which is m-ready."""
        self._link.write(f"{command}%".encode())
        lines = self._link.read(1.0).decode("ascii").split("\r\n")
        assert lines[-2:] == ["m-ready", ""]
        return lines[:-2]

    def infer(self, q: np.ndarray, times: int = 1, before: int = 0) -> tuple[list[int], int]:
        """The results for the bytes q, and the microseconds of all inferences."""
        assert self.send(f"db load {len(q)}") == [f"m-[Expecting {len(q)} bytes]"]
        for start in range(0, len(q), _BYTES_A_COMMAND):
            part = q[start : start + _BYTES_A_COMMAND]
            done = self.send("db " + "".join(f"{int(value) & 0xFF:02x}" for value in part))
            assert done == (["m-load-done"] if start + len(part) == len(q) else [])
        lines = self.send(f"infer {times} {before}")
        expected = [f"m-warmup-start-{before}", "m-warmup-done", f"m-infer-start-{times}"]
        assert lines[:3] == expected
        laps = [int(match[1]) for line in lines[3:5] if (match := _LAP.fullmatch(line))]
        assert lines[5] == "m-infer-done"
        found = re.fullmatch(r"m-results-\[(.*)\]", lines[6])
        assert found is not None
        assert len(lines) == 7
        return [int(word) for word in found[1].split(",")], laps[1] - laps[0]


@pytest.fixture(scope="module", params=[False, True], ids=["unsigned", "signed"])
def started(request: pytest.FixtureRequest) -> tuple[Runner, UnicornImageLink, object]:
    network = random_network(5, (40, 6, 4), 2, signed=request.param)
    board = board_of("nucleo-f446re", load_profile("nucleo-f446re").values)
    assert board is not None
    link = UnicornImageLink(board, core("m4"), board_elf(firmware_files(network, core("m4"), {}), core("m4"), board))
    return Runner(link), link, network


def test_results_are_the_networks_integers(started: tuple) -> None:
    runner, _, network = started
    assert runner.send("name") == ["m-name-dut-[net]"]
    assert runner.send("profile") == ["m-profile-[ULPMark for tinyML Firmware V0.0.1]", "m-model-[net]"]
    q = random_inputs(network, 4, 20)
    for row, expected in zip(q, simulate(network, q), strict=True):
        assert runner.infer(row)[0] == expected.tolist()
    assert runner.send("results") == [f"m-results-[{','.join(map(str, expected))}]"]
    printed = "".join(line.removeprefix("m-buffer-").replace("-", "") for line in runner.send("db print"))
    assert bytes.fromhex(printed) == row.astype(np.int8 if network.quantizer.signed else np.uint8).tobytes()


def test_laps_grow_with_the_inferences(started: tuple) -> None:
    runner, _, network = started
    q = random_inputs(network, 4, 3)[2]
    few, many = (runner.infer(q, times, 2)[1] for times in (100, 400))
    assert 3 * few < many < 5 * few
    assert few > 0


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("db", r"e-\[Command 'db' requires a subcommand\]"),
        ("db load", r"e-\[Command 'db load' takes 1 to 40 bytes\]"),
        ("db load 41", r"e-\[Command 'db load' takes 1 to 40 bytes\]"),
        ("db load 4294967300", r"e-\[Command 'db load' takes 1 to 40 bytes\]"),
        ("infer 0", r"e-\[Inference iterations must be >0\]"),
        ("infer -1", r"e-\[Inference iterations must be >0\]"),
        ("names", r"e-\[Unknown command: names\]"),
        ("a" * 300, r"e-\[Unknown command: a{80}\]"),
        ("", r"e-\[Unknown command: \]"),
    ],
)
def test_commands_that_are_wrong_are_answered(started: tuple, command: str, answer: str) -> None:
    runner, *_ = started
    runner.send("name")
    (line,) = runner.send(command)
    assert re.fullmatch(answer, line)


def test_too_many_bytes_and_wrong_digits_do_no_harm(started: tuple) -> None:
    runner, *_ = started
    runner.send("db load 3")
    assert runner.send("db 0102030405060708") == ["m-load-done"]
    assert runner.send("db 09") == []
    assert runner.send("db print") == ["m-buffer-01-02-03"]
    assert runner.send("infer 1 0") == ["e-[Load all inputs first]"]
    runner.send("db load 3")
    assert runner.send("db 1g") == ["e-[Invalid hex digits]"]
    assert runner.send("db 123") == ["e-[Invalid hex digits]"]


def test_both_protocols_share_the_port(started: tuple) -> None:
    """Frames whose inputs are text with % in it are answered as frames alone, and commands go on between them."""
    runner, link, network = started
    texts = (b"%x%name y%%db load 2%", b"name%", b"\n\x7fname%infer 1 0%results%")
    device = Device(link, network, timeout=20.0, attempts=1)
    for text in texts:
        q = np.frombuffer(text.ljust(network.input_size, b"%"), np.uint8).astype(np.int32)[None]
        np.testing.assert_array_equal(device.run(q), simulate(network, q))
        assert runner.infer(q[0])[0] == simulate(network, q)[0].tolist()
    assert device.retries == 0
