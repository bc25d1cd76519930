"""A network as WebAssembly: the module, the JavaScript that loads it, and a page."""

from __future__ import annotations

import json
from pathlib import Path

from edgeml.network.network_file import model_hash
from edgeml.system.scratch import ScratchFolder
from edgeml.targets.c import CProgram
from edgeml.targets.c.stub_text import stub_text

from .compiler import find_compiler

__all__ = ["FOLDER", "MACHINE", "build_command", "write_web"]

FOLDER = "web"
"""The folder within a bundle."""

MACHINE = "wasm32"
"""What profiles call the machine."""

_FILES = {"@NAME@_web.c": "web.c", "@NAME@.js": "web.js", "index.html": "web.html", "README.md": "web_README.md"}
_STACK_BYTES = 1 << 16
_FLAGS = (
    *("-target", "wasm32-freestanding", "-mcpu=generic+simd128", "-std=c99", "-O3", "-g0", "-ffreestanding"),
    *("-fno-builtin", "-fno-sanitize=all", "-Wall", "-Wextra", "-Wconversion", "-Werror"),
    *("-Wl,--no-entry", f"-Wl,-z,stack-size={_STACK_BYTES}", "-Wl,--strip-all"),
)


def _arguments(name: str) -> list[str]:
    """What `zig cc` is given in the folder `web/`, but for the output."""
    return [*_FLAGS, "-I../c", f"{name}_web.c", f"../c/{name}.c", f"../c/{name}_sensor.c"]


def build_command(name: str) -> str:
    """The shell command, run in `web/`, that builds the module."""
    return f"python -m ziglang cc {' '.join(_arguments(name))} -o {name}.wasm"


def _texts(program: CProgram) -> dict[str, str]:
    """Text by path within `web/`."""
    layout = program.layout
    network, signed = layout.network, layout.network.quantizer.signed
    labels = json.dumps([label.encode("utf-8", "replace").decode() for label in network.output.labels])
    values = {
        "NAME": layout.name,
        "MACRO": layout.macro,
        "INPUTS": str(network.input_size),
        "OUTPUTS": str(network.output_size),
        "HASH": model_hash(network),
        "CTYPE": "int8_t" if signed else "uint8_t",
        "JS_TYPE": "Int8Array" if signed else "Uint8Array",
        "BUILD": build_command(layout.name),
        "LABELS": labels,  # the last one: names of the user's may look like the others
    }
    texts = {path: stub_text(f"packaging/{stub}.in") for path, stub in _FILES.items()}
    for key, value in values.items():
        texts = {path.replace(f"@{key}@", value): text.replace(f"@{key}@", value) for path, text in texts.items()}
    return texts


def write_web(program: CProgram, folder: Path) -> bool:
    """Write `web/` beside the bundle's `c/`; whether the module is in it: without zig there is its source alone.

    ToolFailed with the compiler's words if it refuses the code.
    """
    name = program.layout.name
    texts = _texts(program)
    web = folder / FOLDER
    web.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        (web / path).write_text(text, encoding="utf-8", newline="\n")
    compiler = find_compiler("zig")
    if compiler is None:
        return False
    with ScratchFolder("web") as scratch:
        program.write(scratch / "c")
        (scratch / FOLDER).mkdir()
        (scratch / FOLDER / f"{name}_web.c").write_text(texts[f"{name}_web.c"], encoding="utf-8")
        compiler.run([*_arguments(name), "-o", f"{name}.wasm"], scratch / FOLDER)
        (web / f"{name}.wasm").write_bytes((scratch / FOLDER / f"{name}.wasm").read_bytes())
    return True
