"""The task of a conversion: derived from model and y, overridden by the user, refused where it cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeml.data.dataset import Dataset, as_dataset
from edgeml.errors import InputError
from edgeml.frontends.mlp import Clamp, Linear, Mlp, MlpNode, Sigmoid, Tanh
from edgeml.judging.task import settle, stated, tail_note
from edgeml.network import Dense, InputQuantizer, Network, Node, Output
from edgeml.pipeline import convert

X = np.random.default_rng(0).normal(size=(60, 3))
BITS = np.arange(60) % 2


def mlp(outputs: int, *tail: Any, final: str = "") -> Mlp:
    """Three features, a hidden layer of four, and what `tail` adds."""
    rng = np.random.default_rng(outputs)
    operators = [
        Linear(rng.normal(size=(4, 3)), np.zeros(4)),
        Clamp(0, np.inf),
        Linear(rng.normal(size=(outputs, 4)), np.zeros(outputs)),
        *tail,
    ]
    nodes = [MlpNode(f"n{k}", each, (f"n{k - 1}" if k else "input",)) for k, each in enumerate(operators)]
    return Mlp("net", 3, tuple(nodes), final)


def settled(model: Any, y: Any, asked: str | None = None, labels: tuple[str, ...] = ()) -> tuple[Any, Any, list[str]]:
    data = None if y is None else as_dataset({"x": X, "y": np.asarray(y)}, split="tail")
    return settle(model, data, asked, labels)


@pytest.mark.parametrize(
    ("model", "y", "task"),
    [
        (mlp(3), None, "classes"),
        (mlp(1), None, "values"),
        (mlp(1, Sigmoid()), None, "binary"),
        (mlp(3), np.arange(60) % 3, "classes"),
        (mlp(1), BITS, "binary"),
        (mlp(1), BITS.astype(bool), "binary"),
        (mlp(1), BITS.astype(float), "binary"),
        (mlp(1), np.zeros(60, int), "binary"),
        (mlp(1, Sigmoid()), X[:, 0], "values"),
        (mlp(1), X[:, 0], "values"),
        (mlp(3), X, "values"),
        (mlp(1), np.arange(60), "values"),
    ],
)
def test_the_task_follows_from_model_and_y(model: Mlp, y: Any, task: str) -> None:
    source, data, _ = settled(model, y)
    assert source.task == task
    if y is not None:
        assert data.y.dtype == (np.float64 if task == "values" else np.int64)
        assert data.y.ndim == (2 if task == "values" else 1)


def test_the_user_overrides_it() -> None:
    assert settled(mlp(1), BITS, "values")[0].task == "values"
    assert settled(mlp(1), None, "binary")[0].task == "binary"
    assert settled(mlp(2), X[:, :2], "values")[0].task == "values"


def test_one_output_that_is_taken_as_a_value_without_being_asked_is_told() -> None:
    assert "--task binary" in settled(mlp(1), None)[2][0]
    stored = network(Output(0.5, 0, task="values"))
    assert "--task binary" in settled(stored, BITS)[2][0]
    for model, y, asked in ((mlp(1), None, "values"), (mlp(3), None, None), (stored, X[:, 0], None)):
        assert settled(model, y, asked)[2] == []


def test_one_hot_rows_are_classes_and_said_to_be() -> None:
    source, data, notes = settled(mlp(3), np.eye(3)[np.arange(60) % 3])
    assert (source.task, data.y[:3].tolist()) == ("classes", [0, 1, 2])
    assert "its class" in notes[0]


@pytest.mark.parametrize(
    ("model", "y", "asked", "words"),
    [
        (mlp(1), BITS + 1, None, "holds 1 and 2 for a model of one output"),
        (mlp(1), 2 * BITS - 1, None, "holds -1 and 1"),
        (mlp(2), BITS + 1, None, "counted from 1"),
        (mlp(2), BITS - 1, None, "must lie in 0 … 1"),
        (mlp(3), np.full(60, 7), None, "holds class 7"),
        (mlp(1), BITS + 1, "binary", "holds class 2"),
        (mlp(1), X[:, 0], "binary", "real numbers"),
        (mlp(3), X[:, 0], None, "1 column; the model has 3 outputs"),
        (mlp(3), (X > 0).astype(int), None, "zeros and ones for several outputs"),
        (mlp(3), BITS, "values", "1 values for each sample; the model gives 3"),
        (mlp(3), None, "binary", "binary does not fit"),
        (mlp(1), None, "classes", "classes does not fit"),
        (mlp(1), None, "rank", "not one of classes"),
        (mlp(3, final="softmax"), X, "values", "ends in softmax"),
    ],
)
def test_what_does_not_fit_is_refused(model: Mlp, y: Any, asked: str | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        settled(model, y, asked)


def test_labels_of_another_length_are_refused_before_anything_is_converted() -> None:
    with pytest.raises(InputError, match=r"are 2 \('a', 'b'\); task classes with 3 outputs takes 3"):
        settled(mlp(3), None, labels=("a", "b"))
    with pytest.raises(InputError, match="names of class 0 and class 1"):
        settled(mlp(1), BITS, labels=("a",))
    source, data, _ = settled(mlp(1), BITS, labels=("no", "yes"))
    assert source.labels == data.labels == ("no", "yes")


def network(output: Output) -> Network:
    nodes = (
        Node("input", InputQuantizer(3, np.full(1, 0.1), np.zeros(1), 0, 8, True)),
        Node("sum", Dense(np.array([[1, 1, 0]]), 2, np.zeros(1, np.int32)), ("input",)),
    )
    return Network("sums", nodes, output)


def test_what_a_network_states_stays_and_an_old_one_learns_from_y() -> None:
    values = network(Output(np.ones(1), 0, (), "values"))
    assert settled(values, BITS)[0].task == "values"
    decided = network(Output(np.ones(1), 0, (), "binary", 7))
    assert settled(decided, BITS)[0].output.threshold == 7
    old = network(Output(np.ones(1), 4))
    assert settled(old, None)[0] is old
    source = settled(old, BITS)[0]
    assert (source.task, source.output.threshold) == ("binary", 4)
    with pytest.raises(InputError, match="Say with --labels which are right"):
        settle(network(Output(np.ones(1), 0, ("no", "yes"), "binary")), Dataset(X, X, BITS, BITS, ("yes", "no")), None)


def test_the_integer_threshold_is_that_of_the_float_model() -> None:
    output = Output(np.array([2.0**-8]), -128)
    assert stated(network(output), mlp(1, Sigmoid())).output.threshold == 0
    assert stated(network(output), mlp(1, Clamp(0.0, 1.0)).without_tail()).task == "values"
    assert stated(network(output), settled(mlp(1, Clamp(0.0, 1.0)), BITS)[0]).output.threshold == 0
    assert stated(network(output), settled(mlp(1), BITS)[0]).output.threshold == -128


def test_a_tail_that_changes_no_decision_is_left_off_and_said() -> None:
    for tail, task in ((Sigmoid(), "binary"), (Tanh(), "binary")):
        model = settled(mlp(1, tail), BITS)[0]
        shorter = model.without_tail()
        assert (shorter.task, shorter.final) == (task, type(tail).__name__.lower())
        assert np.array_equal(shorter.decisions(shorter.evaluate(X)), model.decisions(model.evaluate(X)))
        assert "left off" in tail_note(model)[0]
    several = mlp(3, Sigmoid())
    assert np.array_equal(
        several.without_tail().decisions(several.without_tail().evaluate(X)), several.decisions(several.evaluate(X))
    )
    of_values = settled(mlp(1, Sigmoid()), X[:, 0])[0]
    assert of_values.without_tail() is of_values
    doubled = settled(mlp(1, Sigmoid(), Sigmoid()), BITS)[0]  # the inner one's 0.5 is not the outer one's
    assert doubled.without_tail() is doubled


def test_a_regression_is_judged_by_its_errors_and_stays_one(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    y = X @ np.array([[1.0, 2.0], [0.5, -1.0], [0.0, 1.0]])
    model = torch.nn.Sequential(torch.nn.Linear(3, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0.5, 0.0], [2.0, -1.0, 1.0]]))
        model[0].bias.zero_()
    data = {"x": X.astype(np.float32), "y": y}
    bundle = convert(model.eval(), to="quantized", target="host", data=data, output=tmp_path / "r", name="r")
    metrics = bundle.manifest["metrics"]
    assert bundle.network.task == "values"
    assert not {"accuracy", "agreement", "confusion"} & {key for key, value in metrics.items() if value != {}}
    assert metrics["r2"]["float"] == pytest.approx(1.0)
    assert metrics["r2"]["integer"] > 0.99
    assert 0 < metrics["mae"]["integer"] < 0.1
    result = bundle.run(X[:5])
    assert (result.classes.size, result.labels) == (0, ())
    again = convert(
        tmp_path / "r" / "network.edgeml", to="quantized", target="host", data=data, output=tmp_path / "again", name="r"
    )
    found = again.manifest["metrics"]
    assert found["judged_on"] == {"samples": 60, "split": "all"}
    assert found["r2"]["integer"] == pytest.approx(metrics["r2"]["integer"], abs=0.01)
