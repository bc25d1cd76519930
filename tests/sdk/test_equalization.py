"""Equalization: the float function keeps every bit, and hidden channels that were made unlike are made alike again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from edgeml.equalization import channel_factors, equalize
from edgeml.frontends.mlp import Add, Affine, Clamp, FloatOperator, Linear, Mlp, MlpNode, Sigmoid

from ..converters.quantized.random_mlps import Shape, data_of, mlp_of, shapes
from .float_chains import RELU, chain, linear


def scaled(first: Linear, second: Linear, factors: np.ndarray) -> tuple[Linear, Linear]:
    """The same two layers about a ReLU, with the channels between them `factors` times what they were."""
    return Linear(first.weight * factors[:, None], first.bias * factors), Linear(second.weight / factors, second.bias)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(shapes())
def test_no_bit_of_the_float_function_changes(shape: Shape) -> None:
    """Every node's values are the factors times what they were, through batch norm, clamps and residual paths."""
    mlp = mlp_of(shape)
    x = data_of(mlp, 3).x
    equalized = equalize(mlp, x)
    before, after = mlp.trace(x), equalized.mlp.trace(x)
    for name, values in before.items():
        assert np.array_equal(after[name], values * equalized.factors.get(name, 1.0)), name
    assert np.array_equal(after[mlp.nodes[-1].name], before[mlp.nodes[-1].name])


@pytest.mark.parametrize("norm", [False, True])
def test_channels_that_were_made_unlike_are_made_alike_again(norm: bool) -> None:
    rng = np.random.default_rng(0)
    first, second, x = linear(rng, 20, 8), linear(rng, 5, 20), rng.normal(size=(200, 8))
    factors = 2.0 ** rng.integers(-12, 13, 20)
    unlike, behind = scaled(first, second, factors)
    middle: list[FloatOperator] = [RELU]
    if norm:
        middle = [Affine(np.full(20, -0.5), np.ones(20)), RELU, Affine(np.full(20, 3.0), np.zeros(20))]
        unlike, behind = first, Linear(second.weight / factors, second.bias)
        middle[0] = Affine(-0.5 * factors, factors)
    found = equalize(chain(unlike, *middle, behind, inputs=8), x)
    relu = "n2" if norm else "n1"
    reach = np.abs(found.mlp.trace(x)[relu]).max(axis=0)
    assert reach.max() / reach.min() < 16
    columns = np.abs(found.mlp.nodes[-1].operator.weight).max(axis=0)
    assert columns.max() / columns.min() < 16
    assert factors.max() / factors.min() > 2**20


@pytest.mark.parametrize("bounded", [Clamp(0.0, 6.0), Clamp(-1.0, 1.0), Sigmoid()])
def test_channels_at_a_bound_stay_as_they_are(bounded: FloatOperator) -> None:
    rng = np.random.default_rng(1)
    mlp = chain(linear(rng, 20, 8), bounded, linear(rng, 5, 20), inputs=8)
    unlike = chain(
        Linear(mlp.nodes[0].operator.weight * np.geomspace(1e-3, 1e3, 20)[:, None], np.zeros(20)),
        *(node.operator for node in mlp.nodes[1:]),
        inputs=8,
    )
    found = equalize(unlike, rng.normal(size=(50, 8)))
    assert all(np.all(factors == 1) for factors in found.factors.values())


def test_the_sides_of_an_addition_share_their_factors_and_the_branch_has_its_own() -> None:
    rng = np.random.default_rng(2)
    wide = np.geomspace(1e-2, 1e2, 12)
    stem, head = scaled(linear(rng, 12, 6), linear(rng, 3, 12), wide)
    nodes = (
        MlpNode("stem", stem, ("input",)),
        MlpNode("stem_relu", RELU, ("stem",)),
        MlpNode("branch", Linear(rng.normal(size=(12, 12)) / wide, np.zeros(12)), ("stem_relu",)),
        MlpNode("branch_relu", RELU, ("branch",)),
        MlpNode("back", Linear(rng.normal(size=(12, 12)) * wide[:, None], np.zeros(12)), ("branch_relu",)),
        MlpNode("sum", Add(), ("stem_relu", "back")),
        MlpNode("head", head, ("sum",)),
    )
    mlp, x = Mlp("residual", 6, nodes), rng.normal(size=(100, 6))
    factors = equalize(mlp, x).factors
    assert np.array_equal(factors["stem"], factors["sum"])
    assert np.array_equal(factors["back"], factors["sum"])
    assert factors["sum"].max() / factors["sum"].min() > 1e3
    assert np.array_equal(equalize(mlp, x).mlp.evaluate(x), mlp.evaluate(x))


def test_channels_that_are_dead_or_unused_get_ordinary_weights() -> None:
    reach, effect = np.array([1.0, 4.0, 0.0, 1e9, 0.0]), np.array([1.0, 4.0, 1e12, 0.0, 0.0])
    factors = channel_factors(reach, effect)
    assert np.allclose(effect[:3] / factors[:3], [1, 4, 2.5])
    assert np.allclose(reach[[0, 1, 3]] * factors[[0, 1, 3]], [1, 4, 2.5])
    assert factors[4] == 1
    assert np.array_equal(channel_factors(np.zeros(3), np.ones(3)), np.ones(3))
