"""What a simulation says of a design's energy: measures of an executor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..architectures.unrolled.architecture import UnrolledArchitecture
from ..budget import Family
from ..design import Built
from .energy import TABLE, energies
from .toggles import AROUND, bit_changes

__all__ = ["activity_measures"]


def activity_measures(built: Built, family: Family, waves: Path, frames: int, clocks: int) -> dict[str, Any]:
    """Energy of an inference by layer, nJ, from the waves of so many frames and clocks.

    Signals of a design that is not unrolled count by unit with all names of their parts: an upper end.
    """
    layout = built.layout
    cells_only = isinstance(layout.architecture, UnrolledArchitecture)
    costs = layout.architecture.estimate(layout.plan, family)
    end = "layer" if cells_only else "unit"
    instances = {f"{layer}_{end}": layer for layer in costs}
    changes = bit_changes(waves, tuple(instances), cells_only=cells_only)
    by_layer = {instances.get(instance, "around the layers"): count for instance, count in changes.items()}
    found = energies(by_layer, costs, frames, clocks)
    return {
        "table": TABLE.name,
        "said": f"by activity, table {TABLE.name}, not measured",
        "frames": frames,
        "clocks": clocks,
        "bit_changes": sum(changes.values()),
        "around": changes[AROUND],
        "energy_nj": round(sum(each.total for each in found.values()), 4),
        "layers": {
            layer: {
                "bit_changes": by_layer.get(layer, 0),
                "nets_nj": round(each.nets, 4),
                "clocks_nj": round(each.clocks, 4),
                "block_rams_nj": round(each.block_rams, 4),
                "dsps_nj": round(each.dsps, 4),
                "energy_nj": round(each.total, 4),
            }
            for layer, each in found.items()
        },
    }
