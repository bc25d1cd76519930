"""Microcontroller code, counted: instructions per multiply-accumulate, flash and RAM on each core, beside peers.

Every figure but one is read from an image that was built with the same compiler and flags, or counted while it ran in
the emulator; nothing is timed. Cycles per multiply-accumulate are by a model of the core whose memory answers at once.
`python -m benchmarks.mcu [--cores m4,m0] [--json FILE]`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from edgeml.hil.device import Device
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.layers.requantize import Requantize
from edgeml.targets.mcu.boards import ICOUNT_NANOSECONDS, qemu_an547
from edgeml.targets.mcu.cores import UNICORN_CORES, Core, core
from edgeml.targets.mcu.cycles import part_time
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import Firmware, firmware_files
from edgeml.targets.mcu.image import read_image
from edgeml.targets.mcu.measure import choose_kernels, measure_best
from edgeml.targets.mcu.toolchain import build, compiler_version

from .mcu_peers import peers

SHAPES = {
    "anomaly detection (MLPerf Tiny)": (640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640),
    "784-64-64-64-10": (784, 64, 64, 64, 10),
    "demo, 64-64-32-10": (64, 64, 32, 10),
    "CAN frames, 40-256-128-64-32-4": (40, 256, 128, 64, 32, 4),
}
CMSIS_NN_M4 = 1.95
"""Instructions per multiply-accumulate of CMSIS-NN's int8 fully connected kernel on Cortex-M4 (640 × 128), counted."""


def network(shape: Sequence[int], bits: int, seed: int = 0) -> Network:
    """A network with the integers that training leaves: 2-bit weights are −1, 0, 1; 8 bits are the int8 form."""
    generator = np.random.default_rng(seed)
    nodes = [Node("input", InputQuantizer(shape[0], np.array([1.0]), np.array([0.0]), 0, 8, bits == 8))]
    values = generator.integers(nodes[0].layer.low, nodes[0].layer.high + 1, (64, shape[0])).astype(np.int32)
    for index, (inputs, outputs) in enumerate(pairwise(shape)):
        if bits == 2:
            weight = generator.choice([-1, 0, 1], (outputs, inputs), p=[0.3, 0.4, 0.3])
        else:
            limit = (1 << (bits - 1)) - 1
            weight = np.clip(np.rint(generator.normal(0, limit / 3, (outputs, inputs))), -limit, limit).astype(int)
        dense = Dense(weight, bits, generator.integers(-100, 100, outputs))
        nodes.append(Node(f"dense{index}", dense, (nodes[-1].name,)))
        values = dense.evaluate(values)
        if bits == 8:
            shift = -int(np.ceil(np.log2(np.abs(values).max() / 127)))
            last = index == len(shape) - 2
            one = (np.array([3 << 29]), np.array([shift]))
            layer: Any = Requantize(*one, "double_rounding", 0, -128 if last else 0, 127)
        elif index == len(shape) - 2:
            break
        else:
            places = np.linspace(0, 1, (1 << bits) + 1)[1:-1]
            layer = Threshold(np.quantile(values, places, axis=0).T.astype(np.int64), 0)
        nodes.append(Node(f"act{index}", layer, (nodes[-1].name,)))
        values = layer.evaluate(values)
    return Network("net", tuple(nodes), Output(np.array([1.0])))


def ours(shape: Sequence[int], bits: int, chip: Core) -> dict[str, Any]:
    """Our firmware, kernels chosen by count."""
    model = network(shape, bits)
    firmware = firmware_files(model, chip, choose_kernels(model, chip))
    found = measure_best(firmware, chip, part_time(chip, {}))
    macs = sum(inputs * outputs for inputs, outputs in pairwise(shape))
    if found.instructions is None:
        instructions, dense, stack = _instructions_on_m55(firmware), {}, {}
    else:
        layers = [values["instructions"] for values in found.layers.values() if values["kernel"]]
        instructions, dense = found.instructions, {"dense_instructions_per_mac": sum(layers) / macs}
        stack = {"stack": found.stack}
    return {
        "code": f"edgeml {bits} bit",
        "instructions_per_mac": instructions / macs,
        **dense,
        **({"cycles_per_mac": found.modelled["cycles"] / macs} if found.modelled else {}),
        "flash": found.flash,
        "ram": found.ram,
        **stack,
        "optimize": found.optimize,
        "kernels": sorted({values["kernel"] for values in found.layers.values()} - {""}),
    }


def _instructions_on_m55(firmware: Firmware) -> float:
    """Instructions of one inference by the clock of QEMU's MPS3 board, which runs by instructions."""
    model, board = firmware.program.layout.network, qemu_an547
    link = board.link(firmware)
    try:
        q = np.full((1, model.input_size), model.quantizer.high, np.int32)
        ticks = Device(link, model, timeout=60.0, attempts=2).infer(q).count
    finally:
        link.close()
    return ticks * 1e9 / board.board.clock_hz / ICOUNT_NANOSECONDS


