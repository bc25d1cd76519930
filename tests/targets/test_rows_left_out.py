"""Networks without what no output depends on: C, RTL of both architectures and golden give the integers of the networks
they were made from, and neither code nor estimates have anything of what was left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeml.bundle import load
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, network_file, simulate
from edgeml.network.layers.encode import LEVEL, Encode
from edgeml.network.layers.tables import Tables
from edgeml.network.reduction import reduced
from edgeml.pipeline import convert
from edgeml.targets.cpu.native_network import build_native
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.design import Design, build, laid_out
from edgeml.targets.fpga.estimate.costs import total
from edgeml.targets.fpga.executors.verilator import compile_design
from edgeml.targets.fpga.tools.programs import compiler, find_verilator
from tests.network.random_networks import random_inputs
from tests.network.test_reduction_of_rows import rows_network

needs_verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)


def levels_network(each: int, read: int, more: int) -> Network:
    """Thermometers of `each` levels, of which every input's first ones are read, and tables with features beside them
    that add the same for all values."""
    rng = np.random.default_rng(0)
    inputs, neurons = 6, 5
    operand = np.tile(np.linspace(1, 255, each).round().astype(np.int64), inputs)
    encode = Encode(np.repeat(np.arange(inputs), each), np.full(inputs * each, LEVEL), operand, inputs)
    weight = rng.choice([-1, 1], (neurons, inputs, each))
    weight[:, :, read:] = 0
    rows = np.concatenate([np.arange(4 * neurons).reshape(neurons, 4), np.full((more, 4), 3)])
    entries = rng.integers(-8, 8, (4 * neurons, 3))
    entries[3] = 0
    tables = Tables(entries, 4, rows, np.arange(neurons + more) % neurons, np.zeros(3, np.int64), neurons)
    nodes = (
        Node("input", InputQuantizer(inputs, np.array([1.0]), np.array([0.0]), 0, 8, False)),
        Node("levels", encode, ("input",)),
        Node("fc", Dense(weight.reshape(neurons, -1), 2, np.zeros(neurons, np.int64)), ("levels",)),
        Node("act", Threshold(np.tile([-1, 0, 2], (neurons, 1))), ("fc",)),
        Node("tables", tables, ("act",)),
    )
    return Network("net", nodes, Output(np.array([1.0])))


def _of_levels(each: int, more: int) -> Network:
    """The same function, from a network that has no more levels than are read, of so many."""
    return reduced(levels_network(each, 3, more))


def test_c_is_exact() -> None:
    whole = [*(rows_network(seed) for seed in range(6)), levels_network(9, 3, 4)]
    whole = [replace(network, name=f"net{number}") for number, network in enumerate(whole)]
    for network, native in zip(whole, build_native([reduced(each) for each in whole]), strict=True):
        q = random_inputs(network, 300, 1).astype(np.int32)
        np.testing.assert_array_equal(native.invoke(q), simulate(network, q))


@needs_verilator
@pytest.mark.parametrize("architecture", ["folded", "unrolled"])
def test_simulated_hardware_is_exact(architecture: str, tmp_path: Path) -> None:
    for seed, network in enumerate((rows_network(15), levels_network(9, 3, 4))):
        q = random_inputs(network, 200, seed).astype(np.int32)
        simulation = compile_design(build(reduced(network), Design(architecture)), tmp_path / f"{seed}")
        np.testing.assert_array_equal(simulation.run(q)[0], simulate(network, q))


@pytest.mark.parametrize("architecture", ["folded", "unrolled"])
def test_what_is_left_out_is_in_no_design_and_in_no_estimate(architecture: str) -> None:
    designs = [build(_of_levels(9, more), Design(architecture)) for more in (1, 4)]
    assert designs[0].files == designs[1].files
    costs = []
    for network in (levels_network(9, 3, 4), _of_levels(9, 4)):
        layout = laid_out(network, Design(architecture))
        costs.append(total(layout.architecture.estimate(layout.plan, FAMILIES["ecp5"])))
    # Unrolled designs have no cell that nothing reads.
    fewer = costs[1].luts < costs[0].luts if architecture == "folded" else costs[1].luts <= costs[0].luts
    assert fewer
    assert costs[1].flip_flops <= costs[0].flip_flops


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_a_bundle_has_the_network_with_them_beside_it(target: str, tmp_path: Path) -> None:
    network = levels_network(9, 3, 4)
    network_file.write(network, tmp_path / "net.edgeml")
    bundle = convert(tmp_path / "net.edgeml", to="quantized", target=target, output=tmp_path / "bundle")
    assert (bundle.network.sizes["levels"], bundle.converted.sizes["levels"]) == (18, 54)
    assert bundle.network.nodes[4].layer.features == 5
    assert bundle.network.input_size == network.input_size
    assert "36 of 54 in levels, table rows of tables" in str(load(bundle.folder).manifest["notes"])
