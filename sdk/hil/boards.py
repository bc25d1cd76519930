"""Emulated boards, found through the entry-point group `edgeml.boards`: `edgeml hil --emulate NAME` starts one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import InputError, MissingTool
from ..plugins import find
from .link import Link

if TYPE_CHECKING:
    from ..bundle import Bundle

__all__ = ["Board", "boards", "counter_unit", "start_board"]


class Board(Protocol):
    """An emulated board.

    One whose counter does not count cycles of a clock says by an attribute `counts` what it counts: `instructions` or
    `ticks` (see `report.UNITS`).
    """

    def applies(self, bundle: Bundle) -> bool:
        """Whether it can run what the bundle holds."""

    def missing(self, bundle: Bundle) -> str:
        """Empty if it can run here; else what is missing and how to install it."""

    def start(self, bundle: Bundle) -> Link:
        """Start it with the bundle's firmware; closing the link ends it."""


def boards() -> dict[str, Callable[[], Any]]:
    """Loaders of all emulated boards by name."""
    return find("edgeml.boards", "emulated board")


def counter_unit(emulate: str | None) -> str:
    """What the counter of the emulated board of that name counts; of a real board cycles, as the protocol has it."""
    return "cycles" if emulate is None else str(getattr(boards()[emulate](), "counts", "cycles"))


def start_board(name: str, bundle: Bundle) -> Link:
    """Start the emulated board `name`; InputError where it is unknown or runs nothing of the bundle's."""
    loaders = boards()
    if name not in loaders:
        raise InputError(f"emulated board {name!r}", "is not known", f"Known: {', '.join(sorted(loaders)) or 'none'}")
    board: Board = loaders[name]()
    if not board.applies(bundle):
        fitting = [other for other, loader in sorted(loaders.items()) if loader().applies(bundle)]
        raise InputError(
            f"emulated board {name!r}",
            f"cannot run a bundle made for {bundle.profile.name}",
            f"Boards that can: {', '.join(fitting) or 'none'}",
        )
    if missing := board.missing(bundle):
        raise MissingTool(f"emulated board {name!r}", "cannot run here", missing)
    return board.start(bundle)
