"""Sums over positions, and other orders of values: what means and transpositions are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError
from ...network import Dense, Layer
from ...network.layers.shared import Shared
from .arrays import ArrayLibrary
from .gather import Gather, as_gather
from .interval import Interval
from .operator import FloatOperator, Floats, Role, finite_array

__all__ = ["PooledSum"]


@dataclass(frozen=True, eq=False)
class PooledSum(FloatOperator):
    """y[p] = Σ_k x[source[p, k]]; x[−1] counts as 0.

    A mean is this sum and a scale of 1/K behind it, which becomes part of the weights or thresholds that follow, so
    that the integers stay sums. With one column it only chooses values and puts them in another order.

    Parameters
    ----------
    source : float64 [P, K], whole numbers −1 … inputs − 1.
    inputs : how many values it takes.
    """

    kind: ClassVar[str] = "pooled_sum"
    role: ClassVar[Role] = Role.JOIN

    source: Floats
    inputs: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", finite_array("pooled sum, source", self.source, 2))
        assert self.gather.positions > 0

    @cached_property
    def gather(self) -> Gather:
        """What each output sums."""
        return as_gather("pooled sum, source", self.source, self.inputs)

    @property
    def moves_only(self) -> bool:
        return self.gather.columns == 1

    @property
    def pads(self) -> bool:
        return self.gather.pads

    @property
    def is_identity(self) -> bool:
        index = self.gather.index
        return index.shape == (self.inputs, 1) and bool(np.all(index[:, 0] == np.arange(self.inputs)))

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.inputs,):
            raise InputError("pooled sum", f"takes {self.inputs} values, found {list(input_sizes)}")
        return self.gather.positions

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        taken = self.gather.taken(inputs[0])
        return taken.reshape(-1, self.gather.positions, self.gather.columns).sum(2)

    def output_range(self, *inputs: Interval) -> Interval:
        ends = (np.broadcast_to(end, (self.inputs,)) for end in (inputs[0].low, inputs[0].high))
        low, high = (self.gather.at_positions(end).sum(axis=1) for end in ends)
        return Interval(low, high)

    def integer_layer(self) -> Layer | None:
        """A `Shared` of a dense layer of ones; of one column one that only gathers."""
        index = self.gather.index.astype(np.int32)
        if self.gather.columns == 1:
            return Shared((), index, self.inputs)
        ones = Dense(np.ones((1, self.gather.columns), np.int32), 2, np.zeros(1, np.int32))
        return Shared((ones,), index, self.inputs)
