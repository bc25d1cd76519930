"""The NEON bodies: built by Zig, run by QEMU's user mode, against golden at every layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.emulated_linux import MACHINES
from edgeml.network import trace
from edgeml.targets.c import generate
from edgeml.targets.cpu.compiler import WARNINGS
from edgeml.targets.cpu.dialect import CPU_DIALECT
from tests.network.random_networks import random_inputs, random_network
from tests.sweeps import cases
from tests.targets.c.encode_networks import bits_network

_SAMPLES = 9
_PROGRAM = """{includes}
static char x[1 << 12];
static int32_t y[1 << 12], layers[1 << 14];
static uint64_t arena[1 << 16];
#define RUN(name, NAME) do {{ \\
    for (int i = 0; i < {samples}; i++) {{ \\
        if (!receive(x, NAME##_INPUTS)) {{ return 2; }} \\
        name##_trace((void *)x, y, layers, arena); \\
        if (!answer(layers, sizeof *layers * NAME##_TRACE_SIZE)) {{ return 3; }} \\
    }} \\
}} while (0)

static int run(void)
{{
{runs}
    return 0;
}}
"""


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("processor", ["generic", "neoverse_v1"])
def test_random_networks_equal_golden_at_every_layer(processor: str, tmp_path: Path) -> None:
    """Plain ARMv8-A, and a processor with instructions for dot products of bytes."""
    machine = MACHINES["aarch64"]
    if missing := machine.missing():
        pytest.skip(missing)
    networks = [random_network(seed, f"net{seed}") for seed in range(300, 306 + cases(12))]
    networks += [bits_network(seed) for seed in range(2 + cases(8))]
    programs = [generate(network, CPU_DIALECT) for network in networks]
    kernels = {stage.code.kernel for program in programs for stage in program.layout.stages}
    assert {"triplets", "quads", "crumbs", "bits_rows"} <= kernels
    includes = ""
    for network, program in zip(networks, programs, strict=True):
        program.write(tmp_path)
        includes += f'#define {network.name.upper()}_WITH_TRACE\n#include "{network.name}.c"\n'
    runs = "".join(f"    RUN({network.name}, {network.name.upper()});\n" for network in networks)
    inputs = [random_inputs(network, _SAMPLES, 1) for network in networks]
    sent = b"".join(
        q.astype(np.int8 if n.quantizer.signed else np.uint8).tobytes() for n, q in zip(networks, inputs, strict=True)
    )
    text = _PROGRAM.format(includes=includes, runs=runs, samples=_SAMPLES)
    found = np.frombuffer(machine.run(text, sent, tmp_path, [f"-mcpu={processor}", *WARNINGS]), "<i4")
    for network, program, q in zip(networks, programs, inputs, strict=True):
        expected = trace(network, q)
        rows, found = np.split(found, [_SAMPLES * program.layout.trace_size])
        columns = np.concatenate([expected[stage.name] for stage in program.layout.traced], axis=1)
        np.testing.assert_array_equal(rows.reshape(_SAMPLES, -1), columns, err_msg=network.name)
    assert found.size == 0
