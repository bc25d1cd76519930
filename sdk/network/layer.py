"""What every layer of the integer network is, and how a layer is found by its kind."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import NetworkError
from .value_range import IntArray, ValueRange

__all__ = ["Layer", "layer_class", "layer_kinds"]

_KINDS: dict[str, type[Layer]] = {}
_L = TypeVar("_L", bound="Layer")


@dataclasses.dataclass(frozen=True, eq=False)
class Layer(ABC):
    """One primitive of the integer network: a frozen dataclass with the equation in its docstring.

    A subclass defines the meaning of the layer in one file of `layers/` and nothing else needs to change: the
    golden simulator, the ranges, the `.edgeml` file and `inspect` work through the methods below. Array fields
    are stored as tensors, all other fields as JSON attributes. C and RTL for a layer live with the targets.
    """

    kind: ClassVar[str] = ""
    """Name of the layer in files and reports; unique."""
    input_count: ClassVar[int] = 1
    """How many tensors the layer takes."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.kind:
            if _KINDS.setdefault(cls.kind, cls).__qualname__ != cls.__qualname__:
                raise TypeError(f"two layer classes are of kind {cls.kind!r}")
            _KINDS[cls.kind] = cls

    @abstractmethod
    def output_size(self, *input_sizes: int) -> int:
        """Number of output channels for inputs of these sizes; NetworkError where they do not fit."""

    @abstractmethod
    def output_range(self, *inputs: ValueRange) -> ValueRange:
        """Exact range of each output channel when input channels take any values within `inputs`."""

    @abstractmethod
    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        """The layer's integers: int32 [samples, channels] for each input → int32 [samples, output channels]."""

    def summary(self) -> str:
        """One line for `inspect`: what is particular about this layer."""
        return ""

    def parts(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """The layer as (JSON attributes, tensors), by field name."""
        attributes: dict[str, Any] = {}
        tensors: dict[str, npt.NDArray[Any]] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                tensors[field.name] = value
            else:
                attributes[field.name] = value
        return attributes, tensors

    @classmethod
    def from_parts(cls: type[_L], attributes: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]) -> _L:
        """Inverse of `parts`; NetworkError where a field is missing, unknown or of a wrong kind."""
        known = {field.name for field in dataclasses.fields(cls)}
        required = {
            field.name
            for field in dataclasses.fields(cls)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        }
        given = {**attributes, **tensors}
        if unknown := sorted(set(given) - known):
            raise NetworkError(f"layer kind {cls.kind}", f"unknown fields {unknown}")
        if missing := sorted(required - set(given)):
            raise NetworkError(f"layer kind {cls.kind}", f"missing fields {missing}")
        try:
            return cls(**given)
        except (TypeError, ValueError, OverflowError) as error:
            raise NetworkError(f"layer kind {cls.kind}", f"a field has a wrong value ({error})") from error


def layer_kinds() -> dict[str, type[Layer]]:
    """All kinds of layer that are known, by name."""
    from . import layers  # noqa: F401  (importing the folder registers every layer in it)

    return dict(_KINDS)


def layer_class(kind: str) -> type[Layer]:
    """The class of a kind of layer; NetworkError naming the known kinds where there is none."""
    kinds = layer_kinds()
    if kind not in kinds:
        raise NetworkError(f"layer kind {kind!r}", f"is not known; known kinds: {', '.join(sorted(kinds))}")
    return kinds[kind]
