"""The option of a conversion that asks for a monitor."""

from __future__ import annotations

from ..options import Option, Real

__all__ = ["MONITOR"]

MONITOR = Option(
    "monitor",
    Real(0, 0.5, open_low=True),
    "Tell known inputs from unknown ones, with this share of false alarms.",
    otherwise="no monitor",
)
"""What share of inputs like those that are held back may be taken for unknown."""
