"""Every float operator: numpy and torch give the same values, ranges hold them, exact lines and factors are what it
computes; entry points that are none are refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from edgeml.errors import InputError, MissingTool
from edgeml.frontends.float_operators.add import Add
from edgeml.frontends.float_operators.affine import Affine
from edgeml.frontends.float_operators.arrays import torch_arrays
from edgeml.frontends.float_operators.clamp import Clamp
from edgeml.frontends.float_operators.clamped_line import ClampedLine
from edgeml.frontends.float_operators.concat import Concat
from edgeml.frontends.float_operators.edge_functions import EdgeFunctions
from edgeml.frontends.float_operators.encode import Encode
from edgeml.frontends.float_operators.formula import Formula
from edgeml.frontends.float_operators.found import float_operator_kinds
from edgeml.frontends.float_operators.interval import Interval
from edgeml.frontends.float_operators.leaky_relu import LeakyRelu
from edgeml.frontends.float_operators.linear import Linear
from edgeml.frontends.float_operators.multiply import Multiply
from edgeml.frontends.float_operators.operator import FloatOperator, Role
from edgeml.frontends.float_operators.pooled_maximum import PooledMaximum
from edgeml.frontends.float_operators.pooled_sum import PooledSum
from edgeml.frontends.float_operators.shared_linear import SharedLinear
from edgeml.frontends.float_operators.sigmoid import Sigmoid
from edgeml.frontends.float_operators.spread import Spread
from edgeml.frontends.float_operators.tanh import Tanh

CHANNELS = 4
RNG = np.random.default_rng(0)
EXAMPLES: dict[str, FloatOperator] = {
    "linear": Linear(RNG.normal(size=(3, CHANNELS)) * [1, 0, 1, 1], RNG.normal(size=3)),
    "affine": Affine(np.array([2.0, -0.5, 0.0, 1.0]), np.array([0.25, -1.0, 3.0, 0.0])),
    "clamp": Clamp(-0.5, 1.5),
    "sigmoid": Sigmoid(),
    "tanh": Tanh(),
    "add": Add(),
    "encode": Encode(np.array([0.0, 1, 2, 3]), np.array([0.0, 1, 2, 3]), np.array([0.0, 1, 2.5, 3]), CHANNELS, 4),
    "edge_functions": EdgeFunctions(
        np.linspace(-4, 4, 9) * np.ones((CHANNELS, 1)),
        RNG.normal(size=(3, CHANNELS, 5)),
        3,
        RNG.normal(size=(3, CHANNELS)),
        "silu",
        RNG.normal(size=3),
        np.array([[0, 1, 1.0, 0.5, 2.0, 0.25]]),
        ("sin",),
    ),
    "spread": Spread(np.array([0.0, 0, 3, 1, 2]), np.array([1.0, -2, 0, 1, 1]), RNG.normal(size=5), CHANNELS),
    "formula": Formula("abs"),
    "shared_linear": SharedLinear(
        np.kron(np.eye(2), RNG.normal(size=(2, 1))),
        RNG.normal(size=4),
        np.array([[0.0, 1], [-1, 3], [2, 2]]),
        CHANNELS,
        2,
    ),
    "pooled_sum": PooledSum(np.array([[0.0, 1, 2], [3, -1, 3]]), CHANNELS),
    "pooled_maximum": PooledMaximum(np.array([[0.0, 1, 2], [3, 0, 3]]), CHANNELS),
    "concat": Concat(CHANNELS, CHANNELS),
    "multiply": Multiply(),
    "leaky_relu": LeakyRelu(np.array([0.25, -0.5, 0.0, 1.0])),
}
EXTREME_WITHIN = {"multiply", "encode", "edge_functions", "formula", "leaky_relu"}
"""Those whose extremes lie elsewhere than where their inputs are at an end."""
WITHOUT_FACTORS = {
    "clamp",
    "sigmoid",
    "tanh",
    "spread",
    "shared_linear",
    "pooled_sum",
    "pooled_maximum",
    "concat",
    *EXTREME_WITHIN,
}
X = RNG.normal(size=(50, CHANNELS)) * 3


def given(operator: FloatOperator) -> list[np.ndarray]:
    """Inputs [samples, channels]."""
    return [X[::-1] if turn else X for turn in range(operator.input_count)]


def test_there_is_an_example_of_each_kind() -> None:
    assert set(EXAMPLES) == {kind for kind, found in float_operator_kinds().items() if "edgeml" in found.__module__}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_numpy_and_torch_compute_the_same_values(kind: str) -> None:
    operator = EXAMPLES[kind]
    parameters = {name: torch.tensor(array) for name, array in operator.parameters.items()}
    found = operator.compute(torch_arrays(), parameters, *(torch.tensor(x.copy()) for x in given(operator)))
    values = operator.evaluate(*given(operator))
    assert np.allclose(found.numpy(), values, rtol=1e-14, atol=1e-14)
    assert values.shape[1] == operator.output_size(*[CHANNELS] * operator.input_count)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_range_holds_all_values_and_its_ends_are_met(kind: str) -> None:
    operator = EXAMPLES[kind]
    box = Interval(X.min(axis=0), X.max(axis=0))
    found = operator.output_range(*[box] * operator.input_count)
    corners = np.array(np.meshgrid(*zip(box.low, box.high, strict=True))).reshape(CHANNELS, -1).T
    assert found.holds(operator.evaluate(*given(operator)))
    if kind in EXTREME_WITHIN:
        return
    at_corners = operator.evaluate(*[corners] * operator.input_count)
    assert np.allclose(at_corners.min(axis=0), found.low)
    assert np.allclose(at_corners.max(axis=0), found.high)
    assert not np.any(np.isnan(operator.output_range(*[Interval.unbounded()] * operator.input_count).low))


@pytest.mark.parametrize("kind", [kind for kind, operator in EXAMPLES.items() if operator.role is Role.LINE])
def test_exact_lines_are_what_is_computed(kind: str) -> None:
    x = np.round(X * 8) / 8
    lines = EXAMPLES[kind].on_lines([ClampedLine(Fraction(1), Fraction(0))] * CHANNELS)
    for channel, line in enumerate(lines):
        for value, computed in zip(x[:, channel], EXAMPLES[kind].evaluate(x)[:, channel], strict=True):
            y = line.slope * Fraction(value) + line.offset
            y = y if line.low is None else max(y, line.low)
            assert float(y if line.high is None else min(y, line.high)) == computed


@pytest.mark.parametrize("operator", [*EXAMPLES.values(), Clamp(0.0, np.inf)], ids=[*EXAMPLES, "relu"])
def test_factors_pass_or_are_absorbed_as_the_operator_says(operator: FloatOperator) -> None:
    before, values = 2.0 ** np.arange(CHANNELS), operator.evaluate(*given(operator))
    scaled = [x * before for x in given(operator)]
    if operator.passes_factors:
        assert np.array_equal(operator.evaluate(*scaled), values * before)
    if operator.absorbs_factors:
        after = 2.0 ** -np.arange(values.shape[1])
        assert np.array_equal(operator.with_factors(before, after).evaluate(*scaled), values * after)
    assert operator.passes_factors or operator.absorbs_factors or operator.kind in WITHOUT_FACTORS


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_scale_and_shift_taken_in_changes_no_value(kind: str) -> None:
    operator = EXAMPLES[kind]
    scale, shift = np.array([0.5, -2.0, 1.0, 3.0, 2.0]), np.array([1.0, 0.0, -1.0, 0.25, 1.0])
    values = operator.evaluate(*given(operator))
    size = values.shape[1]
    after = np.resize(scale, size), np.resize(shift, size)
    behind = operator.scaled_and_shifted(*after)
    if behind is not None:
        assert np.allclose(behind.evaluate(*given(operator)), values * after[0] + after[1])
    scale, shift = scale[:CHANNELS], shift[:CHANNELS]
    before = operator.of_scaled_and_shifted(scale, shift)
    if before is not None:
        assert np.allclose(before.evaluate(X), operator.evaluate(X * scale + shift))
    assert (behind is not None) == (kind in ("linear", "affine", "edge_functions", "spread"))
    assert (before is not None) == (kind in ("linear", "spread"))


@pytest.mark.parametrize("kind", [kind for kind, operator in EXAMPLES.items() if operator.role is Role.JOIN])
def test_a_join_of_integers_is_its_layer_and_an_offset(kind: str) -> None:
    """f(q·s + o) = layer(q)·s + f(o), which is what the quantized form does."""
    operator, step = EXAMPLES[kind], 0.375
    integers = [np.rint(x).astype(np.int32) for x in given(operator)]
    offsets = [np.full((1, CHANNELS), 0.5 * step), np.zeros((1, CHANNELS))][: operator.input_count]
    layer = operator.integer_layer()
    assert layer is not None
    real = operator.evaluate(*(q * step + offset for q, offset in zip(integers, offsets, strict=True)))
    assert np.array_equal(real, layer.evaluate(*integers) * step + operator.evaluate(*offsets))


def test_a_product_of_integers_is_its_layer() -> None:
    """f(p·s, q·t) = layer(p, q)·s·t; its range is of both inputs by themselves, and none of it is NaN."""
    p, q = (np.rint(x).astype(np.int32) for x in given(Multiply()))
    layer = Multiply().integer_layer()
    assert layer is not None
    assert np.array_equal(Multiply().evaluate(p * 0.375, q * 0.5), layer.evaluate(p, q) * 0.375 * 0.5)
    found = Multiply().output_range(
        Interval(np.array([-2.0]), np.array([3.0])), Interval(np.array([-5.0, 0]), np.array([1.0, 1]))
    )
    assert (found.low.tolist(), found.high.tolist()) == ([-15.0, -2.0], [10.0, 3.0])
    nothing = Multiply().output_range(Interval(np.zeros(1), np.zeros(1)), Interval.unbounded())
    assert (nothing.low.tolist(), nothing.high.tolist()) == ([0.0], [0.0])


def package(folder: Path, kind: str, value: str) -> None:
    """An installed package that names `value` as a float operator."""
    info = folder / "outside-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[edgeml.float_operators]\n{kind} = {value}\n")


def test_an_entry_that_is_no_float_operator_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    package(tmp_path, "other", "pathlib:Path")
    with pytest.raises(InputError, match="'other': pathlib:Path is not a subclass of FloatOperator"):
        float_operator_kinds()


def test_an_entry_that_cannot_be_imported_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    package(tmp_path, "away", "gone_away:Flip")
    with pytest.raises(MissingTool, match=r"'away'.*gone_away"):
        float_operator_kinds()
