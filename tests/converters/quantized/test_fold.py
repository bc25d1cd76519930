"""Folding changes no value, and leaves nothing that could have been folded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from edgeml.converters.quantized.fold import fold, normalise_input, takes_only_linear
from edgeml.errors import InputError
from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp, MlpNode, Sigmoid, Tanh

from .random_mlps import Shape, data_of, mlp_of, shapes

RELU = Clamp(0.0, np.inf)


def linear(rng: np.random.Generator, outputs: int, inputs: int) -> Linear:
    return Linear(rng.normal(size=(outputs, inputs)), rng.normal(size=outputs))


@settings(max_examples=120)
@given(shapes())
def test_folded_models_compute_the_same(shape: Shape) -> None:
    mlp = mlp_of(shape)
    x = data_of(mlp, 3, 30).x
    folded = fold(mlp)
    np.testing.assert_allclose(folded.mlp.evaluate(folded.normalise(x)), mlp.evaluate(x), rtol=1e-9, atol=1e-9)
    if takes_only_linear(folded.mlp):
        again = normalise_input(folded, np.linspace(-1, 1, mlp.input_size), np.full(mlp.input_size, 0.3))
        np.testing.assert_allclose(again.mlp.evaluate(again.normalise(x)), mlp.evaluate(x), rtol=1e-8, atol=1e-8)


def test_batch_norm_vanishes_into_linear_layers_and_the_input_quantizer() -> None:
    rng = np.random.default_rng(0)
    gamma = np.array([1.5, -0.5, 0.0, 2.0, -1.0])
    nodes = (
        MlpNode("normalise", Affine(np.array([0.5, -2.0, 0.0]), np.array([1.0, 0.0, 3.0])), ("input",)),
        MlpNode("linear1", linear(rng, 5, 3), ("normalise",)),
        MlpNode("norm1", Affine(gamma, np.arange(5.0)), ("linear1",)),
        MlpNode("relu1", RELU, ("norm1",)),
        MlpNode("norm2", Affine(-gamma, np.ones(5)), ("relu1",)),
        MlpNode("linear2", linear(rng, 2, 5), ("norm2",)),
    )
    mlp = Mlp("m", 3, nodes)
    folded = fold(mlp)
    assert [node.name for node in folded.mlp.nodes] == ["linear1", "relu1", "linear2"]
    first = folded.mlp.nodes[0].operator
    assert isinstance(first, Linear)
    assert np.all(first.weight[2] == 0)
    assert first.bias[2] == 2.0
    assert np.all(first.weight[:, 2] == 0)
    np.testing.assert_array_equal(folded.scale[:2], [2.0, 0.5])
    x = rng.normal(size=(20, 3))
    np.testing.assert_allclose(folded.mlp.evaluate(folded.normalise(x)), mlp.evaluate(x))


def test_what_nothing_uses_is_left_out() -> None:
    rng = np.random.default_rng(0)
    nodes = (
        MlpNode("linear1", linear(rng, 4, 3), ("input",)),
        MlpNode("unused", linear(rng, 9, 4), ("linear1",)),
        MlpNode("linear2", linear(rng, 2, 4), ("linear1",)),
    )
    assert [node.name for node in fold(Mlp("m", 3, nodes)).mlp.nodes] == ["linear1", "linear2"]


def test_a_norm_on_a_residual_path_stays_where_it_is() -> None:
    rng = np.random.default_rng(0)
    nodes = (
        MlpNode("linear1", linear(rng, 4, 4), ("input",)),
        MlpNode("relu1", RELU, ("linear1",)),
        MlpNode("norm1", Affine(rng.normal(size=4), np.ones(4)), ("relu1",)),
        MlpNode("linear2", linear(rng, 4, 4), ("norm1",)),
        MlpNode("add", Add(), ("norm1", "linear2")),
        MlpNode("linear3", linear(rng, 2, 4), ("add",)),
    )
    assert [node.name for node in fold(Mlp("m", 4, nodes)).mlp.nodes] == [node.name for node in nodes]


@pytest.mark.parametrize("operator", [Sigmoid(), Tanh()])
def test_sigmoid_and_tanh_are_refused_by_name(operator: Sigmoid | Tanh) -> None:
    rng = np.random.default_rng(0)
    nodes = (
        MlpNode("linear1", linear(rng, 4, 3), ("input",)),
        MlpNode("squash", operator, ("linear1",), "model.3"),
        MlpNode("linear2", linear(rng, 2, 4), ("squash",)),
    )
    with pytest.raises(InputError, match=r"squash \(model\.3\).*--to tflite") as caught:
        fold(Mlp("m", 3, nodes))
    assert type(operator).__name__.lower() in caught.value.problem
