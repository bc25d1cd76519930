"""A fitted MLP of scikit-learn as an `Mlp`: its scalers, its layers, its classes.

A layer computes x · coefs_[i] + intercepts_[i], the activation behind each but the last (scikit-learn's user guide,
"Neural network models"). A classifier of three and more classes ends in softmax, one of two in one sigmoid, a regressor
in nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError, printable
from ..format import Request
from ..mlp import Mlp
from ..reading.builder import MlpBuilder
from ..reading.value import NotAnMlp, Signal
from ..self_check import check_against_source

__all__ = ["read_estimator"]

_SCALERS = ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler")
_MODELS = ("MLPClassifier", "MLPRegressor")
_READ = f"edgeml reads {' and '.join(_MODELS)}, alone or in a pipeline behind {', '.join(_SCALERS)}"


def read_estimator(request: Request) -> Mlp:
    """See `formats.scikit_learn_model`."""
    steps, where = _steps(request.source), request.where
    *scalers, model = steps
    if type(model).__name__ not in _MODELS:
        raise InputError(where, f"is or ends in a {printable(type(model).__name__)}", _READ)
    for step in steps:
        if not hasattr(step, "n_features_in_"):
            raise InputError(where, f"holds a {type(step).__name__} that was not fitted", "Call fit(x, y) first")
    if getattr(model, "out_activation_", "") == "logistic" and model.n_outputs_ > 1:
        raise InputError(
            where, "answers several yes-or-no questions at once: edgeml has no such task", "Train a model for each"
        )
    builder = MlpBuilder((None, int(steps[0].n_features_in_)))
    try:
        x = builder.input
        for scaler in scalers:
            builder.place(type(scaler).__name__, "scaler")
            x = _scaled(builder, x, scaler)
        for index, (weight, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
            builder.place(f"layer {index}", f"dense_{index}")
            x = builder.linear(x, np.asarray(weight, np.float64).T, np.asarray(bias, np.float64))
            last = index == len(model.coefs_) - 1
            x = _activated(builder, x, model.out_activation_ if last else model.activation)
        mlp = builder.build(x, request.model_name(type(model).__name__))
    except NotAnMlp as error:
        raise InputError(where, error.problem, error.remedy or _READ) from error
    labels = tuple(str(name) for name in getattr(model, "classes_", ()))
    named = labels != tuple(map(str, range(len(labels))))
    mlp = Mlp(mlp.name, mlp.input_size, mlp.nodes, mlp.final, labels if named else ())
    check_against_source(mlp, lambda samples: _run(steps, samples), where, _tolerance(model))
    return mlp


def _steps(estimator: Any) -> list[Any]:
    """The estimators of a pipeline, or the one."""
    if type(estimator).__name__ != "Pipeline":
        return [estimator]
    return [each for _, step in estimator.steps if step not in (None, "passthrough") for each in _steps(step)]


def _scaled(builder: MlpBuilder, x: Signal, scaler: Any) -> Signal:
    """(x − shift) / scale, as each kind of scaler keeps them."""
    kind, size = type(scaler).__name__, x.size
    if kind == "MinMaxScaler":  # x · scale_ + min_
        if getattr(scaler, "clip", False):
            raise NotAnMlp("a MinMaxScaler with clip=True", "Fit it with clip=False")
        return builder.affine(x, _values(scaler.scale_, size, 1.0), _values(scaler.min_, size, 0.0))
    centers = {"StandardScaler": "mean_", "RobustScaler": "center_", "MaxAbsScaler": ""}
    if kind not in centers:
        raise NotAnMlp(f"a {printable(kind)} before the MLP", _READ)
    # A StandardScaler knows its mean also where it does not take it off.
    used = centers[kind] and getattr(scaler, "with_mean", True)
    center = getattr(scaler, centers[kind]) if used else None
    shifted = builder.affine(x, 1.0, -_values(center, size, 0.0))
    return builder.affine(shifted, 1.0 / _values(scaler.scale_, size, 1.0), 0.0)


def _values(given: Any, size: int, otherwise: float) -> npt.NDArray[np.float64]:
    """A scaler's numbers, one for each feature; `otherwise` where it does not use them."""
    return np.full(size, otherwise) if given is None else np.asarray(given, np.float64)


def _activated(builder: MlpBuilder, x: Signal, name: str) -> Signal:
    if name == "identity":
        return x
    if name == "relu":
        return builder.clamp(x, 0.0, None)
    if name == "logistic":
        return builder.sigmoid(x)
    if name == "tanh":
        return builder.tanh(x)
    if name == "softmax":
        return builder.final(x, "softmax", 1)
    raise NotAnMlp(f"the activation {printable(name)!r}")


def _run(steps: Sequence[Any], x: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """What the estimators give: probabilities of a classifier (of two classes that of the second), values."""
    for scaler in steps[:-1]:
        x = scaler.transform(x)
    model = steps[-1]
    if not hasattr(model, "classes_"):
        return np.asarray(model.predict(x))
    found = np.asarray(model.predict_proba(x))
    return found[:, 1:] if len(model.classes_) == 2 else found


def _tolerance(model: Any) -> float:
    """One fitted to float32 samples computes in float32."""
    return 1e-7 if all(weight.dtype == np.float64 for weight in model.coefs_) else 1e-4