_PLAIN = """
#include <stdint.h>
{arrays}
static void dense(const int8_t *x, const int8_t *w, const int32_t *b, int32_t n, int32_t m, int32_t low, int8_t *y)
{{
    for (int32_t o = 0; o < m; o++) {{
        int32_t sum = b[o];
        for (int32_t i = 0; i < n; i++) {{
            sum += (int32_t)w[o * n + i] * (int32_t)x[i];
        }}
        const int64_t product = (int64_t)sum * 1610612736;
        int32_t value = (int32_t)((product + (1LL << 30)) >> 31);
        value = (value + (1 << 9)) >> 10;
        y[o] = (int8_t)(value < low ? low : value > 127 ? 127 : value);
    }}
}}
void plain(const int8_t *x, int8_t *a, int8_t *b);
void plain(const int8_t *x, int8_t *a, int8_t *b)
{{
{calls}
}}
"""


def plain_loop(shape: Sequence[int], chip: Core) -> dict[str, Any]:
    """The int8 loop that everybody writes first: one multiplication a weight, one byte each."""
    generator = np.random.default_rng(0)
    arrays, calls = [], []
    source = "x"
    for index, (inputs, outputs) in enumerate(pairwise(shape)):
        weight = generator.integers(-127, 128, inputs * outputs)
        arrays.append(f"static const int8_t w{index}[] = {{{','.join(map(str, weight))}}};")
        arrays.append(f"static const int32_t b{index}[] = {{{','.join(['1'] * outputs)}}};")
        target = "ab"[index % 2]
        low = -128 if index == len(shape) - 2 else 0
        calls.append(f"    dense({source}, w{index}, b{index}, {inputs}, {outputs}, {low}, {target});")
        source = target
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "plain.c"
        path.write_text(_PLAIN.format(arrays="\n".join(arrays), calls="\n".join(calls)), encoding="utf-8")
        image = read_image(build(chip, [path], keep=["plain"], where="plain loop"))
    emulator = Emulator(chip, image)
    widest = max(shape)
    call = emulator.call("plain", *(emulator.allocate(widest) for _ in range(3)), count=True, watch_stack=True)
    macs = sum(inputs * outputs for inputs, outputs in pairwise(shape))
    return {
        "code": "plain int8 loop",
        "instructions_per_mac": call.instructions / macs,
        "flash": image.flash,
        "ram": 2 * widest,
        "stack": call.stack,
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as text."""
    titles = f"{'core':6} {'code':18} {'instr/MAC':>9} {'dense':>7} {'cycles':>7} {'flash':>9} {'RAM':>7} {'stack':>6}"
    lines = [f"{titles}  built with"]
    for row in rows:
        built = " ".join([row.get("optimize", "-O2"), *row.get("kernels", ())])
        dense = f"{row['dense_instructions_per_mac']:.2f}" if "dense_instructions_per_mac" in row else ""
        cycles = f"{row['cycles_per_mac']:.2f}" if "cycles_per_mac" in row else ""
        lines.append(
            f"{row['core']:6} {row['code']:18} {row['instructions_per_mac']:9.2f} {dense:>7} {cycles:>7}"
            f" {row['flash']:9}"
            f" {row['ram']:7} {row.get('stack', ''):6}  {built}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one table for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    cores = ",".join([*UNICORN_CORES, *(["m55"] if shutil.which("qemu-system-arm") else [])])
    parser.add_argument("--cores", default=cores, help=f"comma-separated, of: {cores}")
    parser.add_argument("--network", default="", help="only the networks whose title holds this text")
    parser.add_argument("--json", type=Path, help="also write all figures here")
    options = parser.parse_args(arguments)
    found: dict[str, list[dict[str, Any]]] = {}
    print(
        f"{compiler_version()}, -O2 or -Os by count (the plain loop -O2); instructions counted in Unicorn"
        " (m55: in QEMU), flash and RAM read from the image\n"
    )
    for title, shape in SHAPES.items():
        if options.network not in title:
            continue
        rows: list[dict[str, Any]] = []
        for chip in (core(name) for name in options.cores.split(",")):
            for bits in (2, 4, 8):
                rows.append({"core": chip.name, **ours(shape, bits, chip)})
            two, eight = rows[-3], rows[-1]
            if chip.unicorn_model:
                rows.append({"core": chip.name, **plain_loop(shape, chip)})
            two["flash_of_int8"] = two["flash"] / eight["flash"]
        found[title] = rows
        print(f"{title}: {sum(a * b for a, b in pairwise(shape))} multiply-accumulates")
        print(table(rows))
        ratios = ", ".join(f"{row['core']} {row['flash_of_int8']:.2f}" for row in rows if "flash_of_int8" in row)
        print(f"flash of 2 bit over 8 bit: {ratios}")
        for line in peers(shape):
            print(f"  {line}")
        print()
    print(f"for comparison: CMSIS-NN int8 on m4 takes {CMSIS_NN_M4} instructions per multiply-accumulate (640 x 128)")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
