"""What looks wrong about data is said, the most serious first, and what is right is left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeml.data.checks import WARNING, data_notes
from edgeml.data.dataset import Dataset, as_dataset
from edgeml.frontends.mlp import Clamp, Linear, Mlp, MlpNode, Sigmoid, Tanh
from edgeml.network import Dense, InputQuantizer, Network, Node, Output

X = np.random.default_rng(0).normal(size=(400, 2))
SIGNS = np.stack([X[:, 0], -X[:, 0]], axis=1)
Y = np.argmax(SIGNS, axis=1)
IDENTITY = Linear(np.array([[1.0, 0.0], [-1.0, 0.0]]), np.zeros(2))


def mlp(*operators: Any, task: str = "") -> Mlp:
    names = [f"n{k}" for k in range(len(operators))]
    nodes = [
        MlpNode(name, each, (before,)) for name, each, before in zip(names, operators, ["input", *names], strict=False)
    ]
    return Mlp("net", 2, tuple(nodes), task=task)


def data(x: np.ndarray = X, y: np.ndarray | None = Y, **more: Any) -> Dataset:
    return as_dataset({"x": x} if y is None else {"x": x, "y": y}, **more)


def warnings(model: Any, given: Dataset) -> list[str]:
    return [note for note in data_notes(model, given) if note.startswith(WARNING)]


def test_a_good_model_on_its_own_data_hears_only_what_was_held_back() -> None:
    (note,) = data_notes(mlp(IDENTITY), data())
    assert "80 of 400 samples were held back" in note
    assert data_notes(mlp(IDENTITY), None) == []
    assert data_notes(mlp(IDENTITY), data(y=None)) == []
    assert data_notes(mlp(IDENTITY), Dataset(X, X, Y, Y)) == []


@pytest.mark.parametrize("y", [1 - Y, np.random.default_rng(1).integers(0, 2, 400)])
def test_answers_no_better_than_chance_are_said_first(y: np.ndarray) -> None:
    assert "no better than chance" in data_notes(mlp(IDENTITY), data(y=y))[0]


def test_a_rare_class_that_is_found_is_no_chance_although_the_majority_would_be_right_more_often() -> None:
    y = (X[:, 0] > 1.9).astype(int)
    model = mlp(Linear(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([1.5, 0.0])))  # says 1 above 1.5
    assert warnings(model, data(y=y)) == []


def test_a_class_without_a_sample_is_named_with_its_side() -> None:
    tail = warnings(mlp(IDENTITY), data(X[np.argsort(Y)], np.sort(Y), split="tail"))
    assert any("no sample of class 0 is among the held back" in note for note in tail)
    single = np.zeros(400, int)
    single[7] = 1
    assert any(
        "class 1 (alarm) is among the held back" in note
        for note in warnings(mlp(IDENTITY), data(y=single, labels=("quiet", "alarm")))
    )
    gone = Dataset(X, X, np.zeros(400, int), Y)
    assert any("class 1 is among those to train" in note for note in warnings(mlp(IDENTITY), gone))


def test_another_scale_is_seen_by_answers_that_are_all_alike_and_layers_that_do_not_move() -> None:
    far = X + 50
    assert any("scale" in note for note in warnings(mlp(IDENTITY), data(far)))
    dead = mlp(Linear(-np.eye(2), np.zeros(2)), Clamp(0.0, np.inf), IDENTITY)
    assert any("layer n1 are dead or saturated" in note for note in warnings(dead, data(far)))
    for squash in (Sigmoid(), Tanh(), Clamp(-1.0, 1.0)):
        model = mlp(Linear(np.eye(2), np.zeros(2)), squash, IDENTITY)
        assert any("another range" in note for note in warnings(model, data(far)))
        assert not any("another range" in note for note in warnings(model, data()))


def test_a_network_of_integers_sees_what_it_clips() -> None:
    nodes = (
        Node("input", InputQuantizer(2, np.full(1, 0.03), np.zeros(1), 0, 8, True)),
        Node("out", Dense(np.array([[1, 0], [-1, 0]]), 2, np.zeros(2, np.int32)), ("input",)),
    )
    network = Network("net", nodes, Output(np.ones(1)))
    assert warnings(network, data().undivided()) == []
    assert any("outside the range" in note for note in warnings(network, data(100 * X).undivided()))


def test_values_worse_than_their_mean_or_all_alike_are_said() -> None:
    y = np.stack([X[:, 0] + 0.5, -X[:, 0]], axis=1)
    assert warnings(mlp(IDENTITY, task="values"), data(y=y)) == []
    assert "no better than the mean" in warnings(mlp(IDENTITY, task="values"), data(y=-y))[0]
    constant = mlp(Linear(np.zeros((2, 2)), np.ones(2)), task="values")
    assert any("same values" in note for note in warnings(constant, data(y=None)))
