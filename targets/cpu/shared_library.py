"""Shared libraries that are compiled for this machine, once for the same C, and kept in the user's cache."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache as once
from pathlib import Path

from edgeml.system import cache
from edgeml.system.scratch import ScratchFolder

from .compiler import Compiler

__all__ = ["build_library"]

_KIND = "libraries"
_NAME = "network.so"
_uncached: dict[str, ScratchFolder] = {}
"""Folders of libraries that the cache did not take, by key, as long as this process lives."""


def build_library(compiler: Compiler, files: Mapping[str, str], sources: Sequence[str], flags: Sequence[str]) -> Path:
    """A shared library of `files` (text by relative path), of which `sources` are compiled; built once for the same
    files, compiler, flags and processor. Code is loaded from where it lies: only the user can write there."""
    texts = [part for name_and_text in files.items() for part in name_and_text]
    key = cache.digest_of(*compiler.command, compiler.version, _machine(), *flags, *sources, *texts)
    if kept := cache.find(_KIND, key):
        return kept
    if key in _uncached:
        return _uncached[key].path / _NAME
    building = ScratchFolder("library")
    for name, text in files.items():
        path = building.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    library = building.path / _NAME
    compiler.shared_library([building.path / name for name in sources], library, flags)
    if kept := cache.keep(_KIND, key, library.read_bytes()):
        building.remove()
        return kept
    _uncached[key] = building
    return library


@once
def _machine() -> str:
    """What -march=native means here: a home folder may be shared by different machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return " ".join(os.uname()) if hasattr(os, "uname") else ""
    wanted = ("model name", "flags", "features", "cpu part")
    return "\n".join(dict.fromkeys(line for line in lines if line.lower().startswith(wanted)))
