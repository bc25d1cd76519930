"""Tensors side by side and multiplied, as torch itself computes them, and as integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import edgeml
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.reading import joining, positions
from edgeml.frontends.reading.builder import MlpBuilder
from edgeml.frontends.reading.shapes import permute

from .architectures import Functional
from .joined_models import GATED, JOINED, TimeMixer
from .shared_models import lively
from .test_shared_models import computed


@pytest.mark.parametrize("seed", range(12))
def test_concatenations_along_any_dimension_in_any_order(seed: int) -> None:
    generator = np.random.default_rng(seed)
    shape = tuple(generator.integers(1, 4, 3).tolist())
    x = generator.normal(size=(2, *shape))
    builder = MlpBuilder((None, *shape))
    axis = int(generator.integers(1, 4))
    tensors, signals = [], []
    for _ in range(3):
        weight = generator.normal(size=(int(generator.integers(1, 3)), shape[axis - 1]))
        tensors.append(
            torch.movedim(torch.movedim(torch.from_numpy(x), axis, -1) @ torch.from_numpy(weight.T), -1, axis)
        )
        signals.append(builder.linear(builder.input, weight, None, axis))
    order = [0, *(1 + generator.permutation(3)).tolist()]
    tensors = [each.permute(order) for each in tensors]
    signals = [permute(each, order) for each in signals]
    along = order.index(axis)
    found = joining.concatenated(builder, [*signals, signals[0]], along)
    expected = torch.cat([*tensors, tensors[0]], dim=along)
    assert found.features == tuple(expected.shape[1:])
    assert np.allclose(computed(builder, found, x), expected.numpy(), rtol=0, atol=1e-12)


MODELS = {**JOINED, **GATED, "time mixer": (lambda: TimeMixer(5, 3, 6, 3), (5, 3))}


@pytest.mark.parametrize("name", MODELS)
def test_models_from_modules_programs_and_onnx(name: str, tmp_path: Path) -> None:
    make, shape = MODELS[name]
    model = lively(make(), shape)
    x = torch.randn(64, *shape)
    exported = torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim.AUTO},), strict=False)
    torch.export.save(exported, tmp_path / "model.pt2")
    torch.onnx.export(model, (x,), dynamo=True, verbose=False).save(str(tmp_path / "model.onnx"))
    with torch.no_grad():
        expected = model(x).numpy()
    flat = x.numpy().reshape(64, -1)
    for source, example in ((model, x), (tmp_path / "model.pt2", None), (tmp_path / "model.onnx", None)):
        mlp = load_model(source, example=example)
        assert np.allclose(mlp.evaluate(flat), expected, rtol=0, atol=1e-5), source
        kinds = {node.operator.kind for node in mlp.nodes}
        assert ("concat" in kinds, "multiply" in kinds) == (name in JOINED, name in GATED)


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", MODELS)
def test_they_answer_alike_as_integers(name: str, tmp_path: Path) -> None:
    make, shape = MODELS[name]
    model = lively(make(), shape)
    x = torch.randn(64, *shape)
    with torch.no_grad():
        expected = model(x).numpy()
    flat = x.numpy().reshape(64, -1)
    bundle = edgeml.convert(
        model, to="quantized", target="host", data={"x": x}, options={"bits": 8}, output=tmp_path / "bundle"
    )
    assert np.mean(bundle.run(flat, on="golden").integers.argmax(1) == expected.argmax(1)) > 0.9
    assert {verdict.status for verdict in edgeml.verify(bundle) if verdict.name in ("native", "brevitas")} == {"exact"}


def test_a_dense_network_puts_together_what_it_has_put_together_before() -> None:
    make, shape = JOINED["densely connected"]
    mlp = load_model(lively(make(), shape), example=torch.zeros(2, *shape))
    joined = [node for node in mlp.nodes if node.operator.kind == "concat"]
    assert [node.inputs[0] for node in joined] == ["input", *(node.name for node in joined[:-1])]


@pytest.mark.parametrize("seed", range(8))
def test_products_in_any_order_and_with_dimensions_of_one(seed: int) -> None:
    generator = np.random.default_rng(seed)
    shape = tuple(generator.integers(1, 4, 3).tolist())
    x = generator.normal(size=(2, *shape))
    builder = MlpBuilder((None, *shape))
    weight = generator.normal(size=(shape[2], shape[2]))
    order = [0, *(1 + generator.permutation(3)).tolist()]
    tensor = (torch.from_numpy(x) @ torch.from_numpy(weight.T)).permute(order)
    signal = permute(builder.linear(builder.input, weight, None), order)
    axis = int(generator.integers(1, 4))
    other = tensor.mean(axis, keepdim=True) if seed % 2 else tensor.transpose(1, 2).transpose(1, 2) + 1
    mean = positions.reduced(builder, signal, [axis], True, True)
    factor = mean if seed % 2 else builder.affine(signal, 1.0, 1.0)
    sides = (signal, factor) if seed % 3 else (factor, signal)
    found = joining.multiplied(builder, *sides)
    assert found.features == tuple(tensor.shape[1:])
    assert np.allclose(computed(builder, found, x), (tensor * other).numpy(), rtol=0, atol=1e-12)


def test_halves_of_a_layer_become_layers_of_their_own() -> None:
    make, shape = GATED["glu"]
    mlp = load_model(lively(make(), shape), example=torch.zeros(2, *shape))
    assert [node.operator.kind for node in mlp.nodes] == ["linear", "linear", "sigmoid", "multiply", "linear"]
    assert [len(linear.weight) for linear in mlp.linears.values()] == [6, 6, 3]


def test_a_layer_that_is_taken_twice_stays_one() -> None:
    def forward(model: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        y = model.fc(x)  # type: ignore[operator]
        return model.out(torch.relu(y[:, :5]) * torch.sigmoid(y[:, 3:]))  # type: ignore[operator, no-any-return]

    model = Functional(forward, fc=torch.nn.Linear(4, 8), out=torch.nn.Linear(5, 3))
    x = torch.randn(6, 4)
    mlp = load_model(model, example=x)
    assert [len(linear.weight) for linear in mlp.linears.values()] == [8, 3]
    with torch.no_grad():
        assert np.allclose(mlp.evaluate(x.numpy()), model(x).numpy(), atol=1e-5)


REFUSED = {
    "a constant": (
        Functional(lambda m, x: torch.cat([m.fc(x), torch.ones(3, 2)], 1), fc=torch.nn.Linear(4, 4)),
        "const",
    ),
    "samples": (Functional(lambda m, x: torch.cat([m.fc(x), m.fc(m.fc(x))], 0), fc=torch.nn.Linear(4, 4)), "samples"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_concatenation_of_layers_is_refused(name: str) -> None:
    model, text = REFUSED[name]
    with pytest.raises(InputError, match=text) as caught:
        load_model(model, example=torch.zeros(3, 4))
    assert caught.value.remedy
