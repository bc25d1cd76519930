"""A budget: at most so much of one cost that the target tells, such as `luts=700`, `flash=4k`, `instructions=5000`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..errors import InputError
from ..options.kinds import shown

__all__ = ["Budget", "full_name", "read_budget"]

_ALIASES = {
    "latency": "latency_us",
    "flash": "flash_bytes",
    "ram": "ram_bytes",
    "energy": "energy_nj",
    "brams": "block_rams",
    "ffs": "flip_flops",
    "recall": "macro_recall",
}
_BUDGET = re.compile(r"([a-z][a-z_]{0,40})\s*=\s*([0-9]+(?:\.[0-9]+)?)\s*([kM]?)", re.ASCII)
_MOST = 1e15


def full_name(name: str) -> str:
    """The name of a cost as targets have it: `flash` is `flash_bytes`."""
    return _ALIASES.get(name, name)


@dataclass(frozen=True)
class Budget:
    """`name` (as in a target's estimate) at most `limit`; `text` is what the user wrote."""

    name: str
    limit: float
    text: str


def read_budget(text: str) -> Budget:
    """`luts=700` or `flash=4k`: k is 1024 of bytes, else 1000, M that squared. InputError if it cannot be read."""
    found = _BUDGET.fullmatch(text.strip())
    if found is None:
        raise InputError("option budget", f"cannot be read: {shown(text)}", "Write for example luts=700 or flash=4k")
    name = full_name(found[1])
    thousand = 1024 if name.endswith("_bytes") else 1000
    limit = float(found[2]) * thousand ** " kM".index(found[3] or " ")
    if not 0 < limit <= _MOST or not math.isfinite(limit):
        raise InputError("option budget", f"must be above 0 and at most {_MOST:g}, found {shown(text)}")
    return Budget(name, limit, text.strip())
