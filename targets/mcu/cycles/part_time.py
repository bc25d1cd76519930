"""Time and energy of a run on a part: cycles by model at its clock, its current as its data sheet has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgeml.profile_fields import Field, Line, Real, Word

from ..cores import Core
from .core_timing import CoreTiming, core_timing, has_timing, timing_names
from .flash_timing import FLASH_FIELDS, FlashTiming, flash_timing
from .trace import CycleCount

__all__ = ["TIME_FIELDS", "PartTime", "part_time"]

TIME_FIELDS: Mapping[str, Field] = {
    **FLASH_FIELDS,
    "flash_from": Line(),
    "core_timing": Word(timing_names()),
    "active_current_ma": Real(10_000.0),
    "supply_volts": Real(100.0),
    "current_from": Line(),
}
"""Of a part: `flash_from`, where the figures of flash are from; `core_timing` where it is not that of `core`;
`active_current_ma` while the core computes at `clock_hz` and `supply_volts`, as `current_from` has them."""


@dataclass(frozen=True)
class PartTime:
    """What time and energy of a run on a part are computed by.

    Parameters
    ----------
    core : cycles of the core's instructions. title : of the core, for people.
    flash : what flash adds; None where it is not known.
    clock_hz, milliwatts : of the part while it computes; None where they are not known.
    """

    core: CoreTiming
    title: str
    flash: FlashTiming | None = None
    clock_hz: int | None = None
    milliwatts: float | None = None

    def figures(self, found: CycleCount) -> dict[str, float]:
        """For a manifest: `cycles`, of which `flash_cycles`; `microseconds`, `microjoules`; each where it is known."""
        said: dict[str, float] = {"cycles": found.total}
        if found.flash is not None:
            said["flash_cycles"] = found.flash
        if self.clock_hz:
            said["microseconds"] = round(found.total / self.clock_hz * 1e6, 3)
            if self.milliwatts:
                said["microjoules"] = round(found.total / self.clock_hz * self.milliwatts * 1e3, 3)
        return said

    @property
    def described(self) -> str:
        """What it was computed by, in words."""
        memory = "as if memory answered at once" if self.flash is None else "with the part's flash"
        return f"by model of the {self.title}, {memory}"


def part_time(core: Core, values: Mapping[str, Any]) -> PartTime | None:
    """Of a part with these values of its profile; None where there is no model of its core."""
    name = values.get("core_timing", core.name)
    if not has_timing(name):
        return None
    current, volts = values.get("active_current_ma"), values.get("supply_volts")
    milliwatts = None if current is None or volts is None else current * volts
    return PartTime(core_timing(name), core.title, flash_timing(values), values.get("clock_hz"), milliwatts)
