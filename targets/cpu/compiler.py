"""The C compiler: which one there is, and how generated code is built with it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from edgeml.extras import install_extra
from edgeml.system.time_limit import seconds_for
from edgeml.system.tool import run_tool

__all__ = ["WARNINGS", "Compiler", "find_compiler", "missing_compiler"]

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror")
"""What generated code must compile with."""

_INSTALL = f"Install gcc or clang, name a compiler in $CC, or run {install_extra('toolchain')}"
_SECONDS = 600.0


@dataclass(frozen=True)
class Compiler:
    """A C compiler.

    Parameters
    ----------
    command : how it is called.
    version : the first line of what `--version` says.
    zig : whether it is `zig cc`, which can build for any machine.
    """

    command: tuple[str, ...]
    version: str
    zig: bool = False

    def native_flags(self) -> tuple[str, ...]:
        """Flags that allow every instruction of this machine."""
        return ("-mcpu=native",) if platform.machine() in ("aarch64", "arm64") else ("-march=native",)

    def shared_library(self, sources: Sequence[Path], output: Path, flags: Sequence[str]) -> None:
        """Build `output` from `sources`, which lie in one folder; ToolFailed with the compiler's words if it fails."""
        arguments = ["-shared", "-fPIC", "-O3", *WARNINGS, *flags, "-o", str(output.resolve())]
        self.run([*arguments, *(source.name for source in sources)], sources[0].parent)

    def run(self, arguments: Sequence[str], folder: Path) -> None:
        """Call the compiler in `folder`; ToolFailed with its words where it refuses the code or takes too long."""
        remedy = "Name another compiler in $CC, or report the code as a defect of edgeml"
        run_tool([*self.command, *arguments], folder, seconds_for(_SECONDS), f"compiler {self.version}", None, remedy)


def _versioned(command: tuple[str, ...], zig: bool = False) -> Compiler | None:
    version = [*command[:-1], "version"] if zig else [*command, "--version"]
    try:
        done = subprocess.run(
            version, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode or not done.stdout.strip():
        return None
    line = done.stdout.strip().splitlines()[0]
    return Compiler(command, f"zig cc {line}" if zig else line, zig)


@cache
def find_compiler(name: str = "") -> Compiler | None:
    """The compiler to use: $CC, else cc, gcc or clang, else `zig cc` of the package ziglang; None if there is none.
    `name` asks for a certain one: a command, or `zig`."""
    if not name and os.environ.get("CC"):
        name = os.environ["CC"]
    if name and name != "zig":
        return _versioned(tuple(shlex.split(name)))
    if not name:
        for command in ("cc", "gcc", "clang"):
            if (path := shutil.which(command)) and (compiler := _versioned((path,))):
                return compiler
    if importlib.util.find_spec("ziglang") is not None:
        return _versioned((sys.executable, "-m", "ziglang", "cc"), zig=True)
    return None


def missing_compiler() -> str:
    """What to say where `find_compiler()` finds none; empty where it finds one."""
    if find_compiler() is not None:
        return ""
    named = os.environ.get("CC")
    return f"$CC names {named!r}, which does not run. {_INSTALL}" if named else f"there is no C compiler. {_INSTALL}"
