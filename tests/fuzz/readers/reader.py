"""What the fuzzer knows of a reader."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import mutators

__all__ = ["Reader"]


@dataclass(frozen=True)
class Reader:
    """A reader.

    Parameters
    ----------
    ending : of the file's name.
    seeds : sound files.
    damage : a damaged version of a seed.
    read : reads a file as edgeml does for a user; any error but an EdgemlError of the user's is a finding.
    """

    ending: str
    seeds: Callable[[], list[bytes]]
    damage: Callable[[bytes, random.Random], bytes]
    read: Callable[[Path], Any]
    cache: dict[str, list[bytes]] = field(default_factory=dict)

    def case(self, chance: random.Random) -> bytes:
        """A damaged file."""
        if "seeds" not in self.cache:
            self.cache["seeds"] = self.seeds()
        return mutators.mutated(chance.choice(self.cache["seeds"]), chance, self.damage)
