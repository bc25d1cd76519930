"""The requantizing layer: its checks, its ranges, its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import NetworkError
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, ValueRange, simulate, trace
from edgeml.network.layers.requantize import Requantize
from edgeml.network.network_file import read, write
from edgeml.network.rounding import ROUNDINGS, float32_parts, float64_parts, quantize_multiplier


def layer(rounding: str, eff: np.ndarray, **fields: object) -> Requantize:
    """A layer with these factors."""
    if rounding == "float64_away":
        multiplier, shift, fraction = float64_parts(eff)
        return Requantize(multiplier, shift, rounding, fraction=fraction, **fields)
    if rounding == "shift":
        eff = 2.0 ** np.floor(np.log2(eff))
    parts = float32_parts(eff) if rounding == "fp32_rne" else quantize_multiplier(eff)
    return Requantize(*parts, rounding, **fields)


def network(rounding: str, per_channel: bool) -> Network:
    generator = np.random.default_rng(3)
    eff = generator.uniform(0.001, 0.02, 6 if per_channel else 1)
    dense = Dense(generator.integers(-127, 128, (6, 9)), 8, generator.integers(-2000, 2000, 6), -7)
    return Network(
        "net",
        (
            Node("input", InputQuantizer(9, np.array([0.1]), np.zeros(1), -7, 8, True)),
            Node("acc", dense, ("input",)),
            Node("y", layer(rounding, eff, zero_point=4, low=4), ("acc",)),
        ),
        Output(np.array([0.5]), 4),
    )


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("per_channel", [False, True])
def test_the_file_keeps_every_integer(tmp_path: Path, rounding: str, per_channel: bool) -> None:
    written = network(rounding, per_channel)
    write(written, tmp_path / "n.edgeml")
    again = read(tmp_path / "n.edgeml")
    q = np.random.default_rng(1).integers(-128, 128, (500, 9)).astype(np.int32)
    assert np.array_equal(simulate(again, q), simulate(written, q))
    for name in ("multiplier", "shift", "fraction"):
        assert np.array_equal(getattr(again.nodes[2].layer, name), getattr(written.nodes[2].layer, name))


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_the_range_holds_every_value_and_both_its_ends_occur(rounding: str) -> None:
    generator = np.random.default_rng(5)
    requantize = layer(rounding, generator.uniform(0.0005, 0.004, 8), zero_point=-3)
    low = generator.integers(-40_000, 0, 8)
    high = low + generator.integers(1, 60_000, 8)
    found = requantize.output_range(ValueRange(low, high))
    acc = generator.integers(low, high + 1, (20_000, 8))
    acc[0], acc[1] = low, high
    y = requantize.evaluate(acc)
    assert found.contains(y)
    assert np.array_equal(y[0], found.low)
    assert np.array_equal(y[1], found.high)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_rule_is_monotone(rounding: str) -> None:
    """What the ranges rest on."""
    eff = np.random.default_rng(6).uniform(0.001, 0.9, 64)
    acc = np.arange(-3000, 3000)[:, None].repeat(64, axis=1)
    y = layer(rounding, eff, low=-5000, high=5000).evaluate(acc)
    assert np.all(np.diff(y, axis=0) >= 0)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_comparisons_give_the_same_integers(rounding: str) -> None:
    generator = np.random.default_rng(8)
    eff = 2.0 ** np.rint(generator.uniform(-9, -3, 12)) * generator.choice([1.0, 1.3], 12)
    requantize = layer(rounding, eff, zero_point=-20, low=-20, high=90)
    low = generator.integers(-30_000, 0, 12)
    acc = ValueRange(low, low + generator.integers(0, 60_000, 12))
    threshold = requantize.as_threshold(acc)
    inputs = generator.integers(acc.low, acc.high + 1, (4000, 12))
    inputs[0], inputs[1] = acc.low, acc.high
    near = (threshold.thresholds[:, ::9] + np.array([-1, 0])[:, None, None]).reshape(2, 12, -1)
    inputs = np.concatenate([inputs, *np.clip(near.transpose(0, 2, 1), acc.low, acc.high)])
    assert np.array_equal(threshold.evaluate(inputs), requantize.evaluate(inputs))


def test_comparisons_serve_a_channel_that_is_constant() -> None:
    requantize = layer("fp32_rne", np.array([1e-4]))
    acc = ValueRange.uniform(5, 9, 2)
    assert requantize.as_threshold(acc).evaluate(np.array([[5, 9]])).tolist() == [[0, 0]]


WRONG = [
    ({"rounding": "nearest"}, "is not one of shift"),
    ({"multiplier": np.array([5])}, "must be 0 or at least 2"),
    ({"multiplier": np.array([2**30 + 1]), "rounding": "fp32_rne"}, "24 bits"),
    ({"multiplier": np.array([2**30 + 1]), "rounding": "shift"}, "multiplier 2"),
    ({"shift": np.array([2]), "rounding": "shift"}, "multiplier 2"),
    ({"shift": np.array([0, 0])}, "must have 1 values"),
    ({"shift": np.array([9])}, "must lie in -31"),
    ({"fraction": np.array([1])}, "0 unless rounding is float64_away"),
    ({"low": 5, "high": 4}, "high"),
    ({"zero_point": 2**20}, "zero point"),
    ({"multiplier": np.array([0.5])}, "must hold integers"),
]


@pytest.mark.parametrize(("fields", "message"), WRONG)
def test_a_wrong_field_is_named(fields: dict[str, object], message: str) -> None:
    good: dict[str, object] = {"multiplier": np.array([2**30]), "shift": np.array([-3]), "rounding": "double_rounding"}
    with pytest.raises(NetworkError, match=message):
        Requantize(**{**good, **fields})


@pytest.mark.parametrize("rounding", ["double_rounding", "ruy_half_up"])
def test_an_accumulator_that_the_left_shift_would_push_past_32_bits_is_refused(rounding: str) -> None:
    requantize = Requantize(np.array([2**30]), np.array([3]), rounding)
    requantize.output_range(ValueRange.uniform(-(2**27), 2**27, 1))
    with pytest.raises(NetworkError, match="past 32 bits"):
        requantize.output_range(ValueRange.uniform(-(2**28) - 1, 0, 1))


def test_a_channel_count_that_does_not_fit_is_refused() -> None:
    with pytest.raises(NetworkError, match="takes 3 channels, found 4"):
        layer("fp32_rne", np.array([0.1, 0.2, 0.3])).output_size(4)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_whole_network_as_comparisons_gives_the_same_integers_at_every_node(rounding: str) -> None:
    original = network(rounding, per_channel=True)
    nodes = tuple(
        replace(node, layer=node.layer.as_threshold(original.ranges[node.inputs[0]]))
        if isinstance(node.layer, Requantize)
        else node
        for node in original.nodes
    )
    compared = replace(original, nodes=nodes)
    assert not any(isinstance(node.layer, Requantize) for node in compared.nodes)
    q = np.random.default_rng(2).integers(-128, 128, (3000, 9)).astype(np.int32)
    expected, found = trace(original, q), trace(compared, q)
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
