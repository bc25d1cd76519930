"""Levels of thermometers that learn: a step at a level, with a gradient that knows on which side most is gained."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["LevelSteps", "level_widths"]


class LevelSteps(torch.autograd.Function):
    """y = 1 if q ≥ level else 0, for q [samples, levels], whole numbers, and level, width [levels].

    The gradient of y by its level is that of a ramp as wide as `width` on both sides of it: −(1 − |u|) / width where
    u = (q − level) / width lies within ±1, else 0. q gets none: it is an input.
    """

    @staticmethod
    def forward(ctx: Any, q: Tensor, level: Tensor, width: Tensor) -> Tensor:
        ctx.save_for_backward(q, level, width)
        return (q >= level).to(q.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        q, level, width = ctx.saved_tensors
        ramp = (1.0 - ((q - level) / width).abs()).clamp_(min=0.0) / width
        return None, -(gradient * ramp).sum(dim=0), None


def level_widths(
    source: npt.NDArray[np.float64], levels: npt.NDArray[np.float64], high: int
) -> npt.NDArray[np.float64]:
    """How far apart the levels of an input lie, float64 [levels]: half of what its neighbours leave it, 1 at least.

    Parameters
    ----------
    source : the input of each level. high : the largest value of an input.
    """
    widths = np.empty(levels.size)
    for feature in np.unique(source):
        places = np.flatnonzero(source == feature)
        places = places[np.argsort(levels[places], kind="stable")]
        known = np.concatenate([[0.0], levels[places], [high + 1.0]])
        widths[places] = np.maximum((known[2:] - known[:-2]) / 8.0, 1.0)
    return widths
