"""What reads models of one format, and how the reader for a model is found: the group of entry points `edgeml.readers`.

A reader is declared in `edgeml.readers.ENDING` for paths of that ending, in `edgeml.readers.PACKAGE` for Python objects
whose classes come from that package, and in `edgeml.readers` if it has to look at every model (see `edgeml.registry`).
Those of edgeml's own are in `formats/`, and with the converters that also write such files.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from ..errors import EdgemlError, InputError
from ..network import Network
from ..registry import Registry, ending
from ..system.regular_file import open_regular, read_regular
from .mlp import Mlp
from .reading.builder import identifier
from .snn import Snn

if TYPE_CHECKING:
    from .exported_program.program import Program
    from .keras_model.container import KerasFile
    from .onnx_model.graph import OnnxGraph

__all__ = [
    "READERS",
    "GraphReader",
    "KerasReader",
    "ProgramReader",
    "Reader",
    "Request",
    "graph_reader",
    "keras_reader",
    "program_reader",
    "read_bounded",
    "reader_for",
]

_MOST_HEAD = 4096


@dataclass(frozen=True)
class Request:
    """A model to be read.

    Parameters
    ----------
    source : a model object, or the text of a path (`module.py:factory` for Python).
    weights : a `.safetensors` file for models that come as code.
    example : an example input [batch, features …] for models that have to be traced; None: edgeml makes one.
    name : name of the result; None: from the source.
    sample_shape : of one sample of the data, where there is data.
    """

    source: Any
    weights: Path | None = None
    example: Any = None
    name: str | None = None
    sample_shape: tuple[int, ...] | None = None

    @property
    def is_path(self) -> bool:
        """Whether the model is given as a path."""
        return isinstance(self.source, str)

    @property
    def where(self) -> str:
        """The source as errors name it."""
        return self.source if self.is_path else f"model {type(self.source).__name__}"

    @property
    def path(self) -> Path:
        """The source as a path."""
        return Path(self.source)

    def head(self, count: int) -> bytes:
        """The first bytes of the file, at most `count` and 4096; none of an object or a file that cannot be read."""
        if not self.is_path:
            return b""
        try:
            with open_regular(self.path, 2**63 - 1) as stream:
                return stream.read(min(count, _MOST_HEAD))
        except InputError:
            return b""

    def model_name(self, otherwise: str = "model") -> str:
        """Name of the result: letters, digits and underscores, starting with a letter."""
        return identifier(self.name if self.name is not None else otherwise, "model")

    def words(self) -> set[str]:
        """By which words of `edgeml.readers` readers for it are found."""
        if self.is_path:
            return {ending(self.source)}
        return {parent.__module__.partition(".")[0] for parent in type(self.source).__mro__}


class Reader(ABC):
    """Reads the models of one format. Made once, without arguments; holds no state.

    Nothing but the reader's own file should be imported before a model is read: frameworks are imported in `read`.
    """

    description: ClassVar[str] = ""
    """For people, e.g. "a model saved by torch.export (.pt2)"."""
    rank: ClassVar[int] = 0
    """Readers of lower rank are asked first: one for all models of a framework has a higher rank than one for some."""
    takes_weights: ClassVar[bool] = False
    """Whether `weights` may be given."""

    def takes(self, request: Request) -> bool:
        """Whether this reader reads a model that its words fit; by default it reads every path, and no object.

        One that is declared without a word must look: at the ending, or at the first bytes (`request.head`). A class
        of a framework is to be found in `sys.modules`, where it is if there is an object of it.
        """
        return request.is_path

    @abstractmethod
    def read(self, request: Request) -> Mlp | Snn | Network:
        """The model as a float `Mlp` or `Snn`, or as a `Network` if it is one of integers already; InputError if it is
        none of them."""


READERS: Registry[Reader] = Registry("edgeml.readers", "reader", Reader)  # type: ignore[type-abstract]


def reader_for(request: Request) -> Reader | None:
    """The first reader, by rank and name, that takes a model; None if there is none.

    A reader that cannot be loaded stands in the way of nothing that another one takes: else its error is raised.
    """
    found: list[Reader] = []
    problem: EdgemlError | None = None
    for entry in READERS.fitting(request.words()).values():
        try:
            found.append(entry.load())
        except EdgemlError as error:
            problem = problem or error
    reader = next((reader for reader in sorted(found, key=lambda one: one.rank) if reader.takes(request)), None)
    if reader is None and problem is not None:
        raise problem
    return reader


@runtime_checkable
class GraphReader(Protocol):
    """Reads ONNX graphs whose operators are not all ONNX's own; declared in the group `edgeml.graph_readers`."""

    def takes(self, graph: OnnxGraph) -> bool:
        """Whether it knows the operators of the graph."""
        ...

    def read(self, graph: OnnxGraph, where: str, name: str) -> Mlp | Network:
        """The graph as a network of that name; InputError naming `where` if it is none."""
        ...


_GRAPH_READERS: Registry[GraphReader] = Registry("edgeml.graph_readers", "graph reader", GraphReader)  # type: ignore[type-abstract]


def graph_reader(graph: OnnxGraph) -> GraphReader | None:
    """The first graph reader, by name, that takes a graph; None if there is none."""
    readers = (entry.load() for entry in _GRAPH_READERS.all().values())
    return next((reader for reader in readers if reader.takes(graph)), None)


@runtime_checkable
class ProgramReader(Protocol):
    """Reads programs of torch.export whose operators are not all aten's; declared in the group
    `edgeml.program_readers`."""

    def takes(self, program: Program) -> bool:
        """Whether it knows the operators of the program."""
        ...

    def read(self, program: Program, where: str, name: str) -> Mlp | Network:
        """The program as a network of that name; InputError naming `where` if it is none."""
        ...


_PROGRAM_READERS: Registry[ProgramReader] = Registry("edgeml.program_readers", "program reader", ProgramReader)  # type: ignore[type-abstract]


def program_reader(program: Program) -> ProgramReader | None:
    """The first program reader, by name, that takes a program; None if there is none."""
    readers = (entry.load() for entry in _PROGRAM_READERS.all().values())
    return next((reader for reader in readers if reader.takes(program)), None)


@runtime_checkable
class KerasReader(Protocol):
    """Reads Keras files whose layers are not all Keras's own; declared in the group `edgeml.keras_readers`."""

    def takes(self, file: KerasFile) -> bool:
        """Whether it knows the layers of the file."""
        ...

    def read(self, file: KerasFile, where: str, name: str) -> Mlp | Network:
        """The file as a network of that name; InputError naming `where` if it is none."""
        ...


_KERAS_READERS: Registry[KerasReader] = Registry("edgeml.keras_readers", "Keras reader", KerasReader)  # type: ignore[type-abstract]


def keras_reader(file: KerasFile) -> KerasReader | None:
    """The first Keras reader, by name, that takes a file; None if there is none."""
    readers = (entry.load() for entry in _KERAS_READERS.all().values())
    return next((reader for reader in readers if reader.takes(file)), None)


def read_bounded(path: Path, largest: int) -> bytes:
    """The content of a file of at most `largest` bytes; InputError naming it otherwise, and if it is empty."""
    content = read_regular(path, largest)
    if not content:
        raise InputError(str(path), "is empty")
    return content
