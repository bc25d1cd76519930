"""Calibration: all parameters from the float model and samples, without training.

Layer by layer, in computing order and on the integers that the layers before really give: weight scales of least
squared error (weighted by the power of each input), activation steps of least squared error, then for each channel
the line through the quantized sums that fits the float sums best. Its slope goes into the weight's scale and its
offset into the bias, which costs the integer network nothing: both vanish into thresholds.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp

from .model import Input
from .parameters import LinearParameters, Parameters
from .quantizer_placement import (
    Plan,
    PlannedLinear,
    PlannedNode,
    PlannedQuantizer,
)
from .scales import (
    WEIGHT_SCALE_BITS,
    Rounded,
    best_step,
    best_weight_scales,
    quantize_weights,
    round_scale,
)

__all__ = ["calibrate", "float_outputs", "float_trace", "input_integers", "product", "thinned_samples"]

Floats = npt.NDArray[np.float64]

_MOST_SAMPLES = 4096
_MOST_NUMBERS = 2**22
_LARGEST_CORRECTION = 4.0


def thinned_samples(x: npt.NDArray[np.floating], widest: int) -> Floats:
    """At most 4096 of the samples, evenly taken, fewer where layers are so wide that 2^22 numbers would be passed."""
    count = max(min(_MOST_SAMPLES, _MOST_NUMBERS // max(widest, 1), len(x)), 1)
    rows = np.linspace(0, len(x) - 1, count).round().astype(np.int64)
    return np.asarray(x[rows], np.float64)


def product(x: Floats, weight: Floats) -> Floats:
    """x · weightᵀ in float64, by torch, whose threads `reproducible` holds at one."""
    return (torch.from_numpy(np.ascontiguousarray(x)) @ torch.from_numpy(np.array(weight)).T).numpy()


def float_trace(mlp: Mlp, normal: Floats, known: Mapping[str, Floats] | None = None) -> dict[str, Floats]:
    """Every node's output of a folded MLP for normalised samples; the same as `mlp.trace`, reproducibly.

    Nodes in `known` have the values there.
    """
    values = {"input": normal}
    for node in mlp.nodes:
        if known is not None and node.name in known:
            values[node.name] = known[node.name]
            continue
        operator = node.operator
        given = [values[name] for name in node.inputs]
        if isinstance(operator, Linear):
            values[node.name] = product(given[0], operator.weight) + operator.bias
        elif isinstance(operator, Affine):
            values[node.name] = given[0] * operator.scale + operator.shift
        elif isinstance(operator, Clamp):
            values[node.name] = np.clip(given[0], operator.low, operator.high)
        else:
            values[node.name] = given[0] + given[1]
    return values


def float_outputs(mlp: Mlp, normal: Floats) -> npt.NDArray[np.float32]:
    """The outputs of a folded MLP for normalised samples."""
    return float_trace(mlp, normal)[mlp.nodes[-1].name].astype(np.float32)


def input_integers(quantizer: Input, x: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """q [samples, features] as the network's `InputQuantizer` gives them, in float64."""
    q = np.rint((np.asarray(x, np.float64) - quantizer.offset) / quantizer.scale)
    return np.asarray(np.clip(q, quantizer.low, quantizer.high))


def calibrate(plan: Plan, quantizer: Input, mlp: Mlp, normal: Floats, x: Floats) -> Parameters:
    """Parameters for `plan`, made from the folded `mlp`.

    Parameters
    ----------
    normal : float64 [samples, features], what `mlp` takes.
    x : the same samples in the user's units, what `quantizer` takes.
    """
    wanted = float_trace(mlp, normal)
    parameters = Parameters(quantizer, steps=_steps(plan, wanted))
    values = {"input": input_integers(quantizer, x) * quantizer.step}
    for node in plan.nodes:
        operator = node.operator
        given = [values[name] for name in node.inputs]
        if isinstance(operator, PlannedLinear):
            parameters.linear[node.name], values[node.name] = _linear(operator, given[0], wanted[node.source])
        elif isinstance(operator, PlannedQuantizer):
            step, shift = parameters.steps[operator.group], 0.5 if operator.half else 0.0
            q = np.clip(np.rint(given[0] / step - shift), operator.low, operator.high)
            values[node.name] = (q + shift) * step
        elif isinstance(operator, Add):
            values[node.name] = given[0] + given[1]
        elif isinstance(operator, Affine):
            values[node.name] = given[0] * operator.scale + operator.shift
        else:
            values[node.name] = np.clip(given[0], operator.low, operator.high)
    return parameters


def _steps(plan: Plan, wanted: dict[str, Floats]) -> dict[str, float]:
    groups: dict[str, list[PlannedNode]] = {}
    for node in plan.nodes:
        if isinstance(node.operator, PlannedQuantizer):
            groups.setdefault(node.operator.group, []).append(node)
    return {name: best_step([_rounded(node, wanted) for node in nodes])[0] for name, nodes in groups.items()}


def _rounded(node: PlannedNode, wanted: dict[str, Floats]) -> Rounded:
    operator = node.operator
    assert isinstance(operator, PlannedQuantizer)
    return Rounded(wanted[node.source], operator.low, operator.high, 0.5 if operator.half else 0.0)


def _linear(operator: PlannedLinear, x: Floats, wanted: Floats) -> tuple[LinearParameters, Floats]:
    weight, bias = operator.linear.weight, operator.linear.bias
    power = np.mean(x * x, axis=0)
    power = power + max(float(power.mean()), 1e-30) * 1e-3
    if operator.last:
        flat = weight.reshape(1, -1)
        scale = best_weight_scales(flat, operator.bits, operator.narrow, np.tile(power, len(weight)))
    else:
        scale = best_weight_scales(weight, operator.bits, operator.narrow, power)
    q = quantize_weights(weight, scale, operator.bits, operator.narrow)
    sums = product(x, q * scale[:, None])
    slope = _slope(sums, wanted, operator.last)
    corrected = round_scale(scale * slope, WEIGHT_SCALE_BITS)
    sums = sums * (corrected / scale)
    bias = (wanted - sums).mean(axis=0)
    return LinearParameters(weight * (corrected / scale)[:, None], corrected, bias), sums + bias


def _slope(sums: Floats, wanted: Floats, one: bool) -> Floats:
    """Slope of the line through (sums, wanted) of least squares, per channel, or one of all."""
    x, y = sums - sums.mean(axis=0), wanted - wanted.mean(axis=0)
    power, common = (x * x).sum(axis=0), (x * y).sum(axis=0)
    if one:
        power, common = power.sum(keepdims=True), common.sum(keepdims=True)
    slope = np.where(power > 0, common / np.where(power > 0, power, 1.0), 1.0)
    return np.asarray(np.where((slope > 1 / _LARGEST_CORRECTION) & (slope < _LARGEST_CORRECTION), slope, 1.0))
