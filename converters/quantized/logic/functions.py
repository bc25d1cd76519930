"""A layer of Boolean functions that learns its tables and its wiring. Forward it computes the bits that the integer
layer computes; only its gradients are of another function, which changes little by little.

Tables: an entry is a real number θ, and the bit is 1 where θ > 0. A bit goes to the entry that its inputs point at, and
gradients also to entries near it: entry a gets those of entry b times ((1 + r) / 2)^(k − d) · ((1 − r) / 2)^d, where d
is in how many inputs they differ. This keeps entries that few samples reach like their neighbours.

Inputs: the gradient of an input is the difference of the two entries that it decides between, in the table blurred by
the same rule: an input matters also where only a neighbouring entry would show it.

Wiring: each input of a function has a score for each bit that it could take, and takes the one of the highest score.
The gradient of a score is what the output would gain by that bit, through a softmax over the scores.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["LogicFunctions"]

_NEAR = 0.85
"""r above: 1 gives gradients to the entry alone, 0 to all entries alike."""
_START = 0.5
"""Deviation of θ at the start, where each table is that of a random weighted sum of its inputs; θ stays in −1 … 1."""


class _Functions(torch.autograd.Function):
    """Bits x [samples, inputs] → bits [samples, functions], as float32."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, scores: Tensor, entries: Tensor, wiring: Tensor, blur: Tensor, first: bool
    ) -> Tensor:
        functions, fan_in = wiring.shape
        taken = x[:, wiring.reshape(-1)].view(len(x), functions, fan_in)
        weights = torch.exp2(torch.arange(fan_in, device=x.device, dtype=x.dtype))
        address = (taken * weights).sum(dim=2).to(torch.int64)
        place = address + torch.arange(functions, device=x.device) * entries.shape[1]
        bits = (entries > 0).to(x.dtype)
        ctx.save_for_backward(x, scores, bits, wiring, blur, place)
        ctx.first = first
        return bits.reshape(-1)[place]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        x, scores, bits, wiring, blur, place = ctx.saved_tensors
        _functions, fan_in = wiring.shape
        reached = torch.zeros(bits.numel(), device=x.device, dtype=x.dtype)
        reached.index_add_(0, place.reshape(-1), gradient.reshape(-1))
        of_entries = reached.view(bits.shape) @ blur
        smooth = bits @ blur
        address = torch.arange(bits.shape[1], device=x.device)
        slopes = torch.stack(
            [smooth[:, address | (1 << j)] - smooth[:, address & ~(1 << j)] for j in range(fan_in)], dim=2
        )
        of_taken = slopes.reshape(-1, fan_in)[place] * gradient[:, :, None]
        flat = of_taken.reshape(len(x), -1)
        gain = (flat.T @ x).view(scores.shape)
        share = torch.softmax(scores, dim=2)
        of_scores = share * (gain - (share * gain).sum(dim=2, keepdim=True))
        of_x = None if ctx.first else torch.zeros_like(x).index_add_(1, wiring.reshape(-1), flat)
        return of_x, of_scores, of_entries, None, None, None


class LogicFunctions(nn.Module):
    """`functions` Boolean functions of `fan_in` of `inputs` bits.

    Parameters
    ----------
    generator : of the random tables and scores at the start.
    first : whether what comes in has no gradient.
    """

    def __init__(self, inputs: int, functions: int, fan_in: int, generator: torch.Generator, first: bool) -> None:
        super().__init__()
        self.first = first
        self.scores = nn.Parameter(torch.rand(functions, fan_in, inputs, generator=generator))
        signs = 2.0 * (torch.arange(1 << fan_in) >> torch.arange(fan_in)[:, None] & 1) - 1.0
        weights = torch.randn(functions, fan_in, generator=generator) * (_START / fan_in**0.5)
        self.entries = nn.Parameter(weights @ signs)
        self.blur: Tensor
        self.register_buffer("blur", torch.from_numpy(_blur(fan_in)))

    @property
    def wiring(self) -> Tensor:
        """int64 [functions, fan_in]: the input that each of their inputs takes."""
        return self.scores.detach().argmax(dim=2)

    @property
    def tables(self) -> Tensor:
        """bool [functions, 2^fan_in]; the first input is the lowest bit of the address."""
        return self.entries.detach() > 0

    def forward(self, x: Tensor) -> Tensor:
        """Bits [samples, inputs] → bits [samples, functions], both as float32."""
        given = (x, self.scores, self.entries, self.wiring, self.blur, self.first)
        return _Functions.apply(*given)  # type: ignore[no-any-return,no-untyped-call]

    def keep_in_range(self) -> None:
        """After a step: θ back into −1 … 1, so that no entry is out of reach of what comes later."""
        with torch.no_grad():
            self.entries.clamp_(-1.0, 1.0)


def _blur(fan_in: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """float32 [2^k, 2^k], symmetric, its rows sum to 1: what an entry has of each other one."""
    address = np.arange(1 << fan_in)
    differing = np.zeros((address.size, address.size))
    for j in range(fan_in):
        differing += (address[:, None] ^ address) >> j & 1
    return (((1 + _NEAR) / 2) ** (fan_in - differing) * ((1 - _NEAR) / 2) ** differing).astype(np.float32)
