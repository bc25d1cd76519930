"""Functions of one 8-bit value, as tables: sigmoid and tanh as the runtimes have them, clipping, a change of type."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from .operators.tensor_info import TensorInfo

__all__ = ["centred_table", "clip_table", "function_steps", "function_table", "retype_table", "tie_distance"]

IntTable = npt.NDArray[np.int32]


def _logistic(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    y: npt.NDArray[np.float64] = 1.0 / (1.0 + np.exp(-x))
    return y


def _gelu(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    y: npt.NDArray[np.float64] = 0.5 * x * np.array([math.erfc(-value * math.sqrt(0.5)) for value in x.tolist()])
    return y


def _gelu_by_tanh(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    y: npt.NDArray[np.float64] = 0.5 * x * (1.0 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return y


_FUNCTIONS: Mapping[str, Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = {
    "LOGISTIC": _logistic,
    "TANH": np.tanh,
    "GELU": _gelu,
    "GELU_TANH": _gelu_by_tanh,
}
"""By the name of the operator in the file; GELU_TANH is GELU with the option `approximate`."""


def _inputs(source: TensorInfo) -> npt.NDArray[np.int64]:
    return np.arange(source.low, source.high + 1, dtype=np.int64)


def function_steps(name: str, source: TensorInfo, target: TensorInfo) -> npt.NDArray[np.float64]:
    """f(x)/scale for each of the 256 inputs, before rounding: LOGISTIC in steps of 1/256, TANH of 1/128."""
    x = np.float64(source.scale) * (_inputs(source) - source.zero_point)
    with np.errstate(over="ignore"):
        y = _FUNCTIONS[name](x)
    steps: npt.NDArray[np.float64] = y / np.float64(target.scale)
    return steps


def tie_distance(name: str, source: TensorInfo, target: TensorInfo) -> float:
    """How near any entry comes to a tie, in output steps: the runtimes' float32 tables agree where this is not tiny."""
    steps = function_steps(name, source, target)
    return float(np.abs(steps - np.floor(steps) - 0.5).min())


def function_table(name: str, source: TensorInfo, target: TensorInfo) -> IntTable:
    """round(f(x)/scale) + zero point, clipped, ties away from zero, for LOGISTIC or TANH."""
    steps = function_steps(name, source, target)
    rounded = np.sign(steps) * np.floor(np.abs(steps) + 0.5) + target.zero_point
    table: IntTable = np.clip(rounded, target.low, target.high).astype(np.int32)
    return table


def retype_table(source: TensorInfo, target: TensorInfo) -> IntTable:
    """The same real value with another zero point: x − source zero point + target zero point, clipped."""
    return np.clip(_inputs(source) - source.zero_point + target.zero_point, target.low, target.high).astype(np.int32)


def centred_table(source: TensorInfo) -> IntTable:
    """x − zero point: integers whose 0 stands for 0."""
    return (_inputs(source) - source.zero_point).astype(np.int32)


def clip_table(source: TensorInfo, target: TensorInfo, limit: float) -> IntTable:
    """Zero and more, up to `limit` in real units (infinity or 6)."""
    high = target.high
    if np.isfinite(limit):
        steps = float(np.float32(limit) / np.float32(target.scale))
        high = min(high, target.zero_point + int(min(np.floor(steps + 0.5), 2**16)))
    return np.clip(retype_table(source, target), max(target.low, target.zero_point), high).astype(np.int32)
