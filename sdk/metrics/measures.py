"""What an executor counted while it ran: `measures` of an `Execution`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .json_values import amount, mapping, numbers

__all__ = ["Measures"]


@dataclass(frozen=True)
class Measures:
    """Instructions of one inference on an emulated processor: in all (None: not counted), and by layer."""

    instructions: int | float | None
    instructions_by_layer: Mapping[str, int | float]

    @classmethod
    def from_json(cls, document: Any) -> Measures:
        """What of the document is sound."""
        said = mapping(document)
        return cls(amount(said.get("instructions")), numbers(said.get("instructions_by_layer")))
