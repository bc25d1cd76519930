"""Builds the firmware of a network into an image for a core, and keeps what was built."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edgeml.errors import CheckFailed, MissingTool, ToolFailed
from edgeml.system import cache
from edgeml.system.scratch import ScratchFolder

from . import toolchain
from .board import Board
from .board_files import CODE, board_files
from .board_files import FOLDER as IMAGES
from .cores import Core
from .firmware import Firmware
from .image import Image, read_image

__all__ = ["board_elf", "board_image", "library_image"]

_KEPT = 16
_DOES_NOT_FIT = re.compile(r"will not fit in region '(FLASH|RAM)': overflowed by (\d+) bytes")
_elfs: OrderedDict[str, bytes] = OrderedDict()


def _write(files: dict[str, str], folder: Path) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def _kept(where: str, made_from: object, build: Callable[[Path], bytes]) -> bytes:
    """The ELF that `build` makes in a folder of its own, or has made of the same before, as the cache knows."""
    if missing := toolchain.compiler_missing():
        raise MissingTool(where, f"needs {missing}")
    # The toolchain's own text, too: its flags are part of what an image is made from.
    digest = cache.digest_of(repr(made_from), toolchain.compiler_version(), Path(toolchain.__file__).read_bytes())
    if digest in _elfs:
        _elfs.move_to_end(digest)
        return _elfs[digest]
    if (elf := _from_cache(digest)) is None:
        with ScratchFolder("firmware") as folder:
            elf = build(folder)
        cache.keep("firmware", digest, elf)
    _elfs[digest] = elf
    while len(_elfs) > _KEPT:
        _elfs.popitem(last=False)
    return elf


def _from_cache(digest: str) -> bytes | None:
    if kept := cache.find("firmware", digest):
        with suppress(OSError):  # dropped by another process meanwhile
            return kept.read_bytes()
    return None


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
    monitor: bool = False,
) -> Image:
    """The network alone: its entry points and the functions of `also`, without start-up code. trap : see `build`.

    sensor : with what makes input integers of real numbers and raw counts, and real numbers of output integers.
    monitor : with the network's monitor.
    """
    name = firmware.program.layout.name
    keep = [f"{name}_invoke"]
    keep += [f"{name}_trace"] if trace else []
    keep += [f"{name}_self_test"] if self_test else []
    if sensor:
        keep += [f"{name}_quantize", f"{name}_dequantize"]
        keep += [f"{name}_quantize_s16"] if f"src/{name}_counts.c" in firmware.files else []
        keep += [f"{name}_probabilities"] if f"src/{name}_probabilities.c" in firmware.files else []
    keep += [f"{name}_invoke_monitored"] if monitor else []
    keep += also
    sources = firmware.sources + (firmware.sensor_sources if sensor or monitor else [])
    defines = {f"{firmware.program.layout.macro}_WITH_TRACE": "1"} if trace else {}
    where = f"firmware for {core.title}"

    def build(folder: Path) -> bytes:
        _write(firmware.files, folder)
        return toolchain.build(
            core,
            [folder / source for source in sources],
            include=[folder / "include", folder / "hil"],
            keep=keep,
            defines=defines,
            optimize=optimize,
            where=where,
            trap=trap,
        )

    made_from = (core, sorted(firmware.files.items()), sources, keep, sorted(defines.items()), optimize, trap)
    return read_image(_kept(where, made_from, build))


def board_elf(
    firmware: Firmware, core: Core, board: Board, *, optimize: str = "-O2", stack: int = 0, more: bool = True
) -> bytes:
    """A whole program for a board: start-up code, clock, serial port and the device's side of hardware in the loop.

    stack : bytes of RAM that must be left for it. more : with each layer's integers, and MLPerf Tiny's commands. Raises
    CheckFailed where it does not fit the board's memory.
    """
    files = {f"{CODE}/{path}": text for path, text in firmware.files.items() if path.endswith((".c", ".h"))}
    files |= board_files(firmware, core, board, optimize, stack, more)
    where = f"image for {board.name or core.title}"
    return _kept(where, (core, sorted(files.items())), lambda folder: _linked(board, files, folder, where))


def _linked(board: Board, files: dict[str, str], folder: Path, where: str) -> bytes:
    """What the build command of an image gives in a folder that has its files."""
    _write(files, folder)
    try:
        toolchain.run_compiler([f"@{IMAGES}/build.args", "-o", "image.elf"], folder, where)
    except ToolFailed as error:
        if found := _DOES_NOT_FIT.search(str(error)):
            region, bytes_over = found.groups()
            size = board.memory.flash_size if region == "FLASH" else board.memory.ram_size
            remedy = "Use fewer bits or neurons, or a board with more memory"
            raise CheckFailed(where, f"passes the {size} bytes of {region} by {bytes_over}", remedy) from error
        raise
    return (folder / "image.elf").read_bytes()


def board_image(firmware: Firmware, core: Core, board: Board, *, optimize: str = "-O2") -> Image:
    """The same, read."""
    return read_image(board_elf(firmware, core, board, optimize=optimize))
