"""Weights by source neuron: a silent one costs nothing."""

from __future__ import annotations

import numpy as np

from ..arrays import ConstantArray
from ..layer_code import LayerCode
from .kernel import DenseKernel, DenseProblem

__all__ = ["EventsKernel"]


class EventsKernel(DenseKernel):
    """For layers that a spiking population feeds: each of its events adds one row of weights."""

    name = "events"

    def applies(self, problem: DenseProblem) -> bool:
        return problem.events and problem.thresholds is None and problem.fits_int32

    def emit(self, problem: DenseProblem) -> LayerCode:
        suffix = {"uint8_t": "u8", "int16_t": "s16", "int32_t": "s32"}[problem.input.ctype]
        weight, bias = f"{problem.prefix}_weight", f"{problem.prefix}_bias"
        return LayerCode(
            statements=(
                f"for (size_t n = 0; n < {problem.outputs}u; n++) {{",
                f"    y[n] = {bias}[n];",
                "}",
                f"edgeml_events_{suffix}(x, 0, {problem.inputs}, {weight}, {problem.outputs}, y);",
            ),
            comment=problem.summary(),
            includes=("events.h",),
            constants=(
                ConstantArray(
                    weight,
                    "int8_t",
                    np.ascontiguousarray(problem.weight.T),
                    f"[{problem.inputs} inputs][{problem.outputs} neurons]",
                ),
                ConstantArray(bias, "int32_t", problem.bias, "bias, what silence stands for folded in"),
            ),
            kernel=self.name,
        )
