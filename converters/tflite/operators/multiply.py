"""MUL of two tensors that both depend on the input: gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Multiply as MultiplyLayer
from edgeml.network import Shared
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize
from edgeml.network.rounding import rescale

from ..schema import OperatorKind
from ..tables import centred_table
from .factors import factors
from .fused_activation import ACTIVATIONS, fused_bounds
from .operator import Arithmetic, FileWriter, Found, Lowering, TfliteOperator
from .tensor_info import TensorInfo

__all__ = ["RULES_OF_PRODUCTS", "Multiply", "products_agree"]

_OPTIONS = "MulOptions"
_MOST_VALUES = 2**20

RULES_OF_PRODUCTS = ("double_rounding", "fp32_rne", "float64_away")
"""How kernels of MUL round: all runtimes' own, XNNPACK's, and to the nearest integer as it is."""


def products_agree(a: TensorInfo, b: TensorInfo, target: TensorInfo) -> bool:
    """Whether all kernels give one integer for each of the 65,536 pairs that `a` and `b` can hold."""
    x, y = (np.arange(info.low, info.high + 1) - info.zero_point for info in (a, b))
    products = _distinct(x[:, None] * y[None])
    found = []
    for rule in RULES_OF_PRODUCTS:
        parts = {name: part.astype(np.int64) for name, part in _parts(a, b, target, rule).items()}
        fraction = parts.get("fraction")
        rounded = rescale(products, parts["multiplier"], parts["shift"], rule, fraction) + target.zero_point
        found.append(np.clip(rounded, target.low, target.high))
    return all(np.array_equal(each, found[0]) for each in found[1:])


def _distinct(products: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Each product once, in rising order; none is below −2^16 or above 2^16."""
    present = np.zeros(2**17 + 1, bool)
    present[products + 2**16] = True
    return np.flatnonzero(present) - 2**16


def _parts(a: TensorInfo, b: TensorInfo, target: TensorInfo, rule: str) -> dict[str, npt.NDArray[np.int32]]:
    return factors(np.array([b.scale], np.float32), a, target, Arithmetic(rule))


@dataclass(frozen=True, eq=False)
class Multiply(TfliteOperator):
    """y = a · b: (qa − za)·(qb − zb)·(sa·sb/sy), rounded, plus y's zero point.

    Parameters
    ----------
    activation : as `fused_activation.ACTIVATIONS` names it.
    first, second : int32 [outputs], which value of each input an output takes, where one of them is shared by several
        outputs; None for each its own.
    """

    kinds: ClassVar[tuple[OperatorKind, ...]] = (OperatorKind.MUL,)
    input_count: ClassVar[int | None] = 2
    one_size: ClassVar[bool] = False

    activation: str = "none"
    first: npt.NDArray[np.int32] | None = None
    second: npt.NDArray[np.int32] | None = None

    @classmethod
    def read(cls, found: Found) -> Multiply:
        shapes = [found.tensors.shape(index) for index in found.indices[:2]]
        sizes = [int(np.prod(shape)) for shape in shapes]
        if found.target.size > _MOST_VALUES or max(sizes) > _MOST_VALUES:
            raise InputError(found.where, f"multiplies more than {_MOST_VALUES} values")
        try:
            places = np.broadcast_arrays(
                *(np.arange(size, dtype=np.int32).reshape(shape) for size, shape in zip(sizes, shapes, strict=True))
            )
        except ValueError as error:
            raise InputError(found.where, f"multiplies tensors of shapes {shapes[0]} and {shapes[1]}") from error
        if places[0].size != found.target.size:
            raise InputError(found.where, f"gives {places[0].size} values, and its tensor has {found.target.size}")
        taken = [None if size == place.size else place.reshape(-1) for size, place in zip(sizes, places, strict=True)]
        return cls(found.target.name, found.inputs, found.activation(_OPTIONS), taken[0], taken[1])

    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        options = {"fused_activation_function": ACTIVATIONS[self.activation]} if self.activation != "none" else {}
        file.operator(OperatorKind.MUL, 2, sources, target, (_OPTIONS, options))

    def lower(self, lowering: Lowering) -> None:
        a, b = lowering.sources(self)
        target = lowering.tensors[self.output]
        rule = lowering.arithmetic(self).rounding
        if rule == "shift":
            if not products_agree(a, b, target):
                raise InputError(
                    f"layer {self.output}",
                    f"is a product of integers of the scales {a.scale:g} and {b.scale:g} to {target.scale:g}, which "
                    "runtimes round in different ways",
                    "Convert with --rounding shift, which chooses scales that all round alike, or choose the rule of "
                    "the runtime you mean",
                )
            rule = "double_rounding"
        low, high = fused_bounds(self.activation, target, rule)
        names = []
        for side, name, info, index in zip(("a", "b"), self.inputs, (a, b), (self.first, self.second), strict=True):
            factor = name
            if index is not None:
                factor = f"{self.output}_{side}_taken"
                lowering.add(factor, Shared((), index[:, None], info.size, info.zero_point), (name,))
            if info.zero_point:
                centred = f"{self.output}_{side}"
                lowering.add(centred, Lookup(centred_table(info), info.low), (factor,))
                factor = centred
            names.append(factor)
        lowering.add(f"{self.output}_product", MultiplyLayer(), names)
        parts = _parts(a, b, target, rule)
        rescaled = Requantize(rounding=rule, zero_point=target.zero_point, low=low, high=high, **parts)
        lowering.add(self.output, rescaled, (f"{self.output}_product",))
