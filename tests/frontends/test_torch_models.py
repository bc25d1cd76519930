"""Every way in which people write an MLP in torch is read exactly: as a module, as a program, and from a file."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from edgeml.frontends import load_model
from edgeml.frontends.mlp import Clamp, Linear, Mlp

from .architectures import ARCHITECTURES, Functional, computed, samples, trained

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

LOSSLESS = 1e-12

ALSO_DECOMPOSED = ("hourglass", "image", "in_place", "normalised", "views", "weight_norm", "batch_last", "dropouts")
"""Those whose decomposition into core operators differs most; the others are slow tests."""


def assert_same(mlp: Mlp, name: str, model: torch.nn.Module) -> None:
    """`mlp` computes what the model does, on inputs that the loader has not seen."""
    x = samples(name)
    expected = computed(model, x).numpy()
    found = mlp.evaluate(x.double().reshape(len(x), -1).numpy())
    if mlp.final == "argmax":
        assert np.array_equal(found.argmax(axis=1), expected.reshape(-1))
        return
    if mlp.final:
        found = torch.from_numpy(found).log_softmax(1).numpy()
        expected = np.log(expected) if mlp.final == "softmax" else expected
    np.testing.assert_allclose(found, expected.reshape(found.shape), rtol=LOSSLESS, atol=LOSSLESS * 100)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_module(name: str) -> None:
    model = trained(name)
    mlp = load_model(model, example=samples(name, 3))
    assert mlp.final == ARCHITECTURES[name].final
    assert_same(mlp, name, model)


@pytest.mark.parametrize(
    ("name", "batch", "decomposed"),
    [(name, "fixed", False) for name in ARCHITECTURES]
    + [
        pytest.param(name, "dynamic", True, marks=() if name in ALSO_DECOMPOSED else pytest.mark.slow)
        for name in ARCHITECTURES
        if name not in ("bends_at_zero", "functions_of_one")  # decomposed, some are a comparison and a choice
    ],
)
def test_file(name: str, batch: str, decomposed: bool, tmp_path: Path) -> None:
    model = trained(name)
    x = samples(name, 3)
    dynamic = ({0: torch.export.Dim.AUTO},) if batch == "dynamic" else None
    program = torch.export.export(model, (x,), dynamic_shapes=dynamic, strict=False)
    if decomposed:
        program = program.run_decompositions()
    path = tmp_path / "model.pt2"
    torch.export.save(program, path)
    mlp = load_model(path)
    assert mlp.name == "model"
    assert mlp.final == ARCHITECTURES[name].final
    assert_same(mlp, name, model)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_weights_keep_every_bit_of_their_type(dtype: torch.dtype, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)).to(dtype).eval()
    path = tmp_path / "model.pt2"
    torch.export.save(torch.export.export(model, (torch.zeros(2, 8, dtype=dtype),), strict=False), path)
    for mlp in (load_model(path), load_model(model)):
        layers = [node.operator for node in mlp.nodes if isinstance(node.operator, Linear)]
        assert len(layers) == 2
        for layer, source in zip(layers, (model[0], model[2]), strict=True):
            assert np.array_equal(layer.weight, source.weight.detach().double().numpy())
            assert np.array_equal(layer.bias, source.bias.detach().double().numpy())


def test_one_output_as_a_product_with_a_vector() -> None:
    model = Functional(lambda m, x: x @ m.w, w=torch.randn(8))
    mlp = load_model(model, example=np.zeros((3, 8)))
    assert mlp.output_size == 1
    assert np.array_equal(mlp.nodes[0].operator.weight, model.w.double().numpy()[None])


def test_a_module_is_left_as_it_was() -> None:
    model = trained("wide_narrow_wide").train()
    model.block1.eval()
    modes = [part.training for part in model.modules()]
    before = copy.deepcopy(model.state_dict())
    state = torch.random.get_rng_state()
    load_model(model)
    assert modes == [part.training for part in model.modules()]
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())


def test_the_example_is_made_up_where_none_is_given() -> None:
    for name in ("plain", "hourglass", "image", "normalised"):
        assert load_model(trained(name)).input_size == int(np.prod(ARCHITECTURES[name].sample))


def test_layers_are_named_after_the_users_modules() -> None:
    mlp = load_model(trained("hourglass"))
    assert [node.name for node in mlp.nodes] == ["down", "down_norm", "relu", "up", "add", "relu_1", "head"]
    assert mlp.nodes[0].origin.startswith("down (Linear), architectures.py line ")
    assert load_model(trained("plain")).nodes[0].name == "linear_0"


def test_neighbours_that_are_one_become_one() -> None:
    mlp = load_model(trained("clamps"))
    assert [type(node.operator) for node in mlp.nodes] == [Linear, Clamp, Linear]
    assert mlp.nodes[1].operator == Clamp(-0.5, 1.5)
    matmul = load_model(trained("matmul"), example=samples("matmul"))
    assert [type(node.operator) for node in matmul.nodes] == [Linear]


def test_what_the_output_does_not_need_is_left_out() -> None:
    class Extra(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.unused = torch.nn.Linear(8, 4), torch.nn.Linear(8, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.unused(x)
            return self.fc(x)

    assert [node.name for node in load_model(Extra()).nodes] == ["fc"]


@pytest.mark.parametrize("version", ["2.6", "2.7", "2.8", "2.9"])
@pytest.mark.parametrize("kind", ["", "_decomposed"])
def test_programs_of_older_torch_versions(version: str, kind: str) -> None:
    folder = Path(__file__).parent / "programs"
    mlp = load_model(folder / f"torch_{version}{kind}.pt2")
    assert mlp.final == "log_softmax"
    assert len(mlp.nodes) == 9
    expected = np.load(folder / f"torch_{version}.npz")
    logits = mlp.evaluate(expected["x"])
    found = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found, expected["y"], rtol=1e-13, atol=1e-13)
