"""Many samples at once on processors that this machine is not: NEON, and the highest byte first, in qemu."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeml.network import simulate
from edgeml.targets.c import generate
from edgeml.targets.cpu.compiler import WARNINGS, find_compiler
from edgeml.targets.cpu.dialect import CPU_DIALECT
from tests.targets.logic_networks import classifier, logic_inputs, random_logic_network

from .test_sliced import any_rules

_SAMPLES = 150
_PROGRAM = """#include <stdio.h>
{includes}
static char x[1 << 18];
static int32_t y[1 << 16];
static uint64_t arena[1 << 18];
#define RUN(name, NAME) do {{ \\
    if (sizeof arena < NAME##_BATCH_ARENA_BYTES) {{ return 3; }} \\
    if (fread(x, NAME##_INPUTS, {samples}, stdin) != {samples}) {{ return 2; }} \\
    name##_invoke_batch((void *)x, {samples}, y, NULL, arena); \\
    for (int i = 0; i < {samples} * NAME##_OUTPUTS; i++) {{ printf("%d\\n", (int)y[i]); }} \\
}} while (0)

int main(void)
{{
{runs}
    return 0;
}}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "emulator"), [("aarch64-linux-musl", "qemu-aarch64"), ("powerpc-linux-musleabi", "qemu-ppc")]
)
def test_batches_give_the_integers_of_golden(target: str, emulator: str, tmp_path: Path) -> None:
    zig = find_compiler("zig")
    if zig is None or shutil.which(emulator) is None:
        pytest.skip(f"needs the package ziglang and the program {emulator} (Debian: qemu-user)")
    networks = [random_logic_network(seed, f"net{seed}", widest=60) for seed in (0, 1, 3, 4)]
    networks += [classifier(5), any_rules(1, signed=False), any_rules(2, signed=True)]
    includes = runs = ""
    for network in networks:
        generate(network, CPU_DIALECT).write(tmp_path)
        includes += f'#include "{network.name}.c"\n'
        runs += f"    RUN({network.name}, {network.name.upper()});\n"
    (tmp_path / "main.c").write_text(_PROGRAM.format(includes=includes, runs=runs, samples=_SAMPLES))
    zig.run(["-target", target, "-static", "-O1", *WARNINGS, "main.c", "-o", "main"], tmp_path)
    inputs = [logic_inputs(network, 1, _SAMPLES) for network in networks]
    sent = b"".join(
        q.astype(np.int8 if n.quantizer.signed else np.uint8).tobytes() for n, q in zip(networks, inputs, strict=True)
    )
    done = subprocess.run([emulator, tmp_path / "main"], input=sent, capture_output=True, check=True)
    expected = np.concatenate([simulate(n, q).ravel() for n, q in zip(networks, inputs, strict=True)])
    np.testing.assert_array_equal(np.array(done.stdout.split(), np.int64), expected)
