"""Which weights a layer of few inputs keeps while it is trained: gradual selection by size, with regrowth.

Of each neuron the k largest weights are kept, k falling from all inputs to the limit by the cubic schedule of Zhu and
Gupta, "To prune, or not to prune" (2017), between 5 % and 60 % of the steps. Weights that are dropped go on learning as
if they were there, and return when they are larger than one that is kept. Then the choice is final.

That they learn is what finds the wiring: digits, 256-128 of 1-bit activations with 3, 6 and 24 inputs, 94.9 %, the mean
of three seeds; if they move by what is left of Adam's momentum alone, 87.4 %. Tried and not kept, on one seed each:
weights that decay while they are dropped, twice the steps, half the rate (no better), inputs as bits (3 points worse).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

__all__ = ["FanInSelection"]

_START, _END = 0.05, 0.6
"""Shares of the steps between which the number of inputs falls."""
_EVERY = 10
"""Steps from one choice to the next."""


class FanInSelection:
    """The weights that each layer keeps.

    Parameters
    ----------
    limits : how many each neuron of a layer may keep, by layer; other layers keep all.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._limits = dict(limits)
        self._kept: dict[str, Tensor] = {}
        self._final = not self._limits

    def advance(self, latent: Mapping[str, Tensor], done: int, total: int) -> None:
        """Choose anew, `done` of `total` steps being done, from the weights [outputs, inputs] by layer."""
        share = (done / max(total, 1) - _START) / (_END - _START)
        if self._final or share < 0 or (done % _EVERY and share < 1):
            return
        self._choose(latent, min(share, 1.0))

    def settle(self, latent: Mapping[str, Tensor]) -> None:
        """Make the choice final, if it is not."""
        if not self._final:
            self._choose(latent, 1.0)

    def kept(self, name: str, latent: Tensor) -> Tensor:
        """`latent` of a layer with zeros for what is dropped; the gradient passes to all of it."""
        if name not in self._kept:
            return latent
        return Kept.apply(latent, self._kept[name].to(latent))  # type: ignore[no-any-return,no-untyped-call]

    @torch.no_grad()
    def _choose(self, latent: Mapping[str, Tensor], share: float) -> None:
        for name, limit in self._limits.items():
            weight = latent[name].detach()
            inputs = weight.shape[1]
            count = limit + round((inputs - limit) * (1.0 - share) ** 3)
            order = weight.abs().argsort(dim=1, descending=True, stable=True)[:, :count]
            self._kept[name] = torch.zeros_like(weight).scatter_(1, order, 1.0)
        self._final = share >= 1.0


class Kept(torch.autograd.Function):
    """y = x · mask, with the gradient of y = x: what is dropped learns as if it were there."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, mask: Tensor) -> Tensor:
        return x * mask

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return gradients[0], None
