"""What an executor counted while it ran: `measures` of an `Execution`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .json_values import amount, mapping, numbers

__all__ = ["Measures"]


@dataclass(frozen=True)
class Measures:
    """One inference on an emulated processor.

    Parameters
    ----------
    instructions : in all (None: not counted), instructions_by_layer : and by layer.
    modelled : cycles, time and energy by model, as in `TargetMetrics`.
    """

    instructions: int | float | None
    instructions_by_layer: Mapping[str, int | float]
    modelled: Mapping[str, int | float]

    @classmethod
    def from_json(cls, document: Any) -> Measures:
        """What of the document is sound."""
        said = mapping(document)
        return cls(
            amount(said.get("instructions")), numbers(said.get("instructions_by_layer")), numbers(said.get("modelled"))
        )
