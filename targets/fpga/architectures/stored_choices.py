"""The choices of an architecture as `design.json` holds them: read with every value checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgeml.errors import InputError

__all__ = ["StoredChoices"]


@dataclass(frozen=True)
class StoredChoices:
    """An object of JSON, and the file that it comes from, for errors. An empty one holds the defaults.

    Every method raises InputError that names the file if a value is not of the kind asked for.
    """

    where: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)

    def whole(self, name: str, most: int, default: int) -> int:
        """A whole number of 1 … most."""
        value = self.content.get(name, default)
        if not isinstance(value, int) or not 1 <= value <= most:
            raise InputError(self.where, f"{name} must be 1 … {most}, found {value!r}")
        return value

    def real(self, name: str, most: float) -> float | None:
        """A number above 0, at most `most`; None if it is missing."""
        value = self.content.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= most:
            raise InputError(self.where, f"{name} must lie above 0, at most {most:g}, found {value!r}")
        return float(value)

    def flag(self, name: str) -> bool:
        """True or false; false if it is missing."""
        value = self.content.get(name, False)
        if not isinstance(value, bool):
            raise InputError(self.where, f"{name} must be true or false, found {value!r}")
        return value

    def word(self, name: str, known: Sequence[str]) -> str:
        """One of the known words; the first if it is missing."""
        value = self.content.get(name, known[0])
        if value not in known:
            raise InputError(self.where, f"{name} {value!r} is not known")
        return str(value)

    def counts(self, name: str, most: int) -> dict[str, int]:
        """An object of counts of 1 … most by name; empty if it is missing."""
        return {key: self._count(count, most) for key, count in self._object(self.content.get(name, {})).items()}

    def names(self, name: str) -> dict[str, str]:
        """An object of words by name; empty if it is missing."""
        found = self._object(self.content.get(name, {}))
        for word in found.values():
            if not isinstance(word, str):
                raise InputError(self.where, f"{name} must hold words, found {word!r}")
        return found

    def folds(self, name: str, most: int) -> dict[str, tuple[int, int]]:
        """An object of (pe, simd) by name, each of 1 … most; empty if it is missing."""
        entries = {key: self._object(fold) for key, fold in self._object(self.content.get(name, {})).items()}
        return {
            key: (self._count(fold.get("pe"), most), self._count(fold.get("simd"), most))
            for key, fold in entries.items()
        }

    def _object(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise InputError(self.where, f"must hold objects, found {value!r}")
        return value

    def _count(self, value: Any, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise InputError(self.where, f"counts must lie in 1 … {most}, found {value!r}")
        return value
