"""A Keras configuration as a graph: layers, and the calls of each with what they take.

Read are `Sequential` and `Functional` (`Model` in older files) as Keras 2 and 3 serialize them. Nothing of it is run:
a class is a name here, which `layers` knows or refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import printable
from ..reading.value import NotAnMlp

__all__ = ["Graph", "Layer", "Reference", "graph_of", "is_graph"]

_MOST_LAYERS = 10_000
_MOST_DEPTH = 16
_INPUT = "(input)"
_CONSTANT = "_CONSTANT_VALUE"
"""In place of a layer's name, where a function of TensorFlow takes a number (Keras 2)."""
_TENSORFLOW = {
    "__operators__.add": "Add", "math.add": "Add", "math.subtract": "Subtract", "math.multiply": "Multiply",
    "math.divide": "Divide", "math.truediv": "TrueDivide", "math.negative": "Negative", "nn.relu": "Relu",
    "math.sigmoid": "Sigmoid", "math.tanh": "Tanh",
}  # fmt: skip
"""What functions of TensorFlow, which Keras 2 has as layers TFOpLambda, are called in keras.ops."""
_ONNX = (
    "Keras itself can write it as ONNX, which edgeml reads too: pip install tf2onnx onnx, then "
    "model.export('model.onnx', format='onnx')"
)


