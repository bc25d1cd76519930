"""Builds C for a microcontroller core with zig cc, which brings the compiler for all of them in one Python package."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeml.errors import MissingTool
from edgeml.extras import install_extra
from edgeml.system.scratch import ScratchFolder
from edgeml.system.time_limit import seconds_for
from edgeml.system.tool import run_tool

from .cores import Core

__all__ = [
    "WARNINGS",
    "MemoryMap",
    "build",
    "compile_flags",
    "compiler_missing",
    "compiler_version",
    "linker_script",
    "run_compiler",
]

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
"""What every generated and hand-written C file must pass."""

_TIME_LIMIT = 300


@dataclass(frozen=True)
class MemoryMap:
    """Where code and data lie: start addresses and sizes in bytes."""

    flash: int = 0x0000_0000
    flash_size: int = 4 << 20
    ram: int = 0x2000_0000
    ram_size: int = 4 << 20


def compiler_missing() -> str:
    """Empty if zig cc can be called; else what to install."""
    return "" if importlib.util.find_spec("ziglang") else f"the compiler zig cc: {install_extra('mcu')}"


def compiler_version() -> str:
    """For reports: `zig cc 0.15.1`."""
    from importlib.metadata import version

    return f"zig cc {version('ziglang')}"


def run_compiler(arguments: Sequence[str], folder: Path, where: str) -> None:
    """Run `zig cc` with `arguments` in `folder`; ToolFailed with its words where it fails, MissingTool without it."""
    if missing := compiler_missing():
        raise MissingTool(where, f"needs {missing}")
    command = [sys.executable, "-m", "ziglang", "cc", *arguments]
    environment = {**os.environ, "LC_ALL": "C"}
    run_tool(command, folder, seconds_for(_TIME_LIMIT), f"zig cc, {where}", environment)


def linker_script(keep: Sequence[str], entry: str, memory: MemoryMap, stack: int = 0) -> str:
    """Code and constants in flash, everything else in RAM, the stack at the end of RAM; `keep` stays unused or not.

    stack : bytes of RAM that must be left for it; linking fails where they are not. What a boot ROM looks for
    (`.boot2`, `.image_def`) lies before and behind the vector table.
    """
    externs = " ".join(dict.fromkeys((*keep, entry)))
    return f"""ENTRY({entry})
EXTERN({externs})
MEMORY {{
  FLASH (rx) : ORIGIN = {memory.flash:#x}, LENGTH = {memory.flash_size:#x}
  RAM (rwx) : ORIGIN = {memory.ram:#x}, LENGTH = {memory.ram_size:#x}
}}
SECTIONS {{
  .vectors : {{ KEEP(*(.boot2)) KEEP(*(.vectors)) KEEP(*(.image_def)) }} > FLASH
  .text : {{ *(.text .text.*) }} > FLASH
  .rodata : ALIGN(4) {{ *(.rodata .rodata.* .srodata .srodata.*) }} > FLASH
  .ARM.exidx : {{ *(.ARM.exidx*) }} > FLASH
  .data : ALIGN(4) {{
    edgeml_data_start = .; *(.data .data.* .sdata .sdata.*) . = ALIGN(4); edgeml_data_end = .;
  }} > RAM AT > FLASH
  edgeml_data_load = LOADADDR(.data);
  .bss (NOLOAD) : ALIGN(4) {{
    edgeml_bss_start = .; *(.bss .bss.* .sbss .sbss.* COMMON) . = ALIGN(4); edgeml_bss_end = .;
  }} > RAM
  .stack (NOLOAD) : ALIGN(8) {{ . += {stack}; }} > RAM
  edgeml_stack_top = ORIGIN(RAM) + LENGTH(RAM);
  /DISCARD/ : {{ *(.debug_*) *(.comment) *(.ARM.attributes) *(.riscv.attributes) *(.eh_frame*) *(.note*) }}
}}
"""


_FLAGS = (
    "-ffreestanding",
    "-fno-builtin",
    "-mno-outline",  # a loop whose body clang moves into a function takes two more instructions a turn
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-g0",
)

_TRAPPING = ("-fsanitize=undefined", "-fsanitize-trap=undefined")


def compile_flags(
    core: Core,
    optimize: str,
    warnings: Sequence[str] = WARNINGS,
    standard: str = "-std=c99",
    trap: bool = False,
) -> list[str]:
    """What every C file is compiled with; see `build`."""
    return [
        "-target",
        core.zig_target,
        f"-mcpu={core.zig_cpu}",
        standard,
        *optimize.split(),
        *_FLAGS,
        *(_TRAPPING if trap else ("-fno-sanitize=all",)),
        *warnings,
    ]


def build(
    core: Core,
    sources: Sequence[Path],
    *,
    include: Sequence[Path] = (),
    keep: Sequence[str] = (),
    entry: str = "",
    optimize: str = "-O2",
    defines: Mapping[str, str] | None = None,
    memory: MemoryMap | None = None,
    where: str = "firmware",
    warnings: Sequence[str] = WARNINGS,
    standard: str = "-std=c99",
    trap: bool = False,
) -> bytes:
    """The ELF file of `sources` linked for `core`.

    Parameters
    ----------
    sources : C files. Each function and constant gets a section of its own; what nothing reaches is dropped.
    include : folders of headers.
    keep : symbols that must stay though nothing calls them.
    entry : symbol where execution starts; the first of `keep` if empty.
    optimize : `-O2`, `-O3`, `-Os`.
    trap : whether undefined behaviour of the C stops the program.

    Raises
    ------
    ToolFailed : the compiler refuses the code, with its words, or takes too long. MissingTool : there is no compiler.
    """
    memory = memory or MemoryMap()
    with ScratchFolder("build") as folder:
        script = folder / "link.ld"
        script.write_text(linker_script(keep, entry or keep[0], memory), encoding="utf-8")
        flags = [
            *compile_flags(core, optimize, warnings, standard, trap),
            *(f"-D{key}={value}" for key, value in (defines or {}).items()),
            *(f"-I{path.resolve()}" for path in include),
        ]
        objects = []
        for index, source in enumerate(sources):
            target = folder / f"{index}.o"
            run_compiler([*flags, "-c", str(source.resolve()), "-o", str(target)], folder, f"{where}, {source.name}")
            objects.append(str(target))
        output = folder / "firmware.elf"
        link = ["-target", core.zig_target, f"-mcpu={core.zig_cpu}", "-O2", "-ffreestanding"]
        run_compiler(
            [*link, *objects, "-Wl,--gc-sections", f"-Wl,-T,{script}", "-o", str(output)],
            folder,
            f"{where}, linking",
        )
        return output.read_bytes()
