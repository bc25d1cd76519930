"""The very image of a bundle in Unicorn, from its reset vector, with a model of its part around the core."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from edgeml.errors import CheckFailed

from .board import Board, board_of
from .board_image import checked_image
from .boot import BOOT2_BYTES, check_boot
from .cores import CORES, Core, core
from .emulator import Emulator
from .flash_formats import flash_bytes
from .image import Image, Segment, read_image
from .measure import measuring_missing
from .models import chip_of

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["UnicornImage", "UnicornImageLink"]

_REGISTERS = ((0x1800_0000, 0x1000), (0x4000_0000, 0x2000_0000), (0xE000_0000, 0x10_0000))
"""Where parts have their registers: the RP2040's SSI, peripherals, the core's own."""
_BOOT_COPY = 0x2004_1F00
"""Where the RP2040's boot ROM puts the first 256 bytes of flash."""
_UNKNOWN_RAM = b"\xa5"


class UnicornImageLink:
    """The serial port of a board whose part is modelled. The core runs only while `read` waits, and stops when its
    program looks for a byte that has not come, so a run repeats exactly."""

    def __init__(self, board: Board, chip: Core, elf: bytes) -> None:
        image = read_image(elf)
        content = flash_bytes(image, board.memory)
        check_boot(board.boot, content)
        self.name = f"unicorn-{board.name}"
        model = chip_of(board)
        assert model is not None
        in_flash = _as_in_flash(image, board, content)
        boots_in_ram = board.boot == "rp2040"
        self._emulator = Emulator(chip, in_flash, memory=board.memory, code_in_ram=boots_in_ram)
        self._chip = model(board, self._emulator.stop)
        self._emulator.write(board.memory.ram, _UNKNOWN_RAM * board.memory.ram_size)
        for start, size in _REGISTERS:
            self._emulator.add_device(start, size, self._reader(start), self._writer(start))
        self._emulator.count_into(self._count)
        self._start(board, chip, content)

    def _reader(self, start: int) -> Callable[[int], int]:
        return lambda offset: self._chip.read(start + offset)

    def _writer(self, start: int) -> Callable[[int, int], None]:
        return lambda offset, value: self._chip.write(start + offset, value)

    def _count(self, instructions: int) -> None:
        self._chip.instructions += instructions

    def _start(self, board: Board, chip: Core, flash: bytes) -> None:
        """As the part's reset, or its boot ROM, does."""
        if chip.architecture != "arm":
            self._emulator.start(board.memory.flash)
        elif board.boot == "rp2040":
            self._emulator.write(_BOOT_COPY, flash[:BOOT2_BYTES])
            self._emulator.start(_BOOT_COPY, stack=_BOOT_COPY)
        else:
            stack, entry = struct.unpack("<2I", flash[:8])
            if not entry & 1:
                raise CheckFailed(self.name, f"the reset vector is {entry:#x}, which is not a Thumb address")
            self._emulator.start(entry, stack=stack)

    def write(self, content: bytes) -> None:
        """Bytes for the program to receive."""
        self._chip.incoming.extend(content)

    def read(self, timeout: float) -> bytes:
        """What the program sends until it waits for more. CheckFailed where it lost a byte, with why."""
        if self._chip.incoming:
            self._chip.waits()
            self._emulator.resume()
        if self._chip.fault:
            raise CheckFailed(self.name, self._chip.fault)
        content, self._chip.outgoing = bytes(self._chip.outgoing), bytearray()
        return content

    def close(self) -> None:
        """Nothing to give back: the emulator goes with this object."""


def _as_in_flash(image: Image, board: Board, content: bytes) -> Image:
    """The image with all its bytes where flash holds them: nothing is in RAM before the program puts it there."""
    return replace(image, segments=(Segment(board.memory.flash, board.memory.flash, content, len(content)),))


class UnicornImage:
    """The very image of a bundle, in Unicorn, with a model of its board's part."""

    counts: ClassVar[str] = "instructions"

    def applies(self, bundle: Bundle) -> bool:
        """Bundles for a board whose core Unicorn has, and whose part is modelled."""
        profile = bundle.profile
        if profile.kind != "mcu" or not profile.values.get("uart") or profile.values.get("core") not in CORES:
            return False
        board = board_of(profile.name, profile.values)
        return board is not None and chip_of(board) is not None and bool(core(profile.values["core"]).unicorn_model)

    def missing(self, bundle: Bundle) -> str:
        """Needs zig cc, to see that the image is ours, Unicorn and pyelftools."""
        return measuring_missing()

    def start(self, bundle: Bundle) -> UnicornImageLink:
        """Reset the part."""
        board, elf = checked_image(bundle)
        return UnicornImageLink(board, core(str(bundle.profile.values["core"])), elf)
