"""The bodies that the kernels' C has, and the intermediate form that clang makes of each."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from edgeml.extras import install_extra
from edgeml.system.scratch import ScratchFolder
from edgeml.system.time_limit import seconds_for
from edgeml.system.tool import run_tool
from edgeml.targets.c import CProgram

from .ir_module import Module
from .ir_reader import read_module

__all__ = ["BODIES", "Body", "module_of"]

_SECONDS = 120.0
_FLAGS = ("-std=c99", "-g0", "-O1", "-Xclang", "-disable-llvm-passes", "-S", "-emit-llvm")


@dataclass(frozen=True)
class Body:
    """What processors a body is for.

    Parameters
    ----------
    title : for people. machine : as the platform calls it. flags : for zig cc. features : as Linux calls them in
        /proc/cpuinfo, without which it cannot be run. native : flags with which a compiler of this machine takes it.
    """

    title: str
    machine: str
    flags: tuple[str, ...]
    features: tuple[str, ...] = ()
    native: tuple[str, ...] = ()


_X86 = ("-target", "x86_64-linux-musl")
BODIES = {
    "portable": Body("any processor", "", (*_X86, "-DEDGEML_PORTABLE"), (), ("-DEDGEML_PORTABLE",)),
    "avx2": Body("x86-64 with AVX2", "x86_64", (*_X86, "-mcpu=haswell"), ("avx2",), ("-march=haswell",)),
    "avx512": Body(
        "x86-64 with AVX-512 VNNI and VBMI",
        "x86_64",
        (*_X86, "-mcpu=icelake_server"),
        ("avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512vbmi", "avx512_vpopcntdq"),
        ("-march=icelake-server",),
    ),
    "neon": Body("AArch64 with NEON", "aarch64", ("-target", "aarch64-linux-musl")),
}
"""By the name of the prover's part."""


def module_of(program: CProgram, body: Body) -> Module:
    """The program as clang's front end reads it, nothing of it optimized. Raises ToolFailed, Unread."""
    name = program.layout.name
    with ScratchFolder("proof") as folder:
        for path, text in program.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "ziglang", "cc", *body.flags, *_FLAGS, f"{name}.c", "-o", f"{name}.ll"]
        remedy = f"Install the version of ziglang that edgeml names: {install_extra('toolchain')}"
        run_tool(command, folder, seconds_for(_SECONDS), "zig cc", None, remedy)
        return read_module((folder / f"{name}.ll").read_text(encoding="utf-8"))
