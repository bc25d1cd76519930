"""Networks of Boolean functions beside dense 2-bit ones at about equal accuracy: the generated C, one thread.

    python -m benchmarks.logic [--rounds N] [--batch 512] [--network FILE.edgeml] [--cores m4 m0 rv32]

Both are trained here on scikit-learn's digits: 64 pixels through 16 and 16 neurons of 2 bits, and through thermometers
of 3 levels, 300 and 200 functions of six bits, and sums. Each is compared with the golden simulator first. Then all are
timed in turns of processor time, a batch and single samples, with this machine's vectors, with AVX2 alone where it has
that, and in plain C; medians, and the median of the ratios of each turn. `--network` takes a network of functions that
is there already; `--cores` counts one sample on microcontrollers, in Unicorn.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt

import edgeml
from edgeml.demo import train_digits
from edgeml.errors import CheckFailed
from edgeml.network import Network, argmax, file, simulate
from edgeml.targets.cpu.native_network import NativeNetwork

__all__ = ["BODIES", "Timing", "timings"]

BODIES: dict[str, tuple[str, ...] | None] = {
    "this machine": None,
    "AVX2": ("-std=c99", "-O3", "-march=haswell"),
    "plain C": ("-std=c99", "-O3", "-DEDGEML_PORTABLE"),
}
"""Flags of the compiler; None for those of the machine."""
_SECONDS = 0.05
_OPTIONS: dict[str, dict[str, object]] = {
    "dense": {"bits": 2, "epochs": 150},
    "logic": {"neurons": "logic", "logic_widths": "300,200", "input_bits": 4},
}

Timing = tuple[float, ...]
"""Nanoseconds per sample of each network, in one turn."""


def _trained(
    folder: Path, network: Path | None
) -> tuple[dict[str, Network], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Both networks, and the digits that are held back with their classes."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    train_digits(folder)
    data = np.load(folder / "digits.npz")
    torch.manual_seed(0)
    small = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 10))
    optimizer = torch.optim.AdamW(small.parameters(), lr=3e-3, weight_decay=1e-2)
    x, y = torch.from_numpy(data["x"]), torch.from_numpy(data["y"])
    for _ in range(60):
        for rows in torch.randperm(len(x)).split(128):
            optimizer.zero_grad()
            nn.functional.cross_entropy(small(x[rows]), y[rows]).backward()
            optimizer.step()
    models = {"dense": small.eval(), "logic": folder / "digits.pt2"}
    found = {}
    for name, model in models.items():
        if name == "logic" and network is not None:
            found[name] = file.read(network)
            continue
        bundle = edgeml.convert(
            model, to="quantized", target="host", data=folder / "digits.npz", output=folder / name, name=name,
            options=_OPTIONS[name],
        )  # fmt: skip
        found[name] = bundle.network
    return found, data["x_test"].astype(np.float64), data["y_test"]


def _timer(native: NativeNetwork, q: npt.NDArray[np.int32], singly: bool) -> Callable[[], float]:
    """Nanoseconds of processor time per sample over a turn."""
    repeats = max(1, int(_SECONDS / max(native.time(q, 3, singly, processor=True) * len(q), 1e-9)))
    return lambda: 1e9 * native.time(q, repeats, singly, processor=True)


def timings(
    natives: list[NativeNetwork], inputs: list[npt.NDArray[np.int32]], rounds: int, singly: bool
) -> list[Timing]:
    """So many turns over all networks."""
    timers = [_timer(native, q, singly) for native, q in zip(natives, inputs, strict=True)]
    return [tuple(timer() for timer in timers) for _ in range(rounds)]


def on_cores(networks: Iterable[Network], cores: Sequence[str]) -> None:
    """Print flash and instructions of one sample on microcontrollers."""
    from edgeml.targets.mcu.cores import core
    from edgeml.targets.mcu.firmware import firmware_files
    from edgeml.targets.mcu.measure import choose_kernels, measure_best

    for chip in map(core, cores):
        for network in networks:
            found = measure_best(firmware_files(network, chip, choose_kernels(network, chip)), chip)
            print(f"{chip.title:<14}{network.name:<10}{found.flash:>8,} bytes{found.instructions:>10,} instructions")


def main() -> None:
    """Train, compare, and print a row for each body and way to call."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--network", type=Path)
    parser.add_argument("--cores", nargs="*", default=[])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        networks, x, y = _trained(Path(scratch), asked.network)
    inputs = []
    for name, network in networks.items():
        q = network.quantizer.quantize(x)
        share = float(np.mean(argmax(simulate(network, q)) == y))
        layers = ", ".join(str(network.sizes[node.name]) for node in network.nodes)
        print(f"{name}: {layers}; {share:.1%} of {len(y)} held-back digits")
        inputs.append(np.resize(q, (asked.batch, network.input_size)))
    on_cores(networks.values(), asked.cores)
    print(f"{'C':<14}{'samples':>8}{'dense':>10}{'logic':>10}{'ratio':>8}   nanoseconds per sample")
    for body, flags in BODIES.items():
        if body == "AVX2" and platform.machine() not in ("x86_64", "AMD64"):
            continue
        natives = [NativeNetwork(network, flags=flags) for network in networks.values()]
        for native, q in zip(natives, inputs, strict=True):
            if not np.array_equal(native.invoke(q), simulate(native.network, q)):
                raise CheckFailed(native.network.name, f"the C ({body}) differs from golden")
        for singly in (False, True):
            turns = timings(natives, inputs, asked.rounds, singly)
            dense, logic = (statistics.median(turn[k] for turn in turns) for k in range(2))
            ratio = statistics.median(turn[0] / turn[1] for turn in turns)
            print(f"{body:<14}{1 if singly else asked.batch:>8}{dense:>10.1f}{logic:>10.1f}{ratio:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
