"""Networks of functions of one number (thresholds and tables, signed levels and levels with an offset) on every target:
C on this machine and on emulated cores, RTL folded and unrolled, QONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeml import plugins
from edgeml.converters.quantized import QuantizedConverter
from edgeml.data.dataset import Dataset
from edgeml.frontends.float_operators.formula import Formula
from edgeml.frontends.float_operators.leaky_relu import LeakyRelu
from edgeml.frontends.float_operators.operator import FloatOperator
from edgeml.frontends.float_operators.tanh import Tanh
from edgeml.frontends.mlp import Linear, Mlp, MlpNode
from edgeml.network import Network, simulate, trace
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.targets.cpu.native_network import NativeNetwork
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.executors.verilator import compile_design
from edgeml.targets.fpga.qonnx.writer import to_qonnx
from edgeml.targets.fpga.tools.programs import compiler, find_verilator

from .fpga.designs import folded_designs

SIZE = 6
VECTORS = 20_000
verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)


def network_of(bits: int, *functions: FloatOperator) -> Network:
    """A converted network with one layer for each function."""
    rng, nodes, source = np.random.default_rng(bits), [], "input"
    for number, function in enumerate(functions):
        weight = rng.normal(size=(SIZE, SIZE)) / np.sqrt(SIZE) * 2
        nodes.append(MlpNode(f"linear{number}", Linear(weight, rng.normal(size=SIZE) / 4), (source,)))
        nodes.append(MlpNode(f"act{number}", function, (nodes[-1].name,)))
        source = nodes[-1].name
    nodes.append(MlpNode("last", Linear(rng.normal(size=(3, SIZE)), np.zeros(3)), (source,)))
    x = rng.normal(size=(200, SIZE))
    options = {"bits": bits, "input_bits": 6, "epochs": int(bits < 4)}
    mlp = Mlp("net", SIZE, tuple(nodes))
    conversion: plugins.Conversion = QuantizedConverter().convert(mlp, Dataset(x, x[:50]), options, lambda *_: None)
    return conversion.network


MIXED = (Tanh(), Formula("gelu"), LeakyRelu(np.linspace(0.02, 0.5, SIZE)), Formula("elu", 1.0), Formula("silu"))


def inputs_of(network: Network, count: int = VECTORS) -> np.ndarray:
    low, high = network.quantizer.low, network.quantizer.high
    return np.random.default_rng(0).integers(low, high + 1, (count, network.input_size)).astype(np.int32)


@pytest.mark.skipif(find_compiler() is None, reason="a C compiler is not installed")
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_c_on_this_machine(bits: int) -> None:
    network = network_of(bits, *MIXED)
    q = inputs_of(network)
    layers = trace(network, q)
    assert all(len(np.unique(values)) > 1 for values in layers.values())
    assert np.array_equal(NativeNetwork(network).invoke(q), simulate(network, q))


@verilator
@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("style", ["folded", "unrolled"])
def test_rtl(style: str, tmp_path: Path) -> None:
    network = network_of(4, *MIXED[:3])
    design = Design("unrolled") if style == "unrolled" else folded_designs(network, 1)[0]
    q = inputs_of(network, 2000)
    outputs, _ = compile_design(build(network, design), tmp_path).run(q)
    assert np.array_equal(outputs, simulate(network, q))


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_qonnx_states_functions_as_their_thresholds(bits: int) -> None:
    pytest.importorskip("qonnx", reason="qonnx is not installed")
    from edgeml.targets.fpga.qonnx.executor import run_qonnx

    network = network_of(bits, *MIXED)
    q = inputs_of(network, 2000)
    assert np.array_equal(run_qonnx(to_qonnx(network), q), simulate(network, q))
