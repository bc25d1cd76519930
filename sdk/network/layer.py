"""What every layer of the integer network is, and how a layer is found by its kind.

Kinds of edgeml's own stand in `layers/`, each in a file that is called after it. A package of anybody's adds a kind by
an entry point in the group `edgeml.layers`: its name is the kind, its value the layer's class. Neither is imported
before a network holds such a layer.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import MissingTool, NetworkError, printable
from .value_range import IntArray, ValueRange

__all__ = ["LAYERS_GROUP", "Channels", "Direction", "Layer", "UnknownKind", "added_kinds", "layer_class", "layer_kinds"]

LAYERS_GROUP = "edgeml.layers"
"""The group of entry points that add kinds of layer."""

_KINDS: dict[str, type[Layer]] = {}
_FOLDER = "layers"
_L = TypeVar("_L", bound="Layer")

Channels = npt.NDArray[np.intp]
"""Numbers of channels, ascending."""
Direction = npt.NDArray[np.float64]
"""How much it matters that each value of a tensor grows (above zero) or falls (below): integers as float64."""


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
    monotone: ClassVar[bool] = False
    """Whether each output follows one input upward, and depends on no other."""
    channelwise: ClassVar[bool] = False
    """Whether output channel c depends on channel c of each input alone; see `of_channels`."""
    weighted_sum: ClassVar[bool] = False
    """Whether each output is a sum over all inputs, each with a weight of its own."""
    affine: ClassVar[bool] = False
    """Whether outputs = M · inputs + constant, with integers of M in −128 … 127. Then `wanted_inputs` gives d · M for
    rows d [rows, outputs] too, and `evaluate` of zeros the constant."""
    repeats: ClassVar[bool] = False
    """Whether it can be computed at many positions with the same parameters: see `over_positions` and `Shared`."""
    expands: ClassVar[bool] = False
    """Whether `expanded` makes plain layers of whole tensors of it: see `as_shared`, and of two inputs `as_sum`."""
    population: ClassVar[bool] = False
    """Whether its integers are carried by spikes, so that most of them may be silent."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.kind:
            owner = f"{__package__}.{_FOLDER}.{cls.kind}" if cls.kind in _own_kinds() else cls.__module__
            if _KINDS.get(cls.kind, cls).__qualname__ != cls.__qualname__ or cls.__module__ != owner:
                raise TypeError(f"two layer classes are of kind {cls.kind!r}")
            _KINDS[cls.kind] = cls

    @abstractmethod
    def output_size(self, *input_sizes: int) -> int:
        """Number of output channels for inputs of these sizes; NetworkError if they do not fit."""

    @abstractmethod
    def output_range(self, *inputs: ValueRange) -> ValueRange:
        """Exact range of each output channel when input channels take any values within `inputs`."""

    @abstractmethod
    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        """The layer's integers: int32 [samples, channels] for each input → int32 [samples, output channels]."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Its kind, and those of layers that it is made of."""
        return (self.kind,)

    @property
    def multiplications(self) -> int:
        """Multiply-accumulates of one inference, as `explore` and `bench` count them."""
        return 0

    @property
    def weight_memory(self) -> int:
        """Bits that the weights of these multiplications take, all together."""
        return 0

    @property
    def value_bits(self) -> int:
        """Bits of the layer's values if the layer itself states them; else 0."""
        return 0

    @property
    def time_steps(self) -> int:
        """How many time steps it computes one after the other."""
        return 1

    @property
    def crossings(self) -> npt.NDArray[np.int32] | None:
        """Of a layer that counts comparisons, the inputs from which an output is one larger: int32 [channels, levels];
        None of any other."""
        return None

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...] | None:
        """Which way each of its inputs should go, for its outputs to go along `direction` [outputs].

        The search for test vectors that take layers to their extremes climbs by it; None: it cannot be said.
        """
        return None

    def wanted_inputs_at(self, direction: Direction, *values: IntArray) -> tuple[Direction, ...] | None:
        """The same where it depends on what the inputs are: at `values` [inputs] of each; by default it does not."""
        return self.wanted_inputs(direction)

    def best_inputs(self, direction: Direction, low: int, high: int) -> tuple[npt.NDArray[np.int32], Direction] | None:
        """Of a layer that asks more of an input than how large it is: the values low … high of its one input tensor for
        which Σ direction · outputs is largest, int32 [inputs], and how much each of them matters, at least 0.

        The search for test vectors sets inputs of the network to them; None: ends of their ranges do.
        """
        return None

    def reads(self, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_] | None:
        """Which channels [inputs] of its one input the outputs `wanted` [outputs] depend on; None: it cannot be said,
        or it has no `of_channels`."""
        return None

    def stay(self, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Which outputs stay where those `wanted` [outputs] must: more of them where the layer is cheaper so."""
        return wanted

    @property
    def holds_more(self) -> bool:
        """Whether `of_channels` of all its channels holds less than it does."""
        return False

    def of_channels(self: _L, outputs: Channels, inputs: Channels, constants: npt.NDArray[np.int64]) -> _L:
        """The layer that gives these outputs alone, of these inputs alone: the same integers.

        outputs, inputs : the channels that are left; of a layer that is channelwise the same. constants : int64
        [inputs], what each input channel that is left out always is; it is only read where a layer reads that channel.
        """
        raise NetworkError(f"layer kind {self.kind}", "cannot be had of some channels")

    def over_positions(self: _L, gather: npt.NDArray[np.int32], inputs: int, padding: int) -> _L:
        """One layer of whole tensors for this one at each position: what `Shared((self,), gather, inputs, padding)` is.

        Of a layer that is channelwise the positions take all inputs one after the other. Raises NetworkError where one
        layer of its kind cannot hold it.
        """
        raise NetworkError(f"layer kind {self.kind}", "cannot be computed at many positions")

    def as_shared(self, x: ValueRange) -> Layer:
        """Of a layer that expands: the same function of inputs within `x` as a `Shared`; NetworkError if there is
        none."""
        raise NetworkError(f"layer kind {self.kind}", "is not made of layers at positions")

    def as_sum(self) -> tuple[Layer, Layer]:
        """Of a layer of two inputs that expands: a `Shared` of each, whose sum is the same function."""
        raise NetworkError(f"layer kind {self.kind}", "is not a sum of layers at positions")

    def of_one_position(self, positions: int, reached: ValueRange) -> Layer | None:
        """Of a layer that is channelwise and repeats: what it does at each of so many positions, the inverse of
        `over_positions`; None where it does not do the same at all of them. `reached`: the values that its inputs take;
        what it does beyond them does not count."""
        return None

    @property
    def rounding_rule(self) -> str:
        """Name of the rule by which it rounds (`network.rounding.ROUNDINGS`); empty if it is exact."""
        return ""

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
        """Inverse of `parts`; NetworkError if a field is missing, unknown or of a wrong kind."""
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


class UnknownKind(NetworkError):
    """A kind of layer that neither edgeml nor an installed package has."""


@cache
def _own_kinds() -> frozenset[str]:
    return frozenset(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent / _FOLDER)]))


def layer_kinds() -> tuple[str, ...]:
    """The names of all kinds of layer: edgeml's own, those of installed packages, and those of imported modules."""
    return tuple(sorted({*_own_kinds(), *(entry.name for entry in entry_points(group=LAYERS_GROUP)), *_KINDS}))


def added_kinds() -> frozenset[str]:
    """The kinds of layer that are not edgeml's own: of installed packages, and of imported modules."""
    return frozenset(layer_kinds()) - _own_kinds()


def layer_class(kind: str) -> type[Layer]:
    """The class of a kind of layer.

    A kind is only ever looked up among names that are known: it does not become part of a module's name.
    Raises UnknownKind with the known kinds if there is none, MissingTool if its package cannot be imported.
    """
    if not isinstance(kind, str):
        raise NetworkError("layer kind", f"must be a text, found {type(kind).__name__}")
    if kind not in _KINDS:
        if kind in _own_kinds():
            importlib.import_module(f"{__package__}.{_FOLDER}.{kind}")
        else:
            _KINDS[kind] = _from_packages(kind)
    return _KINDS[kind]


def _from_packages(kind: str) -> type[Layer]:
    """The class that an installed package offers under the name of `kind`."""
    where = f"layer kind {printable(repr(kind), 60)}"
    offered = {entry.value: entry for entry in entry_points(group=LAYERS_GROUP) if entry.name == kind}
    if not offered:
        raise UnknownKind(
            where,
            f"is not known; known kinds: {', '.join(layer_kinds())}",
            "If a package adds it, install that package here",
        )
    if len(offered) > 1:
        raise NetworkError(where, f"two installed packages offer it ({', '.join(sorted(offered))})", "Remove one")
    (entry,) = offered.values()
    try:
        found = entry.load()
    except (ImportError, AttributeError) as error:
        raise MissingTool(where, f"cannot be imported from {entry.value} ({error})", "Mend that package") from error
    if not (isinstance(found, type) and issubclass(found, Layer) and found.kind == kind):
        raise NetworkError(where, f"{entry.value} of an installed package is not a layer of that kind", "Mend it")
    return found
