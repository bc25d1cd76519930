"""What a network is for: stated, derived, stored, and the decision that follows from it, to the last integer."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeml.errors import InputError, NetworkError
from edgeml.inspection import describe_network
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, decisions, integer_threshold
from edgeml.network.network_file import from_bytes, to_bytes

INT32 = st.integers(-(2**31), 2**31 - 1)


def network(outputs: int, output: Output | None = None) -> Network:
    weight = np.arange(1, 2 * outputs + 1, dtype=np.int32).reshape(outputs, 2)
    nodes = (
        Node("input", InputQuantizer(2, np.ones(1), np.zeros(1), 0, 8, True)),
        Node("dense", Dense(weight, 8, np.zeros(outputs, np.int32)), ("input",)),
    )
    return Network("net", nodes, output or Output(np.ones(1)))


def test_a_task_that_nobody_stated_follows_from_outputs_and_labels() -> None:
    assert network(3).task == "classes"
    assert network(1).task == "values"
    assert network(1, Output(np.ones(1), 0, ("score",))).task == "values"
    assert network(1, Output(np.ones(1), 5, ("no", "yes"))).task == "binary"


@pytest.mark.parametrize("output", [Output(np.ones(1), -3, ("no", "yes"), "binary", 41), Output(np.ones(1), 7)])
def test_the_file_keeps_task_threshold_and_both_labels(output: Output) -> None:
    before = network(1, output)
    after = from_bytes(to_bytes(before))
    assert (after.task, after.output.task, after.output.threshold, after.output.labels) == (
        before.task,
        output.task,
        output.threshold,
        output.labels,
    )
    assert to_bytes(after) == to_bytes(before)


def test_a_file_from_before_there_were_tasks_has_no_word_of_them_and_is_read() -> None:
    content = to_bytes(network(3))
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert set(json.loads(header["__metadata__"]["edgeml"])["output"]) == {"zero_point", "labels"}
    assert from_bytes(content).task == "classes"


@pytest.mark.parametrize(
    ("outputs", "fields"),
    [
        (2, {"task": "binary"}),
        (1, {"task": "classes"}),
        (1, {"task": "ranking"}),
        (1, {"task": ["binary"]}),
        (1, {"task": "values", "threshold": 3}),
        (1, {"task": "binary", "threshold": 2**31}),
        (1, {"task": "binary", "labels": ("one",)}),
        (3, {"task": "classes", "labels": ("a", "b")}),
    ],
)
def test_a_task_that_does_not_fit_is_refused(outputs: int, fields: dict[str, object]) -> None:
    with pytest.raises(NetworkError):
        network(outputs, Output(np.ones(1), **fields))  # type: ignore[arg-type]


@given(st.floats(-1e3, 1e6), st.floats(1e-6, 1e6), st.integers(-(2**20), 2**20), st.integers(-3, 3))
def test_the_integer_threshold_is_the_real_one_for_every_integer(
    real: float, scale: float, zero_point: int, away: int
) -> None:
    threshold = integer_threshold(real, scale, zero_point)
    y = min(max(threshold + away, -(2**31)), 2**31 - 1)
    assert (y > threshold) == (Fraction(y - zero_point) * Fraction(scale) > Fraction(real))


def test_a_threshold_that_32_bits_do_not_hold() -> None:
    assert integer_threshold(3.0, 1e-9, 0) == 2**31 - 1
    with pytest.raises(NetworkError, match="below 32 bits"):
        integer_threshold(-3.0, 1e-9, 0)


@given(INT32, INT32)
def test_a_binary_decision_is_one_above_the_threshold_and_zero_at_it(y: int, threshold: int) -> None:
    output = Output(np.ones(1), 0, (), "binary", threshold)
    expected = int(y > threshold)
    assert decisions(output, np.array([[y]], np.int32)).tolist() == [expected]
    assert decisions(network(1, output), np.array([[y]], np.int32)).tolist() == [expected]


def test_without_a_threshold_the_zero_point_decides() -> None:
    y = np.array([[4], [5], [6]], np.int32)
    for output in (Output(np.ones(1), 5, (), "binary"), Output(np.ones(1), 5, ("no", "yes"))):
        assert decisions(network(1, output), y).tolist() == [0, 0, 1]


def test_classes_take_the_largest_and_of_equals_the_first() -> None:
    assert decisions(network(3), np.array([[1, 3, 3], [2, 1, 0]], np.int32)).tolist() == [1, 0]


def test_values_have_no_decision_and_other_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="values"):
        decisions(network(1), np.zeros((2, 1), np.int32))
    with pytest.raises(InputError, match="shape"):
        decisions(network(3), np.zeros((2, 1), np.int32))


def test_inspect_says_the_task_and_the_threshold() -> None:
    found = describe_network(network(1, Output(np.ones(1), 0, (), "binary", 12)))
    assert (found["task"], found["threshold"]) == ("binary", 12)
    assert "threshold" not in describe_network(replace(network(3)))
