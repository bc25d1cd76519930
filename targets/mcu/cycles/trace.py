"""The cycles of a run: blocks of instructions counted on the emulated core, each at what it costs.

What a block costs is computed once; a run costs the sum over blocks and over the jumps between them, and what its lines
of flash take. So a run takes as long as when its instructions are counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..emulator import Emulator
from .core_timing import CoreTiming
from .flash_timing import FlashLines, FlashTiming
from .operations import Operation, operations

__all__ = ["CycleCount", "Trace", "cycles_of_call"]

Read = Callable[[int, int], bytes]


@dataclass(frozen=True)
class CycleCount:
    """Cycles of a run, by model.

    Parameters
    ----------
    core : of the core, as if memory answered at once.
    flash : what waiting for flash adds; None where the part's flash is not known.
    """

    core: int
    flash: int | None = None

    @property
    def total(self) -> int:
        """All of them."""
        return self.core + (self.flash or 0)


class Trace:
    """Counts the cycles of a run from its blocks and its loads.

    Parameters
    ----------
    timing : of the core. architecture : `arm` or `riscv`. read : memory, for the code of a block.
    flash : of the part; None where it is not known.
    """

    def __init__(self, timing: CoreTiming, architecture: str, read: Read, flash: FlashTiming | None = None) -> None:
        self._timing, self._architecture, self._read = timing, architecture, read
        self._flash = flash
        self._lines = FlashLines(flash) if flash else None
        self._blocks: dict[tuple[int, int], tuple[tuple[Operation, ...], int]] = {}
        self._jumps: dict[tuple[int, int], int] = {}
        self._end, self._last = -1, (-1, 0)
        self._cycles = self._waited = 0

    def begin(self) -> None:
        """Start to count anew; what caches hold is kept."""
        self._end, self._cycles, self._waited = -1, 0, 0

    def block(self, address: int, size: int) -> None:
        """A block of instructions is about to run."""
        key = (address, size)
        block = self._blocks.get(key)
        if block is None:
            content = operations(self._architecture, self._read(address, size))
            block = self._blocks[key] = content, self._timing.block(content)
        if self._end >= 0 and address != self._end:
            self._cycles += self._jump(self._last, key, block[0][0])
        self._cycles += block[1]
        self._end, self._last = address + size, key
        if self._lines is not None:
            self._waited += self._lines.fetched(address, size, block[1])

    def _jump(self, last: tuple[int, int], key: tuple[int, int], target: Operation) -> int:
        jump = (last[0], key[0])
        if jump not in self._jumps:
            self._jumps[jump] = self._timing.jump(self._blocks[last][0][-1], target, key[0])
        return self._jumps[jump]

    def loaded(self, address: int) -> None:
        """A load from flash."""
        if self._lines is not None:
            self._waited += self._lines.read(address)

    @property
    def cycles(self) -> CycleCount:
        """Those since the last `begin`."""
        return CycleCount(self._cycles, self._waited if self._flash else None)


def cycles_of_call(
    emulator: Emulator, timing: CoreTiming, function: str, *arguments: int, flash: FlashTiming | None = None
) -> CycleCount:
    """Cycles of a call of a firmware function; with flash, of the second of two calls: its caches hold before it what
    the first left there."""
    trace = Trace(timing, emulator.core.architecture, emulator.read, flash)
    for _ in range(1 if flash is None else 2):
        trace.begin()
        loaded = None if flash is None else trace.loaded
        emulator.call_watched(function, *arguments, block=trace.block, loaded=loaded)
    return trace.cycles
