"""Inputs as bits: of a model that takes its whole-numbered inputs apart itself, or one that is given such inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ...network import Encode as IntegerEncode
from ...network.layers.encode import BIT, EQUAL, LEVEL, VALUE
from .arrays import ArrayLibrary
from .interval import Interval
from .operator import FloatOperator, Floats, Role, finite_array

__all__ = ["BIT", "EQUAL", "LEVEL", "VALUE", "Encode"]

_MOST_BITS = 8


@dataclass(frozen=True, eq=False)
class Encode(FloatOperator):
    """q = clip(round_half_even((x − offset) / scale), 0, 2^bits − 1), then of each output j by its rule and operand o:

        VALUE q[source[j]] | BIT (q >> o) & 1 | LEVEL 1 if q ≥ o else 0 | EQUAL 1 if q = o else 0

    as `network.layers.encode` has them, but that a level may be any number.

    Parameters
    ----------
    source, rule, operand : float64 [outputs], whole numbers (operand of LEVEL: any).
    inputs : how many inputs it takes.
    bits : 1 to 8, of q.
    scale, offset : of q, in units of x; scale > 0.
    """

    kind: ClassVar[str] = "encode"
    role: ClassVar[Role] = Role.ENCODING

    source: Floats
    rule: Floats
    operand: Floats
    inputs: int
    bits: int
    scale: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        for name in ("source", "rule", "operand"):
            object.__setattr__(self, name, finite_array(f"encode, {name}", getattr(self, name), 1))
        if not (isinstance(self.bits, int) and 1 <= self.bits <= _MOST_BITS):
            raise InputError(
                "encode", f"takes integers of {self.bits} bits", f"At most {_MOST_BITS}: split larger ones"
            )
        if not (np.isfinite(self.scale) and self.scale > 0 and np.isfinite(self.offset)):
            raise InputError("encode", f"cannot have the scale {self.scale} and the offset {self.offset}")
        whole = [self.source, self.rule, self.operand[self.rule != LEVEL]]
        if any(np.any(values != np.rint(values)) or np.any(np.abs(values) >= 2**31) for values in whole):
            raise InputError("encode", "its sources, rules, bits and categories must be whole numbers")
        self.integer_layer()

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return int(self.source.size)

    @property
    def high(self) -> int:
        """The largest q."""
        return (1 << self.bits) - 1

    def of_rule(self, rule: int) -> npt.NDArray[np.intp]:
        """The outputs that follow a rule."""
        return np.flatnonzero(self.rule == rule)

    def integer_layer(self) -> IntegerEncode:
        """The layer on q; a level between two integers is the upper one, and one past all of them is never reached."""
        operand = np.where(self.rule == LEVEL, np.ceil(np.clip(self.operand, 0, self.high + 1)), self.operand)
        source, rule, whole = (each.astype(np.int32) for each in (self.source, self.rule, operand))
        return IntegerEncode(source, rule, whole, self.inputs)

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.inputs,):
            raise InputError("encode", f"takes {self.inputs} features, found {list(input_sizes)}")
        return self.outputs

    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        f, operand = arrays.functions, parameters["operand"]
        q = f.clip(f.round((inputs[0] - self.offset) / self.scale), 0, self.high)[:, self.source.astype(np.int64)]
        rules = sorted(set(self.rule.tolist()))
        found = None
        for rule in rules:
            value = self._by_rule(f, int(rule), q, operand)
            found = value if found is None else f.where(parameters["rule"] == rule, value, found)
        return found

    @staticmethod
    def _by_rule(f: Any, rule: int, q: Any, operand: Any) -> Any:
        if rule == BIT:
            return f.remainder(f.floor(q / 2.0**operand), 2.0)
        if rule == LEVEL:
            return (q >= operand) * f.ones_like(q)
        return (q == operand) * f.ones_like(q) if rule == EQUAL else q

    def output_range(self, *inputs: Interval) -> Interval:
        high = np.where(self.rule == VALUE, float(self.high), 1.0)
        return Interval(np.zeros(self.outputs), high)

    def of_scaled_and_shifted(self, scale: Floats, shift: Floats) -> FloatOperator | None:
        """For one positive scale and one shift of all inputs."""
        if np.any(scale != scale[0]) or np.any(shift != shift[0]) or not scale[0] > 0:
            return None
        return self.on_grid(self.scale / float(scale[0]), (self.offset - float(shift[0])) / float(scale[0]))

    def on_grid(self, scale: float, offset: float) -> Encode:
        """The same for inputs on another grid."""
        return Encode(self.source, self.rule, self.operand, self.inputs, self.bits, scale, offset)
