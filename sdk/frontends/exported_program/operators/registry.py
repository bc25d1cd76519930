"""The operators by name, and what their functions check their arguments with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...float_operators.curves import FUNCTIONS
from ...float_operators.found import float_operator_kinds
from ...reading.value import NotAnMlp, Signal, Value, as_constant

__all__ = [
    "ALIASING",
    "ENCODINGS",
    "HINTS",
    "IGNORED",
    "OPERATORS",
    "Operator",
    "as_list",
    "axis_of",
    "constant",
    "constant_axis",
    "encoding",
    "in_training_mode",
    "is_known",
    "number",
    "operator",
    "readers_of",
    "signal",
]

Operator = Callable[..., Any]

OPERATORS: dict[str, Operator] = {}
"""By name without namespace, overload and the underscore of the in-place form: "linear", "add", "relu"."""

ENCODINGS: dict[str, Operator] = {}
"""By the same names: what operators mean for the model's input and functions of its single features. They raise
`NotOfTheInput` for values that come from layers."""

ALIASING: set[str] = set()
"""Operators whose result shares the memory of their first argument."""

IGNORED = {"_assert_tensor_metadata", "_assert_scalar", "_assert_async", "sym_constrain_range_for_size"}
"""Operators that give nothing."""

HINTS = {
    **dict.fromkeys(
        ("conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "_trilinear"),
        "edgeml reads Conv1d and Conv2d",
    ),
    **dict.fromkeys(
        ("max_pool2d_with_indices", "max_pool1d_with_indices", "adaptive_max_pool1d", "adaptive_max_pool2d"),
        "Use MaxPool without indices, AvgPool, or a convolution with a stride",
    ),
    **dict.fromkeys(
        ("hardshrink", "log", "log2", "tan", "atan", "asin", "acos", "sinh", "cosh", "sign", "rsqrt"),
        f"Functions of one number that edgeml knows: {', '.join(FUNCTIONS)}, and clamps",
    ),
    **dict.fromkeys(
        ("native_dropout", "rand_like", "bernoulli", "_native_batch_norm_legit_functional", "_native_batch_norm_legit"),
        "This model was exported in training mode: call model.eval() before torch.export.export",
    ),
}
"""What to do about operators that are often met."""


def in_training_mode() -> NotAnMlp:
    """The error for a layer that behaves as it does in training."""
    return NotAnMlp("it was exported in training mode", "Call model.eval() before torch.export.export")


def operator(*names: str, alias: bool = False) -> Callable[[Operator], Operator]:
    """Registers a function under these names; `alias`: its result shares the memory of its first argument."""

    def register(function: Operator) -> Operator:
        for name in names:
            OPERATORS[name] = function
        if alias:
            ALIASING.update(names)
        return function

    return register


def encoding(*names: str) -> Callable[[Operator], Operator]:
    """Registers a function among `ENCODINGS` under these names."""

    def register(function: Operator) -> Operator:
        ENCODINGS.update(dict.fromkeys(names, function))
        return function

    return register


def is_known(name: str) -> bool:
    """Whether anything reads torch's operator `name`."""
    return name in ENCODINGS or bool(readers_of(name))


def readers_of(name: str) -> tuple[Operator, ...]:
    """The functions that read torch's operator `name`: those of float operators of installed packages, then edgeml's
    own, which reads what those before it refuse."""
    own = (OPERATORS[name],) if name in OPERATORS else ()
    others = (kind.exported_program_readers() for kind in float_operator_kinds().values())
    return tuple(found[name] for found in others if name in found) + own


def signal(value: Value) -> Signal:
    """`value` as a tensor that depends on the input."""
    if not isinstance(value, Signal):
        raise NotAnMlp("it is applied to a constant")
    return value


def constant(value: Value) -> Any:
    """`value` as an array of float64 that does not depend on the input."""
    if isinstance(value, Signal):
        raise NotAnMlp("a weight depends on the input")
    array = as_constant(value)
    if array.dtype.kind not in "fib":
        raise NotAnMlp(f"a weight of type {array.dtype}")
    return array.astype(np.float64)


def number(value: Any) -> float:
    """`value` as a real number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NotAnMlp(f"a parameter {value!r}, which is not a number")
    return float(value)


def as_list(value: Any) -> Sequence[Any]:
    """A list, or one thing as a list of one."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def axis_of(rank: int, axis: Any) -> int:
    """A dimension out of `rank`, counted from the front."""
    if isinstance(axis, bool) or not isinstance(axis, int) or not -rank <= axis < rank:
        raise NotAnMlp(f"dimension {axis!r} of a tensor of {rank} dimensions")
    return axis % rank


def constant_axis(value: Any, axis: Any) -> int:
    """A dimension of a constant, counted from the front."""
    return axis_of(np.ndim(value), axis)
