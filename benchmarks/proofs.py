"""What `edgeml verify --prove` costs beside the conversion of the same bundle, in seconds of processor time.

    python -m benchmarks.proofs                             a table of all designs
    python -m benchmarks.proofs --only digits_unrolled      some of them (`--help` names them)
    python -m benchmarks.proofs --network FILE.edgeml --target xczu7ev --option architecture=unrolled

The conversion is `edgeml convert FILE --to quantized --target PART`, the runs of executors in it included; the proof is
all provers of the bundle with an empty cache, beside it each prover; the checker is `--check-proof`. Then the sign of
one weight in the middle is turned, and the other network is converted and proved with what was kept: the parts that are
named were proved anew. The time of tools is that of their processes, counted with their children.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import edgeml
from edgeml.bundle import Bundle, load
from edgeml.network import Dense, Network, network_file
from edgeml.network.rounding import ROUNDINGS
from edgeml.proof.bundle_proof import check_proof, prove_bundle
from edgeml.proof.findings import Row

from .folded_proofs import bytes_network
from .fpga import random_network

_KEPT = "kept from before"


@dataclass(frozen=True)
class Case:
    """A network, and what it is converted for."""

    network: Callable[[], Network]
    target: str
    options: dict[str, str] = field(default_factory=dict)


def digits() -> Network:
    """The demonstration's 64-64-32-10, trained on handwritten digits, 2 bits."""
    from edgeml.demo import train_digits

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        train_digits(folder)
        data, model = folder / "digits.npz", folder / "digits.pt2"
        edgeml.convert(model, data=data, to="quantized", target="host", options={"bits": 2}, output=folder / "host")
        return load(folder / "host").network


def _cases() -> dict[str, Case]:
    unrolled, folded = {"architecture": "unrolled"}, {"architecture": "folded"}
    found = {
        "dense_unrolled": Case(lambda: random_network((16, 64, 32, 32, 5), (-2, 1), 1.0, "net"), "xczu7ev", unrolled),
        "digits_unrolled": Case(digits, "xczu7ev", unrolled),
        "dense_folded": Case(lambda: random_network((16, 64, 32, 32, 5), (-2, 1), 1.0, "net"), "xczu7ev", folded),
        "digits_folded": Case(digits, "xczu7ev", folded),
        "digits_m4": Case(digits, "cortex-m4"),
    }
    for rule in ROUNDINGS:
        found[f"int8_{rule}"] = Case(lambda rule=rule: bytes_network((16, 32, 5), rule), "xczu7ev", unrolled)  # type: ignore[misc]
    return found


def changed(network: Network) -> Network:
    """The network with the sign of one weight turned, in the dense layer in the middle."""
    dense = [node for node in network.nodes if isinstance(node.layer, Dense)]
    node = dense[len(dense) // 2]
    weight = node.layer.weight.copy()
    place = tuple(axis[0] for axis in (abs(weight) == abs(weight)[weight != 0].min()).nonzero())
    weight[place] = -weight[place]
    other = replace(node, layer=replace(node.layer, weight=weight))
    return replace(network, nodes=tuple(other if each is node else each for each in network.nodes))


class Clock:
    """Processor time of this process and of those that it waited for, since the last reading."""

    def __init__(self) -> None:
        self.last = sum(os.times()[:4])

    def read(self) -> float:
        """Seconds since the last reading."""
        before, self.last = self.last, sum(os.times()[:4])
        return self.last - before


def converted(network: Network, case: Case, folder: Path) -> Bundle:
    """The bundle of a network."""
    network_file.write(network, folder.with_suffix(".edgeml"))
    source = folder.with_suffix(".edgeml")
    edgeml.convert(source, to="quantized", target=case.target, options=case.options, output=folder)
    return load(folder)


def proved(bundle: Bundle) -> tuple[Bundle, list[Row], dict[str, float]]:
    """(the bundle with its certificates, the rows, seconds by prover)."""
    clock, seconds, at = Clock(), {"": 0.0}, [""]

    def announce(what: str) -> None:
        if what.endswith(": begins"):
            seconds[at[0]] += clock.read()
            at[0] = what.partition(":")[0]
            seconds[at[0]] = 0.0

    bundle, rows = prove_bundle(bundle, announce)
    seconds[at[0]] += clock.read()
    return bundle, rows, {name: took for name, took in seconds.items() if name}


def measure(name: str, case: Case, place: Path) -> str:
    """A row of the table, and a line of what one changed weight proves again."""
    network = case.network()
    clock = Clock()
    bundle = converted(network, case, place / "bundle")
    conversion = clock.read()
    bundle, rows, seconds = proved(bundle)
    proof = clock.read()
    check_proof(bundle)
    checked = clock.read()
    other = converted(changed(network), case, place / "changed")
    clock.read()
    _, again, _ = proved(other)
    twice = clock.read()
    parts = ", ".join(f"{prover} {took:.1f}" for prover, took in seconds.items())
    claims, sound = sum(row.claims for row in rows), sum(row.proved for row in rows)
    anew = [f"{row.prover} {row.part}" for row in again if row.claims and row.seconds and _KEPT not in row.method]
    cells = [f"{name}, {case.target}", f"{conversion:.1f}", f"{proof:.1f} ({parts})", f"{proof / conversion:.2f}"]
    cells += [f"{checked:.1f}", f"{sound} of {claims}", f"{twice:.1f}"]
    return f"| {' | '.join(cells)} |\n    one weight changed: {', '.join(anew)}"


def main() -> None:
    """Measure designs, a row each."""
    cases = _cases()
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", nargs="+", choices=list(cases), default=list(cases))
    arguments.add_argument("--network", type=Path)
    arguments.add_argument("--target", default="xczu7ev")
    arguments.add_argument("--option", nargs="*", default=[], metavar="NAME=VALUE")
    given = arguments.parse_args()
    cases = {name: cases[name] for name in given.only}
    if given.network:
        options = dict(each.split("=", 1) for each in given.option)
        cases = {given.network.stem: Case(lambda: network_file.read(given.network), given.target, options)}
    print("| design | conversion | proof | proof / conversion | checker | claims proved | one weight changed |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name, case in cases.items():
        with tempfile.TemporaryDirectory() as place:
            os.environ["EDGEML_CACHE"] = f"{place}/cache"
            print(measure(name, case, Path(place)), flush=True)


if __name__ == "__main__":
    main()
