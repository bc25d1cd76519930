"""Certificates hold: against every input of the box, on networks small enough to run them all."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.errors import InputError
from edgeml.guarantees import CERTIFIED, CHANGED, OPEN, certify, certify_box
from edgeml.guarantees.descent import descend
from edgeml.network import Network, Output, decisions, simulate
from tests.network.random_networks import Shape, network_of, random_inputs


def _all_inputs(low: npt.NDArray[np.integer], high: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
    return np.array(list(itertools.product(*(range(a, b + 1) for a, b in zip(low, high, strict=True)))), np.int32)


def _small(draw_seed: int) -> Network:
    random = np.random.default_rng(draw_seed)
    depth = int(random.integers(1, 4))
    outputs = int(random.integers(1, 4))
    widths = (int(random.integers(1, 4)), *(int(n) for n in random.integers(1, 6, depth - 1)), outputs)
    bits = int(random.integers(1, 4))
    shape = Shape(
        widths,
        tuple(int(n) for n in random.integers(1, 9, depth)),
        tuple(int(random.choice([1, 3, 15])) for _ in range(depth)),
        tuple(int(random.choice([0, -2])) for _ in range(depth)),
        tuple(bool(random.integers(2)) for _ in range(depth)),
        bits,
        bool(random.integers(2)),
        0,
        int(random.integers(2**31)),
    )
    network = network_of(shape)
    if outputs > 1:
        return network
    y = simulate(network, random_inputs(network, 50, draw_seed))
    output = Output(np.ones(1), 0, ("no", "yes"), "binary", int(np.median(y)))
    return replace(network, output=output)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_input_within_the_radius_has_another_class_and_the_next_one_has(seed: int) -> None:
    network = _small(seed)
    ends = network.quantizer.low, network.quantizer.high
    q = random_inputs(network, 5, seed)
    found = certify(network, q, (1, 2), boxes=10_000)
    assert found.exact == 1.0, "few inputs are decided exactly"
    for index, sample in enumerate(q):
        held, lost = int(found.certified[index]), int(found.changed[index])
        near = _all_inputs(*(np.clip(sample + side * held, *ends) for side in (-1, 1)))
        assert np.all(decisions(network, simulate(network, near)) == found.classes[index])
        assert (lost == held + 1) if held < found.most else (lost == -1)
        if lost > 0:
            example = found.examples[index]
            assert np.abs(example - sample).max() == lost
            assert decisions(network, simulate(network, example[None]))[0] != found.classes[index]


def test_what_boxes_do_not_suffice_for_is_open_and_never_certified() -> None:
    statuses = []
    for seed in range(60):
        network = _small(seed)
        low, high = (
            np.full(network.input_size, end, np.int32) for end in (network.quantizer.low, network.quantizer.high)
        )
        answers = decisions(network, simulate(network, _all_inputs(low, high)))
        answer = int(answers[0])
        status, example = certify_box(network, low, high, answer, boxes=1)
        statuses.append(status)
        if status == CERTIFIED:
            assert np.all(answers == answer)
        if status == CHANGED:
            assert example is not None
            assert decisions(network, simulate(network, example[None]))[0] != answer
        assert certify_box(network, low, high, answer, boxes=10_000)[0] == (
            CERTIFIED if np.all(answers == answer) else CHANGED
        )
    assert set(statuses) == {CERTIFIED, CHANGED, OPEN}


def test_the_first_of_equal_outputs_is_the_class() -> None:
    """Outputs that are always equal: the first wins, everywhere; the second never does."""
    shape = Shape((2, 2), (2,), (0,), (0,), (False,), 2, False, 0, 5)
    network = network_of(shape)
    layer = network.layers[0].layer
    alike = replace(layer, weight=np.repeat(layer.weight[:1], 2, axis=0), bias=np.repeat(layer.bias[:1], 2))
    network = replace(network, nodes=(network.nodes[0], replace(network.layers[0], layer=alike)))
    found = certify(network, np.zeros((1, 2), np.int32), (3,))
    assert found.classes.tolist() == [0]
    assert found.certified.tolist() == [3] == [found.most]
    low, high = np.zeros(2, np.int32), np.full(2, 3, np.int32)
    assert certify_box(network, low, high, 1, boxes=1)[0] == CHANGED


def test_shares_count_samples() -> None:
    network = _small(11)
    q = random_inputs(network, 30, 2)
    found = certify(network, q, (1,), boxes=500)
    for radius in (1, 2, 1000):
        shares = found.shares(radius)
        assert sum(shares.values()) == pytest.approx(1.0)
        assert shares[CERTIFIED] == np.mean(found.certified >= min(radius, found.most))


@pytest.mark.parametrize(
    ("task", "radii", "samples", "said"),
    [("values", (1,), 2, "gives values"), ("classes", (), 2, "radii and boxes"), ("classes", (0,), 2, "1 or more"),
     ("classes", (1,), 0, "none to certify")],
)  # fmt: skip
def test_what_cannot_be_certified_is_refused(task: str, radii: tuple[int, ...], samples: int, said: str) -> None:
    network = network_of(Shape((2, 3), (2,), (0,), (0,), (False,), 2, False, 0, 5))
    network = replace(network, output=replace(network.output, task=task, labels=()))
    with pytest.raises(InputError, match=said):
        certify(network, np.zeros((samples, 2), np.int32), radii)


def _linear(seed: int) -> Network:
    """One dense layer of 8 inputs of 8 bits: how far its class holds is known in closed form."""
    return network_of(Shape((8, 3), (4,), (0,), (0,), (False,), 8, False, 0, seed))


@pytest.mark.parametrize("seed", range(6))
def test_of_a_linear_network_both_radii_are_those_of_the_closed_form(seed: int) -> None:
    """o_c − o_j falls by Σ |w_c − w_j| a step, so long as no input meets its end: one box decides each radius."""
    network = _linear(seed)
    q = np.random.default_rng(seed).integers(100, 156, (20, 8)).astype(np.int32)
    weight = network.layers[0].layer.weight
    y = simulate(network, q).astype(np.int64)
    found = certify(network, q, (1, 2, 4), boxes=1)
    for index, answer in enumerate(found.classes):
        radii = []
        for other in set(range(3)) - {int(answer)}:
            step = int(np.abs(weight[answer] - weight[other]).sum())
            room = int(y[index, answer] - y[index, other]) - int(other < answer)
            radii.append(room // step if step else 10**6)
        if min(radii) < 99:
            assert found.certified[index] == min(radii)
            assert found.changed[index] == min(radii) + 1
    assert np.any(found.changed > 0)


@pytest.mark.parametrize("seed", range(6))
def test_the_search_among_corners_finds_the_lowest_of_a_linear_network_from_any(seed: int) -> None:
    network = _linear(seed)
    low, high = np.full(8, 3, np.int32), np.full(8, 9, np.int32)
    rows, least = np.array([[1.0, -1.0, 0.0]]), np.array([-(10**6)])
    corners = np.array(list(itertools.product(*zip(low, high, strict=True))), np.int32)
    lowest = (simulate(network, corners) @ rows.T).min()
    for start in corners[:: len(corners) // 7]:
        rows_at = simulate(network, descend(network, (low, high), rows, least, start)[None]) @ rows.T
        assert rows_at.min() == lowest


def test_an_example_is_the_first_of_another_class_on_the_way_to_it() -> None:
    network = network_of(Shape((6, 12, 4), (4, 4), (15, 0), (0, 0), (False,) * 2, 8, False, 0, 3))
    q = random_inputs(network, 30, 1).astype(np.int64)
    found = certify(network, q, (60,), boxes=1)
    assert len(found.examples) > 10
    for index, example in found.examples.items():
        away = example - q[index]
        before = q[index] + np.sign(away) * np.minimum(np.abs(away), found.changed[index] - 1)
        assert decisions(network, simulate(network, before[None].astype(np.int32)))[0] == found.classes[index]
