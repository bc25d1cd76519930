"""Emulated boards, found through the entry-point group `edgeml.boards`: `edgeml hil --emulate NAME` starts one."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..bundle import Bundle
from ..errors import InputError, MissingTool
from ..registry import Registered, Registry
from .link import Link

__all__ = ["BOARDS", "Board", "NamesUnit", "boards", "counter_unit", "start_board"]


@runtime_checkable
class Board(Protocol):
    """An emulated board. Its counter counts cycles of a clock, unless it follows `NamesUnit` too."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether it can run what the bundle holds."""

    def missing(self, bundle: Bundle) -> str:
        """Empty if it can run here; else what is missing and how to install it."""

    def start(self, bundle: Bundle) -> Link:
        """Start it with the bundle's firmware; closing the link ends it."""


@runtime_checkable
class NamesUnit(Protocol):
    """A board that says what its counter counts."""

    counts: str
    """`cycles`, `instructions` or `ticks` (see `report.UNITS`)."""


BOARDS: Registry[Board] = Registry("edgeml.boards", "emulated board", Board)  # type: ignore[type-abstract]


def boards() -> dict[str, Registered[Board]]:
    """All emulated boards by name; none of them is imported."""
    return BOARDS.all()


def counter_unit(emulate: str | None) -> str:
    """What the counter of the emulated board of that name counts; of a real board cycles, as the protocol has it."""
    board = None if emulate is None else BOARDS.load(emulate)
    return board.counts if isinstance(board, NamesUnit) else "cycles"


def start_board(name: str, bundle: Bundle) -> Link:
    """Start the emulated board `name`; InputError where it is unknown or runs nothing of the bundle's."""
    board = BOARDS.load(name)
    if not board.applies(bundle):
        fitting = [other for other, entry in boards().items() if entry.load().applies(bundle)]
        raise InputError(
            f"emulated board {name!r}",
            f"cannot run a bundle made for {bundle.profile.name}",
            f"Boards that can: {', '.join(fitting) or 'none'}",
        )
    if missing := board.missing(bundle):
        raise MissingTool(f"emulated board {name!r}", "cannot run here", missing)
    return board.start(bundle)
