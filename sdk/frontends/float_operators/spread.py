"""Each input taken several times, each time on a line of its own: what a function's terms are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from .arrays import ArrayLibrary
from .interval import Interval
from .operator import FloatOperator, Floats, Role, finite_array

__all__ = ["Spread"]


@dataclass(frozen=True, eq=False)
class Spread(FloatOperator):
    """y[j] = x[source[j]] · scale[j] + shift[j]; `x.unsqueeze(2) − centres` in a model.

    With functions of single values and a linear layer behind it, it is a sum of functions of one input each: a layer
    of a KAN whose edges are sums of hats or bells.

    Parameters
    ----------
    source : float64 [outputs], whole numbers 0 … inputs − 1.
    scale, shift : float64 [outputs].
    inputs : how many inputs it takes.
    """

    kind: ClassVar[str] = "spread"
    role: ClassVar[Role] = Role.EDGES
    quantized_remedy: ClassVar[str] = (
        "It may be followed by functions of single values (abs, relu, exp …) and a linear layer: then the three are "
        "tables in the quantized form"
    )

    source: Floats
    scale: Floats
    shift: Floats
    inputs: int

    def __post_init__(self) -> None:
        for name in ("source", "scale", "shift"):
            object.__setattr__(self, name, finite_array(f"spread, {name}", getattr(self, name), 1))
        if not self.source.size == self.scale.size == self.shift.size:
            raise InputError("spread", "must have as many sources as scales and shifts")
        whole = np.array_equal(self.source, np.rint(self.source))
        if not whole or self.source.min() < 0 or self.source.max() >= self.inputs:
            raise InputError("spread, source", f"must be whole numbers 0 … {self.inputs - 1}")

    @property
    def indices(self) -> npt.NDArray[np.int64]:
        """`source` as integers."""
        return self.source.astype(np.int64)

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.inputs,):
            raise InputError("spread", f"takes {self.inputs} features, found {list(input_sizes)}")
        return int(self.source.size)

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        return inputs[0][:, self.indices] * parameters["scale"] + parameters["shift"]

    def output_range(self, *inputs: Interval) -> Interval:
        ends = (np.broadcast_to(end, (self.inputs,))[self.indices] for end in (inputs[0].low, inputs[0].high))
        with np.errstate(invalid="ignore"):
            low, high = (np.where(self.scale == 0, 0.0, end * self.scale) + self.shift for end in ends)
        return Interval(np.minimum(low, high), np.maximum(low, high))

    def scaled_and_shifted(self, scale: Floats, shift: Floats) -> FloatOperator | None:
        return Spread(self.source, self.scale * scale, self.shift * scale + shift, self.inputs)

    def of_scaled_and_shifted(self, scale: Floats, shift: Floats) -> FloatOperator | None:
        return Spread(
            self.source, self.scale * scale[self.indices], self.scale * shift[self.indices] + self.shift, self.inputs
        )
