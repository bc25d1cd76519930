"""What an instruction needs of the machine that runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from .ir_types import Type
from .memory import Memory, Object
from .numbers import Numbers

__all__ = ["Context"]


class Context(Protocol):
    """The machine, as instructions see it."""

    numbers: Numbers
    memory: Memory
    globals: dict[str, Object]

    def constant(self, value: Any, what: str) -> int:
        """A value that must not depend on inputs."""
        ...

    def call(self, name: str, arguments: Sequence[Any]) -> Any:
        """What a function gives."""
        ...

    def merged(self, condition: Any, type_: Type, a: Any, b: Any) -> Any:
        """a where a condition holds, else b."""
        ...
