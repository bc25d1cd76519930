"""Activations that are no clamps, as torch's operators have them."""

from __future__ import annotations

from typing import Any

from ...reading import functions_of_one as functions
from ...reading.builder import MlpBuilder
from ...reading.value import NotAnMlp, Signal, Value
from .registry import OPERATORS, constant, in_training_mode, number, operator


def _curve(torch_name: str, name: str, a: float = 0.0) -> None:
    OPERATORS[torch_name] = lambda b, self: functions.curve(b, self, name, a)


for _torch_name, _name in (
    ("abs", "abs"), ("exp", "exp"), ("square", "square"), ("sin", "sin"), ("cos", "cos"), ("erf", "erf"),
    ("special_erf", "erf"), ("silu", "silu"), ("mish", "mish"), ("hardswish", "hard_swish"),
):  # fmt: skip
    _curve(_torch_name, _name)


@operator("gelu")
def _gelu(b: MlpBuilder, self: Value, approximate: Any = "none") -> Value:
    if approximate not in ("none", "tanh"):
        raise NotAnMlp(f"a GELU approximated by {approximate!r}")
    return functions.curve(b, self, "gelu" if approximate == "none" else "gelu_tanh")


@operator("elu")
def _elu(b: MlpBuilder, self: Value, alpha: Any = 1, scale: Any = 1, input_scale: Any = 1) -> Value:
    return functions.elu(b, self, number(alpha), number(scale), number(input_scale))


@operator("selu")
def _selu(b: MlpBuilder, self: Value) -> Value:
    return functions.selu(b, self)


@operator("celu")
def _celu(b: MlpBuilder, self: Value, alpha: Any = 1.0) -> Value:
    return functions.celu(b, self, number(alpha))


@operator("leaky_relu")
def _leaky_relu(b: MlpBuilder, self: Value, negative_slope: Any = 0.01) -> Value:
    return functions.leaky_relu(b, self, number(negative_slope))


@operator("prelu", "_prelu_kernel")
def _prelu(b: MlpBuilder, self: Value, weight: Value) -> Value:
    if isinstance(self, Signal) and len(self.shape) != 2 and constant(weight).size > 1:
        raise NotAnMlp(f"a PReLU with several slopes on a tensor of shape {self.text}", "Flatten it first")
    return functions.leaky_relu(b, self, constant(weight).reshape(-1))


@operator("rrelu", "rrelu_with_noise")
def _rrelu(
    b: MlpBuilder, self: Value, lower: Any = 1 / 8, upper: Any = 1 / 3, training: Any = False, noise: Any = None
) -> Value:
    if training:
        raise in_training_mode()
    return functions.leaky_relu(b, self, (number(lower) + number(upper)) / 2)


@operator("softplus")
def _softplus(b: MlpBuilder, self: Value, beta: Any = 1, threshold: Any = 20) -> Value:
    return functions.softplus(b, self, number(beta), number(threshold))


@operator("log_sigmoid")
def _log_sigmoid(b: MlpBuilder, self: Value) -> Value:
    return functions.log_sigmoid(b, self)


@operator("softshrink")
def _softshrink(b: MlpBuilder, self: Value, lambd: Any = 0.5) -> Value:
    return functions.soft_shrink(b, self, number(lambd))


@operator("expm1", "special_expm1")
def _expm1(b: MlpBuilder, self: Value) -> Value:
    return functions.exp_less_one(b, self)


@operator("log1p", "special_log1p")
def _log1p(b: MlpBuilder, self: Value) -> Value:
    """ln(1 + eˣ) alone, which is softplus."""
    return functions.log_of_one_more(b, self)
