"""What an inference will take on a core, before anything is built: instructions and code by the layers' shapes.

The figures of kernels are those that `python -m benchmarks.mcu_kernels` counts on a larger layer; those of what stands
around them were read off counted networks of 32 to 128 neurons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgeml.network import Dense, Maximum, Shared, Threshold
from edgeml.targets.c import CProgram
from edgeml.targets.c.arena import Stage
from edgeml.targets.c.dense_kernels.straight_line import MOST_LEVELS, may_be_written_out

from .cores import Core
from .kernel_choice import BALANCED, KernelCost, quickest

__all__ = ["Estimate", "estimated"]

_PER_MAC: Mapping[str, Mapping[str, float]] = {
    "m0": {"w2_lanes4": 1.26, "w2_lanes2": 2.32, "w4_lanes2": 2.4, "w8_block": 3.43, "rows": 5.7},
    "m3": {"w2_lanes4": 0.93, "w2_lanes2": 1.31, "w4_lanes2": 1.8, "w8_block": 2.41, "rows": 3.3},
    "m4": {"w2_dsp": 0.66, "w4_dsp": 1.06, "w8_dsp": 0.93, "rows": 3.3},
    "rv32": {"w2_lanes4": 1.23, "w2_lanes2": 2.25, "w4_lanes2": 2.4, "w8_block": 3.68, "rows": 7.0},
}
_AROUND = 4
"""Instructions for each input and each output of a dense layer, besides its products."""
_INPUT, _INPUT_WORDS, _LEVELS, _OTHER = 5, 1.5, 16, 12
"""For each value of the input, one by one or four at a time, each neuron's thresholds, each output of another layer."""
_WORD_PER_MAC, _LEVELS_PER_MAC, _SHARED = 0.35, 0.57, 25
"""Of the kernels `w2_words` and `w2_levels`, and what both take once."""
_CODE, _TERM_BYTES = 900, 3.5
"""Bytes of code of a small network; of each term that is written out."""


@dataclass(frozen=True)
class Estimate:
    """Instructions of an inference; bytes of constants and code; for about how many layers another kernel is chosen
    than the core's first."""

    instructions: float
    flash_bytes: float
    spending: int


def estimated(program: CProgram, core: Core, wanted: str = BALANCED) -> Estimate:
    """Of a program with the core's kernels in their order; layers get those that `quickest` chooses by estimate."""
    instructions, code, spending = 0.0, 0.0, 0
    skipped: set[str] = set()
    for stage in program.layout.stages:
        layer = stage.job.nodes[0].layer
        if isinstance(layer, Dense):
            behind = _thresholds_behind(program, stage)
            costs = _costs(stage, layer, core, behind)
            name = quickest({"": costs}, wanted)[""]
            packed, chosen = costs[0], next(each for each in costs if each.kernel == name)
            instructions += chosen.instructions
            code += chosen.bytes - packed.bytes
            spending += chosen is not packed
            if behind is not None:
                skipped.add(behind.job.nodes[0].name)
        elif stage.job.nodes[0].name in skipped:
            continue
        elif isinstance(layer, Threshold):
            instructions += _LEVELS * layer.channels
        elif isinstance(layer, Shared):
            inner = sum(_of_position(each, core) for each in stage.code.stages)
            instructions += layer.positions * (_OTHER * layer.width + inner)
        elif isinstance(layer, Maximum):
            instructions += _OTHER * layer.gather.size
        else:
            instructions += (_OTHER if stage.job.inputs else _input(core)) * stage.output.size
    return Estimate(instructions, program.constant_bytes + _CODE + code, spending)


def _of_position(stage: Stage, core: Core) -> float:
    """Instructions of a stage of a shared layer's chain, at one position."""
    first, last = stage.job.nodes[0].layer, stage.job.nodes[-1].layer
    counted = _LEVELS * last.channels if isinstance(last, Threshold) else 0.0
    if isinstance(first, Dense):
        return counted + _packed(stage, first, core)
    return counted or _OTHER * stage.output.size


def _input(core: Core) -> float:
    return _INPUT_WORDS if core.dsp else _INPUT


def _costs(stage: Stage, layer: Dense, core: Core, behind: Stage | None) -> list[KernelCost]:
    """Of the core's first kernel, with the thresholds behind it; and of those that need a count."""
    terms, size = int(np.count_nonzero(layer.weight)), layer.weight.size
    stored = sum(each.bytes for each in stage.code.constants)
    after = 0
    if behind is not None:
        stored += sum(each.bytes for each in behind.code.constants)
        after = _LEVELS * layer.outputs
    found = [KernelCost(stored, round(_packed(stage, layer, core)) + after, "packed")]
    if may_be_written_out(layer.weight):
        written = round(_TERM_BYTES * terms + 16 * layer.outputs)
        found.append(KernelCost(written, round(_written_out(layer, terms, core, behind)), "straight_line"))
    if core.dsp and stage.code.kernel == "w2_dsp":
        around = _SHARED + 1.6 * layer.inputs + 7.0 * layer.outputs
        words, beside = round(_WORD_PER_MAC * size + around), 6 * layer.outputs
        found.append(KernelCost(size + beside, words, "w2_words"))
        if behind is not None:
            found.append(KernelCost(size // 4 + beside, round(_LEVELS_PER_MAC * size + around), "w2_levels"))
    return found


def _thresholds_behind(program: CProgram, stage: Stage) -> Stage | None:
    """The stage of at most three thresholds that a dense layer's code may compute with it."""
    for other in program.layout.stages:
        layer = other.job.nodes[0].layer
        if isinstance(layer, Threshold) and other.job.nodes[0].inputs == (stage.job.nodes[-1].name,):
            return other if layer.levels <= MOST_LEVELS else None
    return None


def _packed(stage: Stage, layer: Dense, core: Core) -> float:
    plain = {"m0": "m0", "m23": "m0"}.get(core.name, "m3")
    known = _PER_MAC["m4" if core.dsp else "rv32" if core.architecture == "riscv" else plain]
    each = known.get(stage.code.kernel, known["rows"])
    return float(each * layer.weight.size + _AROUND * (layer.outputs + layer.weight.shape[1]))


def _written_out(layer: Dense, terms: int, core: Core, behind: Stage | None) -> float:
    """Loads and additions; on cores that add a byte of a register, also the words of each eight outputs."""
    levels = (
        0
        if behind is None
        else next(node.layer.levels for node in behind.job.nodes if isinstance(node.layer, Threshold))
    )
    around = layer.outputs * (2.0 + 2.0 * levels)
    one_by_one = 2.0 * terms
    if core.dsp and int(np.abs(layer.weight.astype(np.int64)).max()) <= 2:
        words = sum(
            np.count_nonzero(np.add.reduceat(np.any(layer.weight[row : row + 8] != 0, axis=0), _words(layer)))
            for row in range(0, layer.outputs, 8)
        )
        return float(min(one_by_one, terms + 1.8 * words) + around)
    return float(one_by_one + around)


def _words(layer: Dense) -> np.ndarray:
    return np.arange(0, layer.weight.shape[1], 4)
