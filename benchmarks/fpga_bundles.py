"""How long verified bundles of large networks take: processor time and seconds on the wall, stage by stage.

    python -m benchmarks.fpga_bundles [--network NAME ...] [--part PART] [--warm]

Networks of random 2-bit weights with the shapes of 1024-1024-1024-10, of MLPerf Tiny's autoencoder and of 50 layers.
Each is converted as a user would do it, without options, by a process of its own; the cache of compiled simulations is
empty, but with --warm. `rules` is what `edgeml convert` checks before it writes anything.
Processor time is that of the process and of all programs that it started. Ends with 1 where a limit is passed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import edgeml
from edgeml.network.network_file import read, write
from edgeml.plugins import targets
from edgeml.profile import load_profile

from .cpu import random_network

NETWORKS: dict[str, tuple[tuple[int, ...], float]] = {
    "1024-1024-1024-10": ((1024, 1024, 1024, 10), 240.0),
    "autoencoder": ((640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640), 120.0),
    "50 layers": ((64, *[64] * 49, 10), 120.0),
}
"""Sizes of the layers, and the most seconds that a bundle may take."""
_RULES_LIMIT = 1.0


def processor_seconds() -> float:
    """Of this process and of all that it started and that ended."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


class Stages:
    """What each announced stage took: processor time and seconds on the wall."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self._now = (processor_seconds(), time.perf_counter())
        self.begin("")

    def begin(self, stage: str) -> None:
        """A stage ends, and `stage` begins."""
        before, self._now = self._now, (processor_seconds(), time.perf_counter())
        if self.rows:
            self.rows[-1][1:] = [now - then for now, then in zip(self._now, before, strict=True)]
            print("{:<40}{:8.1f}{:8.1f}".format(*self.rows[-1]), file=sys.stderr, flush=True)
        self.rows.append([stage, 0.0, 0.0])


def measure(sizes: tuple[int, ...], part: str, folder: Path) -> dict[str, Any]:
    """Rules and a verified bundle of a random network for a part: seconds of each stage, and the verdicts."""
    path = folder / "net.edgeml"
    write(random_network(sizes, 8), path)
    network, profile = read(path), load_profile(part)
    before = processor_seconds()
    targets(profile.kind).rules(network, profile)
    rules = processor_seconds() - before
    stages = Stages()
    before, begun = processor_seconds(), time.perf_counter()
    bundle = edgeml.convert(path, to="quantized", target=part, output=folder / "bundle", announce=stages.begin)
    stages.begin("")
    verdicts = [
        f"{verdict['name']} {verdict['status']} {verdict['vectors']} {verdict['detail']}"
        for verdict in bundle.manifest["verification"]
    ]
    return {
        "rules": rules,
        "processor": processor_seconds() - before,
        "wall": time.perf_counter() - begun,
        "stages": [row for row in stages.rows if row[0]],
        "verdicts": verdicts,
    }


def main(arguments: list[str]) -> int:
    """Print the table; returns an exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", nargs="+", choices=NETWORKS, default=list(NETWORKS), metavar="NAME")
    parser.add_argument("--part", default="xczu7ev", metavar="NAME")
    parser.add_argument("--warm", action="store_true", help="with the user's cache of compiled simulations")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside:
        sizes, _ = NETWORKS[options.network[0]]
        print(json.dumps(measure(sizes, options.part, Path(options.inside))))
        return 0
    passed = True
    for name in options.network:
        with tempfile.TemporaryDirectory(prefix="edgeml_bench_") as scratch:
            environment = dict(os.environ) if options.warm else {**os.environ, "EDGEML_CACHE": f"{scratch}/cache"}
            command = [sys.executable, "-m", "benchmarks.fpga_bundles", "--part", options.part]
            command += ["--network", name, "--inside", scratch]
            text = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
        passed &= show(name, options.part, json.loads(text))
    return 0 if passed else 1


def show(name: str, part: str, found: dict[str, Any]) -> bool:
    """Print what one network took; whether that is within its limits."""
    limit = NETWORKS[name][1]
    print(f"{name} to {part}: rules {found['rules']:.2f} s of processor time (limit {_RULES_LIMIT:g} s)")
    print(f"  {found['processor']:.1f} s of processor time, {found['wall']:.1f} s on the wall (limit {limit:g} s)")
    for stage, processor, wall in found["stages"]:
        print(f"    {stage:<40}{processor:8.1f}{wall:8.1f}")
    for verdict in found["verdicts"]:
        print(f"    {verdict}")
    sys.stdout.flush()
    return bool(found["wall"] <= limit and found["rules"] <= _RULES_LIMIT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
