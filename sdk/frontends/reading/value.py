"""What flows through a graph while it is read: constants, signals, and the size of the batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = [
    "BATCH",
    "SUPPORTED",
    "Budget",
    "Constant",
    "NotAnMlp",
    "Signal",
    "TooLarge",
    "Value",
    "as_constant",
    "first_that_reads",
    "refuse_ended",
]

T = TypeVar("T")

SUPPORTED = (
    "edgeml reads Linear, Conv1d, Conv2d, AvgPool, MaxPool, mean, BatchNorm, ReLU, ReLU6, Hardtanh, clamp, Sigmoid, "
    "Tanh, GELU, SiLU, ELU, LeakyReLU and other functions of one number, Dropout, Flatten, reshape and permute, "
    "Identity, residual additions, concatenations, products (gates), an input normalisation, scalings, bits, levels, "
    "one-hot and embeddings of its input, and Softmax, LogSoftmax or argmax at the end"
)

Constant = npt.NDArray[Any]
"""A value known while reading: float64, int64, bool, or object where it holds `BATCH`."""


class NotAnMlp(Exception):
    """The graph does something that no `Mlp` can be; the text says what, `remedy` what to do."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


class TooLarge(NotAnMlp):
    """What is read would take more memory than it may: no other way of reading it is tried."""


def first_that_reads(readers: Sequence[T], read: Callable[[T], Any]) -> Any:
    """What `read` gives for the first of some readers that does not refuse with NotAnMlp; the refusal of the last."""
    for reader in readers[:-1]:
        try:
            return read(reader)
        except TooLarge:
            raise
        except NotAnMlp:
            continue
    return read(readers[-1])


class _Batch:
    """The number of samples: a size that a model may copy into a reshape and do nothing else with."""

    def __repr__(self) -> str:
        return "batch size"


BATCH = _Batch()


@dataclass(frozen=True)
class Signal:
    """A tensor that depends on the model's input: the features of one `MlpNode` for every sample of a batch.

    Parameters
    ----------
    node : name of the `MlpNode`, or `"input"`.
    shape : the tensor's shape; `None` for a batch of any size. The features are the other dimensions, row-major.
    batch_axis : which dimension counts the samples.
    final : "", or what the model's end did to it: "softmax", "log_softmax", "argmax".
    order : which value of the node each feature is, int64 [features], −1 for a 0 that pads; None: in order, all of
        them. What moves numbers changes it alone, and layers that gather what they take follow it.
    """

    node: str
    shape: tuple[int | None, ...]
    batch_axis: int = 0
    final: str = ""
    order: npt.NDArray[np.int64] | None = field(default=None, compare=False)

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """`order` in the shape of the features."""
        order = np.arange(self.size) if self.order is None else self.order
        return order.reshape(self.features)

    def moved(self, places: npt.NDArray[np.int64], batch_axis: int) -> Signal:
        """The same values at other `places`, whose shape is that of the features."""
        shape: list[int | None] = list(places.shape)
        shape.insert(batch_axis, self.shape[self.batch_axis])
        order = places.reshape(-1)
        return replace(self, shape=tuple(shape), batch_axis=batch_axis, order=order)

    @property
    def features(self) -> tuple[int, ...]:
        """The shape without its batch dimension."""
        return tuple(size for axis, size in enumerate(self.shape) if axis != self.batch_axis and size is not None)

    @property
    def size(self) -> int:
        """Number of features of a sample."""
        return math.prod(self.features)

    def axis(self, axis: Any) -> int:
        """`axis` counted from the front; NotAnMlp where the tensor has no such dimension."""
        if isinstance(axis, bool) or not isinstance(axis, int) or not -len(self.shape) <= axis < len(self.shape):
            raise NotAnMlp(f"dimension {axis!r} of a tensor of shape {self.text}")
        return axis % len(self.shape)

    @property
    def text(self) -> str:
        """The shape for people, e.g. [batch, 16]."""
        return f"[{', '.join('batch' if i == self.batch_axis else str(s) for i, s in enumerate(self.shape))}]"


def refuse_ended(*signals: Signal) -> None:
    """NotAnMlp if one of them was ended by a softmax or argmax: nothing may take it."""
    for signal in signals:
        if signal.final:
            raise NotAnMlp(f"{signal.final} is followed by further operators", "It may only stand at the end")


Value: TypeAlias = Any
"""A `Signal`, a `Constant`, or a plain number, text or list that an operator takes as its argument."""


class Budget:
    """Bounds the memory that reading a file and checking what was read may take, whatever the file claims.

    Parameters
    ----------
    batch : samples that the model computes at once: its fixed batch, or what the check takes.
    """

    MOST_CONSTANTS = 2**27
    """Elements of all constants together, those computed while reading included."""
    MOST_VALUES = 2**26
    """Features of all nodes together, times the batch: what evaluating the model has to hold."""
    MOST_OPERATORS = 10_000

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.constants = self.values = self.operators = 0

    def constant(self, shape: Any) -> None:
        """Count a constant of this shape; NotAnMlp past the limit. To be called before the memory is taken."""
        self.constants += math.prod(int(size) for size in shape)
        if self.constants > self.MOST_CONSTANTS:
            raise TooLarge(f"its constants hold more than {self.MOST_CONSTANTS} numbers together")

    def operator(self) -> None:
        """Count an operator of the source."""
        self.operators += 1
        if self.operators > self.MOST_OPERATORS:
            raise NotAnMlp(f"it has more than {self.MOST_OPERATORS} operators")

    def node(self, features: int) -> None:
        """Count a node of so many features."""
        self.values += features * self.batch
        if self.values > self.MOST_VALUES:
            raise TooLarge(
                f"its layers hold more than {self.MOST_VALUES} numbers together for a batch of {self.batch}",
                "If it has a large fixed batch, export it with a small or dynamic one",
            )


def as_constant(value: Any) -> Constant:
    """A number or array as a constant: real numbers as float64, integers as int64."""
    array = np.asarray(value)
    if array.dtype.kind == "f":
        return array.astype(np.float64, copy=False)
    if array.dtype.kind in "iu":
        if array.dtype.kind == "u" and array.size and int(array.max()) > np.iinfo(np.int64).max:
            raise NotAnMlp("an integer past 64 bits")
        return array.astype(np.int64, copy=False)
    if array.dtype.kind in "bO":
        return array
    raise NotAnMlp(f"a constant of type {array.dtype}")
