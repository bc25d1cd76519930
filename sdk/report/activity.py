"""Energy by activity, for the terminal: by layer, with the table that it follows from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..terminal import Terminal

__all__ = ["show_activity"]

_COLUMNS = {
    "bit_changes": "bits that changed",
    "nets_nj": "nets, nJ",
    "clocks_nj": "clocks, nJ",
    "block_rams_nj": "block RAMs, nJ",
    "dsps_nj": "DSPs, nJ",
    "energy_nj": "together, nJ",
}


def show_activity(terminal: Terminal, found: Mapping[str, Any]) -> None:
    """Print the energy of an inference by layer, and that it is not measured.

    found : the measure `activity` of an executor.
    """
    rows = [[layer, *(each[key] for key in _COLUMNS)] for layer, each in found["layers"].items()]
    terminal.table(f"Energy of an inference {found['said']}", ["layer", *_COLUMNS.values()], rows)
    terminal.plain(f"{found['energy_nj']:g} nJ an inference, {found['said']}: dynamic, of the core alone")