@dataclass(frozen=True)
class Reference:
    """What the call numbered `call` of layer `layer` gives."""

    layer: str
    call: int


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer, or a function of Keras that is applied to tensors.

    Parameters
    ----------
    name : unique in its model.
    kind : its class, as it is registered: `Dense`, `Custom>MyLayer`.
    module : of Keras or others, "" where the file does not say.
    config : what it was made with.
    calls : the arguments of each of its calls; tensors are `Reference`s, in lists too. What cannot be read of a call
        is the refusal, so that a layer which is refused itself is refused for that.
    first_call : number of the first of them. A model that is a layer has been called before, on its own input.
    """

    name: str
    kind: str
    module: str
    config: Mapping[str, Any]
    calls: tuple[tuple[Any, ...], ...] = ()
    first_call: int = 0

    @property
    def is_function(self) -> bool:
        """Whether it is a function of keras.ops, which has no weights; a .h5 file names no modules, and functions have
        no settings of layers there."""
        return ".ops" in self.module or (not self.module and set(self.config) == {"name"})

    @property
    def text(self) -> str:
        """For people."""
        return f"layer {printable(self.name, 60)!r} ({printable(self.kind, 60)})"


@dataclass(frozen=True, eq=False)
class Graph:
    """A model.

    Parameters
    ----------
    layers : by name, in the order of the file.
    input : name of the layer that stands for the input.
    output : what the model gives.
    input_shape : the batch first, None where a size is open; None if the file does not say.
    """

    layers: Mapping[str, Layer]
    input: str
    output: Reference
    input_shape: tuple[int | None, ...] | None
    named: tuple[tuple[str, str], ...] = field(default=())
    """Name and class of each layer that may have weights, in the order of the file."""


def is_graph(kind: str) -> bool:
    """Whether a class is a model whose layers the file lists."""
    return kind in ("Sequential", "Functional", "Model")


def graph_of(entry: Mapping[str, Any]) -> Graph:
    """The model of a serialized object; NotAnMlp if it is another one, or not as Keras writes it."""
    kind = printable(entry.get("registered_name") or entry.get("class_name", ""), 60)
    if not is_graph(str(entry.get("class_name"))):
        raise NotAnMlp(
            f"it is an object of the class {kind!r}, whose computation the file does not hold",
            f"Build it as keras.Sequential or keras.Model(inputs, outputs). {_ONNX}",
        )
    config = entry.get("config")
    if isinstance(config, list):  # Sequential of Keras 1 and early 2
        config = {"layers": config}
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        raise NotAnMlp(f"the file does not list the layers of the {kind}", f"Build it before it is saved, or: {_ONNX}")
    entries = config["layers"]
    if not entries or len(entries) > _MOST_LAYERS:
        raise NotAnMlp(f"it has {len(entries)} layers; 1 to {_MOST_LAYERS} are read")
    if entry.get("class_name") == "Sequential":
        return _sequential(entries, config)
    return _functional(entries, config)


def _layer(entry: Any, calls: tuple[tuple[Any, ...], ...]) -> Layer:
    config = entry.get("config") if isinstance(entry, dict) else None
    if not isinstance(config, dict):
        raise NotAnMlp("an entry of its layers has no configuration")
    name, kind = entry.get("name") or config.get("name"), entry.get("class_name")
    registered = entry.get("registered_name")
    if not isinstance(name, str) or not isinstance(kind, str) or not name:
        raise NotAnMlp("an entry of its layers has no name or no class")
    module = entry.get("module")
    # Keras's own classes are registered by their own name or not at all.
    foreign = isinstance(registered, str) and ">" in registered
    if kind == "TFOpLambda" and config.get("function") in _TENSORFLOW:
        return Layer(name, _TENSORFLOW[config["function"]], "tensorflow.ops", {"name": name}, calls)
    return Layer(name, str(registered) if foreign else kind, str(module or ""), config, calls)


def _sequential(entries: list[Any], config: Mapping[str, Any]) -> Graph:
    layers: dict[str, Layer] = {}
    first = _layer(entries[0], ())
    if first.kind != "InputLayer":
        layers[_INPUT] = Layer(_INPUT, "InputLayer", "", {})
    last = _INPUT
    for position, entry in enumerate(entries):
        layer = _layer(entry, ((Reference(last, 0),),) if position or layers else ())
        if layer.name in layers:
            raise NotAnMlp(f"two layers are called {printable(layer.name, 60)!r}")
        layers[layer.name] = layer
        last = layer.name
    shape = _shape(first.config)
    if shape is None and is_graph(first.kind):
        shape = graph_of({"class_name": first.kind, "config": dict(first.config)}).input_shape
    if shape is None:
        shape = _sizes(config.get("build_input_shape"))
    named = tuple((layer.name, layer.kind) for layer in layers.values() if layer.kind != "InputLayer")
    return Graph(layers, next(iter(layers)), Reference(last, 0), shape, named)


def _functional(entries: list[Any], config: Mapping[str, Any]) -> Graph:
    layers: dict[str, Layer] = {}
    for entry in entries:
        nodes = entry.get("inbound_nodes", []) if isinstance(entry, dict) else []
        if not isinstance(nodes, list):
            raise NotAnMlp("the calls of a layer are not listed")
        layer = _layer(entry, tuple(_call(node) for node in nodes))
        if any(isinstance(node, list) for node in nodes) and _begins(layer):
            layer = replace(layer, first_call=1)
        if layer.name in layers:
            raise NotAnMlp(f"two layers are called {printable(layer.name, 60)!r}")
        layers[layer.name] = layer
    ends = {}
    for what in ("input_layers", "output_layers"):
        found = _ends(config.get(what))
        if len(found) != 1:
            raise NotAnMlp(
                f"it has {len(found)} {what.partition('_')[0]}s",
                "edgeml converts models of one input and one output tensor: make them one with Concatenate, or save "
                "keras.Model(model.inputs, model.outputs[0])",
            )
        ends[what] = found[0]
    start = layers.get(ends["input_layers"].layer)
    if start is None:
        raise NotAnMlp(f"its input {printable(ends['input_layers'].layer, 60)!r} is not a layer of it")
    output = ends["output_layers"]
    last = layers.get(output.layer)
    if last is not None and last.kind in ("Functional", "Model") and not last.first_call:
        # Where Keras 3 names a model's output, and only there, it counts a call before those of the list.
        output = Reference(output.layer, output.call - 1)
    named = tuple((layer.name, layer.kind) for layer in layers.values() if not layer.is_function)
    return Graph(layers, start.name, output, _shape(start.config), named)


def _begins(layer: Layer) -> bool:
    """Whether it is a model that begins with an input layer of its own, which Keras 2 counts as its first call."""
    inner = layer.config.get("layers")
    first = inner[0] if is_graph(layer.kind) and isinstance(inner, list) and inner else None
    return isinstance(first, dict) and first.get("class_name") == "InputLayer"


def _ends(found: Any, depth: int = 0) -> list[Reference]:
    """The tensors that a model names as its inputs or outputs, one or several, by name or not."""
    if isinstance(found, dict):
        found = list(found.values())
    if not isinstance(found, list) or depth > _MOST_DEPTH:
        raise NotAnMlp("its inputs or outputs are not named")
    if len(found) >= 2 and isinstance(found[0], str):
        return [_reference(found)]
    return [one for each in found for one in _ends(each, depth + 1)]


def _reference(found: list[Any]) -> Reference:
    name, call, *rest = found
    if not isinstance(name, str) or type(call) is not int or call < 0:
        raise NotAnMlp("a tensor is not named by its layer and call")
    if rest and rest[0] != 0:
        raise NotAnMlp(f"it takes output {printable(rest[0], 20)} of layer {printable(name, 60)!r}, which gives one")
    return Reference(name, call)


def _call(node: Any) -> tuple[Any, ...]:
    """The arguments of one call, as Keras 3 writes them ({args, kwargs}) or Keras 2 ([[layer, call, output, more]])."""
    try:
        return _arguments(node)
    except NotAnMlp as refusal:
        return (refusal,)


def _arguments(node: Any) -> tuple[Any, ...]:
    if isinstance(node, dict):
        args, more = node.get("args", []), node.get("kwargs", {})
        if not isinstance(args, list) or not isinstance(more, dict):
            raise NotAnMlp("the arguments of a call are not listed")
        _ignorable(more)
        return tuple(_argument(argument, 0) for argument in args)
    if not isinstance(node, list) or not node:
        raise NotAnMlp("the arguments of a call are not listed")
    entries = [node] if isinstance(node[0], str) else node
    found: list[Any] = []
    for entry in entries:
        if not isinstance(entry, list) or len(entry) < 2:
            raise NotAnMlp("the arguments of a call are not named by layer and call")
        more = dict(entry[3]) if len(entry) > 3 and isinstance(entry[3], dict) else {"": entry[3:] or None}
        second = more.pop("y", None)
        _ignorable({name: value for name, value in more.items() if name != "name"})
        found.append(_operand(entry[:3]))
        if second is not None:
            found.append(_operand(second))
    if len(found) > 1 and len(entries) > 1:
        return (found,)
    return tuple(found)


def _operand(found: Any) -> Any:
    """What a call of Keras 2 takes: [layer, call, output], or a number, as itself or in place of the output."""
    if isinstance(found, list):
        return found[2] if found[:1] == [_CONSTANT] and len(found) == 3 else _reference(found)
    return found


def _ignorable(more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if value is not None and not (name == "training" and value is False) and value != {}:
            raise NotAnMlp(f"it is called with {printable(name, 40)!r}, which is not supported")


def _argument(value: Any, depth: int) -> Any:
    """An argument of a call of Keras 3: tensors, numbers, and lists of them."""
    if depth > _MOST_DEPTH:
        raise NotAnMlp("an argument of a call is nested too deeply")
    if isinstance(value, list):
        return [_argument(each, depth + 1) for each in value]
    if isinstance(value, dict):
        config = value.get("config")
        if value.get("class_name") == "__keras_tensor__" and isinstance(config, dict):
            history = config.get("keras_history")
            if isinstance(history, list) and len(history) == 3:
                return _reference(history)
        raise NotAnMlp(f"it is called with a {printable(value.get('class_name'), 40)}, which is not supported")
    return value


def _shape(config: Mapping[str, Any]) -> tuple[int | None, ...] | None:
    for name in ("batch_shape", "batch_input_shape"):
        if config.get(name) is not None:
            return _sizes(config[name])
    return None


def _sizes(found: Any) -> tuple[int | None, ...] | None:
    if isinstance(found, dict):  # {"class_name": "__tuple__", "items": […]} of Keras 2.12
        found = found.get("items")
    if not isinstance(found, list) or any(size is not None and type(size) is not int for size in found):
        return None
    return tuple(found)
