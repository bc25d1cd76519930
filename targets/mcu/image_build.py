"""Builds the firmware of a network into an image for a core, and keeps what was built."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from edgeml.errors import MissingTool
from edgeml.system import cache
from edgeml.system.scratch import ScratchFolder

from . import toolchain
from .cores import Core
from .firmware import Firmware
from .image import Image, read_image
from .packaging import stub_text
from .toolchain import MemoryMap

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
    trap: bool = False,
) -> bytes:
    if missing := toolchain.compiler_missing():
        raise MissingTool(f"firmware for {core.title}", f"needs {missing}")
    made_from = repr((core, sorted(files.items()), sources, keep, sorted(defines.items()), optimize, memory, trap))
    # The toolchain's own text, too: its flags are part of what an image is made from.
    digest = cache.digest_of(made_from, toolchain.compiler_version(), Path(toolchain.__file__).read_bytes())
    if digest in _elfs:
        _elfs.move_to_end(digest)
        return _elfs[digest]
    elf = _built(core, files, sources, keep, defines, optimize, memory, trap, digest)
    _elfs[digest] = elf
    while len(_elfs) > _KEPT:
        _elfs.popitem(last=False)
    return elf


def _built(
    core: Core,
    files: dict[str, str],
    sources: list[str],
    keep: tuple[str, ...],
    defines: dict[str, str],
    optimize: str,
    memory: MemoryMap,
    trap: bool,
    digest: str,
) -> bytes:
    """The ELF from the user's cache, else built and kept there."""
    if kept := cache.find("firmware", digest):
        with suppress(OSError):  # dropped by another process meanwhile
            return kept.read_bytes()
    with ScratchFolder("firmware") as folder:
        _write(files, folder)
        elf = toolchain.build(
            core,
            [folder / source for source in sources],
            include=[folder / "include", folder / "hil"],
            keep=keep,
            defines=defines,
            optimize=optimize,
            memory=memory,
            where=f"firmware for {core.title}",
            trap=trap,
        )
    cache.keep("firmware", digest, elf)
    return elf


def library_image(
    firmware: Firmware,
    core: Core,
    *,
    trace: bool = False,
    self_test: bool = False,
    optimize: str = "-O2",
    also: tuple[str, ...] = (),
    trap: bool = False,
    sensor: bool = False,
) -> Image:
    """The network alone: its entry points and the functions of `also`, without start-up code. trap : see `build`.

    sensor : with what makes input integers of real numbers and raw counts, and real numbers of output integers.
    """
    name = firmware.program.layout.name
    keep = [f"{name}_invoke"]
    keep += [f"{name}_trace"] if trace else []
    keep += [f"{name}_self_test"] if self_test else []
    if sensor:
        keep += [f"{name}_quantize", f"{name}_dequantize"]
        keep += [f"{name}_quantize_s16"] if f"src/{name}_counts.c" in firmware.files else []
    keep += also
    sources = firmware.sources + (firmware.sensor_sources if sensor else [])
    defines = {f"{firmware.program.layout.macro}_WITH_TRACE": "1"} if trace else {}
    return read_image(_elf(core, firmware.files, sources, tuple(keep), defines, optimize, MemoryMap(), trap))


def board_elf(
    firmware: Firmware, core: Core, *, uart: int, ticks_per_second: int, memory: MemoryMap, optimize: str = "-O2"
) -> bytes:
    """A whole program for an emulated board: start-up code, UART and the device's side of hardware in the loop."""
    name = firmware.program.layout.name
    files = {**firmware.files, "board/mps2.c": stub_text("boards/mps2.c")}
    sources = [*firmware.sources, f"hil/{name}_hil.c", "hil/edgeml_hil.c", "board/mps2.c"]
    defines = {
        "EDGEML_UART": f"{uart:#x}u",
        "EDGEML_HIL_START": f"{name}_hil_start",
        "EDGEML_HIL_RECEIVE": f"{name}_hil_receive",
        "EDGEML_TICKS_PER_SECOND": f"{ticks_per_second}u",
        f"{firmware.program.layout.macro}_WITH_TRACE": "1",
    }
    return _elf(core, files, sources, ("edgeml_reset",), defines, optimize, memory)


def board_image(firmware: Firmware, core: Core, *, uart: int, optimize: str = "-O2") -> Image:
    """The same, read, for a board whose clock has no known rate."""
    return read_image(board_elf(firmware, core, uart=uart, ticks_per_second=0, memory=MemoryMap(), optimize=optimize))
