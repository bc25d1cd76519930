"""How fast generated designs are simulated: seconds to build, vectors a second, beside Icarus and the golden simulator.

    python -m benchmarks.fpga_simulation [--network FILE] [--parts PART ...] [--vectors N]

The designs are those that a user gets for each part without options, of a network with the shape of the demo's
(64-64-32-10, 2-bit weights) or of a `network.edgeml`. Builds are from nothing: the cache of compiled designs is empty,
Verilator's own run-time sources are compiled once before. Every vector of every simulator is held against golden.
Seconds are of the clock on the wall, with seconds of processor time beside them; ratios are of vectors a second.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import EdgemlError
from edgeml.network import Network, simulate
from edgeml.network.network_file import read
from edgeml.profile import load_profile
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.choice import choose
from edgeml.targets.fpga.design import Built, Design, build
from edgeml.targets.fpga.executors.icarus import run_icarus
from edgeml.targets.fpga.executors.verilator import Simulation, compile_design
from edgeml.targets.fpga.tools.programs import icarus, processors

from .cpu import random_network

_SIZES, _INPUT_BITS = (64, 64, 32, 10), 8
_PARTS = ("xczu7ev", "xc7z020", "ecp5-25k", "ice40-hx8k")
_ICARUS_VECTORS = 100
_REPEATS = 3


@dataclass(frozen=True)
class Taken:
    """What a call took: seconds on the wall, and of processor time of the programs that it started."""

    wall: float
    processor: float


def timed(call: Callable[[], Any]) -> tuple[Any, Taken]:
    """Result of a call, and what it took."""

    def processor() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    wall, before = time.perf_counter(), processor()
    result = call()
    return result, Taken(time.perf_counter() - wall, processor() - before)


def verilator_rate(simulation: Simulation, q: npt.NDArray[np.int32], y: npt.NDArray[np.int32]) -> tuple[float, float]:
    """Vectors a second on the wall, and a second of processor time: the best of a few runs."""
    best = []
    for _ in range(_REPEATS):
        (outputs, _), taken = timed(lambda: simulation.run(q))
        if not np.array_equal(outputs, y):
            raise EdgemlError("Verilator", "differs from the golden simulator")
        best.append(taken)
    return len(q) / min(taken.wall for taken in best), len(q) / min(taken.processor for taken in best)


def icarus_rate(built: Built, folder: Path, q: npt.NDArray[np.int32], y: npt.NDArray[np.int32]) -> float:
    """Vectors a second, without what Icarus needs to read the design: from a long run and a short one."""
    seconds = []
    for frames in (2, 2 + _ICARUS_VECTORS):
        (outputs, verdict), taken = timed(
            lambda frames=frames: run_icarus(built, folder, q[:frames], y[:frames])  # type: ignore[misc]
        )
        if verdict != f"PASS {frames}" or not np.array_equal(outputs, y[:frames]):
            raise EdgemlError("Icarus", f"differs from the golden simulator: {verdict}")
        seconds.append(taken.wall)
    return _ICARUS_VECTORS / max(seconds[1] - seconds[0], 1e-9)


def row(network: Network, part: str, vectors: int, folder: Path) -> str:
    """Build and run the design of a part; its row of the table."""
    built, _ = choose(network, budget_of(load_profile(part)), {})
    quantizer = network.quantizer
    shape = (vectors, network.input_size)
    q = np.random.default_rng(0).integers(quantizer.low, quantizer.high + 1, shape).astype(np.int32)
    started = time.perf_counter()
    y = simulate(network, q)
    golden = vectors / (time.perf_counter() - started)
    simulation, build_time = timed(lambda: compile_design(built, folder / "verilator"))
    _, again = timed(lambda: compile_design(built, folder / "again"))
    wall, processor = verilator_rate(simulation, q, y)
    peer = icarus_rate(built, folder / "icarus", q, y) if icarus() is not None else 0.0
    return (
        f"{part:<12}{built.design.architecture:<10}{built.interval:>9}{build_time.wall:>9.1f}"
        f"{build_time.processor:>9.1f}{again.wall:>8.2f}{wall:>10.0f}{processor:>13.0f}"
        + (f"{peer:>9.0f}{f'{wall / peer:.0f}':>11}" if peer else f"{'none':>9}{'-':>11}")
        + f"{f'{wall / golden:.2f}':>11}"
    )


def main(arguments: list[str]) -> int:
    """Print the table; returns an exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", type=Path, metavar="FILE", help="a network.edgeml instead")
    parser.add_argument("--parts", nargs="+", default=list(_PARTS), metavar="PART", help="parts to choose designs for")
    parser.add_argument("--vectors", type=int, default=100_000, help="random vectors for Verilator")
    options = parser.parse_args(arguments)
    if options.vectors < 2 + _ICARUS_VECTORS:
        parser.error(f"--vectors needs at least {2 + _ICARUS_VECTORS}")
    network = read(options.network) if options.network else random_network(_SIZES, _INPUT_BITS)
    kept = os.environ.get("EDGEML_CACHE")
    with tempfile.TemporaryDirectory(prefix="edgeml_bench_") as scratch:
        os.environ["EDGEML_CACHE"] = f"{scratch}/cache"
        try:
            small = build(random_network((4, 3, 2), 2), Design("unrolled"))
            _, first = timed(lambda: compile_design(small, Path(scratch) / "small"))
            print(f"{processors()} processors; Verilator's run-time sources, once: {first.wall:.1f} s", flush=True)
            print(
                f"{'part':<12}{'design':<10}{'interval':>9}{'build s':>9}{'CPU s':>9}{'again':>8}{'vectors/s':>10}"
                f"{'per CPU s':>13}{'Icarus':>9}{'of Icarus':>11}{'of golden':>11}",
                flush=True,
            )
            for part in options.parts:
                print(row(network, part, options.vectors, Path(scratch) / part), flush=True)
        finally:
            os.environ.pop("EDGEML_CACHE")
            if kept is not None:
                os.environ["EDGEML_CACHE"] = kept
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
