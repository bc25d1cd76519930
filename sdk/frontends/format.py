"""What a model format is, and how the one for a source is found: one file of `formats/` each.

A format is added by adding a file: importing the folder registers every `Format` in it. Nothing in `formats/` imports
a framework before a model of it is read.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ..errors import InputError
from ..network import Network
from ..system.regular_file import read_regular
from .mlp import Mlp
from .reading.builder import identifier

__all__ = ["Format", "Request", "known_formats", "read_bounded"]


@dataclass(frozen=True)
class Request:
    """A model to be read.

    Parameters
    ----------
    source : a model object, or the text of a path (`module.py:factory` for Python).
    weights : a `.safetensors` file for models that come as code.
    example : an example input [batch, features …] for models that have to be traced; None: edgeml makes one.
    name : name of the result; None: from the source.
    """

    source: Any
    weights: Path | None = None
    example: Any = None
    name: str | None = None

    @property
    def where(self) -> str:
        """The source as errors name it."""
        return self.source if isinstance(self.source, str) else f"model {type(self.source).__name__}"

    @property
    def path(self) -> Path:
        """The source as a path."""
        return Path(self.source)

    def model_name(self, otherwise: str = "model") -> str:
        """Name of the result: letters, digits and underscores, starting with a letter."""
        return identifier(self.name if self.name is not None else otherwise, "model")


_FORMATS: list[Format] = []


class Format(ABC):
    """One kind of source. A subclass is registered by being defined in a file of `formats/`."""

    description: ClassVar[str] = ""
    """For people, e.g. "a model saved by torch.export (.pt2)"; empty for formats that only refuse."""
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Endings of the paths that this format reads, in lower case."""
    rank: ClassVar[int] = 0
    """Formats of lower rank are asked first: one for all models of a framework has a higher rank than one for some."""
    takes_weights: ClassVar[bool] = False
    """Whether `weights` may be given."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _FORMATS.append(cls())

    def takes_path(self, path: str) -> bool:
        """Whether this format reads the file at `path`: by its ending."""
        return path.lower().endswith(self.suffixes) if self.suffixes else False

    def takes_object(self, source: Any) -> bool:
        """Whether this format reads the Python object `source`. Must not import a framework: an object of a class
        exists only where its module is already in `sys.modules`."""
        return False

    @abstractmethod
    def read(self, request: Request) -> Mlp | Network:
        """The model as a float `Mlp`, or as a `Network` where it is one of integers already; InputError where it is
        neither."""


def known_formats() -> Iterator[Format]:
    """All formats, in the order in which they are asked."""
    from . import formats as folder

    for module in pkgutil.iter_modules(folder.__path__):
        importlib.import_module(f"{folder.__name__}.{module.name}")
    return iter(sorted(_FORMATS, key=lambda entry: entry.rank))


def read_bounded(path: Path, largest: int) -> bytes:
    """The content of a file of at most `largest` bytes; InputError naming it otherwise, and where it is empty."""
    content = read_regular(path, largest)
    if not content:
        raise InputError(str(path), "is empty")
    return content
