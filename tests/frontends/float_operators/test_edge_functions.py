"""Edge functions are the sums that their equation says, and are refused where they are none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.frontends.float_operators.edge_functions import FORMULAS, EdgeFunctions
from edgeml.frontends.float_operators.formula import Formula
from edgeml.frontends.float_operators.interval import Interval
from edgeml.frontends.float_operators.spread import Spread

RNG = np.random.default_rng(7)


def layer(order: int, inputs: int = 3, outputs: int = 2, terms: int = 5, **fields: Any) -> EdgeFunctions:
    """Random edge functions on uneven knots."""
    knots = np.sort(RNG.normal(size=(inputs, terms + 1 + order)), axis=1)
    made = EdgeFunctions(
        knots,
        RNG.normal(size=(outputs, inputs, terms)),
        order,
        RNG.normal(size=(outputs, inputs)),
        "silu",
        RNG.normal(size=outputs),
        np.zeros((0, 6)),
    )
    return replace(made, **fields)


def spline(knots: list[float], j: int, k: int, x: float) -> float:
    """B_j,k(x) by the recursion, one number at a time."""
    if k == 0:
        return float(knots[j] <= x < knots[j + 1])
    up, down = knots[j + k] - knots[j], knots[j + k + 1] - knots[j + 1]
    if up == 0 or down == 0:
        return 0.0
    return (x - knots[j]) / up * spline(knots, j, k - 1, x) + (knots[j + k + 1] - x) / down * spline(
        knots, j + 1, k - 1, x
    )


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_outputs_are_the_sums_of_the_recursion_and_the_base_function(order: int) -> None:
    edges = layer(order)
    x = np.concatenate([RNG.normal(size=(20, 3)) * 2, edges.knots[:, :4].T])
    found = edges.evaluate(x)
    for sample, values in enumerate(x):
        for output in range(2):
            expected = edges.bias[output]
            for channel, value in enumerate(values):
                knots = edges.knots[channel].tolist()
                expected += edges.base[output, channel] * value / (1 + np.exp(-value))
                for j in range(5):
                    expected += edges.coefficients[output, channel, j] * spline(knots, j, order, value)
            assert found[sample, output] == pytest.approx(expected, abs=1e-12)


def test_knots_that_are_one_leave_out_the_splines_that_end_there() -> None:
    edges = layer(2)
    knots = edges.knots.copy()
    knots[:, 3] = knots[:, 2]
    knots[1] = 0.5
    edges = replace(edges, knots=knots)
    x = RNG.normal(size=(10, 3))
    for sample, values in enumerate(x):
        terms = [[spline(knots[i].tolist(), j, 2, values[i]) for j in range(5)] for i in range(3)]
        base = values / (1 + np.exp(-values)) @ edges.base.T
        expected = np.einsum("oij,ij->o", edges.coefficients, np.array(terms)) + base + edges.bias
        assert np.allclose(edges.evaluate(x)[sample], expected)


def test_the_values_on_edges_add_up_to_the_outputs() -> None:
    formulas = np.array([[0, 2, 0.5, 1.0, -2.0, 0.25], [1, 0, 1, 0, 1, 0], [1, 0, 2, 0, 1, 1]])
    edges = layer(3, formulas=formulas, formula_names=("tanh", "x^2", "gaussian"))
    points = RNG.normal(size=(16, 3))
    values = edges.on_edges(points)
    assert values.shape == (2, 3, 16)
    assert np.allclose(values.sum(axis=1).T + edges.bias, edges.evaluate(points))
    only = replace(edges, coefficients=edges.coefficients * 0, base=edges.base * 0, bias=np.zeros(2))
    assert np.allclose(only.evaluate(points)[:, 0], -2 * np.tanh(0.5 * points[:, 2] + 1) + 0.25)


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_are_what_torch_gives(name: str) -> None:
    torch = pytest.importorskip("torch")
    x = np.linspace(0.05, 0.95, 7)
    assert np.allclose(FORMULAS[name](np, x), FORMULAS[name](torch, torch.tensor(x)).numpy(), rtol=1e-12)


def test_inputs_without_an_edge_are_known() -> None:
    edges = layer(1, formulas=np.array([[1, 2, 1.0, 0, 1, 0]]), formula_names=("sin",))
    coefficients, base = edges.coefficients.copy(), edges.base.copy()
    coefficients[:, [0, 2]] = base[:, [0, 2]] = 0
    assert replace(edges, coefficients=coefficients, base=base).used_inputs.tolist() == [False, True, True]


def test_a_formula_without_a_value_is_named_with_its_edge_and_the_point() -> None:
    edges = layer(1, formulas=np.array([[1, 2, 1.0, 0, 1, 0]]), formula_names=("log",))
    with pytest.raises(InputError, match=r"formula log from input 2 to output 1: is not finite at -1, which"):
        edges.on_edges(np.array([[0.5, 0.5, 1.0], [0.5, 0.5, -1.0]]))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"order": 0}, "order: must be 1 to 8, found 0"),
        ({"order": 2}, r"knots: must be \[3, 8\], found \[3, 7\]"),
        ({"knots": -np.arange(21.0).reshape(3, 7)}, "knots: must rise"),
        ({"base": np.zeros((3, 2))}, "base and bias do not fit 2 outputs of 3 inputs"),
        ({"base_function": "gelu"}, "gelu is not silu or identity"),
        ({"coefficients": np.full((2, 3, 5), np.nan)}, "coefficients: holds NaN"),
        ({"formulas": np.zeros((1, 6)), "formula_names": ("erf",)}, "does not know erf"),
        ({"formulas": np.zeros((1, 6))}, "1 of 0 names"),
        ({"formulas": np.array([[0, 3, 1.0, 0, 1, 0]]), "formula_names": ("x",)}, "edges that there are not"),
    ],
)
def test_fields_that_do_not_fit_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(layer(1), **fields)


def test_tables_past_all_memory_are_refused_before_they_are_made() -> None:
    with pytest.raises(InputError, match="more than 67108864 entries"):
        layer(1, inputs=2000, outputs=2).on_edges(np.broadcast_to(0.0, (40000, 2000)))


@pytest.mark.parametrize("name", ["abs", "exp", "square"])
def test_a_range_of_a_formula_holds_its_values(name: str) -> None:
    formula, box = Formula(name), Interval(np.array([-1.0, 0.5, -3.0]), np.array([2.0, 1.0, -1.0]))
    x = RNG.uniform(box.low, box.high, (50, 3))
    found = formula.output_range(box)
    assert found.holds(formula.evaluate(x))
    assert np.all(found.low >= formula.evaluate(x).min(axis=0) - 1.0)


@pytest.mark.parametrize(
    ("source", "message"), [([0.0, 3.0], r"whole numbers 0 … 2"), ([0.5, 1.0], "whole"), ([0.0], "as many sources")]
)
def test_a_spread_of_what_there_is_not_is_refused(source: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Spread(np.array(source), np.ones(2), np.zeros(2), 3)
