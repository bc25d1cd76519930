"""How often the signals of a simulation change, by the unit that drives them: read from a wave file of Verilator."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from edgeml.errors import ToolFailed

__all__ = ["AROUND", "bit_changes"]

AROUND = ""
"""Where signals count that lie in no unit of a layer: streams, FIFOs, control."""

_CELL = re.compile(r"n\d+(_d\d+)?")
_LEFT_OUT = re.compile(r"__V|^unused|^a?clk$")
"""What is no net of its own: Verilator's own signals, lists for linters; and the clock, which costs what it costs."""
_PART = re.compile(r"_(ch|at_)\d+")
"""Parts of what layers give, by the names of `layer_modules`."""


def bit_changes(path: Path, instances: Collection[str], *, cells_only: bool) -> dict[str, int]:
    """Changes of bits by instance, from 0 to 1 or back, over a whole VCD file; each signal counts once, however many
    modules it passes.

    Parameters
    ----------
    instances : names of those whose signals are told apart; other signals count for `AROUND`. cells_only : within
        them, count what cells and registers give (`nK`, `nK_dD`) and not the names of parts of it.

    Raises ToolFailed where the file is no such one.
    """
    owner = _owners(path, frozenset(instances), cells_only)
    changes = dict.fromkeys([*instances, AROUND], 0)
    before: dict[str, int] = {}
    with path.open(encoding="ascii") as file:
        for line in file:
            first = line[:1]
            if first == "b":
                number, _, code = line[1:].partition(" ")
                code, digits = code.strip(), number
            elif first in ("0", "1"):
                code, digits = line[1:].strip(), first
            else:
                continue
            if code in owner:
                value = int(digits, 2)
                if code in before:
                    changes[owner[code]] += (before[code] ^ value).bit_count()
                before[code] = value
    return changes


def _owners(path: Path, instances: frozenset[str], cells_only: bool) -> dict[str, str]:
    """The instance that each signal's identifier counts for: the first that names it, else `AROUND`."""
    within: dict[str, str] = {}
    outside: set[str] = set()
    scopes: list[str] = []
    with path.open(encoding="ascii") as file:
        for line in file:
            words = line.split()
            if not words:
                continue
            if words[0] == "$enddefinitions":
                break
            if words[0] == "$scope":
                scopes.append(words[2])
            elif words[0] == "$upscope":
                scopes.pop()
            elif words[0] == "$var":
                code, name = words[3], words[4]
                unit = next((scope for scope in scopes if scope in instances), AROUND)
                if any(_LEFT_OUT.search(each) for each in (name, *scopes)):
                    continue
                if unit == AROUND:
                    if not (cells_only and _PART.search(name)):
                        outside.add(code)
                elif not cells_only or _CELL.fullmatch(name):
                    within.setdefault(code, unit)
        else:
            raise ToolFailed("verilator", f"wrote a wave file without definitions: {path.name}")
    return {**dict.fromkeys(outside, AROUND), **within}
