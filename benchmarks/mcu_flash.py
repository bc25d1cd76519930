"""What 64-64-32-10 takes of each core's flash at 2, 4 and 8 bits, and the instructions of one inference.

A torch model with the weights that it begins with, calibrated and not trained: sizes do not depend on what it learned.
Flash is that of the linked library, code and constants; instructions are counted in Unicorn.
`python -m benchmarks.mcu_flash` prints the table of `docs/mcu.md`; `make figures` writes it there.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from edgeml.network import Network
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.measure import Measurement, choose_kernels, measure_best
from edgeml.targets.mcu.toolchain import compiler_version

__all__ = ["BITS", "CORES", "measured", "network", "table"]

BITS = (2, 4, 8)
CORES = ("m0", "m4", "m7", "m33", "rv32")
SHAPE = (64, 64, 32, 10)


def network(bits: int) -> Network:
    """The network, with weights and activations of so many bits."""
    import torch

    import edgeml

    torch.manual_seed(0)
    layers = [
        torch.nn.Linear(64, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 32),
        torch.nn.ReLU(),
        torch.nn.Linear(32, 10),
    ]
    data = {"x": np.random.default_rng(0).random((500, SHAPE[0]), "f4")}
    with tempfile.TemporaryDirectory() as folder:
        bundle = edgeml.convert(
            torch.nn.Sequential(*layers).eval(),
            to="quantized",
            target="cortex-m4",
            data=data,
            options={"bits": bits, "epochs": 0},
            output=Path(folder) / "bundle",
            name="m",
        )
        return bundle.network


def measured(model: Network, name: str) -> Measurement:
    """The firmware for a core, its kernels chosen by count."""
    chip = core(name)
    return measure_best(firmware_files(model, chip, choose_kernels(model, chip)), chip)


def table(bits: tuple[int, ...] = BITS, cores: tuple[str, ...] = CORES) -> str:
    """Flash and instructions in Markdown."""
    titles = [core(name).title for name in cores]
    lines = [f"| 64-64-32-10 | weights, bytes | {' | '.join(titles)} |", "|---" * (2 + len(cores)) + "|"]
    weights = sum(inputs * outputs for inputs, outputs in pairwise(SHAPE))
    for width in bits:
        model = network(width)
        found = [measured(model, name) for name in cores]
        cells = [f"{each.flash:,} B, {each.instructions:,}" for each in found]
        lines.append(f"| {width} bit | {weights * width // 8:,} | {' | '.join(cells)} |")
    note = f"(Flash of the library and instructions of one inference, counted in Unicorn; {compiler_version()}.)"
    return "\n".join([*lines, "", note])


if __name__ == "__main__":
    print(table())
    sys.exit(0)
