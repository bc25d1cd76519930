"""A function of each value by itself that neither rises everywhere nor is a clamp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError
from .arrays import ArrayLibrary
from .interval import Interval
from .operator import FloatOperator, Role

__all__ = ["Formula"]


@dataclass(frozen=True)
class Formula(FloatOperator):
    """y = |x| (`abs`), eˣ (`exp`) or x² (`square`), by `function`."""

    kind: ClassVar[str] = "formula"
    role: ClassVar[Role] = Role.FUNCTION
    quantized_remedy: ClassVar[str] = (
        "Only behind values that are taken several times (x.unsqueeze(2) − centres) and before a linear layer, as a "
        "KAN has it, is there a table for it; else train with ReLU or hardtanh instead"
    )

    function: str

    def __post_init__(self) -> None:
        if self.function not in ("abs", "exp", "square"):
            raise InputError("formula", f"has no function {self.function}")

    def output_size(self, *input_sizes: int) -> int:
        (inputs,) = input_sizes
        return inputs

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        return getattr(arrays.functions, self.function)(inputs[0])

    def output_range(self, *inputs: Interval) -> Interval:
        (x,) = inputs
        with np.errstate(over="ignore"):
            ends = np.stack([self.evaluate(x.low), self.evaluate(x.high)])
        inside = (x.low < 0) & (x.high > 0) & (self.function != "exp")
        return Interval(np.where(inside, 0.0, ends.min(axis=0)), ends.max(axis=0))
