"""What `edgeml verify --prove` costs beside `edgeml convert`, in seconds of processor time, a row for each bundle.

    python -m benchmarks.proofs                          all rows
    python -m benchmarks.proofs --rows "16-64-32-32-5, unrolled" "16-64-32-32-5, Cortex-M4"

A bundle is converted and proved with an empty cache; then the sign of one weight in the dense layer in the middle is
turned, and the network is converted and proved again with what was kept: the last columns say what that takes, and of
which parts something was proved again (of those that are kept: layers of pipelines, streams, stages of C and firmware).
Networks are given as `network.edgeml`, so that no training is counted; the time of tools is that of their processes.
64-64-32-10 is trained on digits as `edgeml demo` does, the others are random; inputs and activations have 2 bits where
nothing else is said. Both are commands as a user types them, and the proof has the checker's second look in it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import edgeml
from edgeml import bundle
from edgeml.demo import train_digits
from edgeml.network import Network, network_file
from edgeml.network.rounding import ROUNDINGS
from edgeml.proof.claim import NOT_TRIED

from .folded_proofs import bytes_network
from .fpga import random_network
from .unrolled_proofs import changed

_KEPT = "kept from before"
_SOME_KEPT = re.compile(rf"([\d,]+) of [\d,]+ {_KEPT}")
_KEEPING = ("library", "unrolled", "machine_code", "c-portable", "c-avx2", "c-avx512", "c-neon")
_UNROLLED, _FOLDED = {"architecture": "unrolled"}, {"architecture": "folded"}
_MLP = (16, 64, 32, 32, 5)


@dataclass(frozen=True)
class Case:
    """A row: a network by its name, and what it is converted for."""

    network: str
    how: str
    target: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What the row is called."""
        return f"{self.network}, {self.how}"


CASES = (
    Case("16-64-32-32-5", "unrolled", "xczu7ev", _UNROLLED),
    Case("16-64-32-32-5", "folded", "xczu7ev", _FOLDED),
    Case("16-64-32-32-5", "Cortex-M4", "cortex-m4"),
    Case("16-64-32-32-5", "CPU", "host"),
    Case("64-64-32-10", "unrolled", "xczu7ev", _UNROLLED),
    Case("64-64-32-10", "folded", "xczu7ev", _FOLDED),
    Case("64-64-32-10", "Cortex-M4", "cortex-m4"),
    Case("64-64-32-10", "CPU", "host"),
    *(Case(f"16-32-5 of bytes, {rounding}", "folded", "xczu7ev", _FOLDED) for rounding in ROUNDINGS),
    Case("16-32-5 of bytes, shift", "unrolled", "xczu7ev", _UNROLLED),
    Case("16-32-5 of bytes, shift", "Cortex-M4", "cortex-m4"),
    Case("16-32-5 of bytes, shift", "CPU", "host"),
)


def network_of(name: str, folder: Path) -> Network:
    """The network of a case. folder : where a trained one is made."""
    if name == "64-64-32-10":
        if not (folder / "digits" / "network.edgeml").exists():
            train_digits(folder)
            model, data = folder / "digits.pt2", folder / "digits.npz"
            edgeml.convert(
                model, data=data, to="quantized", target="host", options={"bits": 2}, output=folder / "digits"
            )
        return network_file.read(folder / "digits" / "network.edgeml")
    if "bytes" in name:
        return bytes_network((16, 32, 5), name.rpartition(", ")[2])
    return random_network(_MLP, (-2, 1), 1.0, "net")


def _seconds() -> float:
    """Processor time of this process and of those that it waited for."""
    return sum(os.times()[:4])


def converted_and_proved(network: Network, case: Case, folder: Path) -> tuple[float, float, list[dict[str, Any]]]:
    """(seconds of the conversion, of the proof, what is proved) of a network, as a bundle in a folder that is new: by
    the commands, as a user types them."""
    folder.mkdir()
    network_file.write(network, folder / "given.edgeml")
    form = "tflite" if "bytes" in case.network else "quantized"
    options = [f"--option={name}={value}" for name, value in case.options.items()]
    marks = [_seconds()]
    for command in (
        ["convert", "given.edgeml", "--to", form, "--target", case.target, *options, "-o", "bundle"],
        ["verify", "bundle", "--prove"],
    ):
        subprocess.run([sys.executable, "-m", "edgeml", *command], cwd=folder, check=True, capture_output=True)
        marks.append(_seconds())
    rows = bundle.load(folder / "bundle").manifest["metrics"]["proof"]
    return marks[1] - marks[0], marks[2] - marks[1], rows


def anew(rows: Sequence[Mapping[str, Any]]) -> str:
    """The parts of which something was proved anew, where proofs are kept, with how many claims where not all were."""
    found = {}
    for row in rows:
        some = _SOME_KEPT.search(row["method"])
        if row["prover"] in _KEEPING and row["seconds"] and (some or _KEPT not in row["method"]):
            again = row["claims"] - int(some[1].replace(",", "")) if some else 0
            found[row["part"]] = f" ({again} of {row['claims']})" if some else ""
    return ", ".join(f"{part}{some}" for part, some in found.items())


def line(case: Case, folder: Path) -> str:
    """A row of the table."""
    network = network_of(case.network, folder)
    place = folder / case.title.replace(" ", "_").replace(",", "")
    os.environ["EDGEML_CACHE"] = f"{place}-cache"
    conversion, proof, rows = converted_and_proved(network, case, place)
    _, again, rows_again = converted_and_proved(changed(network), case, Path(f"{place}-changed"))
    tried = [row for row in rows if row["status"] != NOT_TRIED]
    claims, proved = sum(row["claims"] for row in tried), sum(row["proved"] for row in tried)
    columns = [case.title, f"{proved:,} of {claims:,}", f"{conversion:.1f}", f"{proof:.1f}"]
    columns += [f"{proof / conversion:.2f}", f"{again:.1f}", anew(rows_again)]
    return f"| {' | '.join(columns)} |"


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", nargs="+", choices=[case.title for case in CASES], help="only these")
    given = arguments.parse_args()
    columns = [
        "bundle",
        "claims proved",
        "conversion",
        "`--prove`",
        "ratio",
        "one weight changed",
        "proved again",
    ]
    print("\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]))
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            if not given.rows or case.title in given.rows:
                print(line(case, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
