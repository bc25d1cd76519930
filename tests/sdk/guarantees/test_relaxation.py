"""Bounds near a box of inputs are bounds: every node, every kind of layer, rows of any coefficients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.guarantees import relax
from edgeml.guarantees.relaxation import lines_of
from edgeml.network import Concat, InputQuantizer, Lookup, Network, Requantize, Threshold, trace
from edgeml.network.value_range import ValueRange
from tests.network.random_networks import Shape, network_of, random_inputs, shapes
from tests.targets import test_maximum
from tests.targets.appending import appending_network

CASES = 60


def _boxes(network: Network, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(seed)
    ends = network.quantizer.low, network.quantizer.high
    centres = random_inputs(network, 4, seed)[1:]
    radii = (int(radius) for radius in random.integers(0, ends[1] - ends[0] + 1, len(centres)))
    return [
        (np.clip(centre - radius, *ends), np.clip(centre + radius, *ends))
        for centre, radius in zip(centres, radii, strict=True)
    ]


def _assert_bounded(network: Network, seed: int) -> None:
    random = np.random.default_rng(seed)
    for low, high in _boxes(network, seed):
        known = relax(network, low, high)
        corners = np.where(random.integers(0, 2, (40, network.input_size)) == 1, low, high)
        inside = random.integers(low, high + 1, (40, network.input_size))
        values = trace(network, np.concatenate([corners, inside, low[None], high[None]]))
        for name, found in values.items():
            assert known.ranges[name].contains(found), name
        last = network.nodes[-1].name
        rows = random.normal(0, 3, (5, network.output_size))
        bound, growth = known.at_least(rows, last)
        assert np.all(values[last] @ rows.T >= bound - 1e-9)
        assert growth.shape == (5, network.input_size)


@settings(max_examples=CASES, deadline=None)
@given(shape=shapes(widest=12, deepest=4), seed=st.integers(0, 2**32 - 1))
def test_no_value_of_any_node_passes_its_bounds(shape, seed: int) -> None:
    _assert_bounded(network_of(shape), seed)


@pytest.mark.parametrize("seed", range(3))
def test_layers_without_lines_are_bounded_by_their_ranges(seed: int) -> None:
    _assert_bounded(test_maximum.network(2 + seed, bool(seed % 2)), seed)


@pytest.mark.parametrize(
    "layer",
    [
        Threshold(np.sort(np.random.default_rng(0).integers(-3000, 3000, (5, 15)), axis=1).astype(np.int32), -8),
        Threshold(np.repeat(np.array([[-(2**31), 7, 2**31 - 1]], np.int32), 5, axis=0), 0),
        Lookup(np.random.default_rng(1).integers(-128, 128, 256), -128),
        *(
            Requantize(np.full(5, 2**30 + 12345), np.full(5, -4), rounding, 3)
            for rounding in ("float64_away", "double_rounding", "ruy_half_up")
        ),
    ],
    ids=["threshold", "always and never", "lookup", "float64_away", "double_rounding", "ruy_half_up"],
)
@pytest.mark.parametrize("width", [0, 1, 30, 254, 255, 4000])
def test_a_layer_lies_between_its_lines_at_every_integer_of_its_range(layer, width: int) -> None:
    random = np.random.default_rng(width)
    for _ in range(5):
        low = random.integers(-3500, 3500 - width, 5)
        if isinstance(layer, Lookup):
            if width > 255:
                return
            low = random.integers(-128, 128 - width, 5)
        x = ValueRange(low, low + np.array([width, width, width // 2, 0, width]))
        lines = lines_of(layer, x)
        assert lines is not None
        points = np.minimum(x.low + np.arange(width + 1)[:, None], x.high).astype(np.int32)
        y = layer.evaluate(points)
        assert np.all(lines.low_slope * points + lines.low_offset <= y)
        assert np.all(y <= lines.high_slope * points + lines.high_offset)


def test_a_layer_that_goes_up_and_down_over_more_than_255_integers_has_no_lines() -> None:
    table = Lookup(np.random.default_rng(1).integers(-9, 9, 512), -256)
    assert lines_of(table, ValueRange(np.array([-256]), np.array([255]))) is None
    assert lines_of(table, ValueRange(np.array([-100]), np.array([100]))) is not None


def test_ranges_through_lines_are_narrower_than_layer_by_layer() -> None:
    network = network_of(replace(_shape(), seed=3))
    low = np.full(network.input_size, 100)
    known = relax(network, low, low + 6)
    plain = {network.nodes[0].name: ValueRange(low, low + 6)}
    for node in network.layers:
        plain[node.name] = node.layer.output_range(*(plain[source] for source in node.inputs))
    last = network.nodes[-1].name
    width, plainly = (ranges[last].high - ranges[last].low for ranges in (known.ranges, plain))
    assert np.all(width <= plainly)
    assert width.sum() < 0.9 * plainly.sum()


def _shape():
    return Shape((16, 16, 8, 4), (4, 4, 4), (255, 255, 0), (0, 0, 0), (False,) * 3, 8, False, 0, 0)


def test_concatenations_are_followed_by_lines() -> None:
    network = appending_network(lambda: Concat(4, 5), (4, 5), inputs=6)
    assert isinstance(network.quantizer, InputQuantizer)
    for seed in range(5):
        _assert_bounded(network, seed)
