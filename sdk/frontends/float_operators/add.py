"""The sum of two tensors: residual paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ...errors import InputError
from ...network import Add as IntegerAdd
from ...network import Layer
from .arrays import ArrayLibrary
from .interval import Interval
from .operator import FloatOperator, Role

__all__ = ["Add"]


@dataclass(frozen=True)
class Add(FloatOperator):
    """y = a + b: a residual path."""

    kind: ClassVar[str] = "add"
    role: ClassVar[Role] = Role.JOIN
    input_count: ClassVar[int] = 2

    def output_size(self, *input_sizes: int) -> int:
        if len(set(input_sizes)) != 1:
            raise InputError("add", f"cannot take inputs of sizes {list(input_sizes)}")
        return input_sizes[0]

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        return inputs[0] + inputs[1]

    def output_range(self, *inputs: Interval) -> Interval:
        a, b = inputs
        return Interval(a.low + b.low, a.high + b.high)

    def integer_layer(self) -> Layer | None:
        return IntegerAdd()

    @property
    def passes_factors(self) -> bool:
        return True
