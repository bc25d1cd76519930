"""MLPs of scikit-learn, as objects and as their exporter writes them, are read exactly: scores, labels, scalers."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.mlp import Mlp
from edgeml.inputs import read_inputs

pytest.importorskip("skl2onnx")
from skl2onnx import to_onnx
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, PolynomialFeatures, RobustScaler, StandardScaler
from sklearn.svm import SVC

X, Y = load_wine(return_X_y=True)
NAMES = np.array(["red", "white", "rosé"])
FIT = {"max_iter": 30, "random_state": 0}


def classifier(*sizes: int, **options: Any) -> MLPClassifier:
    return MLPClassifier(sizes, **FIT, **options)


def regressor() -> MLPRegressor:
    return MLPRegressor(hidden_layer_sizes=(8,), **FIT)


CASES: dict[str, tuple[Callable[[], Any], Any]] = {
    "plain": (lambda: classifier(16, 8), Y),
    "names": (lambda: classifier(8), NAMES[Y]),
    "numbers": (lambda: classifier(8), Y * 10 + 5),
    "binary": (lambda: classifier(8), (Y == 0).astype(int)),
    "binary by name": (lambda: classifier(8), NAMES[(Y == 0).astype(int)]),
    "tanh": (lambda: classifier(8, activation="tanh"), Y),
    "logistic": (lambda: classifier(8, activation="logistic"), Y),
    "standard": (lambda: make_pipeline(StandardScaler(), classifier(8)), Y),
    "no mean": (lambda: make_pipeline(StandardScaler(with_mean=False), classifier(8)), Y),
    "min max": (lambda: make_pipeline(MinMaxScaler((-1, 1)), classifier(8)), Y),
    "robust": (lambda: make_pipeline(RobustScaler(), "passthrough", MaxAbsScaler(), classifier(8)), Y),
    "value": (regressor, X[:, 0]),
    "values": (regressor, X[:, :2]),
}
NOT_WRITTEN = ("values", "robust")
"""What skl2onnx writes with a reshape to one column, and a step that it refuses."""


def fitted(case: str) -> Any:
    make, y = CASES[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make().fit(X, y)


def assert_as(model: Any, mlp: Mlp, y: Any, tolerance: float) -> None:
    """The same values, or probabilities and classes under the names that the model has."""
    found = mlp.evaluate(X)
    if not hasattr(model, "classes_"):
        np.testing.assert_allclose(found.reshape(len(X), -1), model.predict(X).reshape(len(X), -1), rtol=tolerance)
        return
    probabilities = model.predict_proba(X)
    if mlp.final == "softmax":
        found = np.exp(found - found.max(axis=1, keepdims=True))
        np.testing.assert_allclose(found / found.sum(axis=1, keepdims=True), probabilities, atol=tolerance)
    else:
        np.testing.assert_allclose(found[:, 0], probabilities[:, 1], atol=tolerance)
    labels = mlp.labels or tuple(map(str, range(len(model.classes_))))
    assert labels == tuple(map(str, model.classes_))
    # Where two are the same but for rounding, either may be chosen.
    clear = np.abs(np.diff(np.sort(probabilities, axis=1)[:, -2:], axis=1)[:, 0]) > 1e-3
    assert clear.sum() > len(X) // 2
    chosen = np.array(labels)[mlp.decisions(mlp.evaluate(X))]
    assert (chosen == model.predict(X).astype(str))[clear].all()


@pytest.mark.parametrize("case", CASES)
def test_an_estimator_is_read_as_it_computes(case: str) -> None:
    model = fitted(case)
    assert_as(model, load_model(model), CASES[case][1], 1e-9)


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("case", [case for case in CASES if case not in NOT_WRITTEN])
def test_what_its_exporter_writes_is_read_as_its_scores(case: str, zipmap: bool) -> None:
    model = fitted(case)
    options = {"zipmap": zipmap} if hasattr(model, "classes_") else None
    written = to_onnx(model, X[:1].astype(np.float32), options=options)
    mlp = load_model(written)
    assert_as(model, mlp, CASES[case][1], 1e-3)
    assert mlp.task == {"value": "values"}.get(case, "binary" if "binary" in case else "classes")


def test_y_is_coded_by_the_classes_that_the_model_names() -> None:
    for case in ("names", "numbers"):
        y = CASES[case][1]
        inputs = read_inputs(fitted(case), {"x": X, "y": y})
        assert inputs.data is not None
        assert inputs.data.y is not None
        labels = inputs.source.labels  # type: ignore[union-attr]
        assert labels == tuple(map(str, np.unique(y)))
        assert set(np.unique(inputs.data.y)) == {0, 1, 2}
    inputs = read_inputs(fitted("numbers"), {"x": X[:4], "y": Y[:4] * 10 + 5, "x_test": X[-3:], "y_test": [25, 25, 25]})
    assert inputs.data is not None
    assert inputs.data.y.tolist() == [0] * 4  # type: ignore[union-attr]
    assert inputs.data.y_test.tolist() == [2] * 3  # type: ignore[union-attr]
    with pytest.raises(InputError, match="not among the labels"):
        read_inputs(fitted("names"), {"x": X, "y": np.array(["red", "white", "brown"])[Y]})


@pytest.mark.parametrize(
    ("make", "y", "text"),
    [
        (SVC, Y, "is or ends in a SVC"),
        (lambda: make_pipeline(PolynomialFeatures(), classifier(4)), Y, "PolynomialFeatures before the MLP"),
        (lambda: make_pipeline(MinMaxScaler(clip=True), classifier(4)), Y, "clip=True"),
        (lambda: classifier(4), np.eye(3, dtype=int)[Y], "several yes-or-no questions"),
    ],
)
def test_other_estimators_are_refused(make: Callable[[], Any], y: Any, text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = make().fit(X, y)
    with pytest.raises(InputError, match=text) as caught:
        load_model(model)
    assert caught.value.remedy


def test_an_estimator_that_was_not_fitted_is_refused() -> None:
    for model in (classifier(4), make_pipeline(StandardScaler(), classifier(4))):
        with pytest.raises(InputError, match="not fitted") as caught:
            load_model(model)
        assert "fit" in caught.value.remedy


# Classifiers written by hand


def written(
    classes: Any = (7, 8, 9), keys: Any = (7, 8, 9), axis: int = 1, last: int = 0, scores: str = "p", labels: str = "l"
) -> onnx.ModelProto:
    generator = np.random.default_rng(3)
    texts = isinstance(keys[0], str)
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["z"]),
        helper.make_node("Softmax", ["z"], ["p"], axis=1),
        helper.make_node("ArgMax", ["p"], ["index"], axis=axis, select_last_index=last),
        helper.make_node("ArrayFeatureExtractor", ["classes", "index"], ["l"], domain="ai.onnx.ml"),
        helper.make_node(
            "ZipMap",
            [scores],
            ["map"],
            domain="ai.onnx.ml",
            **{"classlabels_strings" if texts else "classlabels_int64s": list(keys)},
        ),
    ]
    arrays = [
        numpy_helper.from_array(generator.normal(size=(4, 3)).astype(np.float32), "w"),
        numpy_helper.from_array(generator.normal(size=3).astype(np.float32), "b"),
        helper.make_tensor("classes", TensorProto.STRING, [3], [c.encode() for c in classes])
        if isinstance(classes[0], str)
        else numpy_helper.from_array(np.array(classes), "classes"),
    ]
    outputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in (labels, "map")]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])]
    graph = helper.make_graph(nodes, "hand", inputs, outputs, arrays)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)])


def test_labels_and_maps_by_hand() -> None:
    mlp = load_model(written())
    assert isinstance(mlp, Mlp)
    assert (mlp.labels, mlp.final, mlp.output_size) == (("7", "8", "9"), "softmax", 3)
    assert load_model(written(("a", "b", "c"), ("a", "b", "c"))).labels == ("a", "b", "c")  # type: ignore[union-attr]
    assert load_model(written((0, 1, 2), (0, 1, 2))).labels == ()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"keys": (7, 8, 10)}, "two ways"),
        ({"keys": ("a", "b", "c")}, "two ways"),
        ({"classes": (7, 7, 9), "keys": (7, 7, 9)}, "none of them or one twice"),
        ({"classes": ("a", "", "c"), "keys": ("a", "", "c")}, "names a class ''"),
        ({"classes": ("a", "b\n", "c"), "keys": ("a", "b\n", "c")}, "names a class"),
        ({"classes": ("a", "b" * 201, "c"), "keys": ("a", "b", "c")}, "names a class"),
        ({"classes": (7, 8), "keys": (7, 8)}, "2 labels for 3 outputs"),
        ({"axis": 0}, "2 outputs"),
        ({"last": 1}, "2 outputs"),
        ({"scores": "z"}, "2 outputs"),
        ({"labels": "index"}, ""),
    ],
)
def test_what_does_not_fit_together_is_refused(options: dict[str, Any], text: str) -> None:
    if not text:
        assert load_model(written(**options)).labels == ("7", "8", "9")  # type: ignore[union-attr]
        return
    with pytest.raises(InputError, match=text):
        load_model(written(**options))


def test_numbers_that_are_not_whole_are_no_classes() -> None:
    with pytest.raises(InputError, match="2 outputs"):
        load_model(written(classes=(0.5, 1.0, 2.0), keys=(0, 1, 2)))


def test_keras_as_its_exporter_writes_it() -> None:
    """x → Sub, Div of constants (torch.subtract, torch.divide) → layers, as Keras's torch backend runs them."""

    class Module(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            normal = torch.divide(torch.subtract(x, torch.tensor(1.5)), torch.tensor(2.0))
            return torch.relu(torch.multiply(self.layer(normal), torch.tensor(0.5)))

    module = Module().eval().double()
    x = torch.randn(5, 4, dtype=torch.float64)
    mlp = load_model(torch.export.export(module, (x,)))
    np.testing.assert_allclose(mlp.evaluate(x.numpy()), module(x).detach().numpy(), rtol=1e-6)  # type: ignore[union-attr]
