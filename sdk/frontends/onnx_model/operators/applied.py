"""One node as its operator's function sees it, and the operators by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...float_operators.curves import FUNCTIONS
from ...float_operators.found import float_operator_kinds
from ...reading.builder import MlpBuilder
from ...reading.value import BATCH, Constant, NotAnMlp, Signal, Value, as_constant

__all__ = [
    "ENCODINGS",
    "HINTS",
    "MACHINE_LEARNING",
    "OPERATORS",
    "Applied",
    "Operator",
    "encoding",
    "is_known",
    "kind_of",
    "operator",
    "readers_of",
    "signal",
]

MACHINE_LEARNING = "ai.onnx.ml"
"""The domain of ONNX's operators for classical machine learning."""

HINTS = {
    "ConvTranspose": "edgeml reads Conv of one and two dimensions",
    **dict.fromkeys(
        ("Sqrt", "Reciprocal"),
        "Normalisations of each sample (LayerNorm, RMSNorm) are written so: train BatchNorm1d in their place",
    ),
    **dict.fromkeys(("Loop", "Scan", "If"), "Export the model without loops and branches: a graph is fixed here"),
    **dict.fromkeys(
        ("ThresholdedRelu", "Log", "Tan", "Atan", "Asin", "Acos", "Sinh", "Cosh", "Sign", "Hardmax"),
        f"Functions of one number that edgeml knows: {', '.join(FUNCTIONS)}, and clamps",
    ),
    **dict.fromkeys(
        ("QuantizeLinear", "DequantizeLinear", "QLinearMatMul"),
        "edgeml quantizes itself: export the float model",
    ),
    **dict.fromkeys(
        (f"{MACHINE_LEARNING}.{kind}" for kind in ("ZipMap", "ArrayFeatureExtractor")),
        "Let the model end in its scores: with skl2onnx, options={'zipmap': False}",
    ),
    **dict.fromkeys(
        (f"{MACHINE_LEARNING}.{kind}" for kind in ("LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier")),
        "It is not an MLP: train scikit-learn's MLPClassifier",
    ),
    **dict.fromkeys(
        (f"{MACHINE_LEARNING}.{kind}" for kind in ("Imputer", "LabelEncoder", "Normalizer", "OneHotEncoder")),
        "Do this to the samples before, and export the scaler and the MLP alone",
    ),
}
"""What to do about operators that are often met."""


@dataclass
class Applied:
    """One node: inputs (None where left out), attributes by name, opset version, number of outputs that are named."""

    builder: MlpBuilder
    inputs: list[Value]
    attributes: dict[str, Any]
    opset: int
    outputs: int = 1
    used: set[str] = field(default_factory=set)

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        self.used.add(name)
        return self.attributes.get(name, default)

    def input(self, position: int, default: Any = None) -> Value:
        """An input, or `default` where it is left out."""
        given = self.inputs[position] if position < len(self.inputs) else None
        return default if given is None else given

    def needed(self, position: int) -> Value:
        """An input that may not be left out."""
        value = self.input(position)
        if value is None:
            raise NotAnMlp(f"its input {position} is missing")
        return value

    def constant(self, position: int) -> Constant:
        """An input that must be known while reading."""
        value = self.needed(position)
        if isinstance(value, Signal):
            raise NotAnMlp(f"its input {position} depends on the model's input")
        return as_constant(value)

    def integers(self, name: str, position: int) -> list[Any] | None:
        """Integers that an older opset gives as an attribute and a newer one as an input; None where left out."""
        attribute = self.get(name)
        if attribute is not None:
            return list(attribute)
        if self.input(position) is None:
            return None
        values = self.constant(position)
        if values.dtype.kind not in "iO" or values.ndim > 1:
            raise NotAnMlp(f"its {name} are not integers")
        return [value if value is BATCH else int(value) for value in np.atleast_1d(values).tolist()]


Operator = Callable[[Applied], Value]
OPERATORS: dict[str, Operator] = {}
ENCODINGS: dict[str, Operator] = {}
"""By the same names: what operators mean for the model's input and functions of its single features. They raise
`NotOfTheInput` for values that come from layers, and may give a list, the values of all outputs."""


def operator(name: str) -> Callable[[Operator], Operator]:
    """Registers a function as the meaning of an ONNX operator."""

    def register(function: Operator) -> Operator:
        OPERATORS[name] = function
        return function

    return register


def encoding(name: str) -> Callable[[Operator], Operator]:
    """Registers a function among `ENCODINGS`."""

    def register(function: Operator) -> Operator:
        ENCODINGS[name] = function
        return function

    return register


def kind_of(node: Any) -> str:
    """A node's operator, of other domains than ONNX's own as `DOMAIN.OPERATOR`; not yet fit to be printed."""
    return str(node.op_type) if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def is_known(name: str) -> bool:
    """Whether anything reads ONNX's operator `name`."""
    return name in ENCODINGS or bool(readers_of(name))


def readers_of(name: str) -> tuple[Operator, ...]:
    """The functions that read ONNX's operator `name`: those of float operators of installed packages, then edgeml's
    own, which reads what those before it refuse."""
    own = (OPERATORS[name],) if name in OPERATORS else ()
    others = (kind.onnx_readers() for kind in float_operator_kinds().values())
    return tuple(found[name] for found in others if name in found) + own


def signal(a: Applied) -> Signal:
    """The first input as a tensor that depends on the model's input."""
    value = a.needed(0)
    if not isinstance(value, Signal):
        raise NotAnMlp("it is applied to a constant")
    return value
