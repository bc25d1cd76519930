"""An ONNX graph as an `Mlp`: its nodes are walked in order, constants computed, signals becoming nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...errors import InputError, printable
from ..mlp import Mlp
from ..reading.builder import MlpBuilder
from ..reading.input_functions import settled, whole_input
from ..reading.operator_reading import read_operator
from ..reading.unread_layers import ATTENTION, normalisation, recurrent
from ..reading.value import SUPPORTED, NotAnMlp, Signal, Value
from .graph import OnnxGraph
from .operators import ENCODINGS, HINTS, Applied, kind_of, readers_of
from .operators.applied import Operator
from .origin import node_origin
from .tensors import tensor_array, tensor_shape

__all__ = ["graph_to_mlp"]

_ATTENTION = ("Attention", "MultiHeadAttention", "GroupQueryAttention")
_FLOAT, _INT, _STRING, _TENSOR, _FLOATS, _INTS = 1, 2, 3, 4, 6, 7


def graph_to_mlp(graph: OnnxGraph, where: str, name: str, foreign: Mapping[str, Operator] | None = None) -> Mlp:
    """`graph` as an `Mlp`; InputError with operator, place and remedy where it is none.

    `foreign` are operators of other domains than ONNX's own, by their kind; their domain is not looked at.
    """
    try:
        builder = MlpBuilder(graph.input_shape)
        _refuse_other_kinds(graph, where)
        values: dict[str, Value] = {graph.input: whole_input(builder) if graph.takes_integers else builder.input}
        for position, node in enumerate(graph.nodes):
            _walk(graph, builder, values, node, position, where, foreign or {})
        if graph.output not in values:
            raise NotAnMlp(f"no node gives its output {printable(graph.output)!r}")
        builder.place("", "")
        return replace(builder.build(settled(builder, values[graph.output]), name), labels=graph.labels)
    except NotAnMlp as error:
        raise InputError(where, error.problem, error.remedy or SUPPORTED) from error


def _refuse_other_kinds(graph: OnnxGraph, where: str) -> None:
    """InputError if a node is recurrent or attention: what stands before it need not be an MLP's either."""
    for position, node in enumerate(graph.nodes):
        kind = printable(node.op_type, 40)
        if told := recurrent(kind) or (ATTENTION if kind in _ATTENTION else None):
            raise InputError(f"{where}, {node_origin(node, position)}", *told)


def _walk(
    graph: OnnxGraph,
    builder: MlpBuilder,
    values: dict[str, Value],
    node: Any,
    position: int,
    where: str,
    foreign: Mapping[str, Operator],
) -> None:
    """Apply one node."""
    kind = printable(node.op_type, 40)
    known = kind if kind in foreign else kind_of(node)
    origin = node_origin(node, position)
    builder.place(origin, _hint(graph, node))
    try:
        readers = (foreign[kind],) if kind in foreign else readers_of(known)
        meaning = ENCODINGS.get(known) if kind not in foreign else None
        if not readers and meaning is None:
            _refuse_unknown(builder, known, [values.get(each) for each in node.input])
        inputs = [_value(graph, builder, values, name, where) for name in node.input]
        attributes = _attributes(node, f"{where}, {origin}", builder)
        applied = Applied(builder, inputs, attributes, graph.opset, len(node.output))
        try:
            result = read_operator(
                readers,
                meaning,
                lambda reader, given: reader(replace(applied, inputs=list(given.values()))),
                builder,
                dict(enumerate(inputs)),
            )
        except (TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
            raise NotAnMlp(f"its inputs or attributes are not as ONNX defines them ({printable(error)})") from error
        if unknown := sorted(set(applied.attributes) - applied.used):
            raise NotAnMlp(f"its attribute {printable(unknown[0])!r} is not supported")
        if not node.output or node.output[0] in values or node.output[0] in graph.initializers:
            raise NotAnMlp("it gives no value, or one that is given already")
        values.update(zip(node.output, result if isinstance(result, list) else [result], strict=False))
    except NotAnMlp as error:
        raise InputError(
            f"{where}, {origin}", error.problem, error.remedy or HINTS.get(known, "") or SUPPORTED
        ) from error


def _refuse_unknown(builder: MlpBuilder, kind: str, taken: list[Value]) -> None:
    """NotAnMlp for an operator that nothing reads: what kind of layer it is, where people have a name for it."""
    at_input = any(isinstance(each, Signal) and builder.is_input(each) for each in taken)
    if told := normalisation(kind.rpartition(".")[2], at_input):
        raise NotAnMlp(f"it {told[0]}", told[1])
    raise NotAnMlp(f"the operator {printable(kind, 100)} is not supported")


def _value(graph: OnnxGraph, builder: MlpBuilder, values: dict[str, Value], name: str, where: str) -> Value:
    """An input by name; None where it is left out."""
    if not name:
        return None
    if name not in values:
        if name not in graph.initializers:
            raise NotAnMlp(
                f"it takes {printable(name)!r}, which no node before it gives",
                "The file is damaged: its nodes are in no computing order, or form a circle",
            )
        values[name] = _array(graph.initializers[name], f"{where}, tensor {printable(name)!r}", builder, graph)
    return values[name]


def _array(tensor: Any, where: str, builder: MlpBuilder, graph: OnnxGraph | None) -> Any:
    builder.budget.constant(tensor_shape(tensor, where))
    return tensor_array(tensor, where, graph.folder if graph is not None else None)


def _attributes(node: Any, where: str, builder: MlpBuilder) -> dict[str, Any]:
    """A node's attributes by name."""
    result: dict[str, Any] = {}
    for attribute in node.attribute:
        name = printable(attribute.name, 40)
        if name in result:
            raise NotAnMlp(f"its attribute {name!r} is given twice")
        if attribute.type == _FLOAT:
            result[name] = float(attribute.f)
        elif attribute.type == _INT:
            result[name] = int(attribute.i)
        elif attribute.type == _STRING:
            result[name] = attribute.s
        elif attribute.type == _TENSOR:
            result[name] = _array(attribute.t, f"{where}, attribute {name!r}", builder, None)
        elif attribute.type in (_FLOATS, _INTS):
            result[name] = list(attribute.floats if attribute.type == _FLOATS else attribute.ints)
        else:
            raise NotAnMlp(f"its attribute {name!r} is of a kind that is not supported")
    return result


def _hint(graph: OnnxGraph, node: Any) -> str:
    """A name for the node's layer: the module that its weights belong to, or the node's own name."""
    for name in node.input:
        if name in graph.initializers and name.rpartition(".")[2] in ("weight", "bias"):
            return str(name.rpartition(".")[0])
    own = str(node.name).strip("/")
    return own.removeprefix("node_") if own else str(node.op_type)
