"""A slow and obvious reference: the quantized model in rational arithmetic, one sample and one neuron at a time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from edgeml.converters.quantized.model import Input, QuantizedLinear, QuantizedModel, Quantizer
from edgeml.converters.quantized.user_operators import UserOperator
from edgeml.frontends.mlp import Add, Affine, Clamp


def obvious_integers(model: QuantizedModel, q: npt.NDArray[np.integer]) -> dict[str, npt.NDArray[np.int64]]:
    """Integers of every quantizer and addition, and the last accumulators, for q [samples, features]."""
    collected: dict[str, list[list[int]]] = {}
    for sample in q:
        for name, integers in _sample(model, [int(value) for value in sample]).items():
            collected.setdefault(name, []).append(integers)
    return {name: np.array(rows) for name, rows in collected.items()}


def _sample(model: QuantizedModel, q: list[int]) -> dict[str, list[int]]:
    real: dict[str, list[Fraction]] = {}
    integers: dict[str, list[int]] = {}
    for node in model.nodes:
        operator = node.operator.operator if isinstance(node.operator, UserOperator) else node.operator
        given = [real[name] for name in node.inputs]
        if isinstance(operator, Input):
            real[node.name] = [value * Fraction(operator.step) for value in q]
        elif isinstance(operator, QuantizedLinear):
            real[node.name] = [
                sum(
                    (
                        int(weight) * Fraction(float(operator.scale[row % len(operator.scale)])) * value
                        for weight, value in zip(operator.weight[row], given[0], strict=True)
                    ),
                    Fraction(float(operator.bias[row])),
                )
                for row in range(len(operator.bias))
            ]
        elif isinstance(operator, Affine):
            real[node.name] = [
                value * Fraction(float(scale)) + Fraction(float(shift))
                for value, scale, shift in zip(given[0], operator.scale, operator.shift, strict=True)
            ]
        elif isinstance(operator, Quantizer):
            step = Fraction(operator.scale)
            levels = [min(max(round(value / step), operator.low), operator.high) for value in given[0]]
            integers[node.name] = levels
            real[node.name] = [level * step for level in levels]
        elif isinstance(operator, Add):
            real[node.name] = [a + b for a, b in zip(*given, strict=True)]
            integers[node.name] = [_whole(value, Fraction(model.steps[node.name])) for value in real[node.name]]
        elif isinstance(operator, Clamp):
            real[node.name] = [
                Fraction(operator.low)
                if value < operator.low
                else Fraction(operator.high)
                if value > operator.high
                else value
                for value in given[0]
            ]
    last = model.nodes[-1]
    if isinstance(last.operator, QuantizedLinear):
        unit = Fraction(float(last.operator.scale[0])) * Fraction(model.steps[last.inputs[0]])
        integers[last.name] = [_whole(value, unit) for value in real[last.name]]
    return integers


def _whole(value: Fraction, unit: Fraction) -> int:
    ratio = value / unit
    assert ratio.denominator == 1
    return ratio.numerator
