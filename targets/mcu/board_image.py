"""The image of a network for a board, as it lies in a bundle, and the check that a bundle's is the one that is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeml.errors import CheckFailed, InputError
from edgeml.metrics.json_values import mapping
from edgeml.system.regular_file import holds

from .board import Board, board_of
from .board_files import FOLDER, board_files
from .boot import check_boot
from .cores import Core, core
from .executor import checked_firmware, recorded_optimization
from .firmware import Firmware
from .flash_formats import flash_bytes, intel_hex, uf2
from .image import read_image
from .image_build import board_elf
from .measure import OPTIMIZATIONS, Measurement
from .toolchain import compiler_version

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["IMAGE", "BoardImage", "checked_image", "image_path", "make_image"]

IMAGE = "image"
"""What the target's metrics say of the image."""

_STACK_AROUND = 512
"""Bytes of stack for what calls the network: the start, the loop, the protocol."""
_STACK_UNMEASURED = 1536


@dataclass(frozen=True)
class BoardImage:
    """An image and its sources.

    Parameters
    ----------
    files : content by path within the bundle; without a compiler, the sources alone.
    elf : the program; b"" without a compiler.
    metrics : what the bundle says of it.
    """

    files: Mapping[str, bytes]
    elf: bytes
    metrics: Mapping[str, Any]


def make_image(
    firmware: Firmware, chip: Core, board: Board, found: Measurement | None, missing: str = ""
) -> BoardImage:
    """The image of `firmware` for `board`, with the integers of every layer where these fit the board too.

    found : what was measured of the network: how it is optimized, and its stack. missing : why nothing can be built, ""
    if it can. Raises CheckFailed where the board's memory does not hold it.
    """
    optimize = found.optimize if found else OPTIMIZATIONS[0]
    stack = found.stack if found and found.stack is not None else _STACK_UNMEASURED
    reserved = -(-(stack + _STACK_AROUND) // 8) * 8
    if missing:
        texts = board_files(firmware, chip, board, optimize, reserved, more=False)
        return BoardImage({path: text.encode() for path, text in texts.items()}, b"", {})
    try:
        return _built(firmware, chip, board, optimize, reserved, trace=True)
    except CheckFailed:
        return _built(firmware, chip, board, optimize, reserved, trace=False)


def _built(firmware: Firmware, chip: Core, board: Board, optimize: str, stack: int, trace: bool) -> BoardImage:
    elf = board_elf(firmware, chip, board, optimize=optimize, stack=stack, more=trace)
    image = read_image(elf)
    content = flash_bytes(image, board.memory)
    check_boot(board.boot, content)
    name = f"{FOLDER}/{firmware.program.layout.name}"
    texts = board_files(firmware, chip, board, optimize, stack, trace)
    files = {path: text.encode() for path, text in texts.items()}
    files |= {
        f"{name}.elf": elf,
        f"{name}.bin": content,
        f"{name}.hex": intel_hex(content, board.written_at).encode(),
    }
    if board.uf2_family:
        files[f"{name}.uf2"] = uf2(content, board.written_at, board.uf2_family)
    memory = board.memory
    metrics = {
        IMAGE: {"name": name, "trace": trace, "stack_bytes": stack, "compiler": compiler_version()},
        "image_flash_bytes": {"used": len(content), "budget": memory.flash_size},
        "image_ram_bytes": {"used": image.ram, "budget": memory.ram_size},
    }
    return BoardImage(files, elf, metrics)


def _said(bundle: Bundle) -> Mapping[str, Any]:
    return mapping(bundle.target_metrics.further.get(IMAGE))


def image_path(bundle: Bundle, ending: str) -> str | None:
    """Path within the bundle of its image with that ending, None where it holds none."""
    path = f"{_said(bundle).get('name')}.{ending}"
    return path if path.startswith(f"{FOLDER}/") and path in bundle.manifest["files"] else None


def checked_image(bundle: Bundle) -> tuple[Board, bytes]:
    """The board of a bundle, and its image's ELF, which equals what this edgeml and its compiler make, byte for byte.

    InputError where the bundle has none; CheckFailed where it differs: nobody's code but our own is run.
    """
    board = board_of(bundle.profile.name, bundle.profile.values)
    path = image_path(bundle, "elf")
    if board is None or path is None:
        raise InputError(f"bundle {bundle.folder}", "holds no image of a board", "Convert with --board")
    said, chip = _said(bundle), core(str(bundle.profile.values["core"]))
    stack, trace = said.get("stack_bytes"), said.get("trace")
    firmware = checked_firmware(bundle)
    if type(stack) is int and 0 <= stack < board.memory.ram_size and isinstance(trace, bool):
        made = _built(firmware, chip, board, recorded_optimization(bundle), stack, trace)
        if holds(bundle.folder / path, made.elf):
            return board, made.elf
    raise CheckFailed(
        str(bundle.folder / path),
        f"differs from the image that this edgeml makes with {compiler_version()}, and is not run",
        f"It was made with {said.get('compiler')}; convert the model again, or flash it if you trust it",
    )
