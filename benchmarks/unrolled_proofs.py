"""What a proof for all inputs of an unrolled pipeline costs, beside the conversion, in seconds of processor time.

    python -m benchmarks.unrolled_proofs                        16-64-32-32-5, dense 2-bit weights
    python -m benchmarks.unrolled_proofs --sizes 64 64 32 10 --density 0.5
    python -m benchmarks.unrolled_proofs --sizes 16 32 5 --bytes      8 bits, each of the five roundings
    python -m benchmarks.unrolled_proofs --network FILE.edgeml

The conversion is `edgeml convert FILE --to quantized --target xczu7ev --option architecture=unrolled`, the runs of
executors in it included; the RTL alone is told by itself. The proof is yosys's reading and the prover's; behind it one
weight of a layer in the middle is changed, and the network is proved once more with what was kept: which channels were
proved again, and what finding the others took too. Nothing is taken
from the cache of earlier runs. The time of tools is that of their processes, counted with their children.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import edgeml
from edgeml.network import Dense, Network, network_file
from edgeml.network.rounding import ROUNDINGS
from edgeml.proof.certificate import certificate_files
from edgeml.proof.checkers.circuit import check_certificate
from edgeml.proof.prove import Proof, prove
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.proof.cuts import artifact_of
from edgeml.targets.fpga.proof.yosys_reader import circuit_of, read_module

from .folded_proofs import bytes_network
from .fpga import random_network


def _seconds() -> float:
    """Processor time of this process and of those that it waited for."""
    return sum(os.times()[:4])


def unrolled(network: Network) -> tuple[bytes, Proof]:
    """The Verilog of a network's pipeline, and what is proved of it; what was proved before is not proved again."""
    built = build(network, Design("unrolled", Pipelining(3, "edgeml")))
    name = f"{network.name}_pipeline"
    verilog = built.files[f"{name}.v"]
    circuit = circuit_of(read_module(verilog, name))
    return verilog, prove(network, circuit, artifact_of(circuit, built.layout.plan.logic))  # type: ignore[attr-defined]


def changed(network: Network) -> Network:
    """The network with the sign of one weight turned, in the dense layer in the middle."""
    dense = [node for node in network.nodes if isinstance(node.layer, Dense)]
    node = dense[len(dense) // 2]
    weight = node.layer.weight.copy()
    place = tuple(axis[0] for axis in (abs(weight) == 1).nonzero())
    weight[place] = -weight[place]
    other = replace(node, layer=replace(node.layer, weight=weight))
    return replace(network, nodes=tuple(other if each is node else each for each in network.nodes))


def in_folder(network: Network, verilog: bytes, proof: Proof, folder: Path) -> Path:
    """A folder with network, Verilog and certificate, as they lie in a bundle."""
    (folder / "rtl").mkdir(parents=True)
    (folder / "proof" / "unrolled").mkdir(parents=True)
    network_file.write(network, folder / "network.edgeml")
    path = f"rtl/{network.name}_pipeline.v"
    (folder / path).write_bytes(verilog)
    described = (folder / "network.edgeml").read_bytes()
    for file, data in certificate_files(proof, described, {path: verilog}, {}, []).items():
        (folder / "proof" / "unrolled" / file).write_bytes(data)
    return folder


def measure(network: Network, place: Path) -> str:
    """Two lines: what is proved of a network, and what all of it takes."""
    network_file.write(network, place / "given.edgeml")
    marks = [_seconds()]
    options = {"architecture": "unrolled"}
    edgeml.convert(place / "given.edgeml", to="quantized", target="xczu7ev", options=options, output=place / "bundle")
    marks.append(_seconds())
    build(network, Design("unrolled", Pipelining(3, "edgeml")))
    marks.append(_seconds())
    verilog, proof = unrolled(network)
    marks.append(_seconds())
    folder = in_folder(network, verilog, proof, place / "proved")
    marks.append(_seconds())
    found = check_certificate(folder, "unrolled")
    marks.append(_seconds())
    again = unrolled(changed(network))[1]
    converted, made, whole, _, checked = (later - earlier for earlier, later in pairwise(marks))
    claims, sound = (sum(numbers) for numbers in zip(*found.values(), strict=True))
    proved = sum(evidence.seconds for evidence in proof.evidence.values())
    others = {name: evidence for name, evidence in again.evidence.items() if evidence.anew}
    anew = [f"{name} {len(evidence.anew)} of {len(evidence.claims)}" for name, evidence in others.items()]
    twice = sum(evidence.seconds for evidence in again.evidence.values())
    return (
        f"{network.name} {'-'.join(map(str, network.sizes.values()))}: {len(proof.circuit.gates):,} gates, "
        f"{sound} of {claims} claims proved\nseconds of processor time: conversion {converted:.1f} (its RTL alone "
        f"{made:.1f}), yosys reads {whole - made - proved:.1f}, proof {proved:.1f}, checker {checked:.1f}; proof with "
        f"reading over conversion {(whole - made) / converted:.2f}; one weight changed: {twice:.1f} ({', '.join(anew)})"
    )


def _networks(given: argparse.Namespace) -> Iterator[Network]:
    if given.network:
        yield network_file.read(given.network)
    elif given.bytes:
        yield from (bytes_network(tuple(given.sizes), rounding) for rounding in ROUNDINGS)
    else:
        yield random_network(tuple(given.sizes), (-2, 1), given.density, "net")


def main() -> None:
    """Measure networks, two lines each."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sizes", nargs="+", type=int, default=[16, 64, 32, 32, 5])
    arguments.add_argument("--density", type=float, default=1.0)
    arguments.add_argument("--bytes", action="store_true")
    arguments.add_argument("--network", type=Path)
    for network in _networks(arguments.parse_args()):
        with tempfile.TemporaryDirectory() as place:
            os.environ["EDGEML_CACHE"] = f"{place}/cache"
            print(measure(network, Path(place)), flush=True)


if __name__ == "__main__":
    main()
