"""Other ways to the same answers, for the reader to choose between: `metrics.alternatives` of a bundle's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .answers import Answers
from .json_values import amount, mapping, number, numbers, text
from .target import TargetMetrics

__all__ = ["Alternative", "costs_of", "read_alternatives"]

_ESTIMATED = ("luts", "flip_flops", "block_rams", "dsps")
_COSTS = ("latency_us", "frames_per_second", "flash_bytes", "ram_bytes", "instructions")


@dataclass(frozen=True)
class Alternative:
    """One other way, and what it takes.

    Parameters
    ----------
    name : what it is, in words.
    figures : by the names of `TargetMetrics`, and `accuracy` or `r2` of its integers, `microseconds` (by model),
        `file_bytes` (of a model file) and `arena_bytes` (that its runtime used).
    said : how the figures were found, or why there are none.
    """

    name: str
    figures: Mapping[str, int | float] = field(default_factory=dict)
    said: str = ""

    def as_json(self) -> dict[str, Any]:
        """As the manifest holds it."""
        return {"name": self.name, "figures": dict(self.figures), "said": self.said}


def read_alternatives(document: Any) -> list[Alternative]:
    """What of a manifest's `metrics.alternatives` is sound."""
    entries = document if isinstance(document, list) else ()
    read = (mapping(entry) for entry in entries)
    return [
        Alternative(text(entry.get("name")), numbers(entry.get("figures")), text(entry.get("said"))) for entry in read
    ]


def costs_of(target: TargetMetrics, answers: Answers) -> dict[str, int | float]:
    """The figures of a bundle by the names of `Alternative`; those that it has."""
    found: dict[str, Any] = {name: answers.quality(name, "integer") for name in ("accuracy", "r2")}
    found |= {name: amount(target.estimate.get(name)) for name in _ESTIMATED}
    found |= {name: getattr(target, name) for name in _COSTS}
    found["microseconds"] = target.modelled.get("microseconds")
    return {name: value for name, value in found.items() if number(value) is not None}
