"""What build systems ask for beside the C of a CPU bundle: README, CMake, a self-test and a program that runs it."""

from __future__ import annotations

import zlib

import numpy as np

from edgeml.licensing import with_license
from edgeml.network import simulate
from edgeml.network.network_file import model_hash
from edgeml.part import Profile
from edgeml.targets.c import ConstantArray, CProgram
from edgeml.targets.c.stub_text import stub_text

__all__ = ["packaging_files"]

_TEMPLATES = {
    "CMakeLists.txt": "cpu_CMakeLists.txt",
    "README.md": "cpu_README.md",
    "@NAME@_self_test.c": "cpu_self_test.c",
    "@NAME@_self_test.h": "cpu_self_test.h",
    "test/@NAME@_test.c": "cpu_test.c",
}
_ALONE = 2
"""Vectors behind the block of a batch: there the C runs one by one."""
_MOST_BYTES = 2**16
"""Of vectors, unless one block and what is behind it need more."""


def packaging_files(program: CProgram, profile: Profile, command: str) -> dict[str, str]:
    """Text by path relative to `c/`. command : the shell command that makes a shared library there."""
    layout = program.layout
    network, name = layout.network, layout.name
    # A block and what is behind it; of the hundreds of samples that Boolean functions take at once fewer do.
    vectors = min(max(layout.tile, 16 * layout.sixteens), max(8, _MOST_BYTES // network.input_size)) + _ALONE
    digest = model_hash(network)
    quantizer = network.quantizer
    generator = np.random.default_rng(int(digest[:16], 16))
    q = generator.integers(quantizer.low, quantizer.high + 1, (vectors, network.input_size)).astype(np.int32)
    crcs = [f"0x{zlib.crc32(row.astype('<i4').tobytes()):08X}u" for row in simulate(network, q)]
    ctype = "int8_t" if quantizer.signed else "uint8_t"
    inputs = ConstantArray(f"{name}_self_test_inputs", ctype, q, f"golden inputs [{vectors}][{network.input_size}]")
    sources = sorted(path for path in program.files if path.endswith(".c") and "/" not in path)
    host = profile.values.get("machine", "host") == "host"
    arch = "native" if host else profile.values.get("arch", "")
    values = {
        "TARGET": "the machine it is built on" if host else f"`{profile.name}`",
        "INPUTS": str(network.input_size),
        "OUTPUTS": str(network.output_size),
        "CONSTANTS": str(program.constant_bytes),
        "ARENA": str(program.arena_bytes),
        "BATCH_ARENA": str(layout.batch_arena_bytes),
        "CTYPE": ctype,
        "HASH": digest,
        "ARCH": f"-march={arch}" if arch else "",
        "COMMAND": command,
        "VECTORS_TEXT": inputs.text(4),
        "VECTORS": str(vectors),
        "EXPECTED": ",\n    ".join(", ".join(crcs[i : i + 8]) for i in range(0, len(crcs), 8)),
        "SOURCES": "\n  ".join(f"${{CMAKE_CURRENT_LIST_DIR}}/{path}" for path in [*sources, f"{name}_self_test.c"]),
        "FILES": ", ".join(f"`{path}`" for path in sources),
        "MACRO": layout.macro,
        "NAME": name,
    }

    def filled(text: str) -> str:
        for key, value in values.items():
            text = text.replace(f"@{key}@", value)
        return text

    files = {filled(path): filled(stub_text(f"packaging/{stub}.in")) for path, stub in _TEMPLATES.items()}
    files["edgeml/crc32.h"] = stub_text("c/edgeml/crc32.h")
    return {path: with_license(path, text) for path, text in files.items()}
