"""Networks of Boolean functions beside dense 2-bit ones at equal accuracy: the generated C on a CPU, one thread.

    python -m benchmarks.logic [--data-set digits mnist can] [--rounds 21] [--batch 512] [--keep FOLDER]
                               [--functions WIDTHS] [--cores m4 m0 rv32]

On each data set (`benchmarks.training_data`, first split) a network of functions is trained here, and dense 2-bit ones
from few operations to many, until one answers as many test samples right. Both are compared with the golden simulator,
then timed in turns of processor time, a batch and single samples, with this machine's vectors, with AVX2 alone where
it has that, and in plain C: medians, and the median of the ratios of each turn. The bus's 320 bits come as 40 bytes.
"moved" is what takes no computing: reading the inputs once and writing as many outputs, in C for the same flags.
`--keep` keeps trained networks, and takes what is there; `--functions` trains others than `SIZES` says, for another
accuracy; `--cores` counts one sample on microcontrollers, in Unicorn.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt

import edgeml
from edgeml.errors import CheckFailed
from edgeml.network import Network, argmax, file, simulate
from edgeml.targets.cpu.native_network import NativeNetwork
from edgeml.targets.cpu.shared_library import build_library

from .training_data import DATA_SETS, Split

__all__ = ["BODIES", "SIZES", "Sizes", "Timing", "timings"]

BODIES: dict[str, tuple[str, ...] | None] = {
    "this machine": None,
    "AVX2": ("-std=c99", "-O3", "-march=haswell"),
    "plain C": ("-std=c99", "-O3", "-DEDGEML_PORTABLE"),
}
"""Flags of the compiler; None for those of the machine."""
_MOVED = """#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* Reads inputs and writes outputs, again and again, and computes nothing of them. */
uint64_t moved(const uint8_t *x, size_t words, int32_t *y, size_t outputs, size_t repeats);
uint64_t moved(const uint8_t *x, size_t words, int32_t *y, size_t outputs, size_t repeats)
{
    uint64_t all = 0;
    for (size_t r = 0; r < repeats; r++) {
        for (size_t i = 0; i < words; i++) {
            uint64_t word;
            memcpy(&word, x + 8 * i, 8);
            all ^= word;
        }
        for (size_t o = 0; o < outputs; o++) {
            y[o] = (int32_t)(r + o);
        }
        __asm__ volatile("" : : "r"(y) : "memory");
    }
    return all;
}
"""
_SECONDS, _STEPS, _TEACHER = 0.05, 2000, (128, 64)


@dataclass(frozen=True)
class Sizes:
    """Functions of each layer; hidden neurons of dense networks, the fewest operations first; bits of an input."""

    functions: str
    dense: tuple[tuple[int, ...], ...]
    input_bits: int


SIZES = {
    "digits": Sizes("160", ((8,), (12,), (16,), (16, 16), (24, 16), (32, 32), (64, 32)), 4),
    "mnist": Sizes("500", ((16, 16), (24, 16), (32, 32), (48, 32), (64, 32), (128, 64)), 4),
    "can": Sizes("300", ((8,), (16,), (24,), (32, 16), (64, 32)), 8),
}

Timing = tuple[float, ...]
"""Nanoseconds per sample of each network, in one turn."""


def _split(name: str) -> Split:
    """The first split; the bus's bits as bytes."""
    found = next(iter(DATA_SETS[name](0)))
    if name != "can":
        return found
    x, x_test = (np.packbits(values.astype(np.uint8), axis=1).astype(np.float32) for values in (found.x, found.x_test))
    return Split(x, found.y, x_test, found.y_test)


