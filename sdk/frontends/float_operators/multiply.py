"""The product of two tensors, value by value: gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...network import Layer
from ...network import Multiply as IntegerMultiply
from .arrays import ArrayLibrary
from .interval import Interval
from .operator import FloatOperator, Role, one_size

__all__ = ["Multiply"]


@dataclass(frozen=True)
class Multiply(FloatOperator):
    """y = a · b, channel by channel: gated layers (GLU, SwiGLU, gMLP)."""

    kind: ClassVar[str] = "multiply"
    role: ClassVar[Role] = Role.PRODUCT
    input_count: ClassVar[int] = 2

    def output_size(self, *input_sizes: int) -> int:
        return one_size("multiply", input_sizes)

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        return inputs[0] * inputs[1]

    def output_range(self, *inputs: Interval) -> Interval:
        a, b = inputs
        with np.errstate(invalid="ignore"):
            corners = [one * other for one in (a.low, a.high) for other in (b.low, b.high)]
        # 0 · ∞: the other factor is 0 there, whatever the first one is.
        corners = [
            np.nan_to_num(each, nan=0.0, posinf=np.inf, neginf=-np.inf) for each in np.broadcast_arrays(*corners)
        ]
        return Interval(np.min(corners, axis=0), np.max(corners, axis=0))

    def integer_layer(self) -> Layer | None:
        return IntegerMultiply()
