"""Which checks a compiler of this machine can put into C: of accesses to memory and of undefined behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from edgeml.errors import EdgemlError
from edgeml.system.scratch import ScratchFolder
from edgeml.system.time_limit import seconds_for
from edgeml.system.tool import run_tool

from ..compiler import Compiler, find_compiler

__all__ = ["Sanitizers", "find_sanitizers"]

_SECONDS = 60.0
_TRIED = "int main(int count, char **words) { (void)words; return count - 1; }\n"
_BOTH = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
_TRAPS = ("-fsanitize=undefined", "-fsanitize-trap=undefined")


@dataclass(frozen=True)
class Sanitizers:
    """A compiler, and its flags for what it can check.

    Parameters
    ----------
    flags : for the compiler. addresses : whether each access is held against the object that it is meant for; else only
        what leaves the memory that is given to the program is found. lacks : what is not checked, in words.
    """

    compiler: Compiler
    flags: tuple[str, ...]
    addresses: bool
    lacks: str = ""


@cache
def find_sanitizers() -> Sanitizers | None:
    """The most that a compiler of this machine checks, tried on a program of one line; None without a compiler."""
    first, zig = find_compiler(), find_compiler("zig")
    for compiler in (first, zig):
        if compiler is not None and not compiler.zig and _works(compiler, _BOTH):
            return Sanitizers(compiler, _BOTH, True)
    lacks = "no compiler here has AddressSanitizer: install gcc or clang"
    for compiler in (first, zig):
        if compiler is not None and _works(compiler, _TRAPS):
            return Sanitizers(compiler, _TRAPS, False, lacks)
    return None if first is None else Sanitizers(first, (), False, lacks)


def _works(compiler: Compiler, flags: tuple[str, ...]) -> bool:
    """Whether it builds a program with these flags, and that runs."""
    with ScratchFolder("sanitizers") as folder:
        (folder / "tried.c").write_text(_TRIED, encoding="utf-8")
        try:
            compiler.run([*flags, "-o", "tried", "tried.c"], folder)
            run_tool([str(folder / "tried")], folder, seconds_for(_SECONDS), "a program with sanitizers")
        except EdgemlError:
            return False
    return True
