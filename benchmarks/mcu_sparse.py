"""A layer of mostly zeros on each kernel of a core: instructions and cycles by model of the layer's share of weights.

`python -m benchmarks.mcu_sparse [--core m4]`: 64 inputs of 2 bits, 64 outputs, weights −1 and 1, -O2; counted in
Unicorn. Cycles are of the whole inference, input and output included.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.cycles import part_time
from edgeml.targets.mcu.dialect import kernel_names
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.measure import measure
from edgeml.targets.mcu.toolchain import compiler_version

SHARES = (0.05, 0.1, 0.2, 0.3)
_SIZE = 64


def layer(share: float) -> Network:
    """One dense layer of which this share of weights is left."""
    generator = np.random.default_rng(0)
    weight = generator.choice([-1, 1], (_SIZE, _SIZE)) * (generator.random((_SIZE, _SIZE)) < share)
    quantizer = InputQuantizer(_SIZE, np.array([1.0]), np.array([0.0]), 0, 2, False)
    dense = Dense(weight, 2, generator.integers(-9, 9, _SIZE))
    return Network("net", (Node("input", quantizer), Node("dense", dense, ("input",))), Output(np.array([1.0])))


def table(name: str) -> str:
    """A row for each kernel that applies."""
    chip = core(name)
    lines = ["| weights left | kernel | instructions of the layer | cycles, all | bytes |", "|---|---|---|---|---|"]
    for share in SHARES:
        network = layer(share)
        prefixes = [stage.job.prefix for stage in firmware_files(network, chip, {}).program.layout.stages]
        for kernel in kernel_names(chip):
            found = measure(
                firmware_files(network, chip, dict.fromkeys(prefixes, kernel)), chip, "-O2", part_time(chip, {})
            )
            costs = found.layers["dense"]
            if costs["kernel"] != kernel:
                continue
            size = costs["constant_bytes"] + costs["code_bytes"]
            row = (
                f"{share:.0%}",
                kernel,
                f"{costs['instructions']:,}",
                f"{found.modelled['cycles']:,.0f}",
                f"{size:,}",
            )
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join([*lines, "", f"({chip.title}; {compiler_version()}.)"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core", default="m4")
    print(table(parser.parse_args(arguments).core))
    return 0


if __name__ == "__main__":
    sys.exit(main())
