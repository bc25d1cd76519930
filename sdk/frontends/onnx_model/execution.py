"""An ONNX graph computed by ONNX's own reference evaluator in float64: what an `Mlp` read from it is checked with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..self_check import in_batches
from .graph import OnnxGraph
from .tensors import NUMBER_TYPES, tensor_array

__all__ = ["run_graph"]


def run_graph(graph: OnnxGraph, x: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """The graph's output for x [samples, features].

    The evaluator gets a model of the nodes alone, every real number in it a float64. Call it only with a graph that
    has been read: then its operators are known and its sizes bounded.
    """
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    kind = graph.number_type if graph.takes_integers else TensorProto.DOUBLE
    number_type = NUMBER_TYPES[kind]
    used = {name for node in graph.nodes for name in node.input}
    initializers = [_as_double(tensor, graph) for name, tensor in graph.initializers.items() if name in used]
    inner = helper.make_graph(
        [_node(node, graph) for node in graph.nodes],
        "graph",
        [helper.make_tensor_value_info(graph.input, kind, list(graph.input_shape))],
        [helper.make_tensor_value_info(graph.output, TensorProto.UNDEFINED, None)],
        initializers,
    )
    opsets = [helper.make_opsetid(*each) for each in {"": graph.opset, **graph.other_opsets}.items()]
    evaluator: Any = ReferenceEvaluator(
        helper.make_model(inner, opset_imports=opsets), new_ops=_older_operators(graph.opset)
    )
    return in_batches(
        lambda shaped: evaluator.run(None, {graph.input: shaped.astype(number_type)})[0], x, graph.input_shape
    )


def _older_operators(opset: int) -> list[type]:
    """Operators of older opsets that the evaluator computes as newer ones define them."""
    from onnx.reference.op_run import OpRun

    class BatchNormalization(OpRun):
        """γ · (x − μ) / √(σ² + ε) + β; before opset 14 no attribute says so, and the evaluator would train."""

        def _run(self, x: Any, *statistics: Any, epsilon: float = 1e-5, **_: Any) -> tuple[Any]:
            channels = [1, -1] + [1] * (x.ndim - 2)
            gamma, beta, mean, variance = (value.reshape(channels) for value in statistics)
            return (gamma * (x - mean) / np.sqrt(variance + epsilon) + beta,)

    class Softmax(OpRun):
        """Over all dimensions from the axis on, as one; since opset 13 over one dimension."""

        def _run(self, x: Any, axis: int = 1) -> tuple[Any]:
            rows = x.reshape([math.prod(x.shape[: axis % x.ndim]), -1])
            powers = np.exp(rows - rows.max(axis=1, keepdims=True))
            return (self.finished(powers / powers.sum(axis=1, keepdims=True)).reshape(x.shape),)

        def finished(self, y: Any) -> Any:
            return y

    class LogSoftmax(Softmax):
        """The logarithm of it."""

        def finished(self, y: Any) -> Any:
            return np.log(y)

    return ([BatchNormalization] if opset < 14 else []) + ([Softmax, LogSoftmax] if opset < 13 else [])


def _as_double(tensor: Any, graph: OnnxGraph | None, name: str | None = None) -> Any:
    """The tensor, its real numbers in float64 and itself in one piece."""
    from onnx import numpy_helper

    array = tensor_array(tensor, tensor.name, graph.folder if graph is not None else None)
    number_type = NUMBER_TYPES.get(tensor.data_type, str(array.dtype))
    if array.dtype.kind != "f" and "float" not in number_type:
        array = array.astype(number_type)
    return numpy_helper.from_array(
        np.ascontiguousarray(array).reshape(array.shape), tensor.name if name is None else name
    )


def _node(node: Any, graph: OnnxGraph) -> Any:
    """The node, its constants and conversions in float64."""
    from onnx import AttributeProto, NodeProto, TensorProto, helper, numpy_helper

    copy = NodeProto()
    copy.CopyFrom(node)
    del copy.attribute[:]
    for attribute in node.attribute:
        if attribute.type == AttributeProto.TENSOR:
            copy.attribute.append(helper.make_attribute(attribute.name, _as_double(attribute.t, None, "value")))
        elif node.op_type == "Cast" and attribute.name == "to" and "float" in NUMBER_TYPES.get(attribute.i, ""):
            copy.attribute.append(helper.make_attribute("to", TensorProto.DOUBLE))
        elif node.op_type == "Constant" and attribute.name in ("value_float", "value_floats"):
            values = np.array(attribute.f if attribute.name == "value_float" else list(attribute.floats), np.float64)
            copy.attribute.append(helper.make_attribute("value", numpy_helper.from_array(values)))
        else:
            copy.attribute.append(attribute)
    return copy
