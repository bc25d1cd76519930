"""A certificate of each kind, small, in a folder as in a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeml.converters.quantized.extract import extract
from edgeml.converters.tflite.writer import write
from edgeml.proof.bundle_proof import prove_bundle
from edgeml.proof.equivalence_certificate import equivalence_files
from edgeml.targets.fpga.proof.netlist_prover import compared
from edgeml.targets.fpga.proof.rtl_library import prover as library
from edgeml.targets.fpga.proof.rtl_library.induction import Outcome
from edgeml.targets.fpga.proof.yosys_reader import circuit_of, read_module
from tests.converters.quantized.proving import test_model_claims as quantized
from tests.converters.tflite.proving import test_file_claims as tflite
from tests.sdk.proof import certified as network
from tests.targets.cpu.proof.sliced.followed_slices import PLACE, files_of, follow, program_of
from tests.targets.fpga.proof.folded import certified as folded
from tests.targets.fpga.proof.proved import certified, mlp, pipeline_of, proof_of
from tests.targets.fpga.proof.rtl_library.test_library_prover import made_bundle
from tests.targets.fpga.proof.spikes import certified as spikes
from tests.targets.fpga.proof.step_per_clock import certified as step_per_clock
from tests.targets.logic_networks import classifier
from tests.targets.mcu.networks import bundle_for

__all__ = ["MADE", "NETWORK", "PROVERS"]

PROVERS = {
    "circuit": "unrolled",
    "equivalence": "unrolled-netlist",
    "folded": "folded",
    "rtl_library": "library",
    "network": "network",
    "quantized": "quantized",
    "spikes": "event-driven",
    "step_per_clock": "step-per-clock",
    "tflite": "tflite",
    "words": "machine_code",
    "slices": PLACE,
}
NETWORK = mlp((4, 4, 3), 1)
"""Of bundles that any network will do for."""


def _circuit(folder: Path) -> Path:
    verilog = pipeline_of(NETWORK)
    return certified(NETWORK, verilog, proof_of(NETWORK, verilog), folder)


def _equivalence(folder: Path) -> Path:
    _circuit(folder)
    name, verilog = f"{NETWORK.name}_pipeline", pipeline_of(NETWORK)
    circuit = circuit_of(read_module(verilog, name))
    sweep, outputs, _ = compared(circuit, circuit)
    about = (folder / "network.edgeml").read_bytes(), {f"rtl/{name}.v": verilog}
    (folder / "proof" / "unrolled-netlist").mkdir()
    for file, content in equivalence_files(circuit, circuit, sweep, outputs, {}, *about).items():
        (folder / "proof" / "unrolled-netlist" / file).write_bytes(content)
    return folder


def _folded(folder: Path) -> Path:
    built = folded.folded(NETWORK, {"fc0": (2, 2), "fc1": (1, 2)})
    return folded.certified(built, folded.proved(built), folder)


def _library(folder: Path) -> Path:
    bundle = made_bundle(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "proved_once", lambda name, statement, seconds: (Outcome("proved", 1), False))
        findings = library.LibraryProver().prove(bundle, announce=lambda what: None, seconds=100.0)
    (folder / "proof" / "library").mkdir(parents=True)
    for name, content in findings.certificate.items():
        (folder / "proof" / "library" / name).write_bytes(content)
    return folder


def _spikes(folder: Path) -> Path:
    built = spikes.event_driven(spikes.residual("stbif"))
    return spikes.certified(built, spikes.proved(built), folder)


def _step_per_clock(folder: Path) -> Path:
    built = step_per_clock.step_per_clock(spikes.residual("unary"))
    return step_per_clock.certified(built, step_per_clock.proved(built), folder)


def _words(folder: Path) -> Path:
    return prove_bundle(bundle_for(NETWORK, "rv32imc", folder))[0].folder


def _slices(folder: Path) -> Path:
    functions = classifier(1, features=6, levels=2, widths=(12, 9), classes=3, fan_in=4)
    return files_of(follow(program_of(functions), PLACE.removeprefix("c-"), 5, (4, 1)), folder)


def _quantized(folder: Path) -> Path:
    model = quantized.random_model(3)
    return quantized.certified(model, extract(model), folder)


MADE: dict[str, Callable[[Path], Path]] = {
    "circuit": _circuit,
    "equivalence": _equivalence,
    "folded": _folded,
    "rtl_library": _library,
    "network": lambda folder: network.certified(folded.bytes_network((4, 3, 2), "shift"), folder),
    "quantized": _quantized,
    "spikes": _spikes,
    "step_per_clock": _step_per_clock,
    "tflite": lambda folder: tflite.certified(write(tflite.of_tflite.model_of(3)), "shift", folder),
    "words": _words,
    "slices": _slices,
}
"""What makes a certificate of a kind in a folder that is new."""
