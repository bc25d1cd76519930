"""One-hot values with a gradient: what moving to the next table entry would change."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from edgeml.frontends.float_operators.encode import EQUAL, Encode

__all__ = ["with_slopes"]


def with_slopes(encode: Encode, x: Tensor, value: Tensor) -> Tensor:
    """`value` [samples, outputs], which `encode` gives for x [samples, inputs], with a gradient by x where it is
    one-hot."""
    q = (x - encode.offset) / encode.scale
    columns = torch.from_numpy(_columns(encode)).to(x.device)
    return _OneHotSlopes.apply(q, value, columns)  # type: ignore[no-any-return,no-untyped-call]


class _OneHotSlopes(torch.autograd.Function):
    """Gives `one_hot` [samples, outputs] as it is, and q [samples, inputs] a gradient.

    A table T behind the one-hot values of q gives T[q], whose slope is taken to be (T[q + 1] − T[q − 1]) / 2, and
    T[q ± 1] − T[q] with the sign of ±1 at the ends. What arrives at an output is the gradient of its entry, so that
    the same differences of what arrives are the gradient of q.
    """

    @staticmethod
    def forward(ctx: Any, q: Tensor, one_hot: Tensor, columns: Tensor) -> Tensor:
        """`columns` int64 [inputs, values]: the output that is 1 for a value of an input, −1 for none."""
        ctx.save_for_backward(q, columns)
        return one_hot.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        q, columns = ctx.saved_tensors
        here = q.round().long()
        up, down = (here + 1).clamp(max=columns.shape[1] - 1), (here - 1).clamp(min=0)
        channel = torch.arange(q.shape[1], device=q.device)
        ends = []
        for value in (up, down):
            column = columns[channel, value]
            ends.append(gradient.gather(1, column.clamp(min=0)) * (column >= 0))
        return (ends[0] - ends[1]) / (up - down).clamp(min=1), gradient, None


def _columns(encode: Encode) -> npt.NDArray[np.int64]:
    """The `columns` of an encoding's one-hot outputs."""
    columns = np.full((encode.inputs, encode.high + 1), -1, np.int64)
    places = encode.of_rule(EQUAL)
    operand = encode.operand[places]
    within = (operand >= 0) & (operand <= encode.high)
    columns[encode.source[places][within].astype(np.int64), operand[within].astype(np.int64)] = places[within]
    return columns