def _float_model(split: Split, hidden: Sequence[int], on_bytes: bool) -> Any:
    """An MLP with batch norm, AdamW and a cosine; on all bits of bytes where the inputs are such."""
    import torch
    from torch import nn

    class OnBits(nn.Module):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.model = model
            self.register_buffer("power", 2.0 ** torch.arange(7, -1, -1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            bits = torch.floor(x[:, :, None] / self.power) % 2
            return self.model(bits.flatten(1))  # type: ignore[no-any-return]

    torch.set_num_threads(1)
    torch.manual_seed(0)
    width, layers = split.x.shape[1] * (8 if on_bytes else 1), []
    for outputs in hidden:
        layers += [nn.Linear(width, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
        width = outputs
    model: nn.Module = nn.Sequential(*layers, nn.Linear(width, split.classes))
    model = OnBits(model) if on_bytes else model
    x, y = torch.from_numpy(split.x), torch.from_numpy(split.y)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    for _ in range(_STEPS):
        rows = torch.randint(0, len(x), (128,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def _network(split: Split, data_set: str, sizes: Sizes, hidden: tuple[int, ...] | None, folder: Path) -> Network:
    """A dense network of 2 bits, or one of functions; as it is in the folder, if it is there."""
    kind, widths = ("dense", "_".join(map(str, hidden))) if hidden else ("logic", sizes.functions.replace(",", "_"))
    kept = folder / f"{data_set}-{kind}-{widths}.edgeml"
    if kept.exists():
        return file.read(kept)
    model = _float_model(split, hidden or _TEACHER, data_set == "can")
    options: dict[str, object] = {"neurons": "logic", "logic_widths": sizes.functions}
    if hidden:
        options = {"bits": 2, "epochs": max(1, round(2500 * 128 / len(split.x)))}
    samples = {"x": split.x, "y": split.y, "x_test": split.x_test, "y_test": split.y_test}
    with tempfile.TemporaryDirectory() as scratch:
        network = edgeml.convert(
            model, to="quantized", target="host", data=samples, example=split.x[:1], output=Path(scratch) / "bundle",
            name=f"{kind}_{data_set}", options={"input_bits": sizes.input_bits, **options},
        ).network  # fmt: skip
    file.write(network, kept)
    return network


def _accuracy(network: Network, split: Split) -> float:
    q = network.quantizer.quantize(split.x_test.astype(np.float64))
    return float(np.mean(argmax(simulate(network, q)) == split.y_test))


def _pair(data_set: str, sizes: Sizes, split: Split, folder: Path) -> dict[str, Network]:
    """The network of functions, and the dense one of the fewest operations that is right as often: or, if none is, the
    one that is right most often, which is said."""
    logic = _network(split, data_set, sizes, None, folder)
    wanted, best, most = _accuracy(logic, split), logic, -1.0
    for hidden in sizes.dense:
        dense = _network(split, data_set, sizes, hidden, folder)
        found = _accuracy(dense, split)
        if found > most:
            best, most = dense, found
        if found >= wanted:
            break
    for network, share in ((best, most), (logic, wanted)):
        layers = ", ".join(str(network.sizes[node.name]) for node in network.nodes)
        print(f"{network.name}: {layers}; {share:.1%} of {len(split.y_test)} test samples", flush=True)
    return {"dense": best, "logic": logic}


def _timer(native: NativeNetwork, q: npt.NDArray[np.int32], singly: bool) -> Callable[[], float]:
    """Nanoseconds of processor time per sample over a turn."""
    repeats = max(1, int(_SECONDS / max(native.time(q, 3, singly, processor=True) * len(q), 1e-9)))
    return lambda: 1e9 * native.time(q, repeats, singly, processor=True)


def _moved(native: NativeNetwork, q: npt.NDArray[np.int32], rounds: int) -> float:
    """Nanoseconds of processor time per sample of reading the inputs and writing outputs, the median of turns."""
    library = ctypes.CDLL(str(build_library(native.compiler, {"moved.c": _MOVED}, ["moved.c"], native.flags)))
    x, y = np.ascontiguousarray(q, np.uint8), np.zeros((len(q), native.network.output_size), np.int32)

    def turn(repeats: int) -> float:
        size = ctypes.c_size_t
        start = time.process_time()
        library.moved(
            ctypes.c_void_p(x.ctypes.data),
            size(x.size // 8),
            ctypes.c_void_p(y.ctypes.data),
            size(y.size),
            size(repeats),
        )
        return (time.process_time() - start) / (repeats * len(q))

    repeats = max(1, int(_SECONDS / max(turn(100) * len(q), 1e-9)))
    return 1e9 * statistics.median(turn(repeats) for _ in range(rounds))


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
            print(f"{chip.title:<14}{network.name:<14}{found.flash:>8,} bytes{found.instructions:>10,} instructions")


def _timed(networks: dict[str, Network], x: npt.NDArray[np.float64], batch: int, rounds: int) -> None:
    """Print a row for each body and way to call."""
    inputs = [np.resize(net.quantizer.quantize(x), (batch, net.input_size)) for net in networks.values()]
    print(f"{'C':<14}{'samples':>8}{'dense':>10}{'logic':>10}{'ratio':>8}{'moved':>8}   nanoseconds per sample")
    for body, flags in BODIES.items():
        if body == "AVX2" and platform.machine() not in ("x86_64", "AMD64"):
            continue
        natives = [NativeNetwork(network, flags=flags) for network in networks.values()]
        for native, q in zip(natives, inputs, strict=True):
            if not np.array_equal(native.invoke(q), simulate(native.network, q)):
                raise CheckFailed(native.network.name, f"the C ({body}) differs from golden")
        for singly in (False, True):
            turns = timings(natives, inputs, rounds, singly)
            dense, logic = (statistics.median(turn[k] for turn in turns) for k in range(2))
            ratio = statistics.median(turn[0] / turn[1] for turn in turns)
            moved = "" if singly else f"{_moved(natives[1], inputs[1], rounds):>8.2f}"
            print(f"{body:<14}{1 if singly else batch:>8}{dense:>10.1f}{logic:>10.1f}{ratio:>8.2f}{moved}", flush=True)


def main() -> None:
    """Train, compare and time on each data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-set", nargs="+", choices=tuple(SIZES), default=["digits"])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--functions", help="of each layer, instead of those of the data set")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--cores", nargs="*", default=[])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for data_set in asked.data_set:
            split = _split(data_set)
            sizes = SIZES[data_set] if asked.functions is None else replace(SIZES[data_set], functions=asked.functions)
            networks = _pair(data_set, sizes, split, folder)
            on_cores(networks.values(), asked.cores)
            _timed(networks, split.x_test.astype(np.float64), asked.batch, asked.rounds)


if __name__ == "__main__":
    main()
