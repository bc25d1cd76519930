"""Networks of torchlogix and torch-dwn are read as the integers that they answer, or refused by name.

Both packages have to be there. torch-dwn computes on CUDA alone: its networks are held against the rule that its
kernels state, written out here.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.logic_modules.levels import quantizer_and_levels
from edgeml.network import Logic, Network, decisions, simulate


def package(name: str, reason: str) -> Any:
    """The package; a skip where it is not, or where this Python cannot read it."""
    try:
        return importlib.import_module(name)
    except (ImportError, SyntaxError):
        return pytest.skip(reason)


@pytest.fixture
def logix() -> Any:
    return package("torchlogix.layers", "needs torchlogix")


@pytest.fixture
def dwn() -> Any:
    return package("torch_dwn", "needs torch-dwn")


def read(module: Any) -> Network:
    found = load_model(module)
    assert isinstance(found, Network)
    return found


def answers(module: Any, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    with torch.no_grad():
        return np.asarray(module.eval()(torch.from_numpy(x)).double().numpy())


def random_bits(samples: int, inputs: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(5).integers(0, 2, (samples, inputs)).astype(np.float32)


@pytest.mark.parametrize("connections", ["fixed", "learnable"])
@pytest.mark.parametrize(
    ("parametrization", "rank"), [("raw", 2), ("warp", 4), ("warp", 6), ("light", 2), ("light", 6)]
)
def test_torchlogix_is_read_as_it_answers(logix: Any, parametrization: str, rank: int, connections: str) -> None:
    torch.manual_seed(1)
    kinds = {"lut_rank": rank, "parametrization": parametrization, "connections": connections,
             "parametrization_kwargs": {"weight_init": "random"}}  # fmt: skip
    first, second = logix.LogicDense(18, 30, **kinds), logix.LogicDense(30, 18, **kinds)
    for layer in (first, second):
        torch.nn.init.normal_(layer.weight)
    module = torch.nn.Sequential(first, second, logix.GroupSum(3, tau=2.0, beta=1.0))
    module.train()
    network, x = read(module), random_bits(500, 18)
    assert module.training
    assert [node.layer.kind for node in network.nodes] == ["input_quantizer", "logic", "logic", "dense"]
    y = simulate(network, network.quantizer.quantize(x))
    np.testing.assert_array_equal(network.output.real(y), answers(module, x))
    np.testing.assert_array_equal(decisions(network, y), answers(module, x).argmax(axis=1))
    assert len(np.unique(y)) > 2


@pytest.mark.parametrize("thresholds", [[[0.25, 0.5, 0.75]], [[0.1, 0.2, 0.5], [0.3, 0.4, 0.9]]])
def test_torchlogix_thresholds_become_levels_exact_where_features_are_equal_to_them(
    logix: Any, thresholds: list[list[float]]
) -> None:
    torch.manual_seed(2)
    bits = logix.FixedBinarization(torch.tensor(thresholds[0] if len(thresholds) == 1 else thresholds))
    wires = {"lut_rank": 2, "connections": "learnable", "parametrization_kwargs": {"weight_init": "random"}}
    module = torch.nn.Sequential(bits, torch.nn.Flatten(), logix.LogicDense(6, 20, **wires), logix.GroupSum(2))
    network = read(module)
    assert [node.layer.kind for node in network.nodes] == ["input_quantizer", "encode", "logic", "dense"]
    x = np.random.default_rng(0).integers(0, 21, (400, 2)).astype(np.float32) / np.float32(20)
    y = simulate(network, network.quantizer.quantize(x))
    np.testing.assert_array_equal(network.output.real(y), answers(module, x))


def test_torchlogix_with_something_else_between_is_refused_by_name(logix: Any) -> None:
    layer = logix.LogicDense(8, 8, lut_rank=2)
    with pytest.raises(InputError, match="layer 1: is a Linear"):
        load_model(torch.nn.Sequential(layer, torch.nn.Linear(8, 8), logix.GroupSum(2)))
    with pytest.raises(InputError, match="group sums"):
        load_model(torch.nn.Sequential(layer))
    with pytest.raises(InputError, match=r"beta = 0\.5"):
        load_model(torch.nn.Sequential(layer, logix.GroupSum(2, beta=0.5)))


def written_out(module: Any, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """What torch-dwn's kernels state, function by function."""
    *layers, sums = module
    for layer in layers:
        learned = hasattr(layer.mapping, "weights")
        mapping = (layer.mapping.weights.argmax(dim=0) if learned else layer.mapping).reshape(-1, layer.n).numpy()
        y = np.zeros((len(x), layer.output_size), np.float32)
        for function, wires in enumerate(mapping):
            address = sum((x[:, wire] > 0).astype(int) << j for j, wire in enumerate(wires))
            y[:, function] = layer.luts.detach().numpy()[function][address] > 0
        x = y
    return np.asarray(sums(torch.from_numpy(x)).double().numpy())


@pytest.mark.parametrize("mapping", ["random", "learnable", "arange"])
def test_torch_dwn_is_read_as_its_kernels_are_written(dwn: Any, mapping: str) -> None:
    torch.manual_seed(3)
    first, second = dwn.LUTLayer(20, 15, n=6, mapping=mapping), dwn.LUTLayer(15, 10, n=3)
    for groups, shuffled in ((5, False), (4, False), (5, 10)):
        module = torch.nn.Sequential(first, second, dwn.GroupSum(k=groups, tau=1 / 0.25, randperm=shuffled))
        network, x = read(module), random_bits(300, 20)
        y = simulate(network, network.quantizer.quantize(x))
        np.testing.assert_array_equal(network.output.real(y), written_out(module, x))


def test_torch_dwn_that_answers_real_numbers_is_refused(dwn: Any) -> None:
    with pytest.raises(InputError, match="ste=False"):
        load_model(torch.nn.Sequential(dwn.LUTLayer(8, 4, n=3, ste=False), dwn.GroupSum(2)))


def test_a_network_that_was_read_computes_the_same_in_c(logix: Any, tmp_path: Any) -> None:
    import edgeml

    module = torch.nn.Sequential(
        logix.LogicDense(16, 24, lut_rank=4, parametrization="warp", connections="learnable"), logix.GroupSum(4)
    )
    bundle = edgeml.convert(module, to="quantized", target="host", output=tmp_path / "out")
    assert isinstance(bundle.network.nodes[1].layer, Logic)
    found = {verdict["name"]: verdict["status"] for verdict in bundle.manifest["verification"]}
    assert (found["golden"], found["native"]) == ("exact", "exact")


def test_levels_are_where_thresholds_are_and_a_feature_equal_to_one_is_not_above_it() -> None:
    thresholds = np.array([[0.1, 0.2, 0.5], [-3.0, 1.0, 2.0]], np.float32).astype(np.float64)
    quantizer, encode = quantizer_and_levels(thresholds, "bits")
    for shift in (0.0, -1e-4, 1e-4):
        x = np.repeat(thresholds.T + shift, 1, axis=0)
        found = encode.evaluate(quantizer.quantize(x)).reshape(len(x), 2, 3)
        np.testing.assert_array_equal(found, x[:, :, None] > thresholds)


def test_thresholds_on_no_grid_are_refused_with_their_feature() -> None:
    with pytest.raises(InputError, match="feature 1 with thresholds on no grid"):
        quantizer_and_levels(np.array([[0.0, 0.5, 1.0], [0.0, 1.0, np.pi * 10]]), "bits")
