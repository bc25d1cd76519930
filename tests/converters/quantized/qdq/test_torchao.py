"""Modules that torchao quantizes are read as they live in Python: those of pt2e as their integers, those of `quantize_`
as float models of the weights that their integers stand for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import edgeml
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.mlp import Mlp
from edgeml.network import Network, simulate

pytest.importorskip("torchao", reason="needs torchao")
from torchao.quantization import Int8WeightOnlyConfig, quantize_
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.testing.pt2e._xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config

pytestmark = pytest.mark.filterwarnings("ignore")


class Residual(nn.Module):
    """A sum of two branches, a ReLU behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.first(x))
        return self.last(torch.relu(hidden + self.second(hidden)))


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 3))


MODELS: dict[str, Callable[[], nn.Module]] = {"mlp": mlp, "residual": Residual}


def lively(make: Callable[[], nn.Module]) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(3)
    model = make().eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4)
    return model, torch.randn(200, 6)


def by_pt2e(model: nn.Module, x: torch.Tensor, *, dynamic: bool = False) -> Any:
    program = torch.export.export(model, (x[:7],), dynamic_shapes=({0: torch.export.Dim("batch")},))
    chosen = get_symmetric_quantization_config(is_per_channel=True, is_dynamic=dynamic)
    prepared = prepare_pt2e(program.module(), XNNPACKQuantizer().set_global(chosen))
    prepared(x)
    return convert_pt2e(prepared)


@pytest.mark.parametrize("name", MODELS)
def test_a_module_of_pt2e_is_read_as_its_integers(name: str) -> None:
    """Against what the module computes itself, in steps of its output."""
    model, x = lively(MODELS[name])
    module = by_pt2e(model, x)
    network = load_model(module, example=x[:7])
    assert isinstance(network, Network)
    with torch.no_grad():
        expected = module(x).double().numpy()
    real = network.output.real(simulate(network, network.quantizer.quantize(x.double().numpy())))
    assert len(np.unique(expected)) > 20
    assert np.abs(real - expected).max() / network.output.scale[0] < 1e-3


def test_a_module_of_pt2e_converts_without_data(tmp_path: Path) -> None:
    model, x = lively(mlp)
    module = by_pt2e(model, x)
    bundle = edgeml.convert(module, to="quantized", target="host", example=x[:7], output=tmp_path / "b")
    verdicts = {verdict["name"]: verdict["status"] for verdict in bundle.manifest["verification"]}
    assert verdicts["native"] == "exact"


def test_scales_that_are_computed_anew_for_each_sample_are_refused() -> None:
    model, x = lively(mlp)
    with pytest.raises(InputError, match=r"dynamic|choose_qparams") as caught:
        load_model(by_pt2e(model, x, dynamic=True), example=x[:7])
    assert "fixed" in caught.value.remedy


def test_weights_that_quantize_made_integers_are_read_with_their_values() -> None:
    model, x = lively(mlp)
    quantized = copy.deepcopy(model)
    quantize_(quantized, Int8WeightOnlyConfig())
    found = load_model(quantized, example=x[:7])
    assert isinstance(found, Mlp)
    with torch.no_grad():
        expected, before = quantized(x).numpy(), model(x).numpy()
    assert np.abs(before - expected).max() > 1e-3
    np.testing.assert_allclose(found.evaluate(x.numpy()), expected, atol=1e-4)
