"""A scale and a shift for each channel: batch norm, an input normalisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError
from .arrays import ArrayLibrary
from .clamped_line import ClampedLine
from .interval import Interval
from .operator import FloatOperator, Floats, Role, finite_array

__all__ = ["Affine"]


@dataclass(frozen=True, eq=False)
class Affine(FloatOperator):
    """y = x · scale + shift per channel, float64 [channels] each: batch norm at inference (scale = γ/√(σ² + ε),
    shift = β − μ·scale), or an input normalisation. The scale may be negative or zero."""

    kind: ClassVar[str] = "affine"
    role: ClassVar[Role] = Role.LINE
    absorbs_factors: ClassVar[bool] = True
    asks_behind: ClassVar[bool] = True

    scale: Floats
    shift: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", finite_array("affine, scale", self.scale, 1))
        object.__setattr__(self, "shift", finite_array("affine, shift", self.shift, 1))
        if self.scale.size != self.shift.size:
            raise InputError("affine", f"scale has {self.scale.size} channels, shift {self.shift.size}")

    def output_size(self, *input_sizes: int) -> int:
        (inputs,) = input_sizes
        if inputs != self.scale.size:
            raise InputError("affine", f"takes {self.scale.size} features, found {inputs}")
        return inputs

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        return inputs[0] * parameters["scale"] + parameters["shift"]

    def output_range(self, *inputs: Interval) -> Interval:
        (x,) = inputs
        with np.errstate(invalid="ignore"):
            ends = np.stack([np.broadcast_to(end * self.scale, self.scale.shape) for end in (x.low, x.high)])
        ends = np.where(self.scale == 0, 0.0, ends) + self.shift
        return Interval(ends.min(axis=0), ends.max(axis=0))

    def on_lines(self, lines: Sequence[ClampedLine]) -> list[ClampedLine]:
        return [
            line.scaled(Fraction(factor), Fraction(shift))
            for line, factor, shift in zip(lines, self.scale.tolist(), self.shift.tolist(), strict=True)
        ]

    @property
    def scale_and_shift(self) -> tuple[Floats, Floats] | None:
        return self.scale, self.shift

    def followed_by(self, following: FloatOperator) -> FloatOperator | None:
        """Another scale and shift, if their product stays finite."""
        found = following.scale_and_shift
        if found is None:
            return None
        with np.errstate(all="ignore"):
            scale, shift = self.scale * found[0], self.shift * found[0] + found[1]
        return Affine(scale, shift) if np.all(np.isfinite(scale)) and np.all(np.isfinite(shift)) else None

    def scaled_and_shifted(self, scale: Floats, shift: Floats) -> FloatOperator | None:
        return Affine(self.scale * scale, self.shift * scale + shift)

    def with_factors(self, before: Floats, after: Floats) -> FloatOperator:
        return Affine(self.scale / before * after, self.shift * after)

    def effect_of_inputs(self, after: Floats | None, behind: Floats | None) -> Floats | None:
        return None if behind is None else np.abs(self.scale) * behind
