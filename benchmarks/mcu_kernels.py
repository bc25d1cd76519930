"""The dense kernels of microcontrollers, counted: instructions per multiply-accumulate of one layer, by core and bits.

Each kernel is built alone into a layer of 256 inputs and 64 outputs for each core that Unicorn emulates, if it
applies, and counted while it computes that layer exactly. `python -m benchmarks.mcu_kernels` prints the table of
`docs/mcu.md`; `make figures` writes it there.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from edgeml.network import Dense, InputQuantizer, Network, Node, Output
from edgeml.targets.mcu.cores import UNICORN_CORES, Core, core
from edgeml.targets.mcu.dialect import core_kernels
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.measure import measure
from edgeml.targets.mcu.toolchain import compiler_version

__all__ = ["BITS", "Row", "counted", "table"]

BITS = ((2, 2), (2, 8), (4, 4), (4, 8), (8, 8))
"""Bits of weights and of inputs."""
_INPUTS, _OUTPUTS = 256, 64


@dataclass(frozen=True)
class Row:
    """A kernel on a layer: `file` in `firmware_stubs/c/edgeml`, instructions per multiply-accumulate by core."""

    kernel: str
    file: str
    weight_bits: int
    input_bits: int
    instructions: dict[str, float]


def _layer(weight_bits: int, input_bits: int) -> Network:
    """One dense layer with weights as training leaves them."""
    generator = np.random.default_rng(0)
    limit = 1 if weight_bits == 2 else (1 << (weight_bits - 1)) - 1
    weight = generator.integers(-limit, limit + 1, (_OUTPUTS, _INPUTS))
    quantizer = InputQuantizer(_INPUTS, np.array([1.0]), np.array([0.0]), 0, input_bits, input_bits == 8)
    dense = Dense(weight, weight_bits, generator.integers(-100, 100, _OUTPUTS))
    return Network("net", (Node("input", quantizer), Node("dense", dense, ("input",))), Output(np.array([1.0])))


def _counts(weight_bits: int, input_bits: int, chip: Core) -> dict[tuple[str, str], float]:
    """Instructions per multiply-accumulate by (kernel, file), of the kernels that apply."""
    network, found = _layer(weight_bits, input_bits), {}
    prefixes = [stage.job.prefix for stage in firmware_files(network, chip, {}).program.layout.stages]
    for kernel in core_kernels(chip):
        if kernel.name.startswith("w") and not kernel.name.startswith(f"w{weight_bits}_"):
            continue  # one for wider weights, which takes narrower ones too, for as many instructions
        firmware = firmware_files(network, chip, dict.fromkeys(prefixes, kernel.name))
        (code,) = (stage.code for stage in firmware.program.layout.stages if stage.name == "dense")
        if code.kernel == kernel.name:
            (file,) = (include for include in code.includes if include.startswith("dense_"))
            layer = measure(firmware, chip).layers["dense"]
            found[kernel.name, file] = layer["instructions"] / (_INPUTS * _OUTPUTS)
    return found


def counted(cores: tuple[str, ...] = UNICORN_CORES, bits: tuple[tuple[int, int], ...] = BITS) -> list[Row]:
    """A row for each pair of bits and each kernel for weights of so many bits, or of any."""
    rows = []
    for weight_bits, input_bits in bits:
        by_core = {name: _counts(weight_bits, input_bits, core(name)) for name in cores}
        kernels = dict.fromkeys(key for counts in by_core.values() for key in counts)
        for kernel, file in kernels:
            instructions = {name: counts[kernel, file] for name, counts in by_core.items() if (kernel, file) in counts}
            rows.append(Row(kernel, file, weight_bits, input_bits, instructions))
    return rows


def table(rows: list[Row], cores: tuple[str, ...] = UNICORN_CORES) -> str:
    """The rows in Markdown."""
    titles = [core(name).title.removeprefix("Cortex-") for name in cores]
    lines = [f"| kernel | file | weights | inputs | {' | '.join(titles)} |", "|---" * (4 + len(cores)) + "|"]
    for row in rows:
        counts = [f"{row.instructions[name]:.2f}" if name in row.instructions else "" for name in cores]
        lines.append(
            f"| {row.kernel} | `{row.file}` | {row.weight_bits} bit | {row.input_bits} bit | {' | '.join(counts)} |"
        )
    layer = f"a layer of {_INPUTS} inputs and {_OUTPUTS} outputs"
    note = f"(Instructions per multiply-accumulate of {layer}, -O2, counted in Unicorn; {compiler_version()}.)"
    return "\n".join([*lines, "", note])


if __name__ == "__main__":
    print(table(counted()))
    sys.exit(0)
