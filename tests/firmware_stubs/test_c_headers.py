"""Every kernel header for CPUs compiles by itself, without warnings, for every body, with every compiler there is."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from edgeml.targets.cpu.compiler import WARNINGS, find_compiler
from tests.targets.cpu.bodies import the_compiler

_HEADERS = ("common", "input", "threshold", "levels", "blocks", "dense_rows", "dense_quads", "dense_crumbs")
_HEADERS += ("dense_blocks", "dense_triplets")
_BODIES = {
    "portable": ("-DEDGEML_PORTABLE",),
    "avx2": ("-march=haswell",),
    "avx512": ("-march=icelake-server",),
}


@pytest.mark.parametrize("body", _BODIES)
@pytest.mark.parametrize("compiler", ["", "zig"])
def test_headers_compile_alone(compiler: str, body: str, tmp_path: Path) -> None:
    found = find_compiler(compiler)
    if found is None:
        pytest.skip(f"no compiler {compiler or 'cc'}")
    folder = resources.files("edgeml.firmware_stubs") / "c" / "edgeml"
    with resources.as_file(folder) as path:
        for header in _HEADERS:
            (tmp_path / f"{header}.c").write_text(f'#include "{path}/{header}.h"\n')
        target = ("-target", "x86_64-linux-musl") if found.zig else ()
        flags = [
            *(
                flag.replace("-march", "-mcpu").replace("-server", "_server") if found.zig else flag
                for flag in _BODIES[body]
            )
        ]
        sources = [f"{header}.c" for header in _HEADERS]
        found.run([*target, *WARNINGS, *flags, "-c", *sources], tmp_path)


def test_kernels_say_what_they_are() -> None:
    the_compiler()
    folder = resources.files("edgeml.firmware_stubs") / "c" / "edgeml"
    for header in _HEADERS:
        text = (folder / f"{header}.h").read_text(encoding="utf-8")
        assert text.startswith("/* ")
        guard = f"EDGEML_{header.upper()}_H"
        assert text.count(guard) == 2
        assert max(map(len, text.splitlines())) <= 120
