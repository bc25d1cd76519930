"""Programs of pt2e, and modules of torch.ao.quantization, become the integers that they state: the golden simulator
gives what torch computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.ao.quantization.fx._decomposed
from torch import nn

import edgeml
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.mlp import Mlp
from edgeml.network import Network, Shared, simulate

PROGRAMS = Path(__file__).parent / "programs"
OPERATORS = torch.ops.quantized_decomposed
SAMPLES = 300
INPUTS = 6


def samples() -> torch.Tensor:
    return torch.randn(SAMPLES, INPUTS, generator=torch.Generator().manual_seed(1))


def steps_apart(network: Network, x: Any, y: Any) -> Any:
    """How many steps of the output lie between golden and what torch gave."""
    flat = np.asarray(x, np.float64).reshape(len(x), -1)
    real = network.output.real(simulate(network, network.quantizer.quantize(flat)))
    return np.abs(real - np.asarray(y, np.float64)) / network.output.scale[0]


@pytest.mark.parametrize("name", ["residual", "convolution"])
def test_programs_of_torchao_are_read_as_their_integers(name: str) -> None:
    network = load_model(PROGRAMS / f"{name}.pt2")
    assert isinstance(network, Network)
    with np.load(PROGRAMS / f"{name}.npz") as stored:
        assert steps_apart(network, stored["x"], stored["y"]).max() < 1e-3
        assert len(np.unique(stored["y"])) > 20
    assert any(isinstance(node.layer, Shared) for node in network.layers) == (name == "convolution")


def test_a_convolution_of_pt2e_runs_as_c(tmp_path: Path) -> None:
    bundle = edgeml.convert(PROGRAMS / "convolution.pt2", to="quantized", target="host", output=tmp_path / "m")
    verdicts = {verdict["name"]: verdict["status"] for verdict in bundle.manifest["verification"]}
    assert verdicts["native"] == "exact"


class Quantized(nn.Module):
    """A linear layer on integers, written out in torch's quantizers."""

    def __init__(self, **changes: Any) -> None:
        super().__init__()
        given: dict[str, Any] = {"scale": 0.03, "zero": -7, "low": -128, "high": 127, "again": 0.03, "kind": torch.int8}
        self.given = {**given, **changes}
        generator = torch.Generator().manual_seed(2)
        self.register_buffer("weight", torch.randint(-127, 128, (4, INPUTS), generator=generator).to(torch.int8))
        self.register_buffer("scales", torch.rand(4, generator=generator) * 0.01 + 0.004)
        self.register_buffer("zeros", torch.zeros(4, dtype=torch.int64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, 6] → [batch, 4]."""
        g = self.given
        first = g["zero"], g["low"], g["high"], g["kind"]
        x = OPERATORS.dequantize_per_tensor(OPERATORS.quantize_per_tensor(x, g["scale"], *first), g["again"], *first)
        weight = OPERATORS.dequantize_per_channel(self.weight, self.scales, self.zeros, 0, -127, 127, torch.int8)
        y = torch.relu(nn.functional.linear(x, weight))
        last = 0.02, 3, 0, 255, torch.uint8
        return OPERATORS.dequantize_per_tensor(OPERATORS.quantize_per_tensor(y, *last), *last)


def test_a_module_with_torchs_quantizers_is_traced_and_read() -> None:
    for changes in ({}, {"zero": 0, "low": -3, "high": 4}, {"zero": 120, "low": 0, "high": 255, "kind": torch.uint8}):
        module, x = Quantized(**changes).eval(), samples()
        network = load_model(module, example=x[:7])
        assert isinstance(network, Network)
        assert steps_apart(network, x, module(x)).max() < 1e-3
        stored = [node.layer.weight for node in network.layers if node.layer.kind == "dense"]
        assert np.array_equal(np.abs(stored[0]), np.abs(module.weight.numpy()))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"again": 0.04}, "quantized with one scale and zero point, and dequantized with another"),
        ({"kind": torch.int16, "low": -300, "high": 300}, "activations of type int16"),
        ({"scale": -0.03, "again": -0.03}, "a scale that is not positive"),
    ],
)
def test_what_is_no_network_of_small_integers_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        load_model(Quantized(**changes).eval(), example=samples()[:7])


class Dynamic(nn.Module):
    """Finds its scale anew for every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(INPUTS, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, 6] → [batch, 3]."""
        scale, zero = OPERATORS.choose_qparams(x, -128, 127, 1e-6, torch.int8)
        q = OPERATORS.quantize_per_tensor(x, scale, zero, -128, 127, torch.int8)
        return self.layer(OPERATORS.dequantize_per_tensor(q, scale, zero, -128, 127, torch.int8))


def test_dynamic_scales_are_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match=r"quantized dynamically.*pass the float model"):
        load_model(Dynamic().eval(), example=samples()[:7])


def mlp() -> nn.Sequential:
    torch.manual_seed(4)
    return nn.Sequential(nn.Linear(INPUTS, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3)).eval()


@pytest.mark.filterwarnings("ignore")
def test_quantize_dynamic_gives_the_numbers_of_its_weights() -> None:
    module = torch.ao.quantization.quantize_dynamic(mlp(), {nn.Linear}, dtype=torch.qint8)
    read = load_model(module)
    assert isinstance(read, Mlp)
    x = samples()
    apart = np.abs(read.evaluate(x.numpy().astype(np.float64)) - module(x).detach().numpy())
    assert apart.max() < 0.03 * float(np.ptp(module(x).detach().numpy()))
    first = next(node.operator.weight for node in read.nodes if node.operator.kind == "linear")
    scale = module[0].weight().q_scale()
    np.testing.assert_allclose(first, module[0].weight().int_repr().numpy() * scale, rtol=1e-6)
    assert type(module[0]).__name__ == "Linear"
    assert "dynamic" in type(module[0]).__module__


class Static(nn.Module):
    """Between QuantStub and DeQuantStub, as torch's eager quantization wants it."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.first, self.inner, self.last = (
            torch.ao.quantization.QuantStub(), inner, torch.ao.quantization.DeQuantStub(),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, 6] → [batch, 3]."""
        return self.last(self.inner(self.first(x)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("fused", [False, True])
def test_eager_modules_are_read_as_their_integers(fused: bool) -> None:
    """Kernels add biases as integers: at a tie of a level theirs may be its neighbour."""
    module, x = Static(mlp()).eval(), samples()
    module.qconfig = torch.ao.quantization.get_default_qconfig("fbgemm")
    if fused:
        torch.ao.quantization.fuse_modules(module.inner, [["0", "1"], ["2", "3"]], inplace=True)
    torch.ao.quantization.prepare(module, inplace=True)
    module(x)
    torch.ao.quantization.convert(module, inplace=True)
    network = load_model(module, example=x[:7])
    assert isinstance(network, Network)
    apart = steps_apart(network, x, module(x))
    assert apart.max() < 1.01
    assert np.mean(apart > 0.5) < 0.01


def test_an_eager_layer_that_is_not_read_is_named() -> None:
    module = nn.Sequential(nn.Linear(INPUTS, 3), torch.ao.nn.quantized.Hardswish(0.1, 3)).eval()
    with pytest.raises(InputError, match=r"quantized Hardswish of torch\.ao.*pt2e"):
        load_model(module)
