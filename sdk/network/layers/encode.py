"""Inputs as bits: each output is one bit of a value, one comparison with it, or the value itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import integer_array, integer_scalar
from ..layer import Channels, Direction, Layer
from ..value_range import IntArray, ValueRange

__all__ = ["BIT", "EQUAL", "LEVEL", "VALUE", "Encode"]

VALUE, BIT, LEVEL, EQUAL = 0, 1, 2, 3
"""The rules of `Encode`."""
_MOST_SHIFT = 30
_MOST_LISTED = 2**16
_MOST_LOOKED_AT = 2**22


@dataclass(frozen=True, eq=False)
class Encode(Layer):
    """Each output j looks at one input x = x[source[j]]; with o = operand[j], by rule[j]:

        0, VALUE   y[j] = x
        1, BIT     y[j] = (x >> o) & 1
        2, LEVEL   y[j] = 1 if x ≥ o else 0        (a thermometer is several of them)
        3, EQUAL   y[j] = 1 if x = o else 0        (one-hot: one for each value)

    Parameters
    ----------
    source : int32 [outputs], 0 … inputs − 1; any order, an input may be used often or not at all.
    rule : int32 [outputs], 0 … 3.
    operand : int32 [outputs]: of BIT 0 … 30, of VALUE 0, else any.
    inputs : how many inputs the layer takes.

    Raises
    ------
    NetworkError : a field is out of range; a BIT of an input that may be negative (from `output_range`).
    """

    kind: ClassVar[str] = "encode"

    source: npt.NDArray[np.int32]
    rule: npt.NDArray[np.int32]
    operand: npt.NDArray[np.int32]
    inputs: int

    def __post_init__(self) -> None:
        inputs = integer_scalar("encode, inputs", self.inputs, 1, 2**24)
        source = integer_array("encode, source", self.source, 1, 0, inputs - 1)
        rule = integer_array("encode, rule", self.rule, 1, VALUE, EQUAL)
        operand = integer_array("encode, operand", self.operand, 1)
        for name, array in (("rule", rule), ("operand", operand)):
            if array.size != source.size:
                raise NetworkError(f"encode, {name}", f"must have {source.size} values, found {array.size}")
        shifts = operand[rule == BIT]
        if shifts.size and (shifts.min() < 0 or shifts.max() > _MOST_SHIFT):
            found = f"{shifts.min()} … {shifts.max()}"
            raise NetworkError("encode, operand", f"a bit must be 0 … {_MOST_SHIFT}, found {found}")
        if np.any(operand[rule == VALUE]):
            raise NetworkError("encode, operand", "must be 0 of an output that is the value itself")
        for name, value in (("inputs", inputs), ("source", source), ("rule", rule), ("operand", operand)):
            object.__setattr__(self, name, value)

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return int(self.source.size)

    @property
    def binary(self) -> bool:
        """Whether every output is 0 or 1 whatever comes in."""
        return not np.any(self.rule == VALUE)

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.inputs,):
            raise NetworkError("encode", f"takes {self.inputs} inputs, found {list(input_sizes)}")
        return self.outputs

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        """Exact: a bit that no value of its input's range has, or that all have, is a constant."""
        (x,) = inputs
        low, high = x.low[self.source], x.high[self.source]
        operand = self.operand.astype(np.int64)
        bit, level, equal = (self.rule == rule for rule in (BIT, LEVEL, EQUAL))
        if np.any(low[bit] < 0):
            channel = int(self.source[bit][low[bit] < 0][0])
            raise NetworkError("encode", f"takes bits of input {channel}, which may be {x.low[channel]}: below zero")
        shift = np.where(bit, operand, 0)
        first, last = low >> shift, high >> shift
        # Of consecutive numbers first … last: whether there is an odd one, and an even one.
        odd, even = (first < last) | (first & 1 == 1), (first < last) | (first & 1 == 0)
        smallest = np.where(bit, 1 - even, np.where(level, low >= operand, low))
        largest = np.where(bit, odd, np.where(level, high >= operand, high))
        smallest = np.where(equal, (low == operand) & (high == operand), smallest)
        largest = np.where(equal, (low <= operand) & (operand <= high), largest)
        return ValueRange(smallest.astype(np.int64), largest.astype(np.int64))

    @cached_property
    def _places(self) -> tuple[npt.NDArray[np.intp], ...]:
        """The outputs of each rule."""
        return tuple(np.flatnonzero(self.rule == rule) for rule in (VALUE, BIT, LEVEL, EQUAL))

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        (x,) = inputs
        y = x.astype(np.int32, copy=False)[:, self.source]
        _, bit, level, equal = self._places
        if bit.size:
            y[:, bit] = (y[:, bit] >> self.operand[bit]) & 1
        if level.size:
            y[:, level] = y[:, level] >= self.operand[level]
        if equal.size:
            y[:, equal] = y[:, equal] == self.operand[equal]
        return y

    def stay(self, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Rows that are alike for each input, in order (bits of bytes, thermometers), stay so unless most are not
        wanted: hardware then takes one input after the other, and a whole frame at once where they are not."""
        each, index = -(-self.outputs // self.inputs), np.arange(self.outputs)
        place = np.where(self.rule == BIT, self.operand, 0)
        alike = [np.array_equal(field, field[index % each]) for field in (self.rule, place)]
        if not all(alike) or not np.array_equal(self.source, index // each):
            return wanted
        slots = np.zeros(each, np.bool_)
        slots[index[wanted] % each] = True
        kept: npt.NDArray[np.bool_] = slots[index % each]
        return kept if 2 * int(wanted.sum()) >= int(kept.sum()) else wanted

    def reads(self, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        found = np.zeros(self.inputs, np.bool_)
        found[self.source[wanted]] = True
        return found

    def of_channels(self, outputs: Channels, inputs: Channels, constants: npt.NDArray[np.int64]) -> Encode:
        places = np.zeros(self.inputs, np.int32)
        places[inputs] = np.arange(inputs.size)
        source = places[self.source[outputs]]
        return Encode(source, self.rule[outputs], self.operand[outputs], int(inputs.size))

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...] | None:
        """By the weight of each bit and level; None if there are one-hot outputs, of which no direction can be said."""
        if self._places[EQUAL].size:
            return None
        weight = np.where(self.rule == BIT, np.exp2(np.where(self.rule == BIT, self.operand, 0)), 1.0)
        return (np.rint(np.bincount(self.source, direction * weight, self.inputs)),)

    def best_inputs(self, direction: Direction, low: int, high: int) -> tuple[npt.NDArray[np.int32], Direction] | None:
        """Exact; None if there are too many values to look at."""
        values = np.arange(low, high + 1)
        if values.size > _MOST_LISTED or values.size * self.outputs > _MOST_LOOKED_AT:
            return None
        gain = np.zeros((self.inputs, values.size))
        for rule, places in enumerate(self._places):
            operand, shown = self.operand[places, None], np.broadcast_to(values, (places.size, values.size))
            found = (shown, (shown >> np.maximum(operand, 0)) & 1, shown >= operand, shown == operand)[rule]
            np.add.at(gain, self.source[places], found * direction[places, None])
        return values[gain.argmax(axis=1)].astype(np.int32), gain.max(axis=1) - gain.min(axis=1)

    def summary(self) -> str:
        names = ("values", "bits", "levels", "equalities")
        counts = [f"{places.size} {name}" for name, places in zip(names, self._places, strict=True) if places.size]
        return f"{self.inputs} inputs → {', '.join(counts)}"
