"""Sums of tables against the same layer as a dense one on one-hot bytes: flash and instructions on microcontrollers.

    python -m benchmarks.mcu_tables

80 features of 16 values, 64 outputs, random 2-bit entries, one inference counted in Unicorn. The dense layer takes
1,280 bytes of which 80 are 1: what a host without tables would send.
"""

from __future__ import annotations

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output
from edgeml.network.layers.tables import Tables
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.measure import choose_kernels, measure_best

_FEATURES, _VALUES, _OUTPUTS = 80, 16, 64
_CORES = ("m0", "m4", "rv32")


def networks() -> tuple[Network, Network]:
    """(tables, dense on one-hot bytes), of the same entries."""
    entries = np.random.default_rng(0).integers(-2, 2, (_FEATURES * _VALUES, _OUTPUTS))
    bias = np.zeros(_OUTPUTS, np.int64)
    rows = np.arange(len(entries)).reshape(_FEATURES, _VALUES)
    tables = Tables(entries, 2, rows, np.arange(_FEATURES), bias, _FEATURES)
    made = []
    for name, layer, inputs, bits in (
        ("tables", tables, _FEATURES, 4),
        ("one_hot", Dense(entries.T, 2, bias), len(entries), 8),
    ):
        quantizer = InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, bits, False)
        made.append(Network(name, (Node("input", quantizer), Node("layer", layer, ("input",))), Output(np.ones(1))))
    return made[0], made[1]


def main() -> None:
    """Print a row for each core and layer."""
    print(f"{'core':<14}{'layer':<10}{'flash':>8}{'instructions':>14}")
    for name in _CORES:
        chip = core(name)
        for network in networks():
            found = measure_best(firmware_files(network, chip, choose_kernels(network, chip)), chip)
            print(f"{chip.title:<14}{network.name:<10}{found.flash:>8,}{found.instructions:>14,}")


if __name__ == "__main__":
    main()
