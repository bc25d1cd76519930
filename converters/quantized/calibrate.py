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

from edgeml.frontends.float_operators.operator import FloatOperator
from edgeml.frontends.graph_walk import walk
from edgeml.frontends.mlp import Mlp, MlpNode

from .fan_in import ALL, strongest
from .model import Input
from .parameters import LinearParameters, Parameters
from .placement import PlacedLinear, PlacedNode, PlacedQuantizer, Placement, PlacementVisitor
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

    def compute(node: MlpNode, given: list[Floats]) -> Floats:
        linear = mlp.linears.get(node.name)
        if linear is None:
            return node.operator.evaluate(*given)
        return np.asarray(linear.joined(product(linear.rows(given[0]), linear.weight) + linear.bias))

    return walk(mlp.nodes, {"input": normal}, compute, known)


def float_outputs(mlp: Mlp, normal: Floats) -> npt.NDArray[np.float32]:
    """The outputs of a folded MLP for normalised samples."""
    return float_trace(mlp, normal)[mlp.nodes[-1].name].astype(np.float32)


def input_integers(quantizer: Input, x: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """q [samples, features] as the network's `InputQuantizer` gives them, in float64."""
    q = np.rint((np.asarray(x, np.float64) - quantizer.offset) / quantizer.scale)
    return np.asarray(np.clip(q, quantizer.low, quantizer.high))


def calibrate(
    placement: Placement, quantizer: Input, mlp: Mlp, normal: Floats, x: Floats, select: bool = True
) -> Parameters:
    """Parameters for `placement`, made from the folded `mlp`.

    Parameters
    ----------
    normal : float64 [samples, features], what `mlp` takes.
    x : the same samples in the user's units, what `quantizer` takes.
    select : whether neurons of few inputs lose all others, those whose products have least power; else training does
        it.
    """
    wanted = float_trace(mlp, normal)
    parameters = Parameters(quantizer, steps=_steps(placement, wanted))
    calibration = _Calibration(parameters, wanted, select)
    given = {"input": input_integers(quantizer, x) * quantizer.step}
    walk(placement.nodes, given, lambda node, values: node.operator.visit(calibration, node, values))
    return parameters


class _Calibration(PlacementVisitor[Floats]):
    """The values of each node, on the integers that those before it give; linear layers are calibrated on the way."""

    def __init__(self, parameters: Parameters, wanted: Mapping[str, Floats], select: bool) -> None:
        self._parameters = parameters
        self._wanted = wanted
        self._select = select

    def linear(self, node: PlacedNode, operator: PlacedLinear, given: list[Floats]) -> Floats:
        self._parameters.linear[node.name], values = _linear(
            operator,
            operator.linear.rows(given[0]),
            operator.linear.split(self._wanted[node.source]),
            operator.fan_in if self._select else ALL,
        )
        return np.asarray(operator.linear.joined(values))

    def quantizer(self, node: PlacedNode, operator: PlacedQuantizer, given: list[Floats]) -> Floats:
        step = self._parameters.steps[operator.group]
        q = np.clip(np.rint(given[0] / step - operator.offset), operator.low, operator.high)
        return np.asarray((q + operator.offset) * step)

    def on_reals(self, node: PlacedNode, operator: FloatOperator, given: list[Floats]) -> Floats:
        return operator.evaluate(*given)

    def on_integers(self, node: PlacedNode, operator: FloatOperator, given: list[Floats]) -> Floats:
        return operator.evaluate(*given)


def _steps(placement: Placement, wanted: dict[str, Floats]) -> dict[str, float]:
    groups: dict[str, list[Rounded]] = {}
    for name, quantizer in placement.quantizers.items():
        values = wanted[placement.node(name).source]
        rounded = Rounded(values, quantizer.low, quantizer.high, quantizer.offset)
        groups.setdefault(quantizer.group, []).append(rounded)
    stated = {quantizer.group: quantizer.grid for quantizer in placement.quantizers.values() if quantizer.grid}
    return {name: stated.get(name) or best_step(tensors)[0] for name, tensors in groups.items()}


def _linear(operator: PlacedLinear, x: Floats, wanted: Floats, fan_in: int) -> tuple[LinearParameters, Floats]:
    """Parameters from rows x and the float sums `wanted` [rows, outputs], and the sums that they give."""
    weight, bias = operator.linear.weight, operator.linear.bias
    power = np.mean(x * x, axis=0)
    power = power + max(float(power.mean()), 1e-30) * 1e-3
    if fan_in != ALL:
        weight = np.where(strongest(weight * weight * power, fan_in), weight, 0.0)
    codes = operator.bits, operator.narrow
    if operator.last:
        flat = weight.reshape(1, -1)
        scale = best_weight_scales(flat, *codes, np.tile(power, len(weight)), operator.powers)
    else:
        scale = best_weight_scales(weight, *codes, power, operator.powers)
    q = quantize_weights(weight, scale, *codes, operator.powers)
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
