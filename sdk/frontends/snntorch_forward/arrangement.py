"""Reshapes, stacks, picks and sums over time of recorded values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .expressions import Expression, OverTime, Ranked, Unreadable, Value
from .operands import NotRead, Operands, leading_axes, only_value

__all__ = ["join", "mean_over_time", "ranked", "repeat", "reshape", "same", "stack", "sum_over_time", "swap", "take"]


def same(operands: Operands) -> Value:
    """The value itself: a copy, another number type."""
    if not operands.result.is_floating_point():
        raise NotRead(f"to {operands.result.dtype}")
    return only_value(operands, "self")


def ranked(name: str) -> Callable[[Operands], Value | Ranked]:
    """A softmax over the features, or the largest value over time."""

    def read(operands: Operands) -> Value | Ranked:
        value = only_value(operands)
        if isinstance(value, Unreadable):
            return value
        given, axis = operands.get(0, "input"), operands.get(1, "dim")
        axis = axis[0] if isinstance(axis, (tuple, list)) and len(axis) == 1 else axis
        wanted = value.axis if name == "largest" and isinstance(value, OverTime) else given.ndim - 1
        if axis not in (wanted, wanted - given.ndim) or (name == "largest") != isinstance(value, OverTime):
            raise NotRead("along this axis", layout=True)
        return Ranked(name, value)

    return read


def reshape(operands: Operands) -> Value:
    """Any rearrangement that leaves samples (and steps) where they are and keeps the features in their order."""
    value, given, result = only_value(operands), operands.get(0, "input"), operands.result
    leading = leading_axes(value)
    if isinstance(value, Unreadable) or tuple(result.shape[:leading]) == tuple(given.shape[:leading]):
        return value
    if isinstance(value, Expression) and tuple(result.shape) == (1, *given.shape):
        return OverTime((value,), 0)
    raise NotRead(f"from {list(given.shape)} to {list(result.shape)} mixes samples or steps", layout=True)


def swap(operands: Operands) -> Value:
    value, given, result = only_value(operands), operands.get(0, "input"), operands.result
    if isinstance(value, OverTime) and _laid_out(result) == _laid_out(given.transpose(0, 1)):
        return OverTime(value.steps, 1 - value.axis)
    if _laid_out(result) == _laid_out(given):
        return value
    raise NotRead("of other axes than time and samples", layout=True)


def _laid_out(tensor: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(tensor.shape), tuple(tensor.stride())


def repeat(operands: Operands) -> Value:
    """A sample repeated over a new first axis, which is time."""
    value, given, result = only_value(operands), operands.get(0, "input"), operands.result
    if isinstance(value, Expression) and result.ndim == given.ndim + 1 and result.shape[1:] == given.shape:
        return OverTime((value,) * int(result.shape[0]), 0)
    once = isinstance(value, OverTime) and len(value.steps) == 1 and value.axis == 0
    if once and result.shape[1:] == given.shape[1:] and isinstance(value, OverTime):
        return OverTime(value.steps * int(result.shape[0]), 0)
    if result.shape == given.shape:
        return value
    raise NotRead("along other axes than a new first one", layout=True)


def stack(operands: Operands) -> Value:
    """Values of single steps, put together over time."""
    tensors, axis = operands.get(0, "tensors"), int(operands.get(1, "dim", 0))
    steps: list[Expression | None] = []
    for tensor in tensors:
        value = operands.value(tensor)
        if isinstance(value, Unreadable):
            return value
        if isinstance(value, OverTime) or (value is None and bool(tensor.any())):
            raise NotRead("of values over time, or of constants")
        steps.append(value)
    axis += operands.result.ndim if axis < 0 else 0
    if axis > 1:
        raise NotRead(f"along axis {axis}; time stands first or second")
    return OverTime(tuple(steps), axis)


def join(operands: Operands) -> Value:
    """Values over time, one after the other."""
    tensors, axis = operands.get(0, "tensors"), int(operands.get(1, "dim", 0))
    values = [operands.value(tensor) for tensor in tensors]
    for value in values:
        if isinstance(value, Unreadable):
            return value
    axis += operands.result.ndim if axis < 0 else 0
    steps: list[Expression | None] = []
    for value in values:
        if not isinstance(value, OverTime) or value.axis != axis:
            raise NotRead("of features or samples")
        steps += value.steps
    return OverTime(tuple(steps), axis)


def take(operands: Operands) -> Value:
    """Steps, or features, by whole numbers and ranges."""
    return _picked(only_value(operands), operands.get(0, "self"), operands.get(1, "key"), operands.result)


def _picked(value: Value, given: Any, key: Any, result: Any) -> Value:
    if isinstance(value, Unreadable):
        return value
    parts = list(key) if isinstance(key, tuple) else [key]
    if any(part is None or not isinstance(part, (int, slice, type(...))) for part in parts):
        raise NotRead("by something other than whole numbers and ranges", layout=True)
    if ... in parts:
        at = parts.index(...)
        parts[at : at + 1] = [slice(None)] * (given.ndim - len(parts) + 1)
    whole = slice(None)
    axis = value.axis if isinstance(value, OverTime) else None
    for position, part in enumerate(parts):
        if position == axis or part == whole:
            continue
        if isinstance(part, slice) and part.indices(given.shape[position]) == (0, given.shape[position], 1):
            continue
        if position < leading_axes(value):
            raise NotRead("of single samples", layout=True)
        if not isinstance(value, Expression) or given.ndim != 2:
            raise NotRead("of single features over time", layout=True)
        if isinstance(part, int):
            raise NotRead("of a single feature", layout=True)
        return value.chosen(np.arange(given.shape[1], dtype=np.int64)[part])
    if not isinstance(value, OverTime) or len(parts) <= value.axis:
        return value
    chosen = parts[value.axis]
    if isinstance(chosen, int):
        step = value.steps[chosen]
        if step is None:
            raise NotRead("of a step that nothing was written into")
        return step
    return OverTime(value.steps[chosen], value.axis)


def _over_time_sum(operands: Operands, mean: bool) -> Value:
    value = only_value(operands)
    if isinstance(value, Unreadable):
        return value
    axis = operands.get(1, "dim")
    axis = axis[0] if isinstance(axis, (tuple, list)) and len(axis) == 1 else axis
    if not isinstance(value, OverTime) or axis not in (value.axis, value.axis - operands.get(0, "input").ndim):
        raise NotRead("over another axis than time", layout=True)
    steps = [step for step in value.steps if step is not None]
    total = steps[0]
    for step in steps[1:]:
        total = total.plus(step)
    return total.scaled(1.0 / len(value.steps)) if mean else total


def sum_over_time(operands: Operands) -> Value:
    """The sum over all steps."""
    return _over_time_sum(operands, mean=False)


def mean_over_time(operands: Operands) -> Value:
    """The mean over all steps."""
    return _over_time_sum(operands, mean=True)
