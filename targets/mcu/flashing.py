"""The command that writes a bundle's image into the flash of its board: a copy to its drive, or a probe's program."""

from __future__ import annotations

import os
import shutil
import string
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from edgeml.errors import InputError
from edgeml.extras import install_extra

from .board import Board, board_of
from .board_image import image_path

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["LOADERS", "flash_command"]

LOADERS: Mapping[str, str] = {
    "pyocd": "pip install pyocd; parts that it does not know: pyocd pack install PART",
    "openocd": "Debian: apt install openocd",
    "wlink": "cargo install --git https://github.com/ch32-rs/wlink",
}
"""How to install each program, by its name."""

_INFO = "INFO_UF2.TXT"
_LARGEST_INFO = 4096


def _mounted() -> Iterable[Path]:
    """Folders where systems show drives that are plugged in."""
    for base in ("/media", "/run/media", "/Volumes", "/mnt"):
        folder = Path(base)
        for pattern in ("*", "*/*"):
            yield from sorted(folder.glob(pattern)) if folder.is_dir() else ()
    if os.name == "nt":
        yield from (Path(f"{letter}:/") for letter in string.ascii_uppercase)


def _drive(name: str, folders: Iterable[Path]) -> Path | None:
    """The drive whose information file says that it is the board `name`."""
    for folder in folders:
        try:
            with (folder / _INFO).open("rb") as file:
                text = file.read(_LARGEST_INFO).decode("ascii", "replace")
        except OSError:
            continue
        said = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("Board-ID:")]
        if said == [name]:
            return folder
    return None


def _commands(board: Board, files: Mapping[str, str]) -> dict[str, list[str]]:
    """The commands of the programs that can load the board."""
    tools, found = board.tools or {}, {}
    if "pyocd" in tools:
        found["pyocd"] = ["pyocd", "load", "--target", tools["pyocd"], files["hex"]]
    if "openocd_target" in tools and "openocd_interface" in tools:
        scripts = [f"interface/{tools['openocd_interface']}.cfg", f"target/{tools['openocd_target']}.cfg"]
        program = f"program {{{files['elf']}}} verify reset exit"
        found["openocd"] = ["openocd", "-f", scripts[0], "-f", scripts[1], "-c", program]
    if "wlink" in tools:
        address = f"{board.written_at:#010x}"
        found["wlink"] = ["wlink", "--chip", tools["wlink"], "flash", "--address", address, files["bin"]]
    return found


def flash_command(bundle: Bundle) -> list[str]:
    """The command: a copy of the UF2 file where the board's drive is there, else the first program of a probe that is
    installed, else the first. InputError where the bundle has no image, or the board's drive is not there."""
    where, board = f"bundle {bundle.folder}", board_of(bundle.profile.name, bundle.profile.values)
    if board is None:
        raise InputError(where, f"is for the part {bundle.profile.name}, not for a board", "Convert with --board")
    paths = {ending: image_path(bundle, ending) for ending in ("elf", "bin", "hex", "uf2")}
    files = {ending: str(bundle.folder / path) for ending, path in paths.items() if path is not None}
    if not {"elf", "bin", "hex"} <= set(files):
        remedy = f"{install_extra('mcu')}, and convert again: the image is built by zig"
        raise InputError(where, "holds no image", remedy)
    commands = _commands(board, files)
    wanted = (board.tools or {}).get("uf2_drive")
    if wanted and "uf2" in files:
        if drive := _drive(wanted, _mounted()):
            target = str(drive / Path(files["uf2"]).name)
            return ["cmd", "/c", "copy", files["uf2"], target] if os.name == "nt" else ["cp", files["uf2"], target]
        if not any(map(shutil.which, commands)):
            remedy = f"Plug it in with its BOOT button held, then run this again, or copy {files['uf2']} yourself"
            raise InputError(f"board {board.name}", f"shows no drive whose {_INFO} says {wanted}", remedy)
    if not commands:
        raise InputError(f"board {board.name}", "is not one that a program loads", f"Load {files['elf']} by your tool")
    return next((command for name, command in commands.items() if shutil.which(name)), next(iter(commands.values())))
