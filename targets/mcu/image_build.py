"""Builds the firmware of a network into an image for a core, and keeps what was built."""

from __future__ import annotations

import hashlib
import tempfile
from collections import OrderedDict
from pathlib import Path

from .cores import Core
from .firmware import Firmware
from .image import Image, read_image
from .packaging import stub_text
from .toolchain import MemoryMap, build

__all__ = ["board_elf", "board_image", "library_image"]

_KEPT = 16
_elfs: OrderedDict[str, bytes] = OrderedDict()


def _write(files: dict[str, str], folder: Path) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def _elf(
    core: Core,
    files: dict[str, str],
    sources: list[str],
    keep: tuple[str, ...],
    defines: dict[str, str],
    optimize: str,
    memory: MemoryMap,
) -> bytes:
    digest = hashlib.sha256(
        repr((core, sorted(files.items()), sources, keep, sorted(defines.items()), optimize, memory)).encode()
    ).hexdigest()
    if digest in _elfs:
        _elfs.move_to_end(digest)
        return _elfs[digest]
    with tempfile.TemporaryDirectory(prefix="edgeml-firmware-") as name:
        folder = Path(name)
        _write(files, folder)
        elf = build(
            core,
            [folder / source for source in sources],
            include=[folder / "include", folder / "hil"],
            keep=keep,
            defines=defines,
            optimize=optimize,
            memory=memory,
            where=f"firmware for {core.title}",
        )
    _elfs[digest] = elf
    while len(_elfs) > _KEPT:
        _elfs.popitem(last=False)
    return elf


def library_image(
    firmware: Firmware, core: Core, *, trace: bool = False, self_test: bool = False, optimize: str = "-O2"
) -> Image:
    """The network alone: its entry points, without start-up code."""
    name = firmware.program.plan.name
    keep = [f"{name}_invoke"]
    keep += [f"{name}_trace"] if trace else []
    keep += [f"{name}_self_test"] if self_test else []
    defines = {f"{firmware.program.plan.macro}_WITH_TRACE": "1"} if trace else {}
    return read_image(_elf(core, firmware.files, firmware.sources, tuple(keep), defines, optimize, MemoryMap()))


def board_elf(
    firmware: Firmware, core: Core, *, uart: int, ticks_per_second: int, memory: MemoryMap, optimize: str = "-O2"
) -> bytes:
    """A whole program for an emulated board: start-up code, UART and the device's side of hardware in the loop."""
    name = firmware.program.plan.name
    files = {**firmware.files, "board/mps2.c": stub_text("boards/mps2.c")}
    sources = [*firmware.sources, f"hil/{name}_hil.c", "hil/edgeml_hil.c", "board/mps2.c"]
    defines = {
        "EDGEML_UART": f"{uart:#x}u",
        "EDGEML_HIL_START": f"{name}_hil_start",
        "EDGEML_HIL_RECEIVE": f"{name}_hil_receive",
        "EDGEML_TICKS_PER_SECOND": f"{ticks_per_second}u",
        f"{firmware.program.plan.macro}_WITH_TRACE": "1",
    }
    return _elf(core, files, sources, ("edgeml_reset",), defines, optimize, memory)


def board_image(firmware: Firmware, core: Core, *, uart: int, optimize: str = "-O2") -> Image:
    """The same, read, for a board whose clock has no known rate."""
    return read_image(board_elf(firmware, core, uart=uart, ticks_per_second=0, memory=MemoryMap(), optimize=optimize))
