"""Tensors side by side and products on every target, held against the golden simulator over many vectors.

    python -m benchmarks.joined_exactness [--vectors 20000] [--only NAME …] [--networks NAME …]

Prints, for each network and each way to run it, how many vectors differ. The networks reach the ends of what they
multiply; factors have up to 8 bits, of both signs.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

import edgeml
from edgeml.converters.spiking.exact import to_spikes
from edgeml.network import Network, Threshold, ValueRange, file, simulate
from edgeml.targets.cpu.native_network import build_native
from edgeml.targets.mcu.cores import CORES, UNICORN_CORES
from tests.targets.joined_networks import INPUTS, concatenated, multiplied

_NETWORKS = (
    concatenated(2),
    concatenated(8),
    multiplied((2, 2), (True, False)),
    multiplied((8, 8), (True, True)),
    multiplied((4, 4), (False, False), last=True),
)
_BODIES = {"portable": "-DEDGEML_PORTABLE", "avx2": "-march=haswell", "avx512": "-march=icelake-server"}
_CPU_FEATURES = {"portable": "", "avx2": "avx2", "avx512": "avx512_vnni"}
_TARGETS = {"m0": "cortex-m0plus", "rv32": "rv32imc"}

Run = Callable[[np.ndarray], np.ndarray]


def vectors(count: int) -> np.ndarray:
    """int32 [count, inputs]: both ends of all inputs, each input alone at an end, and random ones."""
    random = np.random.default_rng(20)
    q = random.integers(-8, 8, (count, INPUTS)).astype(np.int32)
    q[: count // 4] = random.choice(np.array([-8, 7], np.int32), (count // 4, INPUTS))
    q[:2] = [[-8] * INPUTS, [7] * INPUTS]
    return q


def ways(network: Network, folder: Path) -> Iterator[tuple[str, Callable[[], Run]]]:
    """(name, what gives a function from vectors to outputs) of each way to run a network."""
    features = Path("/proc/cpuinfo").read_text(encoding="utf-8") if platform.machine() == "x86_64" else ""
    for body, flag in _BODIES.items():
        if _CPU_FEATURES[body] in features:
            yield f"c {body}", lambda flag=flag: build_native([network], flags=("-O2", flag))[0].invoke  # type: ignore[misc]
    model = folder / "n.edgeml"
    model.write_bytes(file.to_bytes(network))

    def converted(target: str, on: str, **options: str) -> Run:
        bundle = edgeml.convert(model, to="quantized", target=target, options=options, output=folder / f"{target}_{on}")
        return lambda q: np.asarray(bundle.run(q, on=on).integers)

    for name in UNICORN_CORES:
        target = _TARGETS.get(name, f"cortex-{CORES[name].name}")
        yield f"unicorn-{name}", lambda target=target, name=name: converted(target, f"unicorn-{name}")  # type: ignore[misc]
    for architecture in ("folded", "unrolled"):
        yield (
            f"verilator {architecture}",
            lambda architecture=architecture: converted("xczu7ev", "verilator", architecture=architecture),  # type: ignore[misc]
        )
    if max(int(values.high.max() - values.low.min()) for values in _activations(network)) < 16:
        for encoding in ("unary", "sar", "ttfs", "graded", "stbif"):
            spikes = to_spikes(network, encoding)
            yield f"spikes {encoding}", lambda spikes=spikes: lambda q: simulate(spikes, q)  # type: ignore[misc]


def _activations(network: Network) -> list[ValueRange]:
    """The ranges of all thresholds: larger ones make spikes slow, and products of them have none."""
    return [network.ranges[name] for name in network.of_kind(Threshold)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 if any vector differs anywhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, default=20_000, help="how many inputs")
    parser.add_argument("--only", nargs="*", default=[], help="ways to run whose names begin so")
    parser.add_argument("--networks", nargs="*", default=[], help="networks whose names begin so")
    chosen = parser.parse_args(arguments)
    q, wrong = vectors(chosen.vectors), 0
    for network in _NETWORKS:
        if chosen.networks and not network.name.startswith(tuple(chosen.networks)):
            continue
        golden = simulate(network, q)
        with tempfile.TemporaryDirectory() as folder:
            for name, made in ways(network, Path(folder)):
                if chosen.only and not name.startswith(tuple(chosen.only)):
                    continue
                start = time.monotonic()
                differ = int(np.any(made()(q) != golden, axis=1).sum())
                wrong += differ
                took = f"{time.monotonic() - start:.0f} s"
                print(f"{network.name:24} {name:20} {differ} of {len(q)} differ, {took}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
