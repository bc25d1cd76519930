"""The network in training: layers of Boolean functions, read out by weighted sums of groups."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from edgeml.network.task import VALUES

from .functions import LogicFunctions

__all__ = ["LogicModel", "Shape"]

_LOGITS = 2.0
"""Deviation of a logit, in units of the deviation of one function, were all functions of a group independent."""
_SPREAD = 3.0
"""A value's group reaches so many deviations of it on either side."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a network.

    Parameters
    ----------
    inputs : bits that enter.
    widths : functions of each layer; the last number is a multiple of `outputs`.
    fan_in : inputs of a function.
    outputs, task : of the network.
    weights : of the functions of an output's group, again and again in this order.
    """

    inputs: int
    widths: tuple[int, ...]
    fan_in: int
    outputs: int
    task: str
    weights: tuple[int, ...] = (1,)

    @property
    def group(self) -> int:
        """Functions of the last layer that are summed for an output."""
        return self.widths[-1] // self.outputs

    @property
    def group_weights(self) -> tuple[int, ...]:
        """The weight of each function of a group."""
        return tuple(self.weights[at % len(self.weights)] for at in range(self.group))

    @property
    def centre(self) -> float:
        """The middle of a group's sums."""
        return sum(self.group_weights) / 2

    @property
    def step(self) -> float:
        """What 1 more in a sum adds to an output: to a logit, or to a value in units of its deviation."""
        if self.task == VALUES:
            return _SPREAD / self.centre
        return _LOGITS / math.sqrt(sum(weight**2 for weight in self.group_weights))


class LogicModel(nn.Module):
    """Bits [samples, inputs] → [samples, outputs], real: (weighted sum of the output's group − centre) · step.

    The centre of classes and of a binary model is the middle; that of values is learned, and rounded in the end.
    """

    def __init__(self, shape: Shape, seed: int) -> None:
        super().__init__()
        self.shape = shape
        generator = torch.Generator().manual_seed(seed)
        sizes: Sequence[int] = (shape.inputs, *shape.widths)
        self.layers = nn.ModuleList(
            LogicFunctions(before, after, shape.fan_in, generator, first=at == 0)
            for at, (before, after) in enumerate(itertools.pairwise(sizes))
        )
        self.centre = nn.Parameter(torch.full((shape.outputs,), shape.centre), requires_grad=shape.task == VALUES)
        self.weights: Tensor
        self.register_buffer("weights", torch.tensor(shape.group_weights, dtype=torch.float32))

    def forward(self, bits: Tensor) -> Tensor:
        """float32 [samples, inputs], 0 or 1 → float32 [samples, outputs]."""
        for layer in self.layers:
            bits = layer(bits)
        sums = bits.view(len(bits), self.shape.outputs, self.shape.group) @ self.weights
        return (sums - self.centre) * self.shape.step

    @property
    def functions(self) -> tuple[LogicFunctions, ...]:
        """The layers."""
        return tuple(layer for layer in self.layers if isinstance(layer, LogicFunctions))
