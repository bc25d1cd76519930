"""A first layer on the bits of bytes, counted: instructions and flash by core, beside the same layer on 0 and 1.

40 bytes enter a layer of 2-bit weights with three thresholds. `bits` is an `encode` of their 320 bits, `0 and 1` the
same weights on 320 inputs of one bit each, which a host would have to make; the other two take the 40 bytes as numbers
(other networks, of an eighth of the weights). Counted are the stages of the input, the layer and its thresholds;
flash is that of the whole image. `python -m benchmarks.mcu_bits` prints the table of `docs/mcu.md`; `make figures`
writes it there.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.layers.encode import BIT, Encode
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.measure import choose_kernels, measure_best
from edgeml.targets.mcu.toolchain import compiler_version

__all__ = ["CORES", "FORMS", "OUTPUTS", "Row", "counted", "network", "table"]

CORES = ("m0", "m4", "m7", "m33", "rv32")
OUTPUTS = (64, 128)
FORMS = {
    "bits, in pairs": "pairs",
    "bits, one by one (`optimize=size`)": "single",
    "320 bytes of 0 and 1": "bytes",
    "40 bytes, 2-bit weights": "narrow",
    "40 bytes, 8-bit weights": "wide",
}
"""Title of a row → what its network is."""
_BYTES = 40


@dataclass(frozen=True)
class Row:
    """A form of the layer: instructions of its stages and bytes of flash, by core."""

    title: str
    outputs: int
    instructions: dict[str, int]
    flash: dict[str, int]


def network(form: str, outputs: int) -> Network:
    """The layer with weights as training leaves them, and thresholds at quartiles of its sums."""
    generator = np.random.default_rng(0)
    inputs, input_bits = (8 * _BYTES, 1) if form == "bytes" else (_BYTES, 8)
    one_bit = form in ("pairs", "single", "bytes")
    shape = (outputs, 8 * _BYTES if one_bit else _BYTES)
    narrow = generator.choice([-1, 0, 1], shape, p=[0.3, 0.4, 0.3])
    weight = generator.integers(-127, 128, shape) if form == "wide" else narrow
    dense = Dense(weight, 8 if form == "wide" else 2, generator.integers(-40, 41, outputs))
    sums = dense.evaluate(generator.integers(0, 2 if one_bit else 256, (500, shape[1])).astype(np.int32))
    act = Threshold(np.quantile(sums, (0.25, 0.5, 0.75), axis=0).T.astype(np.int64))
    nodes = [Node("input", InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, input_bits, False))]
    if form in ("pairs", "single"):
        place = np.arange(8 * _BYTES)
        nodes.append(Node("encode", Encode(place // 8, np.full(place.size, BIT), place % 8, _BYTES), ("input",)))
    nodes.append(Node("dense", dense, (nodes[-1].name,)))
    nodes.append(Node("act", act, ("dense",)))
    return Network("net", tuple(nodes), Output(np.ones(1)))


def _count(form: str, outputs: int, name: str) -> tuple[int, int]:
    """Instructions and bytes of flash; CheckFailed where the firmware does not give the network's integers."""
    made, chip = network(form, outputs), core(name)
    firmware = firmware_files(made, chip, choose_kernels(made, chip, "size" if form == "single" else "balanced"))
    found = measure_best(firmware, chip)
    return sum(int(layer["instructions"]) for layer in found.layers.values()), found.flash


def counted(cores: tuple[str, ...] = CORES, outputs: tuple[int, ...] = OUTPUTS) -> list[Row]:
    """A row for each form and each number of outputs."""
    rows = []
    for count in outputs:
        for title, form in FORMS.items():
            found = {name: _count(form, count, name) for name in cores}
            instructions = {name: values[0] for name, values in found.items()}
            rows.append(Row(title, count, instructions, {name: values[1] for name, values in found.items()}))
    return rows


def table(rows: list[Row], cores: tuple[str, ...] = CORES) -> str:
    """The rows in Markdown; in brackets the share of the instructions on 0 and 1 in bytes."""
    titles = [core(name).title.removeprefix("Cortex-") for name in cores]
    lines = [f"| outputs | input | {' | '.join(titles)} | flash, M4 |", "|---" * (3 + len(cores)) + "|"]
    for row in rows:
        (today,) = [other for other in rows if other.outputs == row.outputs and FORMS[other.title] == "bytes"]
        shares = {name: row.instructions[name] / today.instructions[name] for name in cores}
        counts = [f"{row.instructions[name]:,} ({shares[name]:.2f})" for name in cores]
        flash = row.flash.get("m4", row.flash[cores[0]])
        lines.append(f"| {row.outputs} | {row.title} | {' | '.join(counts)} | {flash:,} |")
    what = "Instructions of input, layer and thresholds, and their share of those on 320 bytes"
    note = f"({what}; -O2 or -Os by count, in Unicorn; flash of the whole image; {compiler_version()}.)"
    return "\n".join([*lines, "", note])


if __name__ == "__main__":
    print(table(counted()))
    sys.exit(0)
