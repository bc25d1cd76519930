"""Emulated boards for `edgeml hil --emulate`: MPS2 boards in QEMU, and any core in Unicorn, with the same firmware."""

from __future__ import annotations

import shutil
import socket
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgeml.errors import MissingTool, ToolFailed
from edgeml.hil.link import SocketLink
from edgeml.system.scratch import ScratchFolder
from edgeml.system.time_limit import OPTION, seconds_for

from .cores import Core, core
from .executor import checked_firmware, is_firmware, recorded_optimization
from .image_build import board_elf, board_image
from .measure import measuring_missing
from .toolchain import MemoryMap, compiler_missing
from .unicorn_board import UART, UnicornLink

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["ICOUNT_NANOSECONDS", "QemuBoard", "UnicornBoard"]

_ICOUNT_SHIFT = 6
ICOUNT_NANOSECONDS = 1 << _ICOUNT_SHIFT
"""Each instruction takes so long in QEMU's virtual time: 1.6 ticks of a 25 MHz SysTick."""
_START_SECONDS = 30


@dataclass(frozen=True)
class QemuBoard:
    """A board in qemu-system-arm.

    Parameters
    ----------
    machine : QEMU's name of it.
    core_name : what firmware it runs.
    uart : address of its first UART.
    memory : where code and data go.
    systick_hz : ticks per second of its SysTick.
    """

    machine: str
    core_name: str
    uart: int
    memory: MemoryMap
    systick_hz: int = 25_000_000
    counts: ClassVar[str] = "ticks"

    def applies(self, bundle: Bundle) -> bool:
        """Bundles with firmware for the board's core."""
        return is_firmware(bundle, self.core_name)

    def missing(self, bundle: Bundle) -> str:
        """Needs QEMU and zig cc."""
        if shutil.which("qemu-system-arm") is None:
            return "qemu-system-arm: install it with your system's packages (Debian: apt install qemu-system-arm)"
        return compiler_missing()

    def start(self, bundle: Bundle) -> SocketLink:
        """Build the firmware, start QEMU, and connect to its UART."""
        firmware = checked_firmware(bundle)
        elf = board_elf(
            firmware,
            core(self.core_name),
            uart=self.uart,
            ticks_per_second=self.systick_hz,
            memory=self.memory,
            optimize=recorded_optimization(bundle),
        )
        return QemuLink(self.machine, elf)


class QemuLink(SocketLink):
    """The UART of a board in QEMU; closing it ends QEMU."""

    def __init__(self, machine: str, elf: bytes) -> None:
        program = shutil.which("qemu-system-arm")
        if program is None:
            raise MissingTool(f"qemu-{machine}", "needs qemu-system-arm", "Debian: apt install qemu-system-arm")
        self._folder = ScratchFolder("qemu")
        path = self._folder.path / "firmware.elf"
        path.write_bytes(elf)
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(seconds_for(_START_SECONDS))
            port = server.getsockname()[1]
            options = ["-icount", f"shift={_ICOUNT_SHIFT},align=off,sleep=off", "-display", "none", "-monitor", "none"]
            self._process = subprocess.Popen(
                [
                    program,
                    "-machine",
                    machine,
                    *options,
                    "-serial",
                    f"tcp:127.0.0.1:{port},nodelay=on",
                    "-kernel",
                    str(path),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            try:
                connection, _ = server.accept()
            except OSError as error:
                self._end()
                assert self._process.stderr is not None
                words = self._process.stderr.read().decode("utf-8", "replace").strip()
                problem = f"does not start: {words or error}"
                raise ToolFailed(f"qemu-{machine}", problem, f"Allow it more by {OPTION}") from error
        super().__init__(connection, f"qemu-{machine}")

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.remove()

    def close(self) -> None:
        super().close()
        self._end()
        if self._process.stderr is not None:
            self._process.stderr.close()


class UnicornBoard:
    """The same firmware on a core in Unicorn, in this process; its UART is this object's, its clock counts
    instructions."""

    counts: ClassVar[str] = "instructions"

    def __init__(self, name: str) -> None:
        self._core: Core = core(name)

    def applies(self, bundle: Bundle) -> bool:
        """Bundles with firmware for this core."""
        return is_firmware(bundle, self._core.name)

    def missing(self, bundle: Bundle) -> str:
        """Needs zig cc, Unicorn and pyelftools."""
        return measuring_missing()

    def start(self, bundle: Bundle) -> UnicornLink:
        """Build the firmware and put it into flash."""
        firmware = checked_firmware(bundle)
        image = board_image(firmware, self._core, uart=UART, optimize=recorded_optimization(bundle))
        return UnicornLink(self._core, image)


_MPS2 = MemoryMap()
_AN505 = MemoryMap(flash=0x1000_0000, ram=0x3800_0000)
qemu_an385 = QemuBoard("mps2-an385", "m3", 0x4000_4000, _MPS2)
qemu_an386 = QemuBoard("mps2-an386", "m4", 0x4000_4000, _MPS2)
qemu_an500 = QemuBoard("mps2-an500", "m7", 0x4000_4000, _MPS2)
qemu_an505 = QemuBoard("mps2-an505", "m33", 0x5020_0000, _AN505, 20_000_000)
_AN547 = MemoryMap(flash=0x1000_0000, flash_size=512 << 10, ram=0x3000_0000, ram_size=512 << 10)
qemu_an547 = QemuBoard("mps3-an547", "m55", 0x5930_3000, _AN547, 32_000_000)
unicorn_m0 = UnicornBoard("m0")
unicorn_m3 = UnicornBoard("m3")
unicorn_m4 = UnicornBoard("m4")
unicorn_m7 = UnicornBoard("m7")
unicorn_m33 = UnicornBoard("m33")
unicorn_rv32 = UnicornBoard("rv32")
