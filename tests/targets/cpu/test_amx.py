"""Sixteen samples at once with AMX: Linux is asked for it, and where it refuses the others' code computes the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from edgeml.targets.c import generate
from edgeml.targets.cpu.dialect import CPU_DIALECT
from tests.network.random_networks import random_network
from tests.targets.cpu.bodies import AMX, body_flags
from tests.targets.cpu.test_kernels import two_layers

ROOT = Path(__file__).parents[3]
_REFUSED = """
import sys
import numpy as np
from benchmarks.without_amx import refuse_amx
from edgeml.network import simulate
from edgeml.targets.cpu.native_network import NativeNetwork
from tests.network.random_networks import random_inputs
from tests.targets.cpu.test_kernels import two_layers

refuse_amx()
for bits, input_bits in ((8, 8), (2, 8), (2, 2)):
    network = two_layers(bits, (300, 130, 3), input_bits, 0.35)
    q = random_inputs(network, 35, 1)
    assert np.array_equal(NativeNetwork(network, flags=sys.argv[1:]).invoke(q), simulate(network, q))
print("exact")
"""


def test_where_linux_refuses_the_tiles_the_integers_are_the_same() -> None:
    """An instruction of AMX would end this process: it has no permission."""
    flags = body_flags(AMX)
    command = [sys.executable, "-c", _REFUSED, *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stdout) == (0, "exact\n"), done.stderr[-2000:]


def test_memory_is_for_sixteen_samples_whatever_the_code_is_compiled_for() -> None:
    layout = generate(two_layers(2, (300, 130, 3), 2, 0.35), CPU_DIALECT).layout
    assert layout.sixteens
    assert (layout.tile, layout.batch_arena_bytes) == (8, 16 * layout.arena_bytes)
    few = generate(random_network(0, "few"), CPU_DIALECT)
    assert f"_BATCH_ARENA_BYTES {few.layout.batch_arena_bytes}\n" in few.files["few.h"]
