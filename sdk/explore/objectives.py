"""What is sought and what is required: objectives and constraints, by the names of a target's estimates."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..allocation.budget import full_name
from ..errors import InputError
from ..judging.scores import scores
from ..network import Network
from ..network.task import VALUES
from ..profile import Profile

__all__ = [
    "QUALITIES",
    "SHARES",
    "Constraint",
    "budgets",
    "costs_of",
    "general_estimates",
    "parse_constraint",
    "parse_objectives",
    "quality",
    "unit",
]

SHARES = ("accuracy", "macro_recall")
"""Qualities of answers that are classes, in shares of 1."""
QUALITIES = (*SHARES, "r2")
"""All that can be sought first: of values their R²."""
_UNITS = {"latency_us": "µs", "flash_bytes": "B", "ram_bytes": "B", "energy_nj": "nJ"}
_CONSTRAINT = re.compile(r"^\s*([a-z_]+)\s*(<=|>=)\s*([0-9.eE+-]+)\s*(%?)\s*$")


def unit(name: str) -> str:
    """What a number of this name is counted in; empty for plain counts."""
    return "%" if name in SHARES else _UNITS.get(name, "")


def parse_objectives(text: str) -> tuple[str, ...]:
    """`accuracy,luts` as full names; the first must be a quality, the others costs."""
    names = tuple(full_name(part.strip()) for part in text.split(",") if part.strip())
    if len(names) < 2 or names[0] not in QUALITIES or any(name in QUALITIES for name in names[1:]):
        raise InputError(
            f"option objective {text!r}",
            f"must begin with one of {', '.join(QUALITIES)} and go on with at least one cost",
            "For example accuracy,luts or macro_recall,luts,latency",
        )
    if len(set(names)) != len(names) or not all(re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name) for name in names):
        raise InputError(f"option objective {text!r}", "names one twice, or holds something that is not a name")
    return names


@dataclass(frozen=True)
class Constraint:
    """`name` at most (or at least) `limit`; with `percent`, of what the part has."""

    name: str
    at_most: bool
    limit: float
    percent: bool

    def absolute(self, budget: Mapping[str, float]) -> float | None:
        """The limit in the unit of the estimate, shares of 1 for qualities; None: in percent of what a part of this
        kind has not, and so no limit there."""
        if self.name in QUALITIES:
            return self.limit / 100 if self.percent else self.limit
        if not self.percent:
            return self.limit
        return budget[self.name] * self.limit / 100 if self.name in budget else None

    def violation(self, found: Mapping[str, float], budget: Mapping[str, float]) -> float:
        """By what share of the limit it is broken; at most 0 where it holds, or where `found` does not say."""
        limit = self.absolute(budget)
        if self.name not in found or limit is None:
            return 0.0
        over = found[self.name] - limit if self.at_most else limit - found[self.name]
        return over / max(abs(limit), 1e-12)

    def __str__(self) -> str:
        return f"{self.name} {'<=' if self.at_most else '>='} {self.limit:g}{'%' if self.percent else ''}"


def parse_constraint(text: str) -> Constraint:
    """`luts<=5%` or `latency<=20`; InputError where it is not of this form."""
    match = _CONSTRAINT.match(text)
    try:
        limit = float(match[3]) if match else math.nan
    except ValueError:
        limit = math.nan
    if match is None or not math.isfinite(limit):
        raise InputError(
            f"constraint {text!r}", "cannot be read", "Write for example 'luts<=5%', 'latency<=20' or 'accuracy>=0.95'"
        )
    return Constraint(full_name(match[1]), match[2] == "<=", limit, match[4] == "%")


def budgets(profile: Profile) -> dict[str, float]:
    """What a part has, by the names of costs: counts and bytes of its profile."""
    names = ("luts", "flip_flops", "block_rams", "dsps", "flash_bytes", "ram_bytes")
    return {name: float(profile.values[name]) for name in names if isinstance(profile.values.get(name), (int, float))}


def general_estimates(network: Network, profile: Profile, estimated: Mapping[str, float]) -> dict[str, float]:
    """Costs that need no target.

    `macs`: multiplications of one inference. `bit_operations`: Σ macs · weight bits · input bits over the layers.
    `weight_bits`: memory of all weights, in bits. `energy_nj`: latency times the profile's `active_power_mw`, where
    both are known (mW · µs = nJ); an estimate as good as these two.
    """
    macs = operations = memory = 0
    bits = {node.name: node.layer.value_bits for node in network.nodes}
    for node in network.layers:
        macs += node.layer.multiplications
        operations += node.layer.weight_memory * (bits.get(node.inputs[0]) or 8)
        memory += node.layer.weight_memory
    found = {"macs": float(macs), "bit_operations": float(operations), "weight_bits": float(memory)}
    power = profile.values.get("active_power_mw")
    if isinstance(power, (int, float)) and not isinstance(power, bool) and power > 0 and "latency_us" in estimated:
        found["energy_nj"] = float(power) * estimated["latency_us"]
    return found


def quality(answers: npt.NDArray[Any], y: npt.NDArray[Any]) -> dict[str, float]:
    """Of classes `accuracy`, and `macro_recall`: the mean over the classes that occur in y of the share answered right;
    of values [samples, outputs] `r2`, `mae` and `mse` (see `judging.scores`)."""
    if y.ndim == 2:
        found = scores(VALUES, y, {"found": answers})
        return {name: each["found"] for name, each in found.items()}
    right = answers == y
    recalls = [float(np.mean(right[y == each])) for each in np.unique(y)]
    return {"accuracy": float(np.mean(right)), "macro_recall": float(np.mean(recalls))}


def costs_of(values: Sequence[float]) -> tuple[float, ...]:
    """Objective values, quality first, as costs throughout."""
    return (-values[0], *values[1:])
