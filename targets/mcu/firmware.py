"""The files of the firmware folder: the network's C, its self-test, and what build systems ask for."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, simulate
from edgeml.network.file import model_hash
from edgeml.targets.c import ConstantArray, CProgram, generate
from edgeml.targets.c.source import used_constants

from .cores import Core
from .dialect import dialect_with
from .packaging import packaging_files, stub_text

__all__ = ["Firmware", "firmware_files", "self_test_vectors"]

_VECTORS = 2
_LITTLE_ENDIAN = {
    "int8_t": "<i1",
    "uint8_t": "<u1",
    "int16_t": "<i2",
    "uint16_t": "<u2",
    "int32_t": "<i4",
    "uint32_t": "<u4",
    "int64_t": "<i8",
    "uint64_t": "<u8",
}


@dataclass(frozen=True, eq=False)
class Firmware:
    """The firmware folder of a network.

    Parameters
    ----------
    program : the network's C, with its plan.
    files : text by path relative to the folder `c/`.
    """

    program: CProgram
    files: dict[str, str]

    @property
    def sources(self) -> list[str]:
        """The C file that makes up the library."""
        return [f"src/{self.program.plan.network.name}.c"]


def self_test_vectors(network: Network) -> npt.NDArray[np.int32]:
    """The input integers of the self-test, drawn from the model's hash: int32 [2, inputs]."""
    generator = np.random.default_rng(int(model_hash(network)[:16], 16))
    quantizer = network.quantizer
    return generator.integers(quantizer.low, quantizer.high + 1, (_VECTORS, network.input_size)).astype(np.int32)


def firmware_files(network: Network, core: Core, chosen: dict[str, str]) -> Firmware:
    """All files for `core`; `chosen` names the kernel of each dense step. The same arguments give the same text."""
    program = generate(network, dialect_with(core, chosen))
    name = network.name
    files: dict[str, str] = {}
    for path, text in program.files.items():
        if path == f"{name}.h":
            files[f"include/{name}.h"] = text
        elif path == f"{name}.c":
            files[f"src/{name}.c"] = text + _self_test(program)
        else:
            files[f"src/{path}"] = text
    files["src/edgeml/crc32.h"] = stub_text("c/edgeml/crc32.h")
    files[f"include/{name}_self_test.h"] = _self_test_header(name)
    files[f"src/{name}.h"] = (
        "/* For build systems that look for headers in src/ alone. */\n"
        f'#include "../include/{name}.h"\n#include "../include/{name}_self_test.h"\n'
    )
    files.update(packaging_files(program, core))
    return Firmware(program, dict(sorted(files.items())))


def constant_bytes(array: ConstantArray) -> bytes:
    """The array as it lies in a little-endian core's memory."""
    return array.values.astype(_LITTLE_ENDIAN[array.ctype]).tobytes()


def _self_test_header(name: str) -> str:
    macro = name.upper()
    return f"""/* Self-test of {name}: run it at boot, or whenever flash may have been damaged. */
#ifndef {macro}_SELF_TEST_H
#define {macro}_SELF_TEST_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define {macro}_SELF_TEST_OK 0
#define {macro}_SELF_TEST_WEIGHTS 1 /* weights, thresholds or tables are not what was generated (CRC-32) */
#define {macro}_SELF_TEST_VECTORS 2 /* a golden vector gives other integers: code, RAM or core is at fault */

/* Checks the CRC-32 of all constants, then runs {_VECTORS} golden vectors. output: room for {macro}_OUTPUTS; arena: as
   for {name}_invoke. */
int32_t {name}_self_test(int32_t *output, void *arena);

#ifdef __cplusplus
}}
#endif

#endif
"""


def _self_test(program: CProgram) -> str:
    network = program.plan.network
    name, macro = network.name, network.name.upper()
    constants = used_constants(program.plan)
    crc = 0
    for array in constants:
        crc = zlib.crc32(constant_bytes(array), crc)
    vectors = self_test_vectors(network)
    outputs = simulate(network, vectors)
    expected = [zlib.crc32(row.astype("<i4").tobytes()) for row in outputs]
    ctype = "int8_t" if network.quantizer.signed else "uint8_t"
    inputs = ConstantArray(
        f"{name}_self_test_inputs", ctype, vectors, f"golden inputs [{_VECTORS}][{network.input_size}]"
    )
    regions = "\n".join(f"    crc = edgeml_crc32(crc, {array.name}, sizeof {array.name});" for array in constants)
    crcs = ", ".join(f"0x{value:08X}u" for value in expected)
    return f"""
/* Self-test: see {name}_self_test.h. */
#include "edgeml/crc32.h"

int32_t {name}_self_test(int32_t *output, void *arena);

{inputs.text(program.plan.dialect.alignment)}
int32_t {name}_self_test(int32_t *output, void *arena)
{{
    static const uint32_t expected[{_VECTORS}] = {{{crcs}}}; /* of the outputs */
    uint32_t crc = 0;
{regions}
    if (crc != 0x{crc:08X}u) {{
        return 1;
    }}
    for (size_t vector = 0; vector < {_VECTORS}u; vector++) {{
        {name}_invoke({name}_self_test_inputs + vector * {macro}_INPUTS, output, arena);
        if (edgeml_crc32(0, output, {macro}_OUTPUTS * sizeof *output) != expected[vector]) {{
            return 2;
        }}
    }}
    return 0;
}}
"""
