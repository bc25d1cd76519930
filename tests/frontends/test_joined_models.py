"""Tensors side by side, as torch itself computes them, and as integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import edgeml
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.reading import joining
from edgeml.frontends.reading.builder import MlpBuilder
from edgeml.frontends.reading.shapes import permute

from .architectures import Functional
from .joined_models import JOINED
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


@pytest.mark.parametrize("name", JOINED)
def test_models_from_modules_programs_and_onnx(name: str, tmp_path: Path) -> None:
    make, shape = JOINED[name]
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
        assert "concat" in {node.operator.kind for node in mlp.nodes}


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", JOINED)
def test_they_answer_alike_as_integers(name: str, tmp_path: Path) -> None:
    make, shape = JOINED[name]
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
