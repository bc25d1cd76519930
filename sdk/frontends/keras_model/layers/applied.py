"""One call of a layer as its function sees it, and the functions by the layer's class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ....errors import printable
from ...reading.builder import MlpBuilder
from ...reading.value import NotAnMlp, Signal, Value
from ..graph import Layer
from ..weights import Weights
from .refused import refused

__all__ = ["LAYERS", "OPERATIONS", "Applied", "Function", "apply", "layer", "operation"]

_FLOATS = ("float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16")
_OF_TRAINING = ("_initializer", "_regularizer", "_constraint")
_UNUSED = {
    "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_shape", "input_dim", "autocast",
    "momentum", "synchronized", "renorm", "renorm_clipping", "renorm_momentum", "virtual_batch_size", "fused",
}  # fmt: skip
"""Settings that change nothing when a trained model answers."""


@dataclass
class Applied:
    """A call of a layer.

    Parameters
    ----------
    arguments : what it takes: signals, lists of them, numbers.
    weights : of the model that the layer is in.
    keras_2 : whether Keras 1 or 2 wrote the file: some of its functions are other ones.
    """

    builder: MlpBuilder
    layer: Layer
    arguments: list[Value]
    weights: Weights
    keras_2: bool = False
    used: set[str] = field(default_factory=set)

    @property
    def x(self) -> Signal:
        """The one tensor that it takes."""
        if len(self.arguments) != 1 or not isinstance(self.arguments[0], Signal):
            raise NotAnMlp(f"it takes {len(self.arguments)} arguments, where one tensor is read")
        return self.arguments[0]

    @property
    def several(self) -> list[Signal]:
        """The tensors of a layer that takes a list of them."""
        found = self.arguments[0] if len(self.arguments) == 1 else self.arguments
        if not isinstance(found, list) or len(found) < 1 or not all(isinstance(each, Signal) for each in found):
            raise NotAnMlp("it takes something else than a list of tensors")
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """A setting as the file holds it."""
        self.used.add(name)
        return self.layer.config.get(name, default)

    def number(self, name: str, default: float) -> float:
        """A setting that is one number."""
        found = self.get(name, default)
        if isinstance(found, bool) or not isinstance(found, (int, float)) or not np.isfinite(found):
            raise NotAnMlp(f"its {name} is {printable(found, 40)}, which is not a number")
        return float(found)

    def flag(self, name: str, default: bool) -> bool:
        """A setting that is true or false."""
        found = self.get(name, default)
        if not isinstance(found, bool):
            raise NotAnMlp(f"its {name} is {printable(found, 40)}, neither true nor false")
        return found

    def integers(self, name: str, count: int, default: Any = None) -> list[int]:
        """A setting of one integer for each of `count` dimensions, or one for all."""
        found = self.get(name, default)
        found = default if found is None else found
        if type(found) is int:
            found = [found] * count
        if not isinstance(found, list) or len(found) != count or any(type(each) is not int for each in found):
            raise NotAnMlp(f"its {name} is {printable(found, 40)}, where {count} integers are expected")
        return list(found)

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """A setting of numbers, one or nested lists of them."""
        found = self.get(name)
        try:
            values = np.asarray(found, np.float64)
        except (TypeError, ValueError) as error:
            raise NotAnMlp(f"its {name} is {printable(found, 40)}, which is not an array of numbers") from error
        if not np.all(np.isfinite(values)):
            raise NotAnMlp(f"its {name} holds something else than finite numbers")
        return values

    def channels_last(self) -> bool:
        """Whether the channels are the last dimension."""
        found = self.get("data_format", "channels_last")
        if found not in ("channels_last", "channels_first", None):
            raise NotAnMlp(f"its data_format is {printable(found, 40)!r}")
        return bool(found != "channels_first")

    def variables(self, shapes: Mapping[str, Sequence[Any]]) -> list[npt.NDArray[np.float64]]:
        """The layer's variables by their names and shapes, float64."""
        found = self.weights.of(self.layer.name, list(shapes))
        for (name, shape), array in zip(shapes.items(), found, strict=True):
            self.builder.budget.constant(array.shape)
            if array.shape != tuple(shape):
                raise NotAnMlp(f"its {name} has shape {list(array.shape)}, where {list(shape)} is expected")
        return [array.astype(np.float64) for array in found]


Function = Callable[[Applied], Value]
LAYERS: dict[str, Function] = {}
"""By class of layer."""
OPERATIONS: dict[str, Function] = {}
"""By class of the functions of keras.ops, which stand in a model where tensors are added and the like."""
IDENTITIES: set[str] = set()
"""Layers that give what they take when a trained model answers; none of their settings counts."""


def layer(*names: str) -> Callable[[Function], Function]:
    """Registers a function as the meaning of layers of these classes."""

    def register(function: Function) -> Function:
        LAYERS.update(dict.fromkeys(names, function))
        return function

    return register


def operation(*names: str) -> Callable[[Function], Function]:
    """Registers a function among `OPERATIONS`."""

    def register(function: Function) -> Function:
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return register


def apply(call: Applied, foreign: Mapping[str, Function] | None = None) -> Value:
    """What the layer gives; NotAnMlp where it is unknown, or has a setting that is. `foreign` are layers of another
    package, by class."""
    found = call.layer
    known = OPERATIONS if found.is_function else {**LAYERS, **(foreign or {})}
    function = known.get(found.kind)
    identity = not found.is_function and found.kind in IDENTITIES
    if function is None and not identity:
        taken = [each for each in call.arguments if isinstance(each, Signal)]
        raise refused(found, any(call.builder.is_input(each) for each in taken))
    for argument in call.arguments:
        if isinstance(argument, NotAnMlp):
            raise argument
    if function is None:
        return call.x
    _check_numbers(call)
    result = function(call)
    rest = set(found.config) - call.used - _UNUSED
    for name in sorted(rest):
        if name.endswith(_OF_TRAINING) or found.config[name] in (None, False):
            continue
        raise NotAnMlp(f"its setting {printable(name, 40)} = {printable(found.config[name], 40)} is not supported")
    return result


def _check_numbers(call: Applied) -> None:
    """Layers compute in floating point, or are refused: what Keras quantized itself is other numbers than it says."""
    policy = call.layer.config.get("dtype")
    name = policy.get("config", {}).get("name") if isinstance(policy, dict) else policy
    if policy is not None and name not in _FLOATS:
        raise NotAnMlp(
            f"its numbers are {printable(name or policy, 60)}",
            "Save the float model, before model.quantize(): edgeml quantizes itself",
        )
