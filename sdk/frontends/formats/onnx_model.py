"""`.onnx`: a model exported to ONNX, with its weights inside or in a file beside it.

A graph with operators that are not ONNX's own (QONNX's quantizers) is left to the graph reader that knows them
(`edgeml.graph_readers`).
"""

from __future__ import annotations

import sys
from typing import ClassVar

from ...network import Network
from ..format import Reader, Request, graph_reader, read_bounded
from ..mlp import Mlp
from ..onnx_model.execution import run_graph
from ..onnx_model.graph import read_graph
from ..onnx_model.operators import is_known, kind_of
from ..onnx_model.reader import graph_to_mlp
from ..self_check import check_against_source

__all__ = ["OnnxFormat"]

LARGEST_FILE = 2**29


class OnnxFormat(Reader):
    """Files, and `onnx.ModelProto` objects."""

    description: ClassVar[str] = "an ONNX model (.onnx)"

    def takes(self, request: Request) -> bool:
        """Whether it is a path or an onnx.ModelProto."""
        onnx = sys.modules.get("onnx")
        return request.is_path or (onnx is not None and isinstance(request.source, onnx.ModelProto))

    def read(self, request: Request) -> Mlp | Network:
        """The graph as an `Mlp`, checked against ONNX's reference evaluator in float64; QONNX as a `Network`."""
        if request.is_path:
            content, folder = read_bounded(request.path, LARGEST_FILE), request.path.parent
            name = request.model_name(request.path.stem)
        else:
            content, folder = request.source.SerializeToString(), None
            name = request.model_name(request.source.graph.name or "model")
        graph = read_graph(content, request.where, folder)
        if not all(is_known(kind_of(node)) for node in graph.nodes) and (foreign := graph_reader(graph)) is not None:
            return foreign.read(graph, request.where, name)
        mlp = graph_to_mlp(graph, request.where, name)
        check_against_source(mlp, lambda x: run_graph(graph, x), request.where, whole=graph.takes_integers)
        return mlp
