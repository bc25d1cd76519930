"""What every operator of a .tflite file is, and what it is read from, written to and lowered with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Layer, Node, Shared
from edgeml.network.layers.shared import PADDING

from ..flatbuffer import Table
from ..schema import OperatorKind, TensorType
from .fused_activation import ACTIVATIONS
from .tensor_info import TensorInfo

__all__ = ["BY_KIND", "Arithmetic", "FileWriter", "Found", "Lowering", "Taken", "TfliteOperator"]

BY_KIND: dict[OperatorKind, type[TfliteOperator]] = {}
"""The classes of the operators of this folder."""


@dataclass(frozen=True)
class Arithmetic:
    """How a kernel gets from an accumulator to an output.

    Parameters
    ----------
    rounding : name of its rounding rule.
    float32_product : whether, where the weights have one scale, it multiplies that with the input's in float32 and not
        in float64. (One output row counts as one scale.)
    """

    rounding: str
    float32_product: bool = False


@dataclass(frozen=True, eq=False)
class Taken:
    """Values of an activation: `index` int32 [size] of those of tensor `name`, −1 for the integer that stands for 0."""

    name: str
    index: npt.NDArray[np.int32]

    @property
    def in_order(self) -> bool:
        """Whether no value is moved, and none left out at the front."""
        return bool(np.array_equal(self.index, np.arange(self.index.size)))


@dataclass
class Lowering:
    """The integer layers of a model while its operators are lowered one by one.

    Parameters
    ----------
    tensors : the model's, by name.
    arithmetic : how the runtime computes a fully connected layer; some have more than one kernel.
    rounding : the rule that other layers name, in which they never round.
    place : of each tensor that has been computed, the node that gives it.
    """

    tensors: Mapping[str, TensorInfo]
    arithmetic: Callable[[Any], Arithmetic]
    rounding: str
    place: dict[str, str]
    nodes: list[Node] = field(default_factory=list)
    moved: dict[str, Taken] = field(default_factory=dict)
    """Of each tensor that only takes values of another, which; it becomes a layer if something needs it as it is."""

    def sources(self, operator: TfliteOperator) -> list[TensorInfo]:
        """The tensors that an operator takes."""
        return [self.tensors[name] for name in operator.inputs]

    def add(self, name: str, layer: Layer, inputs: Sequence[str]) -> None:
        """A node called `name`, of a layer that takes the tensors or nodes `inputs`."""
        self.nodes.append(Node(name, layer, tuple(self.node(each) for each in inputs)))
        self.place[name] = name

    def node(self, name: str) -> str:
        """The node that gives the tensor or node `name`: of values that were only moved, a layer that gathers them."""
        if name in self.moved and name not in self.place:
            taken = self.moved[name]
            of = self.tensors[taken.name]
            self.add(name, Shared((), taken.index[:, None], of.size, of.zero_point), (taken.name,))
        return self.place.get(name, name)

    def same(self, operator: TfliteOperator) -> None:
        """The operator's output is its input: no layer."""
        (name,) = operator.inputs
        if name in self.moved:
            self.moved[operator.output] = self.moved[name]
        if name in self.place:
            self.place[operator.output] = self.place[name]

    def move(self, operator: TfliteOperator, index: npt.NDArray[np.int32]) -> None:
        """The operator's output is the values `index` [outputs] of its input, −1 the integer that stands for 0; no
        layer as long as what follows can take them where they are."""
        taken = self.taken(operator.inputs[0])
        places = np.append(taken.index, np.int32(PADDING))
        self.moved[operator.output] = Taken(taken.name, places[index])

    def taken(self, name: str) -> Taken:
        """Where the values of a tensor are."""
        if name in self.moved and name not in self.place:
            return self.moved[name]
        return Taken(name, np.arange(self.tensors[name].size, dtype=np.int32))


class Constants(Protocol):
    """What an operator reads of a file's tensors (`file_tensors.FileTensors`); InputError if they are not sound."""

    def activation(self, index: int) -> TensorInfo:
        """An activation."""
        ...

    def weight(self, index: int, where: str) -> tuple[npt.NDArray[np.int8], int, npt.NDArray[np.float32]]:
        """Weights int8 [outputs, inputs], their bits in the file, and their scales [outputs] or [1]."""
        ...

    def bias(self, index: int, outputs: int, where: str) -> npt.NDArray[np.int32]:
        """A bias int32 [outputs]; zeros for index −1."""
        ...

    def integers(self, index: int, where: str, most: int) -> npt.NDArray[np.int32]:
        """A constant of at most so many int32 integers, in its shape."""
        ...

    def filters(self, index: int, axis: int, where: str) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
        """int8 weights of a convolution, whose outputs are dimension `axis`, and their scales [outputs] or [1]."""
        ...

    def shape(self, index: int) -> list[int]:
        """Sizes of a tensor."""
        ...

    def operand(self, index: int, where: str) -> tuple[TensorInfo, npt.NDArray[np.int64]]:
        """A constant of 8-bit integers with one scale: what an activation of them would be, and the integers."""
        ...

    def guard_bits(self, layer: str, weight: npt.NDArray[np.int8], bias: npt.NDArray[np.int32]) -> int:
        """Guard bits that these integers have."""
        ...


