"""A firmware folder as a user has it, and programs built of it that print what they compute."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgeml.network import Dense, Network, Node, Output, simulate
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.firmware import Firmware, firmware_files

from ..networks import random_inputs, random_network

__all__ = ["STAND_INS", "answer_to", "labelled_network", "run", "written"]

STAND_INS = Path(__file__).parent / "stand_ins"
"""Headers and CMake functions in the place of vendors', which cannot be had from the Python registry."""


def labelled_network(signed: bool = False, name: str = "net") -> Network:
    """Three classes, one with a name that languages must escape, one with what templates fill in."""
    network = random_network(3, (8, 6, 3), 2, signed=signed, name=name)
    *others, last = network.nodes
    usual = np.median(simulate(network, random_inputs(network, 2, 50)), axis=0).astype(np.int64)
    balanced = Dense(last.layer.weight, 2, last.layer.bias - usual)
    labels = ("zero", 'o"n\\e {é}', "@HASH@")
    return Network(name, (*others, Node(last.name, balanced, last.inputs)), Output(np.array([1.0]), labels=labels))


def written(network: Network, folder: Path, core_name: str = "m4") -> Firmware:
    """The firmware with its files in `folder`."""
    firmware = firmware_files(network, core(core_name), {})
    for path, text in firmware.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return firmware


def answer_to(network: Network, readings: Sequence[float]) -> tuple[int, str, np.ndarray]:
    """Golden's class of real numbers, its name, and the output integers."""
    x = np.array([readings], np.float32).astype(np.float64)
    output = simulate(network, network.quantizer.quantize(x))[0]
    answer = int(np.argmax(output))
    return answer, network.output.labels[answer], output


def run(command: Sequence[str | Path], folder: Path, environment: dict[str, str] | None = None, given: str = "") -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(
        command, cwd=folder, env=environment, input=given, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
