"""Activations that are fused into an operator: a clip of its integers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..schema import Activation
from .tensor_info import TensorInfo

__all__ = ["ACTIVATIONS", "fused_bounds"]

ACTIVATIONS: Mapping[str, Activation] = {
    "none": Activation.NONE,
    "relu": Activation.RELU,
    "relu_n1_to_1": Activation.RELU_N1_TO_1,
    "relu6": Activation.RELU6,
}
"""By the names that operators have for them."""

_LIMITS = {"relu": (0.0, np.inf), "relu_n1_to_1": (-1.0, 1.0), "relu6": (0.0, 6.0)}


def fused_bounds(activation: str, target: TensorInfo, rounding: str) -> tuple[int, int]:
    """The integers that an activation clips to: zero, and one or six in the output's scale."""
    low, high = target.low, target.high
    if activation in _LIMITS:
        least, most = _LIMITS[activation]
        low = max(low, target.zero_point + _steps(least, target, rounding))
        high = min(high, target.zero_point + _steps(most, target, rounding)) if np.isfinite(most) else high
    return low, high


def _steps(limit: float, target: TensorInfo, rounding: str) -> int:
    """A limit in steps of the output: ties to even in float32 kernels, away from zero in others."""
    steps = float(np.float32(limit) / np.float32(target.scale))
    nearest = np.rint(steps) if rounding == "fp32_rne" else np.copysign(np.floor(abs(steps) + 0.5), steps)
    return int(np.clip(nearest, -(2**16), 2**16))
