"""SOFTMAX at a model's end, which no integer network has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edgeml.errors import InputError

from ..schema import OperatorKind
from .operator import FileWriter, Found, Lowering, TfliteOperator

__all__ = ["Softmax"]


@dataclass(frozen=True)
class Softmax(TfliteOperator):
    """SOFTMAX over all channels: exp(beta · x) normalised."""

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.SOFTMAX,)
    behind_integers: ClassVar[bool] = True

    beta: float = 1.0

    @classmethod
    def read(cls, found: Found) -> Softmax:
        source = found.tensors.activation(found.indices[0])
        if source.dimensions[-1] != source.size:
            raise InputError(found.where, f"is over the last dimension of {list(source.dimensions)} alone")
        return cls(found.target.name, found.inputs, float(found.option("SoftmaxOptions", "beta", 1.0)))

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        file.operator(OperatorKind.SOFTMAX, 2, sources, target, ("SoftmaxOptions", {"beta": self.beta}))

    def lower(self, lowering: Lowering) -> None:
        """The network ends at its input, whose argmax is the same."""
        lowering.same(self)
