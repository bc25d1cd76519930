"""Folding changes no value, and leaves nothing that could have been folded."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from edgeml.converters.quantized.fold import fold, normalise_input, takes_only_linear
from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp, MlpNode

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


Line = tuple[list[Fraction], Fraction, Fraction]
"""Of a channel, weights of all features and a constant, and what the magnitudes of all terms add up to."""


def exact(mlp: Mlp, start: list[Line]) -> dict[str, list[Line]]:
    """What each node takes (the last: gives), with clamps left out: lines in the features, in rational numbers."""
    found, taken = {"input": start}, {}
    for node in mlp.nodes:
        lines = taken[node.name] = found[node.inputs[0]]
        operator = node.operator
        if isinstance(operator, Affine):
            pairs = zip(operator.scale.tolist(), operator.shift.tolist(), strict=True)
            rows = [[(c, Fraction(a))] for c, (a, _) in enumerate(pairs)]
            shifts = operator.shift.tolist()
        elif isinstance(operator, Linear):
            rows = [[(c, Fraction(w)) for c, w in enumerate(row)] for row in operator.weight.tolist()]
            shifts = operator.bias.tolist()
        elif isinstance(operator, Add):
            other = found[node.inputs[1]]
            found[node.name] = [
                ([p + q for p, q in zip(a[0], b[0], strict=True)], a[1] + b[1], a[2] + b[2])
                for a, b in zip(lines, other, strict=True)
            ]
            continue
        else:
            found[node.name] = lines
            continue
        found[node.name] = [
            (
                [sum((w * lines[c][0][i] for c, w in row), Fraction(0)) for i in range(len(start))],
                sum((w * lines[c][1] for c, w in row), Fraction(shift)),
                sum((abs(w) * lines[c][2] for c, w in row), abs(Fraction(shift))),
            )
            for row, shift in zip(rows, shifts, strict=True)
        ]
    taken["last"] = found[mlp.nodes[-1].name]
    return taken


@pytest.mark.parametrize("seed", range(6))
def test_what_is_folded_is_the_model_in_rational_numbers_but_for_the_last_bits(seed: int) -> None:
    """For features within −1 … 1 and whatever clamps give: each value that a clamp or the output takes."""
    rng = np.random.default_rng(seed)
    nodes, before, size = [MlpNode("norm0", Affine(rng.normal(size=4), rng.normal(size=4)), ("input",))], "norm0", 4
    for number in range(1, 4):
        nodes.append(MlpNode(f"linear{number}", linear(rng, 4, size), (before,)))
        nodes.append(MlpNode(f"norm{number}", Affine(rng.normal(size=4), rng.normal(size=4)), (f"linear{number}",)))
        nodes.append(MlpNode(f"relu{number}", RELU, (f"norm{number}",)))
        nodes.append(MlpNode(f"behind{number}", Affine(rng.normal(size=4), rng.normal(size=4)), (f"relu{number}",)))
        before = f"behind{number}"
    mlp = Mlp("m", 4, (*nodes, MlpNode("out", linear(rng, 3, 4), (before,))))
    folded = fold(mlp)
    assert {node.operator.kind for node in folded.mlp.nodes[1:]} <= {"linear", "clamp"}
    unit = [[Fraction(int(i == j)) for j in range(4)] for i in range(4)]
    start: list[Line] = [(unit[i], Fraction(0), Fraction(1)) for i in range(4)]
    scaled: list[Line] = []
    for i, (scale, offset) in enumerate(zip(folded.scale.tolist(), folded.offset.tolist(), strict=True)):
        factor = 1 / Fraction(scale)
        scaled.append(
            ([each * factor for each in unit[i]], -Fraction(offset) * factor, factor * (1 + abs(Fraction(offset))))
        )
    ours, theirs = exact(folded.mlp, scaled), exact(mlp, start)
    for name in [node.name for node in folded.mlp.nodes if node.operator.kind == "clamp"] + ["last"]:
        for mine, exactly in zip(ours[name], theirs[name], strict=True):
            apart = sum(abs(p - q) for p, q in zip(mine[0], exactly[0], strict=True)) + abs(mine[1] - exactly[1])
            assert apart <= (mine[2] + exactly[2]) / 2**48


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
