"""The integer network computes what the quantized model computes: in rational arithmetic and in Brevitas (float64)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.converters.quantized import proof as proof_module
from edgeml.converters.quantized.brevitas_network import BrevitasNetwork
from edgeml.converters.quantized.extract import extract
from edgeml.converters.quantized.model import Input, ModelNode, QuantizedLinear, QuantizedModel, Quantizer
from edgeml.converters.quantized.proof import Reference, prove, require_exact_sums
from edgeml.converters.quantized.thresholds import compose, thresholds
from edgeml.converters.quantized.user_operators import UserOperator, as_user_operator
from edgeml.errors import CheckFailed, NetworkError
from edgeml.frontends.mlp import Affine, Clamp
from edgeml.network import Dense, Threshold, trace

from .obvious_reference import obvious_integers
from .random_models import ModelShape, corner_inputs, model_of, model_shapes

RELU = Clamp(0.0, np.inf)


@settings(max_examples=100)
@given(model_shapes(), st.integers(0, 2**32 - 1))
def test_golden_equals_brevitas_in_float64_and_rational_arithmetic_at_every_layer(shape: ModelShape, seed: int) -> None:
    model = model_of(shape)
    network = extract(model)
    q = corner_inputs(model, seed)
    golden, brevitas, obvious = trace(network, q), BrevitasNetwork(model).integers(q), obvious_integers(model, q)
    assert set(brevitas) == set(obvious)
    for name, integers in obvious.items():
        np.testing.assert_array_equal(golden[name], integers, err_msg=name)
        np.testing.assert_array_equal(brevitas[name], integers, err_msg=name)


def one_layer(
    weight: np.ndarray, bits: int, narrow: bool, scale: float, bias: float, chain: list, quantizer: Quantizer
) -> QuantizedModel:
    """input → linear → chain → quantizer → a last linear layer."""
    outputs, inputs = weight.shape
    linear = QuantizedLinear(
        weight.astype(np.int32), bits, narrow, np.full(outputs, scale), np.full(outputs, float(bias))
    )
    nodes = [
        ModelNode("input", Input(inputs, np.ones(1), np.zeros(1), 4, True, 1.0)),
        ModelNode("linear1", linear, ("input",)),
    ]
    for position, operator in enumerate(chain):
        nodes.append(ModelNode(f"chain{position}", as_user_operator(operator), (nodes[-1].name,)))
    nodes.append(ModelNode("act", quantizer, (nodes[-1].name,)))
    last = QuantizedLinear(np.ones((1, outputs), np.int32), 2, True, np.ones(1), np.zeros(1))
    nodes.append(ModelNode("last", last, ("act",)))
    return QuantizedModel("m", tuple(nodes))


def levels_of(model: QuantizedModel, acc: np.ndarray, channel: int) -> list[int]:
    """Levels by Fractions, one accumulator at a time."""
    linear = model.node("linear1").operator
    quantizer = model.node("act").operator
    assert isinstance(linear, QuantizedLinear)
    assert isinstance(quantizer, Quantizer)
    found = []
    for each in acc.tolist():
        x = each * Fraction(float(linear.scale[channel])) + Fraction(float(linear.bias[channel]))
        for node in model.nodes:
            operator = node.operator.operator if isinstance(node.operator, UserOperator) else node.operator
            if isinstance(operator, Affine):
                scale, shift = operator.scale[channel], operator.shift[channel]
                x = x * Fraction(float(scale)) + Fraction(float(shift))
            elif isinstance(operator, Clamp):
                low, high = operator.low, operator.high
                x = x if low <= x <= high else Fraction(low) if x < low else Fraction(high)
        found.append(min(max(round(x / Fraction(quantizer.scale)), quantizer.low), quantizer.high))
    return found


SLOPES = st.sampled_from([-2.0, -1.0, -0.375, 0.0, 0.25, 1.0, 3.0, 0.7109375])
NUMBERS = st.integers(-64, 64).map(lambda number: number / 8)


@settings(max_examples=100)
@given(
    st.lists(
        st.one_of(
            st.tuples(SLOPES, NUMBERS).map(lambda pair: Affine(np.full(3, pair[0]), np.full(3, pair[1]))),
            st.tuples(NUMBERS, st.integers(1, 60)).map(lambda pair: Clamp(pair[0], pair[0] + pair[1] / 8)),
            st.just(RELU),
        ),
        max_size=4,
    ),
    st.integers(1, 8),
    st.booleans(),
    st.sampled_from([1.0, 0.5, 2.0, 0.25, 0.7109375, 1.40625]),
    NUMBERS,
)
def test_thresholds_are_right_for_every_accumulator_value_ties_included(
    chain: list, bits: int, signed: bool, step: float, bias: float
) -> None:
    weight = np.array([[1, -1, 3, 0], [0, 0, 0, 0], [3, 3, 3, 3]])
    model = one_layer(weight, 3, True, 0.25, bias, chain, Quantizer(step, bits, signed))
    network = extract(model)
    nodes = {node.name: node for node in network.nodes}
    threshold = nodes["act"].layer
    dense = nodes["linear1"].layer
    assert isinstance(threshold, Threshold)
    assert isinstance(dense, Dense)
    acc_range = network.ranges["linear1"]
    for channel in range(3):
        acc = np.arange(acc_range.low[channel], acc_range.high[channel] + 1)
        sign = -1 if np.any(dense.weight[channel] != weight[channel]) else 1
        column = np.tile(acc[:, None], (1, 3))
        found = threshold.evaluate(column.astype(np.int32))[:, channel]
        assert found.tolist() == levels_of(model, acc * sign, channel)
        row = threshold.thresholds[channel]
        assert row.min() >= acc_range.low[channel]
        assert row.max() <= acc_range.high[channel] + 1


def test_ties_go_to_the_even_level() -> None:
    quantizer = Quantizer(2.0, 3, False)
    rows = thresholds(compose([Fraction(1)], [Fraction(0)], []), quantizer, np.array([-9]), np.array([99]))
    # x / 2 ties at 1, 3, 5 …: 0.5 → 0, 1.5 → 2, 2.5 → 2, 3.5 → 4
    assert rows[0].tolist() == [2, 3, 6, 7, 10, 11, 14]


def test_a_negative_slope_negates_the_row_and_full_range_rows_are_refused_by_name() -> None:
    norm = Affine(np.array([1.0, -1.0]), np.zeros(2))
    weight = np.array([[-2, 1], [1, -1]])
    network = extract(one_layer(weight, 2, False, 1.0, 0.0, [RELU, norm], Quantizer(1.0, 3, True)))
    dense = network.nodes[1].layer
    assert isinstance(dense, Dense)
    assert dense.weight.tolist() == [[-2, 1], [-1, 1]]
    with pytest.raises(NetworkError, match=r"linear1, row 1.*-2.*narrow"):
        extract(one_layer(weight[::-1].copy(), 2, False, 1.0, 0.0, [RELU, norm], Quantizer(1.0, 3, True)))


def test_a_zero_slope_is_a_constant_channel() -> None:
    norm = Affine(np.array([0.0, 0.0]), np.array([2.6, -1.0]))
    network = extract(one_layer(np.array([[3, 1], [1, -2]]), 3, True, 1.0, 5.0, [norm], Quantizer(1.0, 2, False)))
    q = np.random.default_rng(0).integers(-8, 8, (50, 2))
    act = trace(network, q)["act"]
    assert np.all(act == [3, 0])


@pytest.mark.parametrize("enumerated", [True, False])
def test_the_proof_finds_a_single_wrong_threshold(enumerated: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not enumerated:
        monkeypatch.setattr(proof_module, "_ENUMERATED_PER_LAYER", 0)
    quantizer = Quantizer(0.7109375, 4, False)
    chain = [Affine(np.array([0.5, 2.0]), np.array([0.125, -1.0])), RELU]
    scale, bias = np.array([0.25, 0.0625]), np.array([1.0, -0.5])
    low, high = np.array([-300, -500]), np.array([300, 500])
    responses = compose([Fraction(each) for each in scale], [Fraction(each) for each in bias], chain)
    rows = thresholds(responses, quantizer, low, high)
    reference = Reference(scale, bias, np.array([1, 1]), chain, quantizer)
    assert prove("layer", rows, 0, reference, low, high) > 0
    for level in range(rows.shape[1]):
        for change in (-1, 1):
            wrong = rows.copy()
            wrong[1, level] += change
            wrong[1] = np.sort(wrong[1])
            with pytest.raises(CheckFailed, match="layer layer, channel 1"):
                prove("layer", wrong, 0, reference, low, high)


def test_sums_that_float64_might_round_are_refused() -> None:
    require_exact_sums("layer", np.array([2.0**30]), np.array([0.75]), np.array([0.125]))
    with pytest.raises(CheckFailed, match="may round"):
        require_exact_sums("layer", np.array([2.0**30]), np.array([0.1]), np.array([0.0]))
    with pytest.raises(CheckFailed, match="may round"):
        require_exact_sums("layer", np.array([2.0**30]), np.array([1.0]), np.array([2.0**-30]))


def test_accumulators_past_32_bits_are_refused_with_the_layer_and_the_range() -> None:
    weight = np.full((1, 70_000), 127)
    wide = replace(Input(70_000, np.ones(1), np.zeros(1), 8, False, 1.0))
    linear = QuantizedLinear(weight.astype(np.int32), 8, True, np.ones(1), np.zeros(1))
    model = QuantizedModel("m", (ModelNode("input", wide), ModelNode("linear1", linear, ("input",))))
    with pytest.raises(NetworkError, match=r"linear1.*2266950000"):
        extract(model)
