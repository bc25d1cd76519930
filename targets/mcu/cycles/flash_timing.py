"""What flash adds to a run: cycles for lines that are in no cache, by the part's figures in its profile."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgeml.profile_fields import Field, Flag, Whole

__all__ = ["FLASH_FIELDS", "FlashLines", "FlashTiming", "flash_timing"]

FLASH_FIELDS: Mapping[str, Field] = {
    "flash_wait_states": Whole(0, 10_000),
    "flash_line_bytes": Whole(1, 4096),
    "code_cache_lines": Whole(1, 1 << 20),
    "data_cache_lines": Whole(1, 1 << 20),
    "flash_prefetch": Flag(),
    "flash_shared_cache": Flag(),
}
"""Of a part, at its `clock_hz`: `flash_wait_states` cycles that a line of `flash_line_bytes` takes beside the first;
`code_cache_lines` and `data_cache_lines` that are held (1: the line that was read last); `flash_prefetch`: the next
line of code is read while one is executed; `flash_shared_cache`: code and data share the lines of code."""


@dataclass(frozen=True)
class FlashTiming:
    """See `FLASH_FIELDS`."""

    wait_states: int
    line_bytes: int
    code_lines: int = 1
    data_lines: int = 1
    prefetch: bool = False
    shared: bool = False


def flash_timing(profile: Mapping[str, Any]) -> FlashTiming | None:
    """The timing that a profile's values tell; None where they tell none."""
    if "flash_wait_states" not in profile or "flash_line_bytes" not in profile:
        return None
    return FlashTiming(
        profile["flash_wait_states"],
        profile["flash_line_bytes"],
        profile.get("code_cache_lines", 1),
        profile.get("data_cache_lines", 1),
        profile.get("flash_prefetch", False),
        profile.get("flash_shared_cache", False),
    )


class FlashLines:
    """The lines that are held while a run goes on: those used last, of code and of data."""

    def __init__(self, timing: FlashTiming) -> None:
        self._timing = timing
        self._code: OrderedDict[int, None] = OrderedDict()
        self._data = self._code if timing.shared else OrderedDict()
        self._last = -2  # no line's neighbour

    def fetched(self, address: int, size: int, cycles: int) -> int:
        """Cycles that a block of code of `size` bytes, which takes so many `cycles`, waits for its lines."""
        timing, waited = self._timing, 0
        first, last = address // timing.line_bytes, (address + size - 1) // timing.line_bytes
        for line in range(first, last + 1):
            if self._missing(self._code, line, timing.code_lines):
                hidden = cycles * timing.line_bytes // size if timing.prefetch and line == self._last + 1 else 0
                waited += max(0, timing.wait_states - hidden)
            self._last = line
        return waited

    def read(self, address: int) -> int:
        """Cycles that a load from flash waits."""
        timing = self._timing
        lines = timing.code_lines if timing.shared else timing.data_lines
        return timing.wait_states if self._missing(self._data, address // timing.line_bytes, lines) else 0

    def _missing(self, held: OrderedDict[int, None], line: int, most: int) -> bool:
        if line in held:
            held.move_to_end(line)
            return False
        held[line] = None
        if len(held) > most:
            held.popitem(last=False)
        return True
