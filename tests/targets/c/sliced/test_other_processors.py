"""Many samples at once on processors that this machine is not: NEON, and the highest byte first, in qemu."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.emulated_linux import MACHINES
from edgeml.network import simulate
from edgeml.targets.c import generate
from edgeml.targets.cpu.compiler import WARNINGS
from edgeml.targets.cpu.dialect import CPU_DIALECT
from tests.targets.logic_networks import classifier, logic_inputs, random_logic_network

from .test_sliced import any_rules

_SAMPLES = 150
_PROGRAM = """{includes}
static char x[1 << 18];
static int32_t y[1 << 16];
static uint64_t arena[1 << 18];
#define RUN(name, NAME) do {{ \\
    if (sizeof arena < NAME##_BATCH_ARENA_BYTES) {{ return 3; }} \\
    if (!receive(x, {samples} * NAME##_INPUTS)) {{ return 2; }} \\
    name##_invoke_batch((void *)x, {samples}, y, NULL, arena); \\
    if (!answer(y, {samples} * sizeof *y * NAME##_OUTPUTS)) {{ return 4; }} \\
}} while (0)

static int run(void)
{{
{runs}
    return 0;
}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", MACHINES)
def test_batches_give_the_integers_of_golden(name: str, tmp_path: Path) -> None:
    machine = MACHINES[name]
    if missing := machine.missing():
        pytest.skip(missing)
    networks = [random_logic_network(seed, f"net{seed}", widest=60) for seed in (0, 1, 3, 4)]
    networks += [classifier(5), any_rules(1, signed=False), any_rules(2, signed=True)]
    includes = runs = ""
    for network in networks:
        generate(network, CPU_DIALECT).write(tmp_path)
        includes += f'#include "{network.name}.c"\n'
        runs += f"    RUN({network.name}, {network.name.upper()});\n"
    inputs = [logic_inputs(network, 1, _SAMPLES) for network in networks]
    sent = b"".join(
        q.astype(np.int8 if n.quantizer.signed else np.uint8).tobytes() for n, q in zip(networks, inputs, strict=True)
    )
    text = _PROGRAM.format(includes=includes, runs=runs, samples=_SAMPLES)
    found = np.frombuffer(machine.run(text, sent, tmp_path, WARNINGS), f"{machine.order}i4")
    expected = np.concatenate([simulate(n, q).ravel() for n, q in zip(networks, inputs, strict=True)])
    np.testing.assert_array_equal(found, expected)
