"""A monitor: does this input look like those that the network was made for? In integers, beside the answer.

    margin     m = o(1st) − o(2nd), the largest output less the next one; of a binary network |o − threshold|
    distance   d = Σ_i | 2^f · (x_i − low) − P[c, i] |, c being the class that the network answers

The distance is taken twice: at the network's input, and at the last hidden layer whose values fit a byte (where there
is one). P[c] is the prototype of class c: the mean of that layer's values over samples of the class, in units of
2^−f. `low` is the layer's smallest possible value and f such that 2^f · (x − low) fits a byte: prototypes are bytes,
d is at most 255 times the number of values, and so is any sum on the way to it.

    known = m ≥ T_m and d_input ≤ T_input and d_hidden ≤ T_hidden
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import NetworkError
from .arrays import integer_array, integer_scalar
from .value_range import ValueRange

__all__ = ["LARGEST_BYTE", "Monitor", "Monitored", "Prototypes", "fraction_bits"]

LARGEST_BYTE = 255
_MOST_FRACTION_BITS = 4
_UINT32_HIGH = 2**32 - 1


def fraction_bits(values: ValueRange) -> int | None:
    """f for values of this range: the largest of 0 … 4 with 2^f · (high − low) ≤ 255; None if they fit no byte."""
    low, high = values.bounds
    fitting = [bits for bits in range(_MOST_FRACTION_BITS + 1) if (high - low) << bits <= LARGEST_BYTE]
    return fitting[-1] if fitting else None


@dataclass(frozen=True, eq=False)
class Prototypes:
    """What the values of one node are like for each class, and how far from it they may lie.

    Parameters
    ----------
    node : name of the node.
    fraction_bits : f, 0 … 4: prototypes are in units of 2^−f above the smallest value of the node's range.
    values : int32 [classes, channels], 0 … 255.
    limit : the largest distance of an input that is known, 0 … 2^32 − 1.

    Raises
    ------
    NetworkError : a value is out of its range, or 255 times the number of channels passes 32 bits.
    """

    node: str
    fraction_bits: int
    values: npt.NDArray[np.int32]
    limit: int

    def __post_init__(self) -> None:
        if not isinstance(self.node, str):
            raise NetworkError("monitor", f"node must be text, found {self.node!r}")
        where = f"monitor, {self.node}"
        bits = integer_scalar(f"{where}, fraction bits", self.fraction_bits, 0, _MOST_FRACTION_BITS)
        object.__setattr__(self, "fraction_bits", bits)
        values = integer_array(f"{where}, prototypes", self.values, 2, 0, LARGEST_BYTE)
        object.__setattr__(self, "values", values)
        if values.shape[1] * LARGEST_BYTE > _UINT32_HIGH:
            raise NetworkError(where, f"a distance of {values.shape[1]} values may pass 32 bits")
        object.__setattr__(self, "limit", integer_scalar(f"{where}, limit", self.limit, 0, _UINT32_HIGH))

    def distance(
        self, x: npt.NDArray[np.integer[Any]], low: int, classes: npt.NDArray[np.integer[Any]]
    ) -> npt.NDArray[np.int64]:
        """d, int64 [samples], of values x [samples, channels] of the node, whose range begins at `low`, to the
        prototypes of `classes` [samples]."""
        scaled = (x.astype(np.int64) - low) << self.fraction_bits
        return np.asarray(np.abs(scaled - self.values[classes]).sum(axis=1), np.int64)


@dataclass(frozen=True, eq=False)
class Monitored:
    """What a monitor says of samples.

    Parameters
    ----------
    classes : int64 [samples].
    margin, input_distance, hidden_distance : int64 [samples], 0 … 2^32 − 1; hidden_distance is 0 where the monitor
        looks at no hidden layer.
    known : bool [samples].
    """

    classes: npt.NDArray[np.int64]
    margin: npt.NDArray[np.int64]
    input_distance: npt.NDArray[np.int64]
    hidden_distance: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]

    @classmethod
    def of_columns(cls, said: npt.NDArray[Any]) -> Monitored:
        """From integers [samples, 5] in the order of `columns`."""
        wide = said.astype(np.int64)
        return cls(wide[:, 0], wide[:, 1], wide[:, 2], wide[:, 3], wide[:, 4] != 0)

    @property
    def columns(self) -> dict[str, npt.NDArray[np.int64]]:
        """All of it as integers [samples, 1] by name, as verification compares them."""
        named = {
            "class": self.classes,
            "margin": self.margin,
            "input distance": self.input_distance,
            "hidden distance": self.hidden_distance,
            "known": self.known.astype(np.int64),
        }
        return {name: values.reshape(-1, 1) for name, values in named.items()}


@dataclass(frozen=True, eq=False)
class Monitor:
    """The thresholds and prototypes of a network's monitor.

    Parameters
    ----------
    margin : T_m, the least margin of an input that is known, 0 … 2^32 − 1.
    input : prototypes of the input integers.
    hidden : of the last hidden layer, or None.
    """

    margin: int
    input: Prototypes
    hidden: Prototypes | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "margin", integer_scalar("monitor, margin", self.margin, 0, _UINT32_HIGH))
        for name, what in (("input", self.input), ("hidden", self.hidden)):
            if not isinstance(what, Prototypes) and (what is not None or name == "input"):
                raise NetworkError(f"monitor, {name}", f"must be prototypes, found {type(what).__name__}")

    @property
    def prototypes(self) -> tuple[Prototypes, ...]:
        """Those of the input, and those of the hidden layer where there are any."""
        return (self.input,) if self.hidden is None else (self.input, self.hidden)

    def check(self, ranges: Mapping[str, ValueRange], inner: frozenset[str], first: str, classes: int) -> None:
        """NetworkError unless it fits a network of these ranges by node, with the node `first` and so many classes.

        inner : the nodes between the first one and the last.
        """
        if self.input.node != first:
            raise NetworkError("monitor", f"looks at node {self.input.node!r} for the input, which is {first}")
        if self.hidden is not None and self.hidden.node not in inner:
            raise NetworkError("monitor", f"looks at node {self.hidden.node!r}, which is no hidden layer")
        for each in self.prototypes:
            values = ranges[each.node]
            if each.values.shape != (classes, values.channels):
                raise NetworkError(
                    f"monitor, {each.node}",
                    f"prototypes must be [{classes}, {values.channels}], found {list(each.values.shape)}",
                )
            low, high = values.bounds
            if (high - low) << each.fraction_bits > LARGEST_BYTE:
                problem = f"values {low} … {high} with {each.fraction_bits} fraction bits pass a byte"
                raise NetworkError(f"monitor, {each.node}", problem)

    def observe(
        self,
        values: Mapping[str, npt.NDArray[np.int32]],
        low: Callable[[str], int],
        classes: npt.NDArray[np.int64],
        margin: npt.NDArray[np.int64],
    ) -> Monitored:
        """What it says, from the values [samples, channels] of its nodes by name and the answers [samples].

        low : the smallest value of a node's range. margin : see `monitoring.margins`.
        """
        found = [each.distance(values[each.node], low(each.node), classes) for each in self.prototypes]
        known = margin >= self.margin
        for each, distance in zip(self.prototypes, found, strict=True):
            known &= distance <= each.limit
        hidden = np.zeros(len(classes), np.int64) if self.hidden is None else found[1]
        return Monitored(classes, margin, found[0], hidden, known)
