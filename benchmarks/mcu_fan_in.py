"""Neurons of few inputs on a microcontroller: digits, accuracy beside counted instructions and flash.

Each network is trained in floating point and then quantized with 2-bit weights, for as many steps; 450 of the 1,797
images are held back, others with each seed. Those of few inputs come with `--fan-in`; their layers get straight-line
code where counting says so. Instructions are those of one inference in Unicorn, flash that of the linked library.
`python -m benchmarks.mcu_fan_in` prints the table of `docs/mcu.md`; `make figures` writes it there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from edgeml import plugins
from edgeml.data.dataset import Dataset
from edgeml.explore.mlp_family import train_member
from edgeml.judging.scores import answers_of
from edgeml.network import Network
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.measure import Measurement, choose_kernels, measure_best
from edgeml.targets.mcu.toolchain import compiler_version

__all__ = ["CORES", "DESIGNS", "SEEDS", "accuracy", "digits", "measured", "table", "trained"]

DESIGNS: dict[str, tuple[tuple[int, ...], dict[str, Any], tuple[str, ...]]] = {
    "64-32-32-10, dense": ((32, 32), {}, ("", "balanced", "speed")),
    "64-96-10, `--fan-in 8,last=24 --act-bits 1`": (
        (96,),
        {"fan_in": "8,last=24", "act_bits": 1},
        ("balanced", "speed"),
    ),
}
"""Hidden widths, options of the quantized form, what kernels are chosen by; "": the core's first, nothing counted."""
CORES = ("m4", "m0")
SEEDS = (1, 2, 3)
_STEPS, _BATCH, _HELD_BACK = 3000, 128, 450


def digits(seed: int) -> Dataset:
    """scikit-learn's digits, pixels in 0 … 1; which images are held back follows from the seed."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = np.random.default_rng(seed).permutation(len(found.target))
    x, y = (found.data / 16).astype(np.float32)[order], found.target.astype(np.int64)[order]
    return Dataset(x[_HELD_BACK:], x[:_HELD_BACK], y[_HELD_BACK:], y[:_HELD_BACK])


def trained(hidden: tuple[int, ...], options: Mapping[str, Any], data: Dataset, seed: int) -> Network:
    """The integer network of 2 bits."""
    assert data.y is not None
    mlp = train_member(data.x, data.y, hidden, 10, _STEPS, seed)
    epochs = round(_STEPS / -(-len(data.x) // _BATCH))
    given = {"bits": 2, "weight_bits": 2, "epochs": epochs, "seed": seed, **options}
    return plugins.converters("quantized").convert(mlp, data, given, lambda *_: None).network


def accuracy(network: Network, data: Dataset) -> float:
    """Share of the held-back images that are answered right."""
    return float(np.mean(answers_of(network, data.x_test) == data.y_test))


def measured(network: Network, name: str, wanted: str = "balanced") -> Measurement:
    """The firmware for a core, its kernels chosen by count; with "" the core's first."""
    chip = core(name)
    chosen = choose_kernels(network, chip, wanted) if wanted else {}
    return measure_best(firmware_files(network, chip, chosen), chip)


def table(seeds: tuple[int, ...] = SEEDS, cores: tuple[str, ...] = CORES) -> str:
    """Accuracy, instructions and flash of each design over the seeds, in Markdown."""
    titles = [f"{core(name).title}, instructions" for name in cores]
    lines = [f"| network | kernels | accuracy | {' | '.join(titles)} | flash, {core(cores[0]).title} |"]
    lines.append("|---" * (4 + len(cores)) + "|")
    for name, (hidden, options, wanted) in DESIGNS.items():
        networks = [(digits(seed), trained(hidden, options, digits(seed), seed)) for seed in seeds]
        scores = [100 * accuracy(network, data) for data, network in networks]
        spread = f"{np.mean(scores):.1f} % ({min(scores):.1f} … {max(scores):.1f})"
        for how in wanted:
            rows = [[measured(network, each, how) for each in cores] for _, network in networks]
            counts = [np.mean([found[place].instructions for found in rows]) for place in range(len(cores))]
            cells = " | ".join(f"{count:,.0f}" for count in counts)
            flash = np.mean([found[0].flash for found in rows])
            said = f"`optimize={how}`" if how else "the core's first"
            lines.append(f"| {name} | {said} | {spread} | {cells} | {flash:,.0f} B |")
    note = f"(Means of {len(seeds)} seeds, lowest and highest accuracy; counted in Unicorn; {compiler_version()}.)"
    return "\n".join([*lines, "", note])


if __name__ == "__main__":
    print(table())
    sys.exit(0)
