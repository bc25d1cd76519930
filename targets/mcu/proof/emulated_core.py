"""The emulated core that a proof is held against: Unicorn's, or QEMU's where Unicorn has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..boards import qemu_missing
from ..cores import Core
from ..emulator import Call, Emulator
from ..image import Image
from ..qemu_core import QemuCore

__all__ = ["EmulatedCore", "emulated_core", "emulated_core_missing"]


class EmulatedCore(Protocol):
    """A core with an image in its memory, whose functions can be called (see `Emulator`)."""

    @property
    def core(self) -> Core:
        """The core that is emulated."""

    @property
    def image(self) -> Image:
        """The image that is loaded."""

    @property
    def stack(self) -> tuple[int, int]:
        """The first address of the stack's memory, and the one behind its last."""

    @property
    def returns_to(self) -> int:
        """Where functions that are called return to."""

    def allocate(self, size: int, alignment: int = 8) -> int:
        """Address of `size` bytes of memory that the caller owns."""

    def write(self, address: int, content: bytes) -> None:
        """Put bytes into memory."""

    def read(self, address: int, size: int) -> bytes:
        """Bytes from memory."""

    def call(self, function: str, *arguments: int) -> Call:
        """Call `function`; CheckFailed where the code faults or does not return."""

    def blocks(self, function: str, *arguments: int) -> list[tuple[int, ...]]:
        """Call `function`: of each block of instructions its address, their number, and the registers before it."""

    def call_holding(
        self, function: str, *arguments: int, entry: int, contents: Mapping[int, bytes], place: int, size: int
    ) -> bytes:
        """Call `function` with `contents` in memory at `entry`: the bytes at `place` when that code has returned."""

    def makes_access(self, function: str, *arguments: int, at: int, address: int, size: int, write: bool) -> bool:
        """Call `function`; whether the instruction at `at` makes that access."""


def emulated_core(core: Core, image: Image) -> EmulatedCore:
    """The core with an image, in Unicorn or in QEMU. MissingTool where that is not there."""
    return QemuCore(core, image) if core.mve else Emulator(core, image)


def emulated_core_missing(core: Core) -> str:
    """What else to install than what all cores need; empty if nothing."""
    return qemu_missing() if core.mve else ""
