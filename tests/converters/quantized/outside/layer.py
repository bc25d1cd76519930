"""The integer layer."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.network import Layer, ValueRange


@dataclasses.dataclass(frozen=True, eq=False)
class Join(Layer):
    """y = a followed by b."""

    kind: ClassVar[str] = "outside_join"
    input_count: ClassVar[int] = 2

    def output_size(self, *input_sizes: int) -> int:
        return sum(input_sizes)

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        return ValueRange(np.concatenate([x.low for x in inputs]), np.concatenate([x.high for x in inputs]))

    def evaluate(self, *inputs: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
        return np.concatenate(inputs, axis=1).astype(np.int32)
