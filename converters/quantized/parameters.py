"""What calibration chooses and training improves: the float parameters of a placement."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .model import Input

__all__ = ["LinearParameters", "Parameters"]

Floats = npt.NDArray[np.float64]


@dataclass(eq=False)
class LinearParameters:
    """A linear layer before it is rounded.

    Parameters
    ----------
    weight : float64 [outputs, inputs].
    scale : float64 [outputs], or [1] for the last layer, positive: what one integer weight is worth.
    bias : float64 [outputs].
    """

    weight: Floats
    scale: Floats
    bias: Floats


@dataclass(eq=False)
class Parameters:
    """The parameters of a placement.

    Parameters
    ----------
    input : the input quantizer.
    linear : by name of the placed node.
    steps : by group of quantizers, what one integer is worth.
    levels : by name of the placed node, the operands of an encoding whose levels were learned.
    """

    input: Input
    linear: dict[str, LinearParameters] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)
    levels: dict[str, Floats] = field(default_factory=dict)
