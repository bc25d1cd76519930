"""The operator."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from edgeml.frontends.float_operators.arrays import ArrayLibrary
from edgeml.frontends.float_operators.interval import Interval
from edgeml.frontends.float_operators.operator import FloatOperator, Role
from edgeml.network import Layer

from .layer import Join


@dataclasses.dataclass(frozen=True)
class Cat(FloatOperator):
    """y = a followed by b."""

    kind: ClassVar[str] = "outside_cat"
    role: ClassVar[Role] = Role.JOIN
    input_count: ClassVar[int] = 2

    def output_size(self, *input_sizes: int) -> int:
        return sum(input_sizes)

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        return arrays.functions.concatenate(inputs, axis=1)

    def output_range(self, *inputs: Interval) -> Interval:
        return Interval(np.concatenate([x.low for x in inputs]), np.concatenate([x.high for x in inputs]))

    def integer_layer(self) -> Layer:
        return Join()

    @classmethod
    def exported_program_readers(cls) -> Mapping[str, Callable[..., Any]]:
        from .reading import read_cat

        return {"cat": read_cat}

    @classmethod
    def onnx_readers(cls) -> Mapping[str, Callable[[Any], Any]]:
        from .reading import read_concat

        return {"Concat": read_concat}
