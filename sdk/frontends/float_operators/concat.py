"""Two tensors side by side: skip connections of the DenseNet kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError
from ...network import Concat as IntegerConcat
from ...network import Layer
from .arrays import ArrayLibrary
from .interval import Interval
from .operator import FloatOperator, Role

__all__ = ["Concat"]


@dataclass(frozen=True)
class Concat(FloatOperator):
    """y = (a[0], …, a[first − 1], b[0], …, b[second − 1])."""

    kind: ClassVar[str] = "concat"
    role: ClassVar[Role] = Role.JOIN
    input_count: ClassVar[int] = 2

    first: int
    second: int

    @property
    def moves_only(self) -> bool:
        return True

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.first, self.second):
            raise InputError("concat", f"takes {self.first} and {self.second} values, found {list(input_sizes)}")
        return self.first + self.second

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        if isinstance(inputs[0], np.ndarray):
            return np.concatenate(inputs, axis=1)
        import torch

        return torch.cat(inputs, dim=1)

    def output_range(self, *inputs: Interval) -> Interval:
        a, b = inputs
        sides = ((a, self.first), (b, self.second))
        return Interval(
            np.concatenate([np.broadcast_to(side.low, (size,)) for side, size in sides]),
            np.concatenate([np.broadcast_to(side.high, (size,)) for side, size in sides]),
        )

    def integer_layer(self) -> Layer | None:
        return IntegerConcat(self.first, self.second)
