"""`.onnx`: a model exported to ONNX, with its weights inside or in a file beside it."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

from ..format import Format, Request, read_bounded
from ..mlp import Mlp
from ..onnx_model.execution import run_graph
from ..onnx_model.graph import read_graph
from ..onnx_model.reader import graph_to_mlp
from ..self_check import check_against_source

__all__ = ["OnnxFormat"]

LARGEST_FILE = 2**29


class OnnxFormat(Format):
    """Files, and `onnx.ModelProto` objects."""

    description: ClassVar[str] = "an ONNX model (.onnx)"
    suffixes: ClassVar[tuple[str, ...]] = (".onnx",)

    def takes_object(self, source: Any) -> bool:
        """Whether `source` is an onnx.ModelProto."""
        onnx = sys.modules.get("onnx")
        return onnx is not None and isinstance(source, onnx.ModelProto)

    def read(self, request: Request) -> Mlp:
        """The graph as an `Mlp`, checked against ONNX's reference evaluator in float64."""
        if isinstance(request.source, str):
            content, folder = read_bounded(request.path, LARGEST_FILE), request.path.parent
            name = request.model_name(request.path.stem)
        else:
            content, folder = request.source.SerializeToString(), None
            name = request.model_name(request.source.graph.name or "model")
        graph = read_graph(content, request.where, folder)
        mlp = graph_to_mlp(graph, request.where, name)
        check_against_source(mlp, lambda x: run_graph(graph, x), request.where)
        return mlp
