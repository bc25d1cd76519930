"""Modules of the RTL library in Verilator, driven clock by clock from Python.

A test file names its units in one `Bench`. When the first of them is started, all are compiled together into a library
that Python loads; the user's cache keeps it. Registers that nothing has set begin with random bits.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edgeml.system.cache import digest_of, find, keep
from edgeml.targets.fpga.tools.programs import Verilator, compiler, find_verilator, run

from .unit import RTL, Unit, packed, ports_of, signed, slowly, sources_of, units, unpacked

__all__ = [
    "Bench",
    "Simulated",
    "Unit",
    "needs_verilator",
    "packed",
    "signed",
    "slowly",
    "units",
    "unpacked",
    "write_verilog",
]

_SECONDS = 600.0
_WIDE = 65  # bits from which Verilator keeps a port as 32-bit words, which is how Python reads and writes all of them
_FORMAT = 1  # of what the cache keeps; to be raised when this file makes it in another way
_LINT = ("-Wall", "--x-assign", "unique", "--x-initial", "unique", "--no-timing", "-O3")

needs_verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)


class Bench:
    """Units that are compiled together, those marked slow apart from the others."""

    def __init__(self, *units: Unit) -> None:
        self.units = units
        self._libraries: dict[bool, _Library] = {}

    def cases(self, module: str) -> list[Any]:
        """Parameters for pytest: the units of a module."""
        found = [unit for unit in self.units if unit.module == module]
        assert found, module
        return [pytest.param(unit, id=str(unit), marks=[pytest.mark.slow] if unit.slow else []) for unit in found]

    def start(self, unit: Unit) -> Simulated:
        """The unit, as it was left by whoever used it before: `reset` it first."""
        if unit.slow not in self._libraries:
            with tempfile.TemporaryDirectory(prefix="edgeml-bench-") as folder:
                together = [other for other in self.units if other.slow == unit.slow]
                self._libraries[unit.slow] = _Library(together, Path(folder))
        return Simulated(self._libraries[unit.slow], unit)


class Simulated:
    """A unit that runs. `step` gives it inputs for one clock and returns what its outputs were before the edge."""

    def __init__(self, library: _Library, unit: Unit) -> None:
        self.unit = unit
        self._evaluate = library.evaluate
        self._clock, self._in, self._out = library.ports(library.units.index(unit))
        self._inputs: dict[str, tuple[int, int]] = {}
        self._outputs: list[tuple[str, int, int]] = []
        used = {"input": 0, "output": 0}
        for direction, name, bits in ports_of(unit):
            if name == "clk":
                continue
            if direction == "input":
                self._inputs[name] = (used[direction], (1 << bits) - 1)
            else:
                self._outputs.append((name, used[direction], (1 << bits) - 1))
            used[direction] += bits
        self._word = 0
        self._in_bytes = len(self._in)

    def width(self, name: str) -> int:
        """Bits of an input."""
        return self._inputs[name][1].bit_length()

    def given(self, name: str) -> int:
        """The bits of an input as it was last set."""
        place, mask = self._inputs[name]
        return self._word >> place & mask

    def set(self, **inputs: int) -> None:
        """Change inputs; negative numbers go in in two's complement."""
        given = self._word
        for name, value in inputs.items():
            place, mask = self._inputs[name]
            given = given & ~(mask << place) | (value & mask) << place
        self._word = given

    def look(self, **inputs: int) -> dict[str, int]:
        """Outputs, as bits, with these inputs changed, before any clock."""
        self.set(**inputs)
        self._in[:] = self._word.to_bytes(self._in_bytes, "little")
        self._clock[0] = 0
        self._evaluate()
        out = int.from_bytes(self._out, "little")
        return {name: out >> place & mask for name, place, mask in self._outputs}

    def tick(self) -> None:
        """A rising edge of the clock."""
        self._clock[0] = 1
        self._evaluate()

    def step(self, **inputs: int) -> dict[str, int]:
        """Outputs with these inputs changed; then a clock."""
        outputs = self.look(**inputs)
        self.tick()
        return outputs

    def reset(self, **inputs: int) -> None:
        """One clock with `rst`."""
        self.step(rst=1, **inputs)
        self.set(rst=0)


