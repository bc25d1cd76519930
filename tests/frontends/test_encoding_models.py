"""Models that encode their inputs themselves are read exactly, in every way of writing them, for every value."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn
from torch.nn import functional

from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.mlp import Linear, Mlp

from .architectures import Functional
from .encoding_models import MODELS, inputs, trained
from .onnx_graphs import model as onnx_model
from .onnx_graphs import node

pytestmark = pytest.mark.filterwarnings("ignore")

IN_FLOAT32 = 2e-5
NOT_IN_ONNX = {"bits_fmod_of_truncation", "bits_gray_code", "categories_embedding_bag", "thermometer_buckets"}
"""Those that torch's exporter refuses, or writes as a loop or with the size of the batch."""
OFTEN = ("bits_shift_and_mask", "bits_integer_input", "bits_a_column_and_the_rest", "thermometer_below")
OFTEN += ("categories_offsets", "categories_categories_and_bits")


def assert_same(mlp: Mlp, name: str, model: nn.Module) -> None:
    """For every value of every feature."""
    x = inputs(name)
    with torch.no_grad():
        expected = model(x).double().numpy()
    scale = MODELS[name].scale
    exact = x.double().numpy() if scale == 1 else np.rint(x.double().numpy() / scale) * scale
    np.testing.assert_allclose(mlp.evaluate(exact), expected, rtol=IN_FLOAT32, atol=IN_FLOAT32)
    kinds = [node.operator.kind for node in mlp.nodes]
    assert kinds[0] == "encode", kinds
    assert kinds.count("linear") == 2, kinds
    assert mlp.values == tuple(min(n, 1 << mlp.nodes[0].operator.bits) for n in MODELS[name].levels)


@pytest.mark.parametrize(
    "name",
    [name if name in OFTEN or name in NOT_IN_ONNX else pytest.param(name, marks=pytest.mark.slow) for name in MODELS],
)
def test_module(name: str) -> None:
    model = trained(name)
    assert_same(load_model(model, example=inputs(name)[:3]), name, model)


DECOMPOSED = [
    name
    for name in MODELS
    # torch decomposes these into assertions over the batch, the transposed one into a view that it cannot run itself.
    if name not in ("categories_embedding_bag", "thermometer_buckets", "bits_transposed")
    and not name.startswith("categories_one_hot")
]


@pytest.mark.parametrize(
    "name", [name if name in OFTEN else pytest.param(name, marks=pytest.mark.slow) for name in DECOMPOSED]
)
def test_decomposed_file(name: str, tmp_path: Path) -> None:
    model, x = trained(name), inputs(name)[:3]
    program = torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim.AUTO},), strict=False)
    torch.export.save(program.run_decompositions(), tmp_path / "m.pt2")
    assert_same(load_model(tmp_path / "m.pt2"), name, model)


@pytest.mark.parametrize(
    "name",
    [
        name if name in OFTEN else pytest.param(name, marks=pytest.mark.slow)
        for name in MODELS
        if name not in NOT_IN_ONNX
    ],
)
def test_onnx(name: str) -> None:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    model, buffer = trained(name), io.BytesIO()
    axes = {"x": {0: "batch"}}
    torch.onnx.export(
        model, (inputs(name)[:3],), buffer, dynamo=False, input_names=["x"], dynamic_axes=axes, opset_version=18
    )
    assert_same(load_model(onnx.load_model_from_string(buffer.getvalue())), name, model)


def test_bits_are_bits_and_categories_equalities() -> None:
    for name, text in (
        ("bits_floor_divide", "5 inputs → 40 bits"),
        ("thermometer_above", "5 inputs → 20 levels"),
        ("categories_embedding", "5 inputs → 100 equalities"),
        ("bits_a_column_and_the_rest", "5 inputs → 3 values, 4 bits"),
    ):
        mlp = load_model(trained(name), example=inputs(name)[:3])
        assert mlp.nodes[0].operator.integer_layer().summary() == text


def test_levels_of_real_numbers_have_a_grid_of_their_own() -> None:
    model = Functional(
        lambda m, x: m.fc((x.unsqueeze(-1) >= m.t).float().flatten(1)),
        fc=nn.Linear(15, 2),
        t=torch.tensor([-0.5, 0.25, 1.0]),
    )
    mlp = load_model(model, example=np.zeros((3, 5)))
    x = torch.linspace(-2, 2, 405).reshape(-1, 5) + 0.001
    np.testing.assert_allclose(mlp.evaluate(x.double().numpy()), model(x).detach().double().numpy(), atol=1e-5)


def test_columns_of_real_numbers_are_moved_by_weights() -> None:
    model = Functional(lambda m, x: m.fc(torch.cat([x[:, 3:], x[:, :2] * 2 + 1], 1)), fc=nn.Linear(4, 2))
    mlp = load_model(model, example=np.zeros((3, 5)))
    assert [type(each.operator) for each in mlp.nodes] == [Linear]
    x = torch.randn(7, 5)
    np.testing.assert_allclose(mlp.evaluate(x.double().numpy()), model(x).detach().double().numpy(), atol=1e-5)


REFUSED = {
    "two features mixed": (lambda m, x: m.fc(((x[:, :4] + x[:, 4:5]).long() >> 1).float()), "mixed", "one feature"),
    "the ninth bit": (lambda m, x: m.fc(((x[:, :4].long() >> 8) & 1).float()), "past 255", "into bytes"),
    "a level past all bytes": (lambda m, x: m.fc((x[:, :4].long() >= 700).float()), "past 255", "into bytes"),
    "a category past all bytes": (lambda m, x: m.fc((x[:, :4] == 700).float()), "past 255", "into bytes"),
    "many classes": (lambda m, x: m.fc(functional.one_hot(x.long(), 2**20).sum(2)[:, :4].float()), "classes", "bytes"),
    "bits of real numbers": (
        lambda m, x: m.fc(m.fc(x[:, :4]).long().float()),
        "aten.to",
        "An MLP computes with real numbers",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str) -> None:
    function, text, remedy = REFUSED[name]
    with pytest.raises(InputError, match=text) as caught:
        load_model(Functional(function, fc=nn.Linear(4, 4)), example=np.zeros((3, 5)))
    assert remedy in caught.value.remedy


def test_hostile_sizes_are_refused_before_memory_is_taken() -> None:
    rows = np.zeros((2**20, 4), np.float32)
    graph = [node("Cast", ["x"], "i", to=7), node("Gather", ["w", "i"], "y")]
    with pytest.raises(InputError, match="rows"):
        load_model(onnx_model(graph, {"w": rows}))
    many = [node("Unsqueeze", ["x", "axis"], "u"), node("Equal", ["u", "k"], "e"), node("Cast", ["e"], "y", to=1)]
    with pytest.raises(InputError):
        load_model(onnx_model(many, {"axis": np.array([2]), "k": np.arange(2**22, dtype=np.float32)}))
