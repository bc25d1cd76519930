"""Every compiler that there is makes C of the same integers, with each body of the kernels, fully optimized."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.network import trace
from edgeml.targets.cpu.compiler import Compiler, find_compiler
from edgeml.targets.cpu.native_network import NativeNetwork, build_native
from tests.network.random_networks import random_inputs, random_network
from tests.sweeps import seeds
from tests.targets.c.test_requantize import wide_network
from tests.targets.cpu.bodies import body_flags

NAMES = ("gcc", "clang", *(f"clang-{version}" for version in range(14, 20)), "zig")


def compilers() -> list[Compiler]:
    found = [compiler for name in NAMES if (compiler := find_compiler(name)) is not None]
    if not found:
        pytest.skip("no C compiler: install gcc, clang or ziglang")
    return found


def flags_for(compiler: Compiler, body: str) -> tuple[str, ...]:
    """As zig wants a processor named, where it is zig."""
    flags = body_flags(body, "-O3")
    return tuple(each.replace("-march=", "-mcpu=").replace("e-s", "e_s") for each in flags) if compiler.zig else flags


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("body", ["portable", "avx2", "avx512"])
def test_all_compilers_make_c_of_the_same_integers(body: str) -> None:
    networks = [random_network(seed, f"random{seed}") for seed in seeds(3000, 12)]
    expected = [trace(network, random_inputs(network, 21, 1)) for network in networks]
    wide = wide_network()
    q = random_inputs(wide, 21, 1)
    for compiler in compilers():
        flags = flags_for(compiler, body)
        for native, values in zip(build_native(networks, compiler=compiler, flags=flags), expected, strict=True):
            last = native.network.nodes[-1].name
            found = native.invoke(random_inputs(native.network, 21, 1))
            np.testing.assert_array_equal(found, values[last], err_msg=f"{compiler.version}, {native.network.name}")
        found = NativeNetwork(wide, compiler=compiler, flags=flags).invoke(q)
        np.testing.assert_array_equal(found, trace(wide, q)[wide.nodes[-1].name], err_msg=compiler.version)
