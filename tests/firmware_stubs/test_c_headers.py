"""Every kernel header for CPUs compiles by itself, without warnings, for every body, with every compiler there is."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from edgeml.targets.cpu.compiler import WARNINGS, find_compiler
from tests.targets.cpu.bodies import the_compiler

_HEADERS = ("common", "input", "threshold", "levels", "blocks", "dense_rows", "dense_quads", "dense_crumbs")
_HEADERS += ("dense_blocks", "dense_triplets", "distance")
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


def test_the_documentation_lists_every_header_once() -> None:
    root = Path(__file__).parents[2]
    rows: list[str] = []
    for page in ("mcu.md", "cpu.md"):
        rows += re.findall(r"^\| `(\w+\.h)` \|", (root / "docs" / page).read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(path.name for path in (root / "firmware_stubs/c/edgeml").glob("*.h"))


def test_the_figures_name_kernels_and_headers_that_exist() -> None:
    for package in ("unicorn", "ziglang", "elftools"):
        pytest.importorskip(package, reason="pip install 'edgeml-exact[toolchain]'")
    from benchmarks.mcu_kernels import counted, table

    page = (Path(__file__).parents[2] / "docs" / "mcu.md").read_text("utf-8")
    shown = re.findall(r"^\| (\w+) \| `(dense_\w+\.h)` \| (\d) bit \| (\d) bit \|", page, re.MULTILINE)
    # Which kernels apply hangs on the core alone; one of each kind is counted again.
    rows = counted(("m0", "m4"), ((2, 8),))
    assert all(0.5 < count < 8 for row in rows for count in row.instructions.values())
    found = {(row.kernel, row.file) for row in rows}
    assert found == {(kernel, file) for kernel, file, weights, inputs in shown if (weights, inputs) == ("2", "8")}
    assert table(rows, ("m0", "m4")).count("| 2 bit | 8 bit |") == len(rows)
