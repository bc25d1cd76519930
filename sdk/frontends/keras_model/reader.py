"""A Keras file as an `Mlp`: its graph is walked from the output back to the input, each layer by its own meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import InputError, printable
from ..mlp import Mlp
from ..reading.builder import MlpBuilder
from ..reading.value import SUPPORTED, NotAnMlp, Value
from .container import KerasFile
from .graph import Graph, Layer, Reference, graph_of, is_graph
from .layers import Applied, Function, apply
from .weights import Weights

__all__ = ["file_to_mlp"]

_MOST_NESTED = 8


def file_to_mlp(
    file: KerasFile,
    where: str,
    name: str,
    sample_shape: tuple[int, ...] | None = None,
    foreign: Mapping[str, Function] | None = None,
) -> Mlp:
    """The model of a Keras file.

    Parameters
    ----------
    foreign : layers of another package, by their class.
    sample_shape : of one sample of the data, for a model that leaves sizes of its input open.

    Raises
    ------
    InputError : it is not a network that an `Mlp` can be: the layer and what to do.
    """
    try:
        graph = graph_of(file.config)
        builder = MlpBuilder(_input_shape(graph, sample_shape))
        file.weights.place(graph.named)
        walk = _Walk(builder, where, file.version.startswith(("1.", "2.")), foreign or {})
        output = walk.model(graph, file.weights, builder.input, 0)
        builder.place("", "")
        return builder.build(output, name)
    except NotAnMlp as error:
        raise InputError(where, error.problem, error.remedy or SUPPORTED) from error


def _input_shape(graph: Graph, sample_shape: tuple[int, ...] | None) -> tuple[int | None, ...]:
    shape = graph.input_shape
    if shape is None and sample_shape is not None:
        return (None, *sample_shape)
    if shape is None:
        raise NotAnMlp(
            "it does not say which input it takes", "Put keras.Input(shape=(features,)) in front before it is saved"
        )
    if sample_shape is not None and len(sample_shape) == len(shape) - 1:
        return (shape[0], *(size or given for size, given in zip(shape[1:], sample_shape, strict=True)))
    return shape


class _Walk:
    """What the layers of a model give, computed as they are asked for."""

    def __init__(self, builder: MlpBuilder, where: str, keras_2: bool, foreign: Mapping[str, Function]) -> None:
        self._builder, self._where, self._keras_2, self._foreign = builder, where, keras_2, foreign

    def model(self, graph: Graph, weights: Weights, x: Value, depth: int) -> Value:
        """What `graph` gives for `x`."""
        if depth > _MOST_NESTED:
            raise NotAnMlp(f"models stand in models to a depth of more than {_MOST_NESTED}")
        values: dict[Reference, Value] = {Reference(graph.input, 0): x}
        begun: set[Reference] = set()
        waiting = [graph.output]
        while waiting:
            wanted = waiting[-1]
            if wanted in values:
                waiting.pop()
                continue
            layer, arguments = _called(graph, wanted)
            missing = [each for each in _references(arguments) if each not in values]
            if missing:
                if wanted in begun:
                    raise NotAnMlp(f"its {layer.text} waits for its own output")
                begun.add(wanted)
                waiting += missing
                continue
            values[wanted] = self._layer(layer, weights, [_filled(each, values) for each in arguments], depth)
            waiting.pop()
        return values[graph.output]

    def _layer(self, layer: Layer, weights: Weights, arguments: list[Value], depth: int) -> Value:
        if is_graph(layer.kind):
            if isinstance(arguments[0], NotAnMlp):
                raise arguments[0]
            if len(arguments) != 1 or isinstance(arguments[0], list):
                raise NotAnMlp(f"its {layer.text} is a model of {len(arguments)} inputs; models of one are read")
            inner = graph_of({"class_name": layer.kind, "config": dict(layer.config)})
            return self.model(inner, weights.within(layer.name, inner.named), arguments[0], depth + 1)
        builder = self._builder
        builder.place(layer.text, layer.name)
        try:
            return apply(Applied(builder, layer, arguments, weights, self._keras_2), self._foreign)
        except NotAnMlp as error:
            raise InputError(f"{self._where}, {layer.text}", error.problem, error.remedy or SUPPORTED) from error
        except (TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
            raise InputError(
                f"{self._where}, {layer.text}",
                f"its configuration or weights are not as Keras writes them ({printable(error)})",
            ) from error


def _called(graph: Graph, wanted: Reference) -> tuple[Layer, tuple[Any, ...]]:
    layer = graph.layers.get(wanted.layer)
    number = wanted.call - (layer.first_call if layer is not None else 0)
    if layer is None or not 0 <= number < len(layer.calls):
        what = f"call {wanted.call} of layer {printable(wanted.layer, 60)!r}"
        if layer is not None and layer.kind == "InputLayer":
            what += ", another input"
        raise NotAnMlp(f"it takes {what}, which the model does not have")
    return layer, layer.calls[number]


def _references(value: Any) -> list[Reference]:
    if isinstance(value, Reference):
        return [value]
    if isinstance(value, (list, tuple)):
        return [one for each in value for one in _references(each)]
    return []


def _filled(value: Any, values: Mapping[Reference, Value]) -> Value:
    if isinstance(value, Reference):
        return values[value]
    if isinstance(value, list):
        return [_filled(each, values) for each in value]
    return value
