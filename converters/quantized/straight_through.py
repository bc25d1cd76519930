"""Rounding with a straight-through gradient: the four quantizers that training differentiates through.

Forward these compute what Brevitas's IntQuant and BinaryQuant compute with a learned scale; backward they have the
same gradients (the clamp passes no gradient; a scale learns from its rounding error inside the range and from the
range's end outside it). They are single autograd functions of about ten tensor operations, where a Brevitas layer
runs about two hundred and fifty Python module calls a step: scale, zero point and bit width anew at each call.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .scales import POWER_LOW

__all__ = ["BinaryWeights", "PowerWeights", "RoundedBias", "UniformQuantizer"]

_STEEP = 2.5
"""A binary weight learns while |w| is below this, in units of the root mean square of its initial row."""


def _reduced(gradient: Tensor, shape: torch.Size) -> Tensor:
    """`gradient` summed over the dimensions that a scale of `shape` ([rows, 1] or [1, 1]) was broadcast along."""
    if shape[0] == 1:
        return gradient.sum().reshape(shape)
    return gradient.sum(dim=1, keepdim=True)


class UniformQuantizer(torch.autograd.Function):
    """y = (clip(round_half_even(x / scale − shift), low, high) + shift) · scale; low and high are integers."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, low: int, high: int, shift: float) -> Tensor:
        ratio = x / scale
        rounded = (ratio - shift).round_() if shift else ratio.round()
        q = rounded.clamp(low, high)
        ctx.save_for_backward(ratio, q + shift if shift else q, rounded == q, scale)
        return (q + shift) * scale if shift else q * scale

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        ratio, level, inside, scale = ctx.saved_tensors
        passed = gradient * inside
        learned = gradient * level - passed * ratio
        return passed, _reduced(learned, scale.shape), None, None, None


class BinaryWeights(torch.autograd.Function):
    """y = scale where x ≥ 0, else −scale."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor) -> Tensor:
        sign = torch.where(x >= 0, 1.0, -1.0).to(x.dtype)
        ctx.save_for_backward(x, sign, scale)
        return sign * scale

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        x, sign, scale = ctx.saved_tensors
        return gradient * (x.abs() <= _STEEP), _reduced(gradient * sign, scale.shape)


class PowerWeights(torch.autograd.Function):
    """y = q · scale, q the nearest of 0, ±1, ±2, ±4 … ±`largest` to x / scale, as `scales.nearest_powers` has it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, largest: int) -> Tensor:
        ratio = x / scale
        size = ratio.abs()
        exponent = torch.frexp(size / POWER_LOW).exponent - 1
        power = torch.ldexp(torch.ones_like(ratio), exponent.clamp(0, largest.bit_length() - 1))
        q = torch.where(size < 0.5, torch.zeros_like(ratio), power.copysign(ratio))
        ctx.save_for_backward(ratio, q, size < 2 * POWER_LOW * largest, scale)
        return q * scale

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        ratio, q, inside, scale = ctx.saved_tensors
        passed = gradient * inside
        return passed, _reduced(gradient * q - passed * ratio, scale.shape), None


class RoundedBias(torch.autograd.Function):
    """y = round_half_even(bias / unit) · unit; the gradient passes to the bias unchanged, to the unit not at all."""

    @staticmethod
    def forward(ctx: Any, bias: Tensor, unit: Tensor) -> Tensor:
        return (bias / unit).round() * unit

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return gradients[0], None
