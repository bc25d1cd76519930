"""Functions of one number, as settings of layers and as layers, and Softmax at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ....errors import printable
from ...reading import functions_of_one
from ...reading.builder import MlpBuilder
from ...reading.value import NotAnMlp, Signal
from .applied import LAYERS, Applied, layer

__all__ = ["activated", "activation"]

_KNOWN_SLOPE = 0.2
"""Of Keras's function leaky_relu; its layer LeakyReLU has 0.3."""
_WITHOUT_THRESHOLD = float("inf")


def _curve(name: str) -> Callable[[MlpBuilder, Signal], Any]:
    return lambda builder, x: functions_of_one.curve(builder, x, name)


def _hard_sigmoid(builder: MlpBuilder, x: Signal, slope: float = 1.0 / 6.0) -> Any:
    return builder.clamp(builder.affine(x, slope, 0.5), 0.0, 1.0)


_FUNCTIONS: Mapping[str, Callable[[MlpBuilder, Signal], Any]] = {
    "linear": lambda builder, x: x,
    "relu": lambda builder, x: builder.clamp(x, 0.0, None),
    "relu6": lambda builder, x: builder.clamp(x, 0.0, 6.0),
    "hard_tanh": lambda builder, x: builder.clamp(x, -1.0, 1.0),
    "sigmoid": lambda builder, x: builder.sigmoid(x),
    "hard_sigmoid": _hard_sigmoid,
    "tanh": lambda builder, x: builder.tanh(x),
    "leaky_relu": lambda builder, x: functions_of_one.leaky_relu(builder, x, _KNOWN_SLOPE),
    "elu": lambda builder, x: functions_of_one.elu(builder, x, 1.0),
    "celu": lambda builder, x: functions_of_one.celu(builder, x, 1.0),
    "selu": lambda builder, x: functions_of_one.selu(builder, x),
    "gelu": _curve("gelu"),
    "silu": _curve("silu"),
    "swish": _curve("silu"),
    "hard_silu": _curve("hard_swish"),
    "hard_swish": _curve("hard_swish"),
    "mish": _curve("mish"),
    "exponential": _curve("exp"),
    "softplus": lambda builder, x: functions_of_one.softplus(builder, x, 1.0, _WITHOUT_THRESHOLD),
    "softsign": _curve("softsign"),
    "soft_sign": _curve("softsign"),
    "log_sigmoid": lambda builder, x: functions_of_one.log_sigmoid(builder, x),
    "soft_shrink": lambda builder, x: functions_of_one.soft_shrink(builder, x, 0.5),
    "tanh_shrink": _curve("tanh_shrink"),
    "softmax": lambda builder, x: builder.final(x, "softmax", -1),
    "log_softmax": lambda builder, x: builder.final(x, "log_softmax", -1),
}


def activated(builder: MlpBuilder, x: Signal, found: Any, keras_2: bool = False) -> Any:
    """`x` behind an activation as Keras serializes it: a name, a function, a layer without weights, or None."""
    if isinstance(found, dict):
        kind, config = found.get("class_name"), found.get("config")
        if kind == "function" and isinstance(config, str) and str(found.get("module", "")) != "builtins":
            found = config
        elif kind in LAYERS and isinstance(config, dict):
            return _of_layer(builder, x, str(kind), config, keras_2)
    if found is None:
        return x
    if not isinstance(found, str) or found not in _FUNCTIONS:
        name = found.get("config", found) if isinstance(found, dict) else found
        raise NotAnMlp(
            f"the activation {printable(name, 60)!r} is not supported",
            f"Those of Keras that edgeml reads are {', '.join(sorted(_FUNCTIONS))}",
        )
    if found == "hard_sigmoid" and keras_2:
        return _hard_sigmoid(builder, x, 0.2)
    return _FUNCTIONS[found](builder, x)


def _of_layer(builder: MlpBuilder, x: Signal, kind: str, config: Mapping[str, Any], keras_2: bool) -> Any:
    """An activation that is a layer; one with weights is not, for it would have no place in the file."""
    from ..graph import Layer
    from .applied import apply

    if kind not in ("ReLU", "LeakyReLU", "ELU", "Softmax", "Activation"):
        raise NotAnMlp(f"a layer {kind} as an activation")
    inner = Layer(str(config.get("name", kind)), kind, "", config)
    return apply(Applied(builder, inner, [x], None, keras_2))  # type: ignore[arg-type]


def activation(a: Applied, x: Any) -> Any:
    """`x` behind the setting `activation` of a layer."""
    return activated(a.builder, x, a.get("activation"), a.keras_2)


@layer("Activation")
def _activation(a: Applied) -> Any:
    return activation(a, a.x)


@layer("ReLU")
def _relu(a: Applied) -> Any:
    slope, threshold = a.number("negative_slope", 0.0), a.number("threshold", 0.0)
    most = a.get("max_value")
    if threshold != 0:
        raise NotAnMlp(f"it jumps at its threshold {threshold:g}", "Train with threshold=0")
    if most is not None:
        most = a.number("max_value", 0.0)
    if slope == 0:
        return a.builder.clamp(a.x, 0.0, most)
    bent = functions_of_one.leaky_relu(a.builder, a.x, slope)
    return bent if most is None else a.builder.clamp(bent, None, most)


@layer("LeakyReLU")
def _leaky_relu(a: Applied) -> Any:
    name = "alpha" if "alpha" in a.layer.config else "negative_slope"
    return functions_of_one.leaky_relu(a.builder, a.x, a.number(name, 0.3))


@layer("ELU")
def _elu(a: Applied) -> Any:
    return functions_of_one.elu(a.builder, a.x, a.number("alpha", 1.0))


@layer("PReLU")
def _prelu(a: Applied) -> Any:
    x, shared = a.x, a.get("shared_axes") or []
    if not isinstance(shared, list) or any(type(axis) is not int for axis in shared):
        raise NotAnMlp(f"its shared_axes are {printable(shared, 40)}")
    shape = [1 if axis + 1 in shared else size for axis, size in enumerate(x.features)]
    (slopes,) = a.variables({"alpha": shape})
    a.builder.budget.constant(x.features)
    return functions_of_one.leaky_relu(a.builder, x, np.array(np.broadcast_to(slopes, x.features)).reshape(-1))


@layer("Softmax")
def _softmax(a: Applied) -> Any:
    axis = a.get("axis", -1)
    if isinstance(axis, list) and len(axis) == 1:
        (axis,) = axis
    return a.builder.final(a.x, "softmax", axis)
