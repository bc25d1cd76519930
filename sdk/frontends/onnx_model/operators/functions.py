"""Activations that are no clamps, as ONNX's operators have them."""

from __future__ import annotations

import numpy as np

from ...reading import functions_of_one as functions
from ...reading.value import NotAnMlp, Signal, Value
from .applied import OPERATORS, Applied, operator

_NO_THRESHOLD = float("inf")


def _curve(onnx_name: str, name: str) -> None:
    OPERATORS[onnx_name] = lambda a: functions.curve(a.builder, a.needed(0), name)


for _onnx_name, _name in (
    ("Abs", "abs"), ("Exp", "exp"), ("Sin", "sin"), ("Cos", "cos"), ("Erf", "erf"), ("Mish", "mish"),
    ("HardSwish", "hard_swish"), ("Softsign", "softsign"),
):  # fmt: skip
    _curve(_onnx_name, _name)


@operator("Gelu")
def _gelu(a: Applied) -> Value:
    approximate = a.get("approximate", b"none")
    name = approximate.decode(errors="replace") if isinstance(approximate, bytes) else str(approximate)
    if name not in ("none", "tanh"):
        raise NotAnMlp(f"a Gelu approximated by {name[:40]!r}")
    return functions.curve(a.builder, a.needed(0), "gelu" if name == "none" else "gelu_tanh")


@operator("Elu")
def _elu(a: Applied) -> Value:
    return functions.elu(a.builder, a.needed(0), a.get("alpha", 1.0))


@operator("Selu")
def _selu(a: Applied) -> Value:
    return functions.selu(a.builder, a.needed(0), a.get("alpha", 1.67326319), a.get("gamma", 1.05070102))


@operator("Celu")
def _celu(a: Applied) -> Value:
    return functions.celu(a.builder, a.needed(0), a.get("alpha", 1.0))


@operator("LeakyRelu")
def _leaky_relu(a: Applied) -> Value:
    return functions.leaky_relu(a.builder, a.needed(0), a.get("alpha", 0.01))


@operator("PRelu")
def _prelu(a: Applied) -> Value:
    x, slope = a.needed(0), a.constant(1)
    if isinstance(x, Signal) and slope.size > 1 and (slope.ndim > len(x.shape) or slope.shape[-1] != slope.size):
        raise NotAnMlp(f"a PRelu with slopes of shape {list(slope.shape)} on a tensor of shape {x.text}")
    return functions.leaky_relu(a.builder, x, np.asarray(slope, np.float64).reshape(-1))


@operator("Softplus")
def _softplus(a: Applied) -> Value:
    return functions.softplus(a.builder, a.needed(0), 1.0, _NO_THRESHOLD)


@operator("Swish")
def _swish(a: Applied) -> Value:
    return functions.swish(a.builder, a.needed(0), a.get("alpha", 1.0))


@operator("Shrink")
def _shrink(a: Applied) -> Value:
    size, bias = a.get("lambd", 0.5), a.get("bias", 0.0)
    if size != bias:
        raise NotAnMlp(f"a Shrink that jumps at ±{size:g}", "Train with softshrink (bias = lambd)")
    return functions.soft_shrink(a.builder, a.needed(0), size)
