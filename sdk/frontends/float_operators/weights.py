"""What operators with trained weights have in common, whether the weights are applied once or at many positions."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from .gather import Gather
from .operator import FloatOperator, Floats, Role

__all__ = ["Weights"]


@dataclass(frozen=True, eq=False)
class Weights(FloatOperator):
    """Sums of products with trained weights: joined(rows(x) · weightᵀ + bias).

    Parameters
    ----------
    weight : float64 [outputs of a row, inputs of a row].
    bias : float64 [outputs of a row].
    """

    role: ClassVar[Role] = Role.WEIGHTS

    weight: Floats
    bias: Floats

    @property
    def gather(self) -> Gather | None:
        """What each position takes; None if the weights are applied once, to all inputs in order."""
        return None

    @property
    def positions(self) -> int:
        """How often the weights are applied."""
        return 1 if self.gather is None else self.gather.positions

    @property
    def pads(self) -> bool:
        return self.gather is not None and self.gather.pads

    @property
    def kept(self) -> Floats | None:
        """1 where a weight may be other than 0 and 0 where it is always 0, as `weight`; None if all may."""
        return None

    def rows(self, x: Any) -> Any:
        """x [samples, inputs] of numpy or torch → what the weights are applied to [samples · positions, columns]."""
        return x if self.gather is None else self.gather.rows(x)

    def joined(self, sums: Any) -> Any:
        """Sums [samples · positions, outputs of a row] → outputs [samples, channels], and what belongs to them."""
        return sums if self.gather is None else self.gather.joined(sums)

    def split(self, outputs: Any) -> Any:
        """Inverse of `joined`."""
        return outputs if self.gather is None else outputs.reshape(-1, len(self.weight))

    @abstractmethod
    def with_weights(self, weight: Floats, bias: Floats) -> Weights:
        """The same operator with other weights."""