@dataclass(frozen=True)
class Found:
    """An operator of a file that is read: its tensors have been checked.

    Parameters
    ----------
    kind : what it is. target : what it computes. inputs : names of the activations it takes.
    indices : of all tensors that it takes. options : its table of options, if it has one.
    tensors : gives constants of the file. taken : of the indices, those of activations.
    """

    kind: OperatorKind
    target: TensorInfo
    inputs: tuple[str, ...]
    indices: tuple[int, ...]
    options: Table | None
    tensors: Constants
    taken: tuple[int, ...] = ()

    @property
    def where(self) -> str:
        """How errors name it."""
        return f"{self.kind.name} {self.target.name}"

    def activation(self, table: str) -> str:
        """Name of the activation that is fused into it, by its table of options; InputError if it is another."""
        number = int(self.option(table, "fused_activation_function", 0))
        name = next((name for name, known in ACTIVATIONS.items() if known == number), "")
        if not name:
            raise InputError(self.where, f"fused activation {number}; none, RELU, RELU6, RELU_N1_TO_1 are supported")
        return name

    def option(self, table: str, name: str, otherwise: Any) -> Any:
        """An option out of the table of that kind, or what stands in for it."""
        return self.options[name] if self.options is not None and self.options.kind == table else otherwise


class FileWriter(ABC):
    """What an operator writes itself with (`writer` has the file)."""

    @abstractmethod
    def operator(
        self,
        kind: OperatorKind,
        version: int,
        inputs: list[int],
        output: int,
        options: tuple[str, dict[str, Any]] | None = None,
    ) -> None:
        """An entry of the file for an operator on tensors by index."""

    @abstractmethod
    def constant(
        self, name: str, content: bytes, shape: list[int], kind: TensorType, quantization: dict[str, Any]
    ) -> int:
        """A tensor of constants; gives its index."""

    @abstractmethod
    def integers(self, name: str, values: npt.NDArray[np.integer]) -> int:
        """A tensor of constant int32 integers; gives its index."""

    @abstractmethod
    def real(self, name: str, stored: tuple[int, ...]) -> int:
        """A tensor of float32 of that shape for one sample; gives its index."""

    @abstractmethod
    def activation_info(self, name: str) -> TensorInfo:
        """An activation by its name."""


@dataclass(frozen=True, eq=False)
class TfliteOperator(ABC):
    """One operator: the name of the tensor it computes, and those of the activations it takes."""

    kinds: ClassVar[tuple[OperatorKind, ...]] = ()
    """What it is in files."""
    input_count: ClassVar[int | None] = 1
    """How many activations it takes; None if all its tensors are activations."""
    one_size: ClassVar[bool] = True
    """Whether all its activations have one size."""
    may_compute_in_place: ClassVar[bool] = True
    """Whether a runtime may overwrite its input with its output."""
    behind_integers: ClassVar[bool] = False
    """Whether the integer network ends before it."""
    keeps_values: ClassVar[bool] = False
    """Whether it gives the same real values in another type or shape."""
    float32_scales: ClassVar[bool] = False
    """Whether TensorFlow Lite multiplies its scales in float32, and TFLite Micro in float64."""
    one_scale: ClassVar[bool] = False
    """Whether its output has the scale of its only input."""

    output: str
    inputs: tuple[str, ...]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        BY_KIND.update(dict.fromkeys(cls.kinds, cls))

    @classmethod
    @abstractmethod
    def read(cls, found: Found) -> TfliteOperator:
        """The operator in a file; InputError if it is of a kind that has no integers."""

    @abstractmethod
    def write(self, file: FileWriter, sources: list[int], target: int) -> None:
        """Write it into a file, between tensors by index."""

    @abstractmethod
    def lower(self, lowering: Lowering) -> None:
        """Add the integer layers that compute it; InputError if it cannot be exact."""

    @property
    def has_fast_kernel(self) -> bool:
        """Whether the usual kernels of tflite-runtime round it in another way than all others do."""
        return False

    @property
    def gives_probability(self) -> bool:
        """Whether an only output that it ends is the probability of class 1."""
        return False

    @property
    def function(self) -> str:
        """Its name in the file if it is a function by a table; else empty."""
        return ""

    def require_one_scale(self, tensors: Sequence[TensorInfo]) -> None:
        """InputError if `tensors` have different scales: runtimes round between such in different ways."""
        scales = {info.scale for info in tensors}
        if len(scales) > 1:
            raise InputError(
                f"layer {self.output}",
                f"{type(self).__name__.upper()} between different scales {sorted(scales)}: the runtimes round it in "
                "different ways",
                "Give its inputs and its output one scale",
            )
