"""Generated C on machines that keep the highest byte of a word first: golden's integers, as everywhere."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import EdgemlError
from edgeml.network import Network, trace
from edgeml.targets.c import Dialect, generate
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.cpu.compiler import WARNINGS, find_compiler
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.dialect import core_kernels, dialect_for
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.kernels import BitsColumnsKernel
from tests.network.random_networks import random_network as random_dense_network
from tests.targets.mcu.networks import random_inputs, random_network
from tests.targets.mcu.test_forms import int8_network

from .encode_networks import bits_network

SAMPLES = 5
MACHINES = {  # Zig's target and flags, the emulator, and how a program ends there: register and number of the call
    "powerpc": (("powerpc-freestanding-eabi",), "qemu-ppc", ("0", 1, "3", "sc")),
    "arm, code low byte first (BE8)": (("armeb-freestanding-eabi",), "qemu-armeb", ("r7", 1, "r0", "svc 0")),
    "aarch64": (
        ("aarch64_be-freestanding-none", "-fno-vectorize", "-fno-slp-vectorize", "-DEDGEML_NOT_VECTORIZED"),
        "qemu-aarch64_be",
        ("x8", 93, "x0", "svc 0"),
    ),
}
PROGRAM = """{includes}
static int32_t y[64], layers[4096];
static uint64_t arena[1 << 12];
static const uint16_t one = 1;

static int differ(const int32_t *a, const int32_t *b, size_t count)
{{
    for (size_t i = 0; i < count; i++) {{
        if (a[i] != b[i]) {{ return 1; }}
    }}
    return 0;
}}

#define RUN(name, NAME, number) \\
    for (size_t i = 0; i < {samples}u; i++) {{ \\
        name##_trace((const void *)(name##_inputs + i * NAME##_INPUTS), y, layers, arena); \\
        if (differ(layers, name##_expected + i * NAME##_TRACE_SIZE, NAME##_TRACE_SIZE)) {{ return number; }} \\
    }}

static int run(void)
{{
    if (*(const volatile uint8_t *)&one != 0) {{ return 98; }} /* this machine keeps the lowest byte first */
{runs}
    return checked_self_test(y, arena) == 0 ? 0 : 99;
}}

void _start(void)
{{
    const int code = run();
    register long call __asm__("{register}") = {call};
    register long result __asm__("{result}") = code;
    __asm__ volatile("{instruction}" ::"r"(call), "r"(result));
    for (;;) {{ }}
}}
"""


def networks_and_dialects() -> list[tuple[Network, Dialect]]:
    """Every kernel of every core, and those of CPUs; biases of 8, 16 and 32 bits."""
    found: list[tuple[Network, Dialect]] = []
    for name in ("m0", "m4", "m55"):
        for kernel in core_kernels(core(name))[:-1]:
            bits = 8 if "8" in kernel.name else 4 if "4" in kernel.name else 2
            network = random_network(bits, (21, 18, 13), bits, 2, name=f"{kernel.name}_{name}")
            found.append((network, dialect_for((kernel, RowsKernel()))))
    found += [(random_dense_network(seed, f"dense{seed}", widest=90), CPU_DIALECT) for seed in range(4)]
    for seed in (0, 4, 8):  # bits as they lie, gathered, and both
        for kind, dialect in (("pairs", dialect_for((RowsKernel(),))), ("rows", CPU_DIALECT)):
            found.append((replace(bits_network(seed), name=f"bits_{kind}{seed}"), dialect))
    single = dialect_for((RowsKernel(),), bits=(BitsColumnsKernel(pairs=False),))
    found.append((replace(bits_network(8), name="bits_single"), single))
    found.append((replace(int8_network("double_rounding", 1), name="tables"), CPU_DIALECT))
    return found


@pytest.mark.parametrize(
    "machine", [pytest.param(name, marks=() if name == "powerpc" else pytest.mark.slow) for name in MACHINES]
)
def test_c_gives_golden_integers_where_the_highest_byte_lies_first(machine: str, tmp_path: Path) -> None:
    target, emulator, (register, call, result, instruction) = MACHINES[machine]
    zig = find_compiler("zig")
    if zig is None or shutil.which(emulator) is None:
        pytest.skip(f"needs the package ziglang and the program {emulator} (Debian: qemu-user)")
    includes, runs, kernels = [], [], set()
    for number, (network, dialect) in enumerate(networks_and_dialects(), 1):
        program = generate(network, dialect)
        program.write(tmp_path)
        kernels |= {stage.code.kernel for stage in program.layout.stages}
        q = random_inputs(network, 1, SAMPLES)
        expected = trace(network, q)
        columns = np.concatenate([expected[stage.name] for stage in program.layout.traced], axis=1)
        name = network.name
        includes += [
            f'#define {name.upper()}_WITH_TRACE\n#include "{name}.c"',
            f"static const {'int8_t' if network.quantizer.signed else 'uint8_t'} {name}_inputs[] = {{{_words(q)}}};",
            f"static const int32_t {name}_expected[] = {{{_words(columns)}}};",
        ]
        runs.append(f"    RUN({name}, {name.upper()}, {number})")
    assert {"w2_lanes2", "w4_lanes2", "w8_block", "w2_dsp", "w4_dsp", "w8_dsp", "mve", "quads", "rows"} <= kernels
    assert {"bits_pairs", "bits_single", "bits_rows"} <= kernels
    checked = firmware_files(random_network(8, (21, 18, 5), 8, 2, name="checked"), core("m0"), {})
    for path, text in checked.files.items():
        (tmp_path / "checked" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "checked" / path).write_text(text, encoding="utf-8")
    includes += ['#include "checked/include/checked_self_test.h"']
    ending = {"register": register, "call": call, "result": result, "instruction": instruction}
    text = PROGRAM.format(includes="\n".join(includes), runs="\n".join(runs), samples=SAMPLES, **ending)
    (tmp_path / "main.c").write_text(text)
    flags = ["-target", *target, "-static", "-O1", "-ffreestanding", *WARNINGS, "-Wno-missing-noreturn"]
    sources = [f"checked/{path}" for path in checked.sources]
    zig.run([*flags, "-Ichecked/include", "-Ichecked/src", "main.c", *sources, "-o", "main"], tmp_path)
    done = subprocess.run([emulator, tmp_path / "main"], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, f"code {done.returncode}: the network of that number differs; 99: the self-test"


def test_a_compiler_that_is_known_to_compute_wrongly_is_refused(tmp_path: Path) -> None:
    zig = find_compiler("zig")
    if zig is None:
        pytest.skip("needs the package ziglang")
    generate(random_network(2, (5, 4), 2), CPU_DIALECT).write(tmp_path)
    with pytest.raises(EdgemlError, match="clang vectorizes wrongly"):
        zig.run(["-target", "aarch64_be-freestanding-none", "-fsyntax-only", "net.c"], tmp_path)


def _words(values: np.ndarray) -> str:
    return ", ".join("(-2147483647 - 1)" if v == -(2**31) else str(v) for v in values.ravel().tolist())
