"""Faults in the C of exact spikes: the kernel of events, biases, weights and thresholds; on RV32 and on this machine.

The oracle builds the same C for this machine and runs it for every input of a small network; where the network's
outputs do not show a layer's fault, what the emulated core or the library gave for a counterexample does.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np

from edgeml.errors import CheckFailed, ToolFailed
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, simulate
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons
from edgeml.network.spiking.encodings import ENCODINGS
from edgeml.proof.claim import OPEN, REFUTED
from edgeml.proof.findings import Row
from edgeml.targets.c import generate
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.proof.bodies import BODIES, module_of
from edgeml.targets.cpu.proof.counterexamples import Counterexamples, runs_here
from edgeml.targets.cpu.proof.followed import Followed as FollowedC
from edgeml.targets.cpu.proof.prover import rows_of as rows_of_c
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.proof.followed import Followed
from edgeml.targets.mcu.proof.prover import faulting, rows_of

from . import of_c, of_cpu_c
from .judged import Judged

__all__ = ["judge"]

_CORE = "rv32"
_OPERATORS = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", "+=": "-=", "+": "-", "*": "+", "|": "&"}
_Texts = dict[str, str]


@cache
def _network(seed: int) -> tuple[Network, np.ndarray, np.ndarray]:
    """9-4-2 of one-bit inputs, so that a group of eight is passed over in some of all 512; 0 to 3 spikes behind it."""
    rng = np.random.default_rng(seed)
    name = tuple(ENCODINGS)[seed % len(ENCODINGS)]
    nodes = (
        Node("input", InputQuantizer(9, np.ones(1), np.zeros(1), 0, 1, False)),
        Node("spikes", InputSpikes(9, name, 0, 1), ("input",)),
        Node("fc", Dense(rng.integers(-3, 4, (4, 9)), 3, rng.integers(-3, 4, 4)), ("spikes",)),
        Node("act", Neurons(np.sort(rng.integers(-6, 7, (4, 3)), axis=1), name), ("fc",)),
        Node("out", Dense(rng.integers(-3, 4, (2, 4)), 3, rng.integers(-3, 4, 2)), ("act",)),
    )
    network = Network("net", nodes, Output(np.ones(1)))
    q = (np.arange(512)[:, None] >> np.arange(9) & 1).astype(np.int32)
    return network, q, simulate(network, q)


def _changed(files: _Texts, kernel: str, program: str, rng: np.random.Generator) -> tuple[_Texts, str]:
    """Texts with a fault, and what it was in words. kernel, program : the paths of both texts."""
    path = str(rng.choice([kernel, kernel, program]))
    text = files[path]
    places: list[tuple[int, int, str]] = []
    if path == kernel:
        end = text.index("#define EDGEML_EVENTS_WIDE")
        for match in re.finditer(r" (==|!=|<=|<|\+=|\+|\*|\|) ", text[:end]):
            places.append((match.start(1), match.end(1), _OPERATORS[match[1]]))
        for match in re.finditer(
            r"(?<=[ (])\d(?=[,); \]])", text[text.index("static") if "static" in text else 0 : end]
        ):
            places.append((match.start(), match.end(), str(int(match[0]) + 1)))
    else:
        for array in re.finditer(r"net_layer_\w+\[\d+\][^=;]*= \{([^{}]*)\}", text):
            for number in re.finditer(r"-?\b\d+\b", array[1]):
                start, end = array.start(1) + number.start(), array.start(1) + number.end()
                places.append((start, end, str(int(number[0]) + int(rng.choice([-1, 1])))))
    start, end, other = places[int(rng.integers(len(places)))]
    line = text[text.rfind("\n", 0, start) + 1 : text.find("\n", end)].strip()
    return {**files, path: text[:start] + other + text[end:]}, f"{path}: {text[start:end]} → {other} in {line[:80]}"


def _judged(kind: str, said: str, changes: bool, rows: list[Row], where: str) -> Judged:
    refuted = [row for row in rows if row.status == REFUTED]
    left = any(row.status == OPEN or (row.status != REFUTED and row.claims > row.proved) for row in rows)
    shown = bool(refuted) and all(where in row.detail for row in refuted)
    return Judged(kind, said, changes or shown, bool(refuted), shown, left and not refuted)


def _on_a_core(seed: int) -> Judged:
    network, q, y = _network(seed % 5)
    firmware, rng = firmware_files(network, core(_CORE), {}), np.random.default_rng(seed)
    texts = {path: str(text) for path, text in firmware.files.items() if path.endswith((".c", ".h"))}
    while True:
        files, said = _changed(texts, "src/edgeml/events.h", "src/net_constants.c", rng)
        changed = replace(firmware, files={**firmware.files, **files})
        found = of_c.outputs(files, network.name, q, network.output_size)
        if found is None:
            continue  # it is not a program
        try:
            emulator = Emulator(core(_CORE), library_image(changed, core(_CORE), optimize="-O2"))
        except ToolFailed:  # nor one without warnings
            continue
        break
    try:
        followed = Followed(emulator, changed.program, q[100])
        followed.run(lambda what: None, 120)
        rows = rows_of(followed)
    except CheckFailed as error:  # what the emulator cannot run to its end
        rows = [faulting(error)]
    return _judged("spikes in C (RV32)", said, not np.array_equal(found, y.ravel()), rows, "in the emulator")


def _on_this_machine(seed: int) -> Judged:
    network, q, y = _network(seed % 5)
    program, rng = generate(network, CPU_DIALECT), np.random.default_rng(seed)
    body = BODIES[str(rng.choice([name for name, each in BODIES.items() if name != "neon" and not runs_here(each)]))]
    while True:
        files, said = _changed(dict(program.files), "edgeml/events.h", "net.c", rng)
        changed = replace(program, files=files)
        found = of_cpu_c.outputs(changed, body, q, network.output_size)
        if found is not None:
            break
    changes = not np.array_equal(found, np.concatenate([y.ravel(), y.ravel()]))
    followed = FollowedC(module_of(changed, body), changed, q[np.arange(9) * 56])
    followed.run(lambda what: None, 60)
    rows = rows_of_c(followed, Counterexamples(followed, changed, replace(body, native=(*body.native, "-w"))))
    return _judged("spikes in C (x86-64)", f"{body.title}, {said}", changes, rows, "in the library")


def judge(seed: int) -> Judged:
    """A fault of the C of spikes: of even seeds on RV32, of odd ones on this machine."""
    return (_on_this_machine if seed % 2 else _on_a_core)(seed)
