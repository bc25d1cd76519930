"""What is chosen for an event-driven design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..stored_choices import StoredChoices

__all__ = ["MembranesPerClock", "read_choices"]

_MOST = 2**16


@dataclass(frozen=True)
class MembranesPerClock:
    """How many membranes a unit handles per clock, by the name of its layer; others: one."""

    by_layer: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As `design.json` holds them: in the words of the folded architecture, of the same name."""
        folds = {name: {"pe": count, "simd": 1} for name, count in self.by_layer.items()}
        return {"folds": folds, "fifo_depths": {}, "keep_block_rams": False}


def read_choices(stored: StoredChoices) -> MembranesPerClock:
    """Inverse of `MembranesPerClock.as_json`; InputError if a value is not sound."""
    return MembranesPerClock({name: pe for name, (pe, _) in stored.folds("folds", _MOST).items()})
