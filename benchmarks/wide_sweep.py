"""Networks of every width, width of weights and sparsity, at the derived extremes of each of their layers, on every
core and every body of the CPU kernels, against golden. `python -m benchmarks.wide_sweep --help`

2 to 4 layers of 1 to 1,024 outputs; weights of 1 to 8 bits, dense and sparse; inputs and activations of 1 to 8 bits, or
int8 with each rounding rule. A core's kernels take turns. What cannot run here is told, not counted.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Requantize, Threshold, simulate
from edgeml.network.rounding import ROUNDINGS
from edgeml.targets.c import generate
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_network import build_native
from edgeml.vectors import derive_vectors

from .emulated_linux import MACHINES

__all__ = ["BODIES", "Count", "draw", "sweep", "vectors_for"]

IntTensor = npt.NDArray[np.int32]
_PER_NETWORK = 400
_MOST_WEIGHTS = 400_000


def draw(seed: int) -> Network:
    """One network of the sweep."""
    rng = np.random.default_rng([seed, 12])
    int8 = bool(rng.random() < 0.3)
    weight_bits = 8 if int8 else int(rng.integers(1, 9))
    while True:
        sizes = [_width(rng) for _ in range(int(rng.integers(2, 5)) + 1)]
        if sum(a * b for a, b in pairwise(sizes)) <= _MOST_WEIGHTS:
            break
    density = 1.0 if weight_bits == 1 or rng.random() < 0.5 else float(rng.uniform(0.03, 0.5))
    signed = int8 or bool(rng.random() < 0.3)
    quantizer = InputQuantizer(sizes[0], np.ones(1), np.zeros(1), 0, 8 if int8 else int(rng.integers(1, 9)), signed)
    nodes = [Node("input", quantizer)]
    values = rng.integers(quantizer.low, quantizer.high + 1, (32, sizes[0])).astype(np.int32)
    rounding, levels = ROUNDINGS[int(rng.integers(len(ROUNDINGS)))], (1 << int(rng.integers(1, 9))) - 1
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight = _weights(rng, (outputs, inputs), weight_bits, density)
        reach = int(rng.choice([100, 20_000, 2_000_000]))
        dense = Dense(weight, weight_bits, rng.integers(-reach, reach + 1, outputs))
        nodes.append(Node(f"dense{index}", dense, (nodes[-1].name,)))
        values = dense.evaluate(values)
        if index < len(sizes) - 2:
            layer = _scale(rng, values, rounding) if int8 else _levels(rng, values, levels)
            nodes.append(Node(f"act{index}", layer, (nodes[-1].name,)))
            values = layer.evaluate(values)
    return Network(f"net{seed}", tuple(nodes), Output(np.ones(1)))


def _width(rng: np.random.Generator) -> int:
    """1 to 1,024: mostly over all magnitudes, often wide."""
    return int(rng.integers(512, 1025)) if rng.random() < 0.2 else int(2 ** rng.uniform(0, 10))


def _weights(rng: np.random.Generator, shape: tuple[int, int], bits: int, density: float) -> npt.NDArray[np.int64]:
    if bits == 1:
        return rng.choice([-1, 1], shape)
    weight = rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), shape)
    if rng.random() < 0.3:  # one sign in each row: sums as far out as they get
        weight = np.where(np.arange(shape[0])[:, None] % 2 == 0, np.maximum(weight, 0), np.minimum(weight, 0))
    return np.where(rng.random(shape) < density, weight, 0)


def _levels(rng: np.random.Generator, values: IntTensor, levels: int) -> Threshold:
    low, high = values.min(axis=0).astype(np.int64), values.max(axis=0).astype(np.int64) + 1
    thresholds = rng.integers(low[:, None], high[:, None] + 1, (values.shape[1], levels))
    return Threshold(np.sort(thresholds, axis=1), int(rng.choice([0, -(levels + 1) // 2])))


def _scale(rng: np.random.Generator, values: IntTensor, rounding: str) -> Requantize:
    places = max(1, int(np.abs(values).max()).bit_length()) - 7
    shift = np.array([-min(30, max(0, places))])
    multiplier = np.array([1 << 30]) if rounding == "shift" else np.array([int(rng.integers(1 << 23, 1 << 24)) << 7])
    zero = int(rng.integers(-128, 128))
    return Requantize(multiplier, shift, rounding, zero, int(rng.choice([-128, zero])), 127)


def vectors_for(network: Network, count: int) -> tuple[IntTensor, IntTensor]:
    """(inputs, outputs) of `count` vectors: corners and all that is derived for the layers, then two of them mixed."""
    found = derive_vectors(network)
    q = found.q[found.counts["random"] :]
    rng = np.random.default_rng(3)
    missing = max(0, count - len(q))
    first, second = rng.integers(0, len(q), (2, missing))
    taken = rng.random((missing, 1)) > rng.random((missing, network.input_size))
    q = np.concatenate([q, np.where(taken, q[first], q[second])])[:count]
    return q, simulate(network, q)


@dataclass
class Count:
    """What ran on one core or body."""

    name: str
    networks: int = 0
    vectors: int = 0
    mismatches: int = 0
    kernels: frozenset[str] = frozenset()
    seconds: float = 0.0
    missing: str = ""

    def add(self, found: IntTensor, expected: IntTensor, kernels: Iterator[str]) -> None:
        """One network's outputs."""
        self.networks += 1
        self.vectors += len(expected)
        self.mismatches += int((found != expected).any(axis=1).sum())
        self.kernels |= {name for name in kernels if name}

    def line(self) -> str:
        """A row of the table."""
        if self.missing:
            return f"{self.name:14} not run: {self.missing}"
        kernels = ", ".join(sorted(self.kernels))
        return (
            f"{self.name:14} {self.networks:4} networks {self.vectors:7,} vectors {self.mismatches:4} mismatches "
            f"{self.seconds:6.0f} s  {kernels}"
        )


