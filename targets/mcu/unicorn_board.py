"""A board around a core in Unicorn: a UART and a counter of instructions, driven by whoever reads the link."""

from __future__ import annotations

from collections import deque

from .cores import Core
from .emulator import Emulator
from .image import Image

__all__ = ["UART", "UnicornLink"]

UART = 0x4000_4000
_UART_DATA, _UART_STATE = 0x0, 0x4
_RECEIVED = 2
_SYSTEM_PAGE, _SYSTICK_VALUE = 0xE000_E000, 0x018
_COUNTER_BITS = 24


class UnicornLink:
    """The UART of the board. The core runs only while `read` waits, and stops when its firmware asks for a byte that
    has not come: no time passes in between, so a run repeats exactly."""

    def __init__(self, core: Core, image: Image) -> None:
        self.name = f"unicorn-{core.name}"
        self._emulator = Emulator(core, image)
        self._incoming: deque[int] = deque()
        self._outgoing = bytearray()
        self._instructions = 0
        self._waiting = False
        self._emulator.add_device(UART & ~0xFFF, 0x1000, self._read_uart, self._write_uart)
        self._emulator.add_device(_SYSTEM_PAGE, 0x1000, self._read_system, lambda offset, value: None)
        self._emulator.count_into(self._count)
        self._emulator.start(image.address("edgeml_reset"))

    def _count(self, instructions: int) -> None:
        self._instructions += instructions

    def _read_uart(self, offset: int) -> int:
        if offset == _UART_DATA and self._incoming:
            return self._incoming.popleft()
        if offset == _UART_STATE:
            if self._incoming:
                return _RECEIVED
            if self._waiting:
                self._emulator.stop()
            self._waiting = True
        return 0

    def _write_uart(self, offset: int, value: int) -> None:
        self._waiting = False
        if offset == _UART_DATA:
            self._outgoing.append(value & 0xFF)

    def _read_system(self, offset: int) -> int:
        if offset == _SYSTICK_VALUE:
            return -self._instructions & ((1 << _COUNTER_BITS) - 1)
        return 0

    def write(self, content: bytes) -> None:
        """Bytes for the core to receive."""
        self._incoming.extend(content)

    def read(self, timeout: float) -> bytes:
        """What the core sends until it waits for more; b"" if it sends nothing."""
        if self._incoming:
            self._waiting = False
            self._emulator.resume()
        content, self._outgoing = bytes(self._outgoing), bytearray()
        return content

    def close(self) -> None:
        """Nothing to give back: the emulator goes with this object."""
