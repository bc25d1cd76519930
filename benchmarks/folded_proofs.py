"""What a proof of a folded design costs: processor time to make it, to read its Verilog, to prove and to check it.

    python -m benchmarks.folded_proofs                      64-64-32-10, dense 2-bit weights, on an XCZU7EV and an iCE40
    python -m benchmarks.folded_proofs --sizes 468 64 32 5 --density 0.3
    python -m benchmarks.folded_proofs --sizes 16 32 5 --bytes      8 bits, each of the five roundings
    python -m benchmarks.folded_proofs --network FILE.edgeml

Nothing is taken from the cache of earlier proofs. The time of yosys is that of its process, counted with its children.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, network_file
from edgeml.network.layers.requantize import Requantize
from edgeml.network.rounding import ROUNDINGS
from edgeml.profile import load_profile
from edgeml.proof.checkers.folded import check_certificate
from edgeml.targets.fpga.architectures.folded.plan import FoldedPlan
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.choice import choose
from edgeml.targets.fpga.proof.core_prover import modules_of, proof_files
from edgeml.targets.fpga.proof.folded.certificate import certificate_files
from edgeml.targets.fpga.proof.folded.design_proof import prove_design

from .fpga import random_network

_DESIGNS = (("xczu7ev", "throughput"), ("xczu7ev", "area"), ("ice40-up5k", "throughput"))


def _seconds() -> float:
    """Processor time of this process and of those that it waited for."""
    return sum(os.times()[:4])


def bytes_network(sizes: tuple[int, ...], rounding: str) -> Network:
    """Dense layers of random 8-bit weights, a requantization with factors by channel behind each."""
    rng = np.random.default_rng(7)
    nodes = [Node("input", InputQuantizer(sizes[0], np.array([1.0]), np.array([0.0]), 0, 8, True))]
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        dense = Dense(rng.integers(-127, 128, (outputs, inputs)), 8, rng.integers(-3000, 3000, outputs))
        nodes.append(Node(f"fc{index}", dense, (nodes[-1].name,)))
        multiplier = np.full(outputs, 2**30) if rounding == "shift" else rng.integers(2**30, 2**31, outputs) & ~0x7F
        fraction = rng.integers(0, 2**22, outputs) if rounding == "float64_away" else None
        scale = Requantize(multiplier, rng.integers(-9, -6, outputs), rounding, -3, fraction=fraction)
        nodes.append(Node(f"scale{index}", scale, (nodes[-1].name,)))
    return Network(f"bytes_{rounding}", tuple(nodes), Output(np.array([1.0])))


def _networks(given: argparse.Namespace) -> Iterator[Network]:
    if given.network:
        yield network_file.read(given.network)
    elif given.bytes:
        for rounding in ROUNDINGS:
            yield bytes_network(tuple(given.sizes), rounding)
    else:
        yield random_network(tuple(given.sizes), (-2, 1), given.density, "net")


def measure(network: Network, part: str, goal: str) -> str:
    """One line: the design, what is proved of it, and what that took."""
    marks = [_seconds()]
    options = {"architecture": "folded", "goal": goal}
    built, _ = choose(network, budget_of(load_profile(part)), options)
    plan = built.layout.plan
    assert isinstance(plan, FoldedPlan)
    marks.append(_seconds())
    files = proof_files(built)
    modules = modules_of(files, built.core)
    marks.append(_seconds())
    proof = prove_design(network, plan, modules, built.core)
    marks.append(_seconds())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for each in ("rtl", "proof/folded"):
            (folder / each).mkdir(parents=True)
        network_file.write(network, folder / "network.edgeml")
        for name, content in files.items():
            (folder / "rtl" / name).write_bytes(content)
        artifacts = {f"rtl/{name}": content for name, content in files.items()}
        described = (folder / "network.edgeml").read_bytes()
        for name, content in certificate_files(proof, described, artifacts, {}, []).items():
            (folder / "proof" / "folded" / name).write_bytes(content)
        before = _seconds()
        found = check_certificate(folder, "folded")
        marks.append(marks[-1] + _seconds() - before)
    made, read, proved, checked = (later - earlier for earlier, later in pairwise(marks))
    claims, sound = (sum(numbers) for numbers in zip(*found.values(), strict=True))
    folds = " ".join(f"{chain.head.pe}x{chain.head.simd}" for chain in plan.chains)
    return (
        f"{network.name} {'-'.join(map(str, network.sizes.values()))} on {part}, {goal} (PE x SIMD {folds}): "
        f"{sound} of {claims} claims proved; seconds: design {made:.1f}, yosys reads {read:.1f}, proof {proved:.1f}, "
        f"checker {checked:.1f}"
    )


def main() -> None:
    """Measure networks on some parts, a line each."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sizes", nargs="+", type=int, default=[64, 64, 32, 10])
    arguments.add_argument("--density", type=float, default=1.0)
    arguments.add_argument("--bytes", action="store_true")
    arguments.add_argument("--network", type=Path)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["EDGEML_CACHE"] = cache
        for network in _networks(given):
            for number, (part, goal) in enumerate(_DESIGNS):
                os.environ["EDGEML_CACHE"] = f"{cache}/{network.name}{number}"
                print(measure(network, part, goal), flush=True)


if __name__ == "__main__":
    main()
