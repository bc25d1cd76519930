"""The bodies of the kernels that this machine can run, as compiler flags."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

import pytest

from edgeml.targets.cpu.compiler import Compiler, find_compiler

__all__ = ["AMX", "BODIES", "body_flags", "native_flags", "the_compiler"]

_AVX512 = ("avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512vbmi")
BODIES = {
    "portable": ((), ("-DEDGEML_PORTABLE",)),
    "avx2": (("avx2",), ("-march=haswell",)),
    "avx512": (_AVX512, ("-march=icelake-server",)),
    "neon": ((), ()),
}
"""For each body: the processor features that it needs, and the flags that choose it."""
AMX = "amx"
"""A body of dense layers for sixteen samples at once, on processors that have AVX-512 too."""
_OF_LAYERS = {AMX: ((*_AVX512, "amx_tile", "amx_int8"), ("-march=sapphirerapids",))}


@cache
def _features() -> frozenset[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(word for line in lines if line.startswith("flags") for word in line.split())


def the_compiler() -> Compiler:
    """The compiler that there is; skips the test where there is none."""
    compiler = find_compiler()
    if compiler is None:
        pytest.skip("no C compiler: install gcc, clang or ziglang")
    return compiler


def body_flags(body: str, optimise: str = "-O1") -> tuple[str, ...]:
    """Flags for a body; skips the test where this processor does not have it."""
    needed, flags = {**BODIES, **_OF_LAYERS}[body]
    if body in ("avx2", "avx512", AMX) and platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip(f"the {body} body is for x86-64")
    if body == "neon" and platform.machine() not in ("aarch64", "arm64"):
        pytest.skip("the neon body is for 64-bit Arm; test_aarch64.py runs it in an emulator")
    if missing := [feature for feature in needed if feature not in _features()]:
        pytest.skip(f"this processor lacks {', '.join(missing)}")
    return (optimise, *flags)


def native_flags() -> tuple[str, ...]:
    """Flags for whatever this processor has; skips the test where there is no compiler."""
    return ("-O1", *the_compiler().native_flags())
