"""Activations that are no clamps, in the parameters that torch and ONNX give them."""

from __future__ import annotations

import numpy as np

from ..float_operators.arrays import NUMPY
from ..float_operators.curves import CURVES
from ..float_operators.formula import Formula
from ..float_operators.leaky_relu import LeakyRelu
from .arithmetic import add, divide, elementwise, multiply
from .builder import MlpBuilder
from .value import Constant, NotAnMlp, Signal, Value

__all__ = [
    "celu",
    "curve",
    "elu",
    "exp_less_one",
    "leaky_relu",
    "log_of_one_more",
    "log_sigmoid",
    "selu",
    "soft_shrink",
    "softplus",
    "swish",
]

_SELU_SLOPE, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805
"""Klambauer et al., Self-Normalizing Neural Networks, NeurIPS 2017."""
_LEAST_THRESHOLD = 15.0
"""Beyond it softplus is x to the precision of float32."""


def curve(builder: MlpBuilder, x: Value, name: str, a: float = 0.0) -> Value:
    """The function of `curves.CURVES` of that name, with parameter `a`, of each value."""
    if isinstance(x, Signal):
        return builder.each_value(Formula(name, a), x, name)
    return elementwise(builder, lambda values: CURVES[name].compute(NUMPY, values.astype(np.float64), a), x)


def elu(builder: MlpBuilder, x: Value, alpha: float, scale: float = 1.0, input_scale: float = 1.0) -> Value:
    """scale · x above 0, scale · alpha · (e^(input_scale · x) − 1) below."""
    if input_scale == 1.0:
        return multiply(builder, curve(builder, x, "elu", _not_negative(alpha)), scale)
    if alpha * input_scale != 1.0:
        raise NotAnMlp(f"an ELU that bends at 0, with alpha {alpha:g} and an input scale of {input_scale:g}")
    inner = curve(builder, multiply(builder, x, input_scale), "elu", 1.0)
    return multiply(builder, inner, scale * alpha)


def celu(builder: MlpBuilder, x: Value, alpha: float) -> Value:
    """x above 0, alpha · (e^(x / alpha) − 1) below."""
    if not alpha > 0:
        raise NotAnMlp(f"a CELU with alpha {alpha:g}")
    return multiply(builder, curve(builder, divide(builder, x, alpha), "elu", 1.0), alpha)


def selu(builder: MlpBuilder, x: Value, alpha: float = _SELU_SLOPE, gamma: float = _SELU_SCALE) -> Value:
    """gamma · ELU of alpha."""
    return elu(builder, x, alpha, gamma)


def leaky_relu(builder: MlpBuilder, x: Value, slope: Constant | float) -> Value:
    """x above 0, slope · x below; one slope, or one for each channel (the dimension behind the batch)."""
    if not isinstance(x, Signal):
        return elementwise(builder, lambda values, each: np.where(values >= 0, values, each * values), x, slope)
    x, slopes = builder.whole(x), builder.vector("slopes", np.asarray(slope), x.size)
    if x.order is not None:
        slopes = slopes[np.argsort(x.order)]
    return builder.each_value(LeakyRelu(slopes), x, "leaky_relu")


def softplus(builder: MlpBuilder, x: Value, beta: float, threshold: float) -> Value:
    """ln(1 + e^(beta · x)) / beta."""
    if not beta > 0 or threshold < _LEAST_THRESHOLD:
        raise NotAnMlp(f"a softplus with beta {beta:g} that is a line from {threshold:g} on", "Leave its defaults")
    return divide(builder, curve(builder, multiply(builder, x, beta), "softplus"), beta)


def log_sigmoid(builder: MlpBuilder, x: Value) -> Value:
    """ln σ(x) = −softplus(−x)."""
    return multiply(builder, curve(builder, multiply(builder, x, -1), "softplus"), -1)


def log_of_one_more(builder: MlpBuilder, x: Value) -> Value:
    """ln(1 + x), of x = eᶻ, where it is softplus of z."""
    if not isinstance(x, Signal):
        return elementwise(builder, np.log1p, x)
    node = None if x.node == "input" else builder.node(x.node)
    if node is None or node.operator != Formula("exp"):
        raise NotAnMlp("ln(1 + x) of x that is no power of e", "Only softplus, ln(1 + e^x), is read")
    return curve(builder, Signal(node.inputs[0], x.shape, x.batch_axis), "softplus")


def soft_shrink(builder: MlpBuilder, x: Value, size: float) -> Value:
    """x less what of it lies within ± size."""
    return curve(builder, x, "soft_shrink", _not_negative(size))


def swish(builder: MlpBuilder, x: Value, alpha: float) -> Value:
    """x · σ(alpha · x)."""
    if not alpha > 0:
        raise NotAnMlp(f"a swish with alpha {alpha:g}")
    return divide(builder, curve(builder, multiply(builder, x, alpha), "silu"), alpha)


def exp_less_one(builder: MlpBuilder, x: Value) -> Value:
    """eˣ − 1."""
    return add(builder, curve(builder, x, "exp"), -1.0)


def _not_negative(a: float) -> float:
    if not a >= 0:
        raise NotAnMlp(f"a parameter {a:g}, which must not be negative")
    return a
