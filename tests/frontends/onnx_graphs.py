"""Small ONNX graphs, made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["model", "node"]


def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> onnx.NodeProto:
    """One operator."""
    return helper.make_node(kind, inputs, [output], **attributes)


def model(
    nodes: list[onnx.NodeProto],
    arrays: dict[str, np.ndarray] | None = None,
    *,
    shape: list[Any] | None = None,
    output: str = "y",
    opset: int = 18,
    kind: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """A model that takes "x" and gives `output`, with `arrays` as initializers."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", kind, ["batch", 4] if shape is None else shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (arrays or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