class _Pointers(ctypes.Structure):
    _fields_ = [
        ("clock", ctypes.c_void_p),
        ("inputs", ctypes.c_void_p),
        ("outputs", ctypes.c_void_p),
        ("input_bytes", ctypes.c_uint),
        ("output_bytes", ctypes.c_uint),
    ]


class _Library:
    """Units compiled together, each with a clock, one input and one output of its own."""

    def __init__(self, units: Sequence[Unit], folder: Path) -> None:
        self.units = units
        sources = write_verilog(units, folder)
        (folder / "bench.cpp").write_text(_harness(units), "utf-8")
        here = Path.cwd()
        library = _compiled(sources, folder)
        os.chdir(folder)  # memories are read when the model is made
        try:
            self._loaded = ctypes.CDLL(str(library))
            self._loaded.make()
        finally:
            os.chdir(here)
        self.evaluate = self._loaded.evaluate

    def ports(self, number: int) -> tuple[memoryview, memoryview, memoryview]:
        """The bytes of a unit's clock, inputs and outputs."""
        found = _Pointers()
        self._loaded.pointers(number, ctypes.byref(found))

        def view(address: int, count: int) -> memoryview:
            return memoryview((ctypes.c_uint8 * count).from_address(address)).cast("B")

        return view(found.clock, 1), view(found.inputs, found.input_bytes), view(found.outputs, found.output_bytes)


def write_verilog(units: Sequence[Unit], folder: Path) -> list[str]:
    """Write what the units need, and a module `bench` with all of them; names of the Verilog files."""
    names = sorted({name for unit in units for name in sources_of(unit.module)})
    for name in names:
        (folder / name).write_bytes((RTL / name).read_bytes())
    (folder / "bench.v").write_text(_wrapper(units, folder), "utf-8")
    return [*names, "bench.v"]


def _bits(unit: Unit, direction: str) -> int:
    """Bits of all ports of a direction, without the clock."""
    return sum(bits for way, name, bits in ports_of(unit) if way == direction and name != "clk")


def _wrapper(units: Sequence[Unit], folder: Path) -> str:
    """A module with all units in it; writes the files of their memories."""
    ports, instances = [], []
    for number, unit in enumerate(units):
        used = {"input": 0, "output": 0}
        connected = []
        for direction, name, bits in ports_of(unit):
            if name == "clk":
                connected.append(f".clk(clk_{number})")
                continue
            connected.append(f".{name}({direction}_{number}[{used[direction]}+:{bits}])")
            used[direction] += bits
        given = [
            f'.{name}("{value}")' if isinstance(value, str) and "'" not in value else f".{name}({value})"
            for name, value in unit.parameters
        ]
        for name, words in unit.files:
            (folder / f"{number}_{name}.mem").write_text("".join(f"{word:x}\n" for word in words), "utf-8")
            if not name[-1].isdigit():
                given.append(f'.{name}("{number}_{name}.mem")')
            elif name.endswith("_0000"):  # the first of several files, whose numbers the module adds to the name
                given.append(f'.{name[:-5]}("{number}_{name[:-5]}")')
        ports.append(f"input wire clk_{number}")
        ports.append(f"input wire [{max(used['input'], _WIDE) - 1}:0] input_{number}")
        ports.append(f"output wire [{max(used['output'], _WIDE) - 1}:0] output_{number}")
        parameters = f" #({', '.join(given)})" if given else ""
        instances.append(f"{unit.module}{parameters} unit_{number} ({', '.join(connected)});")
        if used["output"] < _WIDE:
            instances.append(f"assign output_{number}[{_WIDE - 1}:{used['output']}] = 0;")
    quiet = "/* verilator lint_off UNUSEDSIGNAL */ /* verilator lint_off WIDTH */"
    return "\n".join([quiet, f"module bench ({', '.join(ports)});", *instances, "endmodule", ""])