Cases = Sequence[tuple[Network, IntTensor, IntTensor]]


def on_core(name: str, cases: Cases) -> Count:
    """The firmware's C on an emulated core: Unicorn, or QEMU's board for the Cortex-M55."""
    from edgeml.targets.mcu.cores import core
    from edgeml.targets.mcu.dialect import core_kernels
    from edgeml.targets.mcu.emulator import Emulator
    from edgeml.targets.mcu.firmware import firmware_files
    from edgeml.targets.mcu.image_build import library_image
    from edgeml.targets.mcu.measure import measuring_missing
    from edgeml.targets.mcu.runner import NetworkRunner

    count, chip = Count(name), core(name)
    count.missing = measuring_missing()
    if not chip.unicorn_model and shutil.which("qemu-system-arm") is None:
        count.missing = "qemu-system-arm is not installed"
    if count.missing:
        return count
    kernels = core_kernels(chip)
    for position, (network, q, y) in enumerate(cases if chip.unicorn_model else _fitting(cases)):
        prefixes = [stage.job.prefix for stage in firmware_files(network, chip, {}).program.layout.stages]
        firmware = firmware_files(network, chip, dict.fromkeys(prefixes, kernels[position % len(kernels)].name))
        if chip.unicorn_model:
            found = NetworkRunner(Emulator(chip, library_image(firmware, chip)), firmware.program).invoke(q)
        else:
            found = _on_board(network, firmware, q)
        count.add(found, y, (stage.code.kernel for stage in firmware.program.layout.stages))
    return count


_BOARD_BYTES = 400_000
"""Constants that the board's flash holds beside the code, about."""


def _fitting(cases: Cases) -> Iterator[tuple[Network, IntTensor, IntTensor]]:
    """The cases, a smaller network in the place of each that the board's flash does not hold."""
    from edgeml.targets.mcu.cores import core
    from edgeml.targets.mcu.firmware import firmware_files

    further = itertools.count(1_000_000)
    for network, q, y in cases:
        taken = network
        while firmware_files(taken, core("m55"), {}).program.constant_bytes > _BOARD_BYTES:
            taken = draw(next(further))
        yield (network, q, y) if taken is network else (taken, *vectors_for(taken, len(q)))


def _on_board(network: Network, firmware: object, q: IntTensor) -> IntTensor:
    from edgeml.hil.device import Device
    from edgeml.targets.mcu import boards
    from edgeml.targets.mcu.firmware import Firmware

    assert isinstance(firmware, Firmware)
    board = boards.qemu_an547
    link = board.link(firmware)
    try:
        return Device(link, network, timeout=120.0, attempts=2).run(q)
    finally:
        link.close()


BODIES = {
    "portable": (("x86_64", "AMD64", "aarch64", "arm64"), (), ("-DEDGEML_PORTABLE",)),
    "avx2": (("x86_64", "AMD64"), ("avx2",), ("-march=haswell",)),
    "avx512": (
        ("x86_64", "AMD64"),
        ("avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512vbmi"),
        ("-march=icelake-server",),
    ),
}
"""For each body that this machine may have: machines, the processor's features, compiler flags."""


