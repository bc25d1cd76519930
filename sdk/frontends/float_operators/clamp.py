"""Clipping: ReLU and its relatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError
from .arrays import ArrayLibrary
from .clamped_line import ClampedLine
from .interval import Interval
from .operator import FloatOperator, Role

__all__ = ["Clamp"]


@dataclass(frozen=True)
class Clamp(FloatOperator):
    """y = min(max(x, low), high): ReLU is (0, ∞), ReLU6 (0, 6), hardtanh (−1, 1)."""

    kind: ClassVar[str] = "clamp"
    role: ClassVar[Role] = Role.LINE

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise InputError("clamp", f"needs low < high, found {self.low} and {self.high}")

    def output_size(self, *input_sizes: int) -> int:
        (inputs,) = input_sizes
        return inputs

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        return arrays.functions.clip(inputs[0], self.low, self.high)

    def output_range(self, *inputs: Interval) -> Interval:
        (x,) = inputs
        return Interval(np.clip(x.low, self.low, self.high), np.clip(x.high, self.low, self.high))

    @property
    def saturated_beyond(self) -> tuple[float, float] | None:
        return self.low, self.high

    @property
    def is_identity(self) -> bool:
        return self.low == -np.inf and self.high == np.inf

    def on_lines(self, lines: Sequence[ClampedLine]) -> list[ClampedLine]:
        return [line.clamped(self.low, self.high) for line in lines]

    def followed_by(self, following: FloatOperator) -> FloatOperator | None:
        """Another clamp, to the part that both let through."""
        if not isinstance(following, Clamp):
            return None
        low, high = (min(max(bound, following.low), following.high) for bound in (self.low, self.high))
        if not low < high:
            raise InputError(
                "clamp", f"clamps to {following.low} … {following.high} what lies in {self.low} … {self.high}"
            )
        return Clamp(low, high)

    @property
    def passes_factors(self) -> bool:
        """ReLU, and what has no other bounds than 0 and infinity."""
        return self.low in (0.0, -np.inf) and self.high in (0.0, np.inf)
