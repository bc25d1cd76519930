"""Emulated boards for `edgeml hil --emulate`: MPS2 boards in QEMU, and any core in Unicorn, with the same firmware."""

from __future__ import annotations

import shutil
import socket
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from edgeml.errors import MissingTool, ToolFailed
from edgeml.hil.link import SocketLink
from edgeml.profile import load_profile
from edgeml.system.bound_program import BoundProgram
from edgeml.system.scratch import ScratchFolder
from edgeml.system.time_limit import OPTION, seconds_for

from .board import Board, board_of
from .board_image import checked_image
from .cores import Core, core
from .executor import bundle_core, checked_firmware, is_firmware, recorded_optimization
from .image_build import board_elf, board_image
from .measure import measuring_missing
from .toolchain import MemoryMap, compiler_missing
from .unicorn_board import UART, UnicornLink

if TYPE_CHECKING:
    from edgeml.bundle import Bundle
    from edgeml.part import Profile

    from .firmware import Firmware

__all__ = ["ICOUNT_NANOSECONDS", "QemuBoard", "QemuImage", "QemuLink", "UnicornBoard", "qemu_missing"]

_ICOUNT_SHIFT = 6
ICOUNT_NANOSECONDS = 1 << _ICOUNT_SHIFT
"""Each instruction takes so long in QEMU's virtual time: 1.6 ticks of a 25 MHz SysTick."""
_START_SECONDS = 30
_PROGRAM = "qemu-system-arm"
_AROUND_A_CORE = Board("", MemoryMap(), uart_base=UART)
"""What a core in Unicorn has around it; its clock has no known rate."""


class QemuBoard:
    """A board in qemu-system-arm: `name` is that of its profile. It runs firmware for its core, whatever the part."""

    counts: ClassVar[str] = "ticks"

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def _profile(self) -> Profile:
        return load_profile(self._name)

    @cached_property
    def board(self) -> Board:
        """The board."""
        found = board_of(self._name, self._profile.values)
        assert found is not None
        return found

    @property
    def core_name(self) -> str:
        """What firmware it runs."""
        return str(self._profile.values["core"])

    def applies(self, bundle: Bundle) -> bool:
        """Bundles with firmware for the board's core."""
        return is_firmware(bundle, self.core_name)

    def missing(self, bundle: Bundle) -> str:
        """Needs QEMU and zig cc."""
        return qemu_missing() or compiler_missing()

    def link(self, firmware: Firmware, optimize: str = "-O2", chip: Core | None = None) -> QemuLink:
        """Build `firmware` for the board, start QEMU, and connect to its serial port. chip : the core that it is built
        for, by default the board's."""
        chip = chip or core(self.core_name)
        return QemuLink(self.board, board_elf(firmware, chip, self.board, optimize=optimize))

    def start(self, bundle: Bundle) -> QemuLink:
        """The same with a bundle's firmware."""
        return self.link(checked_firmware(bundle), recorded_optimization(bundle), bundle_core(bundle))


class QemuImage:
    """The very image of a bundle, in the machine that its board has in QEMU."""

    counts: ClassVar[str] = "ticks"

    def applies(self, bundle: Bundle) -> bool:
        """Bundles for a board that QEMU has."""
        profile = bundle.profile
        return profile.kind == "mcu" and bool(profile.values.get("qemu"))

    def missing(self, bundle: Bundle) -> str:
        """Needs QEMU, and zig cc to see that the image is ours."""
        return qemu_missing() or compiler_missing()

    def start(self, bundle: Bundle) -> QemuLink:
        """Boot it, and connect to its serial port."""
        return QemuLink(*checked_image(bundle))


def qemu_missing() -> str:
    """Empty if QEMU can be started; else what to install."""
    if shutil.which(_PROGRAM) is None:
        return f"{_PROGRAM}: install it with your system's packages (Debian: apt install {_PROGRAM})"
    return ""


class QemuLink(SocketLink):
    """The serial port of a board in QEMU; closing it ends QEMU."""

    def __init__(self, board: Board, elf: bytes) -> None:
        machine, program = board.qemu, shutil.which(_PROGRAM)
        if program is None:
            raise MissingTool(f"qemu-{machine}", f"needs {_PROGRAM}", f"Debian: apt install {_PROGRAM}")
        self._folder = ScratchFolder("qemu")
        path = self._folder.path / "firmware.elf"
        path.write_bytes(elf)
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(seconds_for(_START_SECONDS))
            port = server.getsockname()[1]
            options = ["-icount", f"shift={_ICOUNT_SHIFT},align=off,sleep=off", "-display", "none", "-monitor", "none"]
            self._program = BoundProgram(
                [
                    program,
                    "-machine",
                    machine,
                    *options,
                    *(["-serial", "null"] * board.qemu_serial),
                    "-serial",
                    f"tcp:127.0.0.1:{port},nodelay=on",
                    "-kernel",
                    str(path),
                ]
            )
            try:
                connection, _ = server.accept()
            except OSError as error:
                problem = f"does not start: {self._end() or error}"
                raise ToolFailed(f"qemu-{machine}", problem, f"Allow it more by {OPTION}") from error
        super().__init__(connection, f"qemu-{machine}")

    def _end(self) -> str:
        words = self._program.end()
        self._folder.remove()
        return words

    def close(self) -> None:
        super().close()
        self._end()


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
        chip = bundle_core(bundle)
        image = board_image(firmware, chip, _AROUND_A_CORE, optimize=recorded_optimization(bundle))
        return UnicornLink(chip, image)


qemu_an385 = QemuBoard("mps2-an385")
qemu_an386 = QemuBoard("mps2-an386")
qemu_an500 = QemuBoard("mps2-an500")
qemu_an505 = QemuBoard("mps2-an505")
qemu_an547 = QemuBoard("mps3-an547")
unicorn_m0 = UnicornBoard("m0")
unicorn_m3 = UnicornBoard("m3")
unicorn_m4 = UnicornBoard("m4")
unicorn_m7 = UnicornBoard("m7")
unicorn_m33 = UnicornBoard("m33")
unicorn_rv32 = UnicornBoard("rv32")
