"""Cycles, time and energy by model, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .json_values import number

__all__ = ["modelled_said"]

_UNITS = (("cycles", ",.0f", "cycles"), ("microseconds", ".4g", "µs"), ("microjoules", ".4g", "µJ"))


def modelled_said(figures: Mapping[str, Any]) -> str:
    """Those that there are: `9,059 cycles, 141.5 µs, 1.401 µJ`; empty if there are none."""
    found = ((number(figures.get(name)), form, unit) for name, form, unit in _UNITS)
    return ", ".join(f"{value:{form}} {unit}" for value, form, unit in found if value is not None)