def _harness(units: Sequence[Unit]) -> str:
    """C++ that makes the model and tells where its ports are."""
    places = []
    for number, unit in enumerate(units):
        sizes = [-(-max(_bits(unit, direction), _WIDE) // 32) * 4 for direction in ("input", "output")]
        ports = f"&top->clk_{number}, top->input_{number}.data(), top->output_{number}.data()"
        places.append(f"        {{{ports}, {sizes[0]}, {sizes[1]}}},")
    return "\n".join([
        '#include "generated.h"',
        "static Vbench* top;",
        "struct Pointers { void *clock, *inputs, *outputs; unsigned input_bytes, output_bytes; };",
        'extern "C" void make() {',
        "    Verilated::randReset(2);  // registers begin with random bits",
        "    Verilated::randSeed(1);",
        "    top = new Vbench;",
        "    top->eval();",
        "}",
        'extern "C" void evaluate() { top->eval(); }',
        'extern "C" void pointers(unsigned number, Pointers* found) {',
        "    const Pointers all[] = {",
        *places,
        "    };",
        "    *found = all[number];",
        "}",
        "",
    ])  # fmt: skip


def _compiled(sources: Sequence[str], folder: Path) -> Path:
    """Verilog files and bench.cpp in `folder` as a library; from the cache if it was made before."""
    tool, cxx = find_verilator(), compiler()
    assert tool is not None
    assert cxx is not None
    include = tool.root / "include"
    options = [
        "-std=c++17", "-w", "-pthread", "-fPIC", f"-I{include}", f"-I{include}/vltstd", "-I.", "-Imodel",
        "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TRACE=0", "-DVERILATOR=1", "-DVL_TIME_CONTEXT",
    ]  # fmt: skip
    library = folder / "bench.so"
    programs = repr((_FORMAT, tool.program, Path(tool.program).stat().st_mtime_ns, cxx, _LINT, options))
    key = digest_of(programs, *((folder / name).read_bytes() for name in [*sources, "bench.cpp"]))
    if kept := find("simulations", key):
        library.write_bytes(kept.read_bytes())
        return library
    run(
        [tool.program, "--cc", *_LINT, "--top-module", "bench", "--prefix", "Vbench", "--Mdir", "model", *sources],
        folder,
        _SECONDS,
        "verilator",
        tool.environment,
    )
    generated = sorted(path.name for path in (folder / "model").glob("*.cpp"))
    (folder / "generated.h").write_text("".join(f'#include "model/{name}"\n' for name in generated), "utf-8")
    run([*cxx, *options, "-O1", "-c", "bench.cpp", "-o", "bench.o"], folder, _SECONDS, "C++ compiler")
    runtime = [str(path) for path in _runtime(tool, [*cxx, *options], programs, folder)]
    run([*cxx, "-shared", "-pthread", "bench.o", *runtime, "-o", library.name], folder, _SECONDS, "C++ compiler")
    keep("simulations", key, library.read_bytes())
    return library


def _runtime(tool: Verilator, command: Sequence[str], programs: str, folder: Path) -> list[Path]:
    """Verilator's own run-time sources as objects in `folder`; from the cache if they were made before."""
    objects = []
    for name in ("verilated", "verilated_threads"):
        source, target = tool.root / "include" / f"{name}.cpp", folder / f"{name}.o"
        key = digest_of(programs, source.read_bytes())
        if kept := find("verilator", key):
            target.write_bytes(kept.read_bytes())
        else:
            run([*command, "-O0", "-c", str(source), "-o", target.name], folder, _SECONDS, "C++ compiler")
            keep("verilator", key, target.read_bytes())
        objects.append(target)
    return objects
