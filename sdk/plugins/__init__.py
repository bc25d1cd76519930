"""What a package of anybody's can add to edgeml, by protocol: converters, targets, executors, inspections.

How they are declared and found is in `edgeml.registry`; formats of models are in `edgeml.frontends.format`, emulated
boards in `edgeml.hil.boards`. A plugin needs to inherit from nothing: it follows a protocol by having its members, and
an optional one in the same way.
"""

from __future__ import annotations

from .converter import AdoptsNetworks, Conversion, Converter, Progress, TakesNetworks, converters
from .executor import (
    BoundsItself,
    CompiledNetwork,
    Compiles,
    CountsChanges,
    CountsInstructions,
    Execution,
    Executor,
    HasReference,
    HoldsConstants,
    NamesSubject,
    NeedsDevice,
    ReceivesReals,
    Reception,
    RunsMonitor,
    StartsProcess,
    Subject,
    TimesItself,
    WritesWaves,
    executors,
)
from .inspection import Inspection, inspections
from .target import (
    NO_OPTIONS,
    SILENT,
    Adapts,
    DescribesProfiles,
    Estimates,
    HasAlternatives,
    Listener,
    Measures,
    RuleResult,
    Target,
    adaptation_rule,
    foreign_kinds,
    refuse_broken,
    targets,
    without_monitor,
)

__all__ = [
    "NO_OPTIONS",
    "SILENT",
    "Adapts",
    "AdoptsNetworks",
    "BoundsItself",
    "CompiledNetwork",
    "Compiles",
    "Conversion",
    "Converter",
    "CountsChanges",
    "CountsInstructions",
    "DescribesProfiles",
    "Estimates",
    "Execution",
    "Executor",
    "HasAlternatives",
    "HasReference",
    "HoldsConstants",
    "Inspection",
    "Listener",
    "Measures",
    "NamesSubject",
    "NeedsDevice",
    "Progress",
    "ReceivesReals",
    "Reception",
    "RuleResult",
    "RunsMonitor",
    "StartsProcess",
    "Subject",
    "TakesNetworks",
    "Target",
    "TimesItself",
    "WritesWaves",
    "adaptation_rule",
    "converters",
    "executors",
    "foreign_kinds",
    "inspections",
    "refuse_broken",
    "targets",
    "without_monitor",
]
