"""An ONNX graph computed by ONNX's own reference evaluator in float64: what an `Mlp` read from it is checked with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

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

    used = {name for node in graph.nodes for name in node.input}
    initializers = [_as_double(tensor, graph) for name, tensor in graph.initializers.items() if name in used]
    shape = list(graph.input_shape)
    inner = helper.make_graph(
        [_node(node, graph) for node in graph.nodes],
        "graph",
        [helper.make_tensor_value_info(graph.input, TensorProto.DOUBLE, shape)],
        [helper.make_tensor_value_info(graph.output, TensorProto.UNDEFINED, None)],
        initializers,
    )
    opset = helper.make_opsetid("", graph.opset)
    evaluator = ReferenceEvaluator(helper.make_model(inner, opset_imports=[opset]))
    batch = shape[0] or len(x)
    outputs = []
    for start in range(0, len(x), batch):
        part = np.resize(x[start : start + batch], (batch, x.shape[1]))
        (result,) = evaluator.run(None, {graph.input: part.reshape([batch, *(int(size or 1) for size in shape[1:])])})
        outputs.append(np.asarray(result)[: len(x) - start])
    return np.concatenate(outputs)


def _as_double(tensor: Any, graph: OnnxGraph | None, name: str | None = None) -> Any:
    """The tensor, its real numbers in float64 and itself in one piece."""
    from onnx import numpy_helper

    array = tensor_array(tensor, tensor.name, graph.folder if graph is not None else None)
    if array.dtype.kind != "f" and "float" not in NUMBER_TYPES[tensor.data_type]:
        array = array.astype(NUMBER_TYPES[tensor.data_type])
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
