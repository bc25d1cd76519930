"""Generated C under the address and undefined-behaviour sanitizers, on hostile inputs, in buffers of exact size."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import CheckFailed
from edgeml.network import simulate
from edgeml.targets.c import generate
from edgeml.targets.cpu.compiler import WARNINGS
from edgeml.targets.cpu.dialect import CPU_DIALECT
from tests.network.random_networks import random_network
from tests.targets.cpu.bodies import body_flags, the_compiler

_PROGRAM = """#include <stdio.h>
#include <stdlib.h>
{includes}
/* Every buffer is an allocation of its own, of exact size: one byte too far is found. */
#define RUN(name, NAME) do {{ \\
    size_t samples = 11; \\
    void *x = malloc(samples * NAME##_INPUTS); \\
    int32_t *y = malloc(samples * NAME##_OUTPUTS * sizeof *y); \\
    int32_t *labels = malloc(samples * sizeof *labels); \\
    void *arena = malloc(NAME##_BATCH_ARENA_BYTES); \\
    void *small = malloc(NAME##_ARENA_BYTES); \\
    if (fread(x, NAME##_INPUTS, samples, stdin) != samples) {{ return 2; }} \\
    name##_invoke_batch(x, samples, y, labels, arena); \\
    fwrite(y, sizeof *y, samples * NAME##_OUTPUTS, stdout); \\
    for (size_t i = 0; i < samples; i++) {{ \\
        void *one = malloc(NAME##_INPUTS); \\
        for (size_t k = 0; k < NAME##_INPUTS; k++) {{ ((char *)one)[k] = ((char *)x)[i * NAME##_INPUTS + k]; }} \\
        if (name##_invoke(one, y + i * NAME##_OUTPUTS, small) != labels[i]) {{ return 3; }} \\
        free(one); \\
    }} \\
    fwrite(y, sizeof *y, samples * NAME##_OUTPUTS, stdout); \\
    free(x); free(y); free(labels); free(arena); free(small); \\
}} while (0)

int main(void)
{{
{runs}
    return 0;
}}
"""


@pytest.mark.parametrize("body", ["portable", "avx2", "avx512"])
def test_sanitizers_find_nothing(body: str, tmp_path: Path) -> None:
    flags = body_flags(body)
    networks = [random_network(seed, f"net{seed}") for seed in range(200, 203)]
    for network in networks:
        generate(network, CPU_DIALECT).write(tmp_path)
    includes = "".join(f'#include "{network.name}.c"\n' for network in networks)
    runs = "".join(f"    RUN({network.name}, {network.name.upper()});\n" for network in networks)
    (tmp_path / "main.c").write_text(_PROGRAM.format(includes=includes, runs=runs))
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-static-libasan"]
    try:
        the_compiler().run([*WARNINGS, *flags, *sanitizers, "main.c", "-o", "main"], tmp_path)
    except CheckFailed as error:
        if "asan" in str(error) or "ubsan" in str(error):
            pytest.skip("the compiler's sanitizer libraries are not installed")
        raise
    rng = np.random.default_rng(0)
    bytes_in, expected = b"", b""
    for network in networks:
        q = rng.integers(0, 256, (11, network.input_size)).astype(np.uint8)
        bytes_in += q.tobytes()
        values = q.view(np.int8) if network.quantizer.signed else q
        y = simulate(network, np.clip(values.astype(int), network.quantizer.low, network.quantizer.high))
        expected += 2 * y.tobytes()
    done = subprocess.run([tmp_path / "main"], input=bytes_in, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == expected
