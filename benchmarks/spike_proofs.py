"""What a proof of a design of spikes costs: processor time to read its Verilog, to prove and to check it.

    python -m benchmarks.spike_proofs                       64-64-32-10, 2 bits: 1 and 64 membranes, or a step a clock
    python -m benchmarks.spike_proofs --sizes 16 32 5 --membranes 8

The time of yosys is that of its process, counted with its children.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, network_file
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons
from edgeml.network.spiking.encodings import ENCODINGS
from edgeml.proof.checkers.spikes import check_certificate
from edgeml.proof.checkers.step_per_clock import check_certificate as check_step_per_clock
from edgeml.targets.fpga.architectures.event_driven.choices import MembranesPerClock
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Built, Design, build
from edgeml.targets.fpga.proof.core_prover import modules_of, proof_files
from edgeml.targets.fpga.proof.folded.netlist import Modules
from edgeml.targets.fpga.proof.spikes.certificate import certificate_files
from edgeml.targets.fpga.proof.spikes.design_proof import prove_design
from edgeml.targets.fpga.proof.step_per_clock import certificate as step_per_clock
from edgeml.targets.fpga.proof.step_per_clock import design_proof as step_per_clock_proof

__all__ = ["measure", "measure_at_once", "spiking_mlp"]

_Written = Callable[[bytes, Mapping[str, bytes]], dict[str, bytes]]
"""What gives the files of a certificate from those of the network and of the design."""


def _seconds() -> float:
    """Processor time of this process and of those that it waited for."""
    return sum(os.times()[:4])


def spiking_mlp(sizes: tuple[int, ...], encoding: str) -> Network:
    """2-bit inputs, dense layers of random 2-bit weights, neurons of three levels behind each but the last."""
    rng = np.random.default_rng(0)
    nodes = [Node("input", InputQuantizer(sizes[0], np.ones(1), np.zeros(1), 0, 2, False))]
    nodes.append(Node("spikes", InputSpikes(sizes[0], encoding, 0, 3), ("input",)))
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight = rng.integers(-2, 2, (outputs, inputs))
        nodes.append(Node(f"fc{index}", Dense(weight, 2, np.zeros(outputs, np.int64)), (nodes[-1].name,)))
        if index + 2 < len(sizes):
            thresholds = np.sort(rng.integers(-20, 20, (outputs, 3)), axis=1)
            nodes.append(Node(f"act{index}", Neurons(thresholds, encoding), (nodes[-1].name,)))
    return Network("net", tuple(nodes), Output(np.ones(1)))


def measure(network: Network, encoding: str, membranes: int) -> str:
    """One line: an event-driven design, what is proved of it, and what that took."""
    plain = build(network, Design("folded", MembranesPerClock({})))
    lanes = {layer.name: min(layer.neurons, membranes) for layer in plain.layout.plan.layers}  # type: ignore[attr-defined]
    built = build(network, Design("folded", MembranesPerClock(lanes)))

    def proved(files: Mapping[str, bytes], modules: Modules) -> _Written:
        proof = prove_design(network, modules, built.core)
        return lambda content, artifacts: certificate_files(proof, content, artifacts, {})

    return _line(built, f"{encoding} | {membranes}", "event-driven", proved, check_certificate)


def measure_at_once(network: Network, encoding: str) -> str:
    """One line: a design of a step per clock, what is proved of it, and what that took."""
    built = build(network, Design("unrolled", Pipelining(3, "edgeml")))

    def proved(files: Mapping[str, bytes], modules: Modules) -> _Written:
        proof = step_per_clock_proof.prove_design(built, files, modules)
        return lambda content, artifacts: step_per_clock.certificate_files(proof, content, artifacts, {})

    return _line(built, f"{encoding} | a step per clock", "step-per-clock", proved, check_step_per_clock)


def _line(
    built: Built,
    what: str,
    prover: str,
    proved: Callable[[Mapping[str, bytes], Modules], _Written],
    check: Callable[[Path, str], dict[str, tuple[int, int]]],
) -> str:
    files = proof_files(built)
    marks = [_seconds()]
    modules = modules_of(files, built.core)
    marks.append(_seconds())
    written = proved(files, modules)
    marks.append(_seconds())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        network_file.write(built.layout.plan.network, folder / "network.edgeml")
        artifacts = {f"rtl/{name}": content for name, content in files.items()}
        certificate = written((folder / "network.edgeml").read_bytes(), artifacts)
        made = {f"proof/{prover}/{name}": data for name, data in certificate.items()}
        for name, data in {**artifacts, **made}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        found = check(folder, prover)
    marks.append(_seconds())
    claims, sound = (sum(each[k] for each in found.values()) for k in (0, 1))
    read, proof, checked = np.diff(marks).round(1).tolist()
    return f"| {what} | {sound} of {claims} | {read} | {proof} | {checked} |"


def main() -> None:
    """Print a table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sizes", nargs="+", type=int, default=[64, 64, 32, 10])
    arguments.add_argument("--membranes", nargs="*", type=int, default=[1, 64])
    given = arguments.parse_args()
    os.environ["EDGEML_CACHE"] = tempfile.mkdtemp()
    print("| encoding | membranes a clock | proved | yosys reads | proof | checker |\n|---|---|---|---|---|---|")
    for encoding in ENCODINGS:
        for membranes in given.membranes:
            print(measure(spiking_mlp(tuple(given.sizes), encoding), encoding, membranes), flush=True)
        print(measure_at_once(spiking_mlp(tuple(given.sizes), encoding), encoding), flush=True)


if __name__ == "__main__":
    main()
