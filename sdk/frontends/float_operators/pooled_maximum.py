"""The largest value of each window: max-pooling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError
from ...network import Layer, Maximum
from .arrays import ArrayLibrary
from .gather import Gather, as_gather
from .interval import Interval
from .operator import FloatOperator, Floats, Role, finite_array

__all__ = ["PooledMaximum"]


@dataclass(frozen=True, eq=False)
class PooledMaximum(FloatOperator):
    """y[p] = max over k of x[source[p, k]].

    Parameters
    ----------
    source : float64 [P, K], whole numbers 0 … inputs − 1; a window at the border names one of its values twice.
    inputs : how many values it takes.
    """

    kind: ClassVar[str] = "pooled_maximum"
    role: ClassVar[Role] = Role.JOIN

    source: Floats
    inputs: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", finite_array("pooled maximum, source", self.source, 2))
        if self.gather.pads:
            raise InputError("pooled maximum, source", "must name an input everywhere")

    @cached_property
    def gather(self) -> Gather:
        """What each output looks at."""
        return as_gather("pooled maximum, source", self.source, self.inputs)

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.inputs,):
            raise InputError("pooled maximum", f"takes {self.inputs} values, found {list(input_sizes)}")
        return self.gather.positions

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        taken = self.gather.taken(inputs[0]).reshape(-1, self.gather.positions, self.gather.columns)
        return taken.max(2) if isinstance(taken, np.ndarray) else taken.amax(2)

    def output_range(self, *inputs: Interval) -> Interval:
        ends = (np.broadcast_to(end, (self.inputs,)) for end in (inputs[0].low, inputs[0].high))
        low, high = (self.gather.at_positions(end).max(axis=1) for end in ends)
        return Interval(low, high)

    def integer_layer(self) -> Layer | None:
        return Maximum(self.gather.index.astype(np.int32), self.inputs)
