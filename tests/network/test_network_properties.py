"""What is true of every integer network: its ranges, its file, its golden simulator."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.errors import InputError, NetworkError
from edgeml.network import (
    Add,
    Dense,
    InputQuantizer,
    Network,
    Node,
    Output,
    Threshold,
    ValueRange,
    argmax,
    simulate,
    trace,
)
from edgeml.network.layers.tables import Tables
from edgeml.network.network_file import from_bytes, model_hash, to_bytes

from .obvious_reference import obvious_trace
from .random_networks import Shape, network_of, random_inputs, shapes

EXAMPLES = settings(max_examples=80)


def assert_equal_traces(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert found[name].dtype == np.int32
        assert np.array_equal(found[name], values), name


@given(shapes(widest=24), st.integers(0, 99))
@EXAMPLES
def test_golden_is_the_obvious_reference(shape: Shape, seed: int) -> None:
    network = network_of(shape)
    q = random_inputs(network, 4, seed)
    found = trace(network, q)
    expected = [obvious_trace(network, sample.tolist()) for sample in q]
    assert_equal_traces(found, {name: np.array([sample[name] for sample in expected]) for name in found})


@given(shapes(widest=60), st.integers(0, 99))
@EXAMPLES
def test_every_value_lies_within_its_range(shape: Shape, seed: int) -> None:
    network = network_of(shape)
    for name, values in trace(network, random_inputs(network, 20, seed)).items():
        assert network.ranges[name].contains(values), name


@given(shapes(widest=30))
@EXAMPLES
def test_a_layers_range_is_attained_at_its_ends(shape: Shape) -> None:
    """Given inputs that may take any values within their ranges, both ends of every output channel do occur."""
    network = network_of(shape)
    for node in network.layers:
        inputs = [network.ranges[name] for name in node.inputs]
        found = node.layer.output_range(*inputs)
        for channel in range(found.channels):
            for end in (found.low[channel], found.high[channel]):
                assert end in [
                    node.layer.evaluate(*corner)[0, channel] for corner in corners(node.layer, inputs, channel)
                ], node.name


def corners(layer: object, inputs: list[ValueRange], channel: int) -> list[list[np.ndarray]]:
    """Inputs at which one output channel is smallest and largest: by the sign of the weights, by the entries of tables,
    else all the same."""
    if isinstance(layer, Tables):
        (x,) = inputs
        terms = np.zeros((x.channels, layer.values), np.int64)
        np.add.at(terms, layer.source, layer.entries[:, channel][layer.rows])
        places = zip(x.low, x.high, terms, strict=True)
        spans = [(low, row[low : high + 1]) for low, high, row in places]
        least, most = ([low + int(end(row)) for low, row in spans] for end in (np.argmin, np.argmax))
        return [[np.array([least])], [np.array([most])]]
    rows = []
    for smallest in (True, False):
        corner = []
        for x in inputs:
            rising = layer.weight[channel] >= 0 if isinstance(layer, Dense) else np.ones(x.channels, bool)
            corner.append(np.where(rising == smallest, x.low, x.high)[None].astype(np.int32))
        rows.append(corner)
    return rows


@given(shapes(widest=40), st.integers(0, 99))
@EXAMPLES
def test_the_file_gives_the_same_network_and_the_same_bytes(shape: Shape, seed: int) -> None:
    network = network_of(shape, "some_name")
    content = to_bytes(network)
    again = from_bytes(content)
    assert to_bytes(again) == content
    assert model_hash(again) == model_hash(network)
    assert (again.name, again.output.labels, again.sizes) == (network.name, network.output.labels, network.sizes)
    q = random_inputs(network, 5, seed)
    assert_equal_traces(trace(again, q), trace(network, q))


@given(shapes(widest=40), st.integers(1, 9), st.integers(0, 99))
@EXAMPLES
def test_a_sample_does_not_depend_on_its_batch(shape: Shape, batch: int, seed: int) -> None:
    network = network_of(shape)
    q = random_inputs(network, 13, seed)
    whole = simulate(network, q)
    assert np.array_equal(simulate(network, q, batch=batch), whole)
    assert np.array_equal(simulate(network, q[::-1]), whole[::-1])
    assert np.array_equal(np.concatenate([simulate(network, sample[None]) for sample in q]), whole)
    assert np.array_equal(trace(network, q)[network.nodes[-1].name], whole)
    assert simulate(network, q[:0]).shape == (0, network.output_size)


@given(shapes(widest=20), st.sampled_from([np.int8, np.int16, np.int64, np.uint8, np.uint16]))
@EXAMPLES
def test_the_integer_type_of_the_input_does_not_matter(shape: Shape, dtype: type) -> None:
    network = network_of(shape)
    q = random_inputs(network, 6, 0)
    info = np.iinfo(dtype)
    if q.min() >= info.min and q.max() <= info.max:
        assert np.array_equal(simulate(network, q.astype(dtype)), simulate(network, q))


def test_ties_of_argmax_go_to_the_lowest_index() -> None:
    y = np.array([[1, 3, 3, 3], [5, 5, 0, 5], [0, 0, 0, 0], [-2, -1, -1, -3]])
    assert argmax(y).tolist() == [1, 0, 0, 1]


# Accumulators at the edges of what floating point adds exactly


@pytest.mark.parametrize("inputs", [1, 3, 257, 70_000])
@pytest.mark.parametrize("zero_point", [0, -128, 127, 2**20])
def test_dense_is_exact_at_every_magnitude(inputs: int, zero_point: int) -> None:
    """Around 2^24, where float32 stops holding every integer, and up to 2^31."""
    generator = np.random.default_rng(inputs)
    if inputs * 128 * (abs(zero_point) + 255) > 2**31 - 2**20:
        inputs = (2**31 - 2**20) // (128 * (abs(zero_point) + 255))
    weight = generator.choice([-128, -127, 127, 1], (3, inputs))
    bias = generator.integers(-(2**19), 2**19, 3)
    layer = Dense(weight, 8, bias, zero_point)
    x = generator.choice([0, 1, 254, 255], (4, inputs)).astype(np.int32)
    x[0], x[1] = 0, 255
    expected = [
        [int(b) + sum(w * (v - zero_point) for w, v in zip(row, sample, strict=True))
         for row, b in zip(weight.tolist(), bias.tolist(), strict=True)]
        for sample in x.tolist()
    ]  # fmt: skip
    assert layer.evaluate(x).tolist() == expected


@pytest.mark.parametrize("inputs", [517, 521, 777, 1037, 2051, 2081, 4111])
@pytest.mark.parametrize("sign", [1, -1])
def test_dense_is_exact_just_past_what_float32_holds(inputs: int, sign: int) -> None:
    """Odd sums from 2^24 to 2^27, of inputs whose largest magnitude is that of the highest or of the lowest."""
    generator = np.random.default_rng(inputs)
    weight = np.where(generator.random((50, inputs)) < 0.03, -127, 127)
    x = sign * generator.integers(60, 128, (20, inputs)) * 2 - sign  # odd, up to 255
    x[:, 0] = sign  # even count of odd products and one more
    layer = Dense(weight, 8, np.zeros(50, int))
    expected = x.astype(object) @ weight.T.astype(object)
    assert max(abs(int(value)) for value in expected.ravel()) > 127 * 100 * inputs
    assert np.array_equal(layer.evaluate(x.astype(np.int32)), expected.astype(np.int64))


@given(
    st.integers(1, 255),
    st.integers(1, 5),
    st.integers(0, 2**31),
    st.sampled_from([10, 2**20, 2**31 - 1]),
)
@EXAMPLES
def test_threshold_counts(levels: int, channels: int, seed: int, span: int) -> None:
    """Both ways in which thresholds are counted, equal neighbours and the ends of 32 bits included."""
    generator = np.random.default_rng(seed)
    thresholds = np.sort(generator.integers(-span - 1, span, (channels, levels), endpoint=True), axis=1)
    layer = Threshold(thresholds, -3)
    acc = generator.integers(-span - 1, span, (30, channels), endpoint=True)
    acc[:10] = thresholds[:, generator.integers(0, levels, 10)].T
    acc[10:14] = np.array([-(2**31), 2**31 - 1, 0, -1])[:, None]
    expected = -3 + (acc[:, :, None] >= thresholds[None]).sum(axis=2)
    assert np.array_equal(layer.evaluate(acc.astype(np.int32)), expected)


def test_the_count_of_thresholds_fits_8_bits() -> None:
    assert Threshold(np.arange(255)[None]).levels == 255
    with pytest.raises(NetworkError, match="at most 255 levels, found 256"):
        Threshold(np.arange(256)[None])


def test_a_range_past_32_bits_is_refused_by_name() -> None:
    def network(bias: int) -> Network:
        layers = (
            Node("input", InputQuantizer(2, np.ones(1), np.zeros(1), 0, 8, False)),
            Node("wide", Dense(np.array([[127, 127]]), 8, np.array([bias])), ("input",)),
        )
        return Network("wide", layers, Output(np.ones(1)))

    most = 2**31 - 1 - 2 * 127 * 255
    assert network(most).ranges["wide"].bounds == (most, 2**31 - 1)
    with pytest.raises(NetworkError, match=rf"layer wide: its values range from {most + 1} to {2**31}, past 32 bits"):
        network(most + 1)


def test_a_range_past_32_bits_is_refused_at_its_lower_end_too() -> None:
    def network(bias: int) -> Network:
        layers = (
            Node("input", InputQuantizer(2, np.ones(1), np.zeros(1), 0, 8, False)),
            Node("deep", Dense(np.array([[-127, -127]]), 8, np.array([bias])), ("input",)),
        )
        return Network("deep", layers, Output(np.ones(1)))

    least = -(2**31) + 2 * 127 * 255
    assert network(least).ranges["deep"].bounds == (-(2**31), least)
    with pytest.raises(NetworkError, match=rf"layer deep: its values range from {-(2**31) - 1} to {least - 1}, past"):
        network(least - 1)


@pytest.mark.parametrize("value", [end for bits in (8, 16, 32) for end in (2 ** (bits - 1) - 1, -(2 ** (bits - 1)))])
@pytest.mark.parametrize("past", [-1, 0, 1])
def test_the_file_keeps_integers_at_the_ends_of_each_type(value: int, past: int) -> None:
    bias = np.array([0, min(max(value + past, -(2**31)), 2**31 - 1)])
    nodes = (
        Node("input", InputQuantizer(1, np.ones(1), np.zeros(1), 0, 1, False)),
        Node("dense", Dense(np.where(bias > 0, -1, 1)[:, None], 1, bias), ("input",)),
    )
    (_, again) = from_bytes(to_bytes(Network("ends", nodes, Output(np.ones(1))))).nodes
    assert isinstance(again.layer, Dense)
    assert np.array_equal(again.layer.bias, bias)


def test_sums_that_double_past_any_width_are_refused() -> None:
    nodes = [Node("input", InputQuantizer(1, np.ones(1), np.zeros(1), 0, 8, True))]
    for step in range(80):
        nodes.append(Node(f"a{step}", Add(), (nodes[-1].name, nodes[-1].name)))
    with pytest.raises(NetworkError, match="past 32 bits"):
        Network("doubling", tuple(nodes), Output(np.ones(1)))


@pytest.mark.parametrize(
    ("low", "high", "bits"),
    [
        (0, 0, 1),
        (0, 1, 1),
        (0, 2, 2),
        (0, 255, 8),
        (-1, 0, 1),
        (-1, 1, 2),
        (-2, 1, 2),
        (-3, 0, 3),
        (-128, 127, 8),
        (5, 9, 4),
    ],
)
def test_bits_that_hold_a_range(low: int, high: int, bits: int) -> None:
    found = ValueRange.uniform(low, high, 3)
    assert (found.bits, found.signed) == (bits, low < 0)


# The input quantizer


def quantizers() -> st.SearchStrategy[InputQuantizer]:
    @st.composite
    def build(draw: st.DrawFn) -> InputQuantizer:
        bits, signed = draw(st.integers(1, 8)), draw(st.booleans())
        low = -(2 ** (bits - 1)) if signed else 0
        number = st.floats(-1e3, 1e3, allow_subnormal=False)
        size = draw(st.integers(1, 4))
        count = draw(st.sampled_from([1, size]))
        scale = draw(st.lists(st.floats(1e-3, 1e3), min_size=count, max_size=count))
        offset = draw(st.lists(number, min_size=count, max_size=count))
        return InputQuantizer(
            size, np.array(scale), np.array(offset), draw(st.integers(low, low + 2**bits - 1)), bits, signed
        )

    return build()


@given(quantizers(), st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4))
@EXAMPLES
def test_quantize_is_its_equation(quantizer: InputQuantizer, values: list[float]) -> None:
    """clip(round_half_even((x − offset) / scale) + zero point), the two float operations as float64 has them."""
    x = np.array([values[: quantizer.size]])
    q = quantizer.quantize(x)[0]
    for feature, value in enumerate(values[: quantizer.size]):
        scale, offset = (float(part[feature % part.size]) for part in (quantizer.scale, quantizer.offset))
        exact = Fraction((value - offset) / scale)
        level = floor(exact)
        remainder = exact - level
        if remainder > Fraction(1, 2) or (remainder == Fraction(1, 2) and level % 2):
            level += 1
        assert q[feature] == min(max(level + quantizer.zero_point, quantizer.low), quantizer.high)


@given(quantizers())
@EXAMPLES
def test_every_integer_stands_for_a_number_that_gives_it_back(quantizer: InputQuantizer) -> None:
    q = np.arange(quantizer.low, quantizer.high + 1)[:, None].repeat(quantizer.size, axis=1)
    assert np.array_equal(quantizer.quantize(quantizer.dequantize(q)), q)


def test_ties_go_to_even() -> None:
    quantizer = InputQuantizer(1, np.array([1.0]), np.array([0.0]), 0, 8, True)
    x = np.array([[-2.5], [-1.5], [-0.5], [0.5], [1.5], [2.5], [1e30], [-1e30]])
    assert quantizer.quantize(x)[:, 0].tolist() == [-2, -2, 0, 0, 2, 2, 127, -128]


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (np.array([[0.0, np.nan]]), "sample 0, feature 1 is nan"),
        (np.array([[0.0, 0.0], [np.inf, 0.0]]), "sample 1, feature 0 is inf"),
        (np.zeros(2), "must have shape"),
        (np.zeros((1, 3)), "must have shape"),
    ],
)
def test_inputs_that_are_no_numbers(x: np.ndarray, text: str) -> None:
    with pytest.raises(InputError, match=text):
        InputQuantizer(2, np.ones(1), np.zeros(1), 0, 8, True).quantize(x)


@pytest.mark.parametrize(
    ("q", "text"),
    [
        (np.zeros((2, 12)), "must be integers"),
        (np.zeros((2, 11), int), r"\[samples, 12\]"),
        (np.zeros(12, int), r"\[samples, 12\]"),
        (np.full((1, 12), 128), "must lie in -128 … 127"),
        (np.full((1, 12), -(2**40)), "must lie in -128 … 127"),
        (np.zeros((2, 12), bool), "must be integers"),
    ],
)
def test_inputs_of_golden_that_do_not_fit(small_network: Network, q: np.ndarray, text: str) -> None:
    with pytest.raises(InputError, match=text):
        simulate(small_network, q)
    with pytest.raises(InputError, match=text):
        trace(small_network, q)


def test_an_integer_past_the_first_batch_is_found(small_network: Network) -> None:
    q = np.zeros((3000, 12), np.int64)
    q[2900, 3] = 200
    with pytest.raises(InputError, match="must lie in"):
        simulate(small_network, q)


def test_layers_cannot_be_changed_once_checked(small_network: Network) -> None:
    weights = np.array([[1, 0], [-1, 1]])
    layer = Dense(weights, 2, np.array([0, 0]))
    weights[0, 0] = 99
    assert layer.weight[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        layer.weight[0, 0] = 99
    with pytest.raises(ValueError, match="read-only"):
        small_network.output.scale[0] = 2.0
