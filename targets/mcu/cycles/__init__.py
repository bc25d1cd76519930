"""Cycles of an inference by model: what the instructions of a run cost on a core, and what flash adds on a part."""

from .core_timing import CoreTiming, core_timing, timing_names
from .part_time import TIME_FIELDS, PartTime, part_time
from .trace import CycleCount, Trace, cycles_of_call

__all__ = [
    "TIME_FIELDS",
    "CoreTiming",
    "CycleCount",
    "PartTime",
    "Trace",
    "core_timing",
    "cycles_of_call",
    "part_time",
    "timing_names",
]
