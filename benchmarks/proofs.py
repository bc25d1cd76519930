"""What a proof for all inputs costs: processor time to read the Verilog, to prove it, and to check the certificate.

    python -m benchmarks.proofs                        16-64-32-32-5, dense 2-bit weights
    python -m benchmarks.proofs --sizes 64 64 32 10 --density 0.5
    python -m benchmarks.proofs --network FILE.edgeml

Nothing is taken from the cache of earlier proofs. The time of yosys is that of its process, counted with its children.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from edgeml.network import network_file
from edgeml.proof.certificate import certificate_files
from edgeml.proof.checkers.circuit import check_certificate
from edgeml.proof.prove import prove
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.proof.cuts import artifact_of
from edgeml.targets.fpga.proof.yosys_reader import circuit_of, read_module

from .fpga import random_network


def _seconds() -> float:
    """Processor time of this process and of those that it waited for."""
    return sum(os.times()[:4])


def main() -> None:
    """Measure one network and print its line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sizes", nargs="+", type=int, default=[16, 64, 32, 32, 5])
    arguments.add_argument("--density", type=float, default=1.0)
    arguments.add_argument("--network", type=Path)
    given = arguments.parse_args()
    if given.network:
        network = network_file.read(given.network)
    else:
        network = random_network(tuple(given.sizes), (-2, 1), given.density, "net")
    built = build(network, Design("unrolled", Pipelining(3, "edgeml")))
    name = f"{network.name}_pipeline"
    verilog = built.files[f"{name}.v"]
    with tempfile.TemporaryDirectory() as place:
        os.environ["EDGEML_CACHE"] = f"{place}/cache"
        marks = [_seconds()]
        circuit = circuit_of(read_module(verilog, name))
        marks.append(_seconds())
        proof = prove(network, circuit, artifact_of(circuit, built.layout.plan.logic))  # type: ignore[attr-defined]
        marks.append(_seconds())
        folder = Path(place)
        (folder / "rtl").mkdir()
        (folder / "proof" / "unrolled").mkdir(parents=True)
        network_file.write(network, folder / "network.edgeml")
        (folder / "rtl" / f"{name}.v").write_bytes(verilog)
        content = (folder / "network.edgeml").read_bytes()
        for file, data in certificate_files(proof, content, {f"rtl/{name}.v": verilog}, {}, []).items():
            (folder / "proof" / "unrolled" / file).write_bytes(data)
        marks.append(_seconds())
        found = check_certificate(folder, "unrolled")
        marks.append(_seconds())
    read, proved, _, checked = (later - earlier for earlier, later in pairwise(marks))
    claims, sound = (sum(numbers) for numbers in zip(*found.values(), strict=True))
    print(
        f"{'-'.join(map(str, network.sizes.values()))}: {len(circuit.gates):,} gates, {sound} of {claims} claims proved"
    )
    print(f"seconds of processor time: yosys reads {read:.1f}, proof {proved:.1f}, checker {checked:.1f}")


if __name__ == "__main__":
    began = time.monotonic()
    main()
    print(f"{time.monotonic() - began:.0f} s on the clock")
