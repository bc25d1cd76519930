"""A part of hardware, as its profile describes it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Profile"]

_SAME_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True)
class Profile:
    """A part by name.

    Parameters
    ----------
    name : as on the command line, e.g. `cortex-m4`.
    kind : which target generates for it: cpu, mcu, fpga, neuromorphic.
    description : one line for people.
    values : everything else in the file: budgets, clocks, instruction sets; the target checks what it needs.
    """

    name: str
    kind: str
    description: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_this_machine(self) -> bool:
        """Whether code for this part runs on the machine that asks: a CPU of its kind."""
        here = platform.machine().lower()
        machine = self.values.get("machine", "host")
        return self.kind == "cpu" and machine in ("host", here, _SAME_MACHINES.get(here))
