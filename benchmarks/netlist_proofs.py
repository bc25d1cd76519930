"""What it costs to prove that a netlist is its Verilog, for every input, in seconds of processor time.

    python -m benchmarks.netlist_proofs                       16-16-4, 16-64-32-32-5, 64-64-32-10 for ECP5 and iCE40
    python -m benchmarks.netlist_proofs --network FILE.edgeml --families ecp5

Random 2-bit weights, half of them zero in 64-64-32-10; three levels to a register, as by default. The pipeline is
synthesized by itself, without place and route.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import tempfile
from itertools import pairwise
from pathlib import Path

from edgeml.network import Network, network_file
from edgeml.proof.certificate import circuit_json
from edgeml.proof.checkers.equivalence import check_certificate
from edgeml.proof.equivalence_certificate import equivalence_files
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.proof.netlist_prover import compared, netlist_of
from edgeml.targets.fpga.proof.yosys_reader import circuit_of, read_module

from .fpga import random_network

_NETWORKS = (((16, 16, 4), 1.0), ((16, 64, 32, 32, 5), 1.0), ((64, 64, 32, 10), 0.5))


def _seconds() -> float:
    return sum(os.times()[:4])


def measure(network: Network, family: str, folder: Path) -> str:
    """A line of the table in docs/proofs.md: what is proved of a network for a family, and what that takes."""
    built = build(network, Design("unrolled", Pipelining(3, "edgeml")))
    name = f"{network.name}_pipeline"
    verilog = built.files[f"{name}.v"]
    marks = [_seconds()]
    known = circuit_of(read_module(verilog, name))
    marks.append(_seconds())
    other = netlist_of(verilog, name, FAMILIES[family])
    marks.append(_seconds())
    sweep, outputs, _ = compared(known, other)
    marks.append(_seconds())
    certificate = equivalence_files(known, other, sweep, outputs, {}, b"", {})
    files = {f"netlist/{file}": data for file, data in certificate.items()}
    files["unrolled/circuit.json"] = circuit_json(known)
    digest = hashlib.sha256(files["unrolled/circuit.json"]).hexdigest()
    about = {"format": 1, "kind": "circuit", "circuit": digest}
    files["unrolled/certificate.json"] = json.dumps(about).encode()
    for path, data in files.items():
        (folder / "proof" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "proof" / path).write_bytes(data)
    marks.append(_seconds())
    ((whole, sound),) = check_certificate(folder, "netlist").values()
    marks.append(_seconds())
    reads, synthesis, proof, _, checker = (later - earlier for earlier, later in pairwise(marks))
    lemmas = [len(pair.lemmas) for pair in sweep.pairs.values() if pair.lemmas]
    sizes = [network.input_size, *(network.sizes[node.name] for node in network.nodes if node.layer.kind == "dense")]
    return (
        f"| {'-'.join(map(str, sizes))}, {family} | {len(other.gates):,} | {sound} of {whole} | "
        f"{len(sweep.pairs):,} | {len(lemmas):,} by {sum(lemmas):,} lemmas | {synthesis:.0f} | {reads:.1f} | "
        f"{proof:.1f} | {checker:.1f} | {len(files['netlist/certificate.json']) / 1e6:.1f} |"
    )


def main() -> None:
    """Measure networks, a line each."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--network", type=Path, nargs="+", default=[], help="networks, instead of random ones")
    arguments.add_argument("--families", nargs="+", choices=["ecp5", "ice40"], default=["ecp5", "ice40"])
    given = arguments.parse_args()
    networks = [random_network(sizes, (-2, 1), density, "net") for sizes, density in _NETWORKS]
    columns = ["network, family", "gates", "outputs", "equal bits", "by lemmas", "yosys synthesizes", "yosys reads"]
    columns += ["proof", "checker", "MB"]
    print("\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]))
    for network in [network_file.read(path) for path in given.network] or networks:
        for family in given.families:
            with tempfile.TemporaryDirectory() as folder:
                print(measure(network, family, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
