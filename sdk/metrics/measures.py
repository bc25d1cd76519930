"""What an executor counted while it ran: `measures` of an `Execution`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .json_values import amount, mapping, number, numbers

__all__ = ["Measures", "modelled_said"]

_UNITS = (("cycles", ",.0f", "cycles"), ("microseconds", ".4g", "µs"), ("microjoules", ".4g", "µJ"))


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


def modelled_said(figures: Mapping[str, Any]) -> str:
    """Those that there are: `9,059 cycles, 141.5 µs, 1.401 µJ`; empty if there are none."""
    found = ((number(figures.get(name)), form, unit) for name, form, unit in _UNITS)
    return ", ".join(f"{value:{form}} {unit}" for value, form, unit in found if value is not None)