def on_body(name: str, cases: Cases) -> Count:
    """A body of the CPU kernels, compiled for this machine."""
    machines, features, flags = BODIES[name]
    count = Count(name)
    try:
        has = set(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        has = set()
    lacking = [feature for feature in features if feature not in has]
    if platform.machine() not in machines or lacking or find_compiler() is None:
        count.missing = f"this processor lacks {', '.join(lacking)}" if lacking else "not for this machine"
        return count
    for first in range(0, len(cases), 10):
        part = cases[first : first + 10]
        natives = build_native([network for network, _, _ in part], CPU_DIALECT, flags=("-O1", *flags))
        for native, (_, q, y) in zip(natives, part, strict=True):
            count.add(native.invoke(q), y, (stage.code.kernel for stage in native.program.layout.stages))
    return count


NEON = {"neon": "generic", "neon, dot": "neoverse_v1"}
_PROGRAM = """{includes}
static char x[1 << 11];
static int32_t y[1 << 11];
static uint64_t arena[1 << 17];
static int run(void)
{{
{runs}    return 0;
}}
"""
_RUN = """    for (int i = 0; i < {samples}; i++) {{
        if (!receive(x, {macro}_INPUTS)) {{ return 2; }}
        {name}_invoke((void *)x, y, arena);
        if (!answer(y, sizeof *y * {macro}_OUTPUTS)) {{ return 3; }}
    }}
"""


def on_neon(name: str, cases: Cases) -> Count:
    """The bodies of 64-bit Arm, built by Zig, in QEMU's user mode."""
    count, machine = Count(name), MACHINES["aarch64"]
    count.missing = machine.missing()
    if count.missing:
        return count
    for first in range(0, len(cases), 10):
        part, includes, runs, sent = cases[first : first + 10], "", "", b""
        with tempfile.TemporaryDirectory(prefix="edgeml_sweep_") as scratch:
            folder = Path(scratch)
            programs = [generate(network, CPU_DIALECT) for network, _, _ in part]
            for (network, q, _), program in zip(part, programs, strict=True):
                program.write(folder)
                includes += f'#include "{network.name}.c"\n'
                runs += _RUN.format(samples=len(q), name=network.name, macro=network.name.upper())
                sent += q.astype(np.int8 if network.quantizer.signed else np.uint8).tobytes()
            text = _PROGRAM.format(includes=includes, runs=runs)
            found = np.frombuffer(machine.run(text, sent, folder, [f"-mcpu={NEON[name]}"]), "<i4")
        for (_, _, y), program in zip(part, programs, strict=True):
            rows, found = np.split(found, [y.size])
            count.add(rows.reshape(y.shape), y, (stage.code.kernel for stage in program.layout.stages))
    return count


def _runners() -> dict[str, Callable[[str, Cases], Count]]:
    from edgeml.targets.mcu.cores import CORES

    return {
        **dict.fromkeys(CORES, on_core),
        **dict.fromkeys(BODIES, on_body),
        **dict.fromkeys(NEON, on_neon),
    }


def sweep(
    vectors: int, seed: int = 0, only: Sequence[str] = (), told: Callable[[str], None] = lambda line: None
) -> list[Count]:
    """At least so many vectors on each core and body (of `only`, if given), `_PER_NETWORK` for each network."""
    networks = [draw(seed + number) for number in range(-(-vectors // _PER_NETWORK))]
    cases = [(network, *vectors_for(network, _PER_NETWORK)) for network in networks]
    counts = []
    for name, run in _runners().items():
        if only and name not in only:
            continue
        start = time.perf_counter()
        count = run(name, cases)
        count.seconds = time.perf_counter() - start
        told(count.line())
        counts.append(count)
    return counts


def main() -> int:
    """The sweep from the command line; 1 where a vector differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wide_sweep", description=__doc__)
    parser.add_argument("--vectors", type=int, default=20_000, help="on each core and body, at least")
    parser.add_argument("--seed", type=int, default=0, help="of the first network")
    parser.add_argument("--only", nargs="*", default=(), choices=list(_runners()), metavar="NAME")
    options = parser.parse_args()
    counts = sweep(options.vectors, options.seed, options.only, lambda line: print(line, flush=True))
    return int(any(count.mismatches for count in counts))


if __name__ == "__main__":
    sys.exit(main())
