"""`.onnx`: a model exported to ONNX, with its weights inside or in a file beside it.

A QONNX file, whose quantizers are operators of another domain, is a network of integers already; the package that
knows their meaning is found by its entry point, as the sdk imports no converter.
"""

from __future__ import annotations

import sys
from typing import Any, ClassVar

from ...network import Network
from ..format import Format, Request, read_bounded
from ..mlp import Mlp
from ..onnx_model.execution import run_graph
from ..onnx_model.graph import OnnxGraph, read_graph
from ..onnx_model.reader import graph_to_mlp
from ..self_check import check_against_source
from .tflite import READERS

__all__ = ["OnnxFormat"]

LARGEST_FILE = 2**29
_QUANTIZERS = {"Quant", "IntQuant", "BipolarQuant", "MultiThreshold", "Trunc"}
"""Operators of QONNX's, which ONNX itself has not."""


class OnnxFormat(Format):
    """Files, and `onnx.ModelProto` objects."""

    description: ClassVar[str] = "an ONNX model (.onnx)"
    suffixes: ClassVar[tuple[str, ...]] = (".onnx",)

    def takes_object(self, source: Any) -> bool:
        """Whether `source` is an onnx.ModelProto."""
        onnx = sys.modules.get("onnx")
        return onnx is not None and isinstance(source, onnx.ModelProto)

    def read(self, request: Request) -> Mlp | Network:
        """The graph as an `Mlp`, checked against ONNX's reference evaluator in float64; QONNX as a `Network`."""
        if isinstance(request.source, str):
            content, folder = read_bounded(request.path, LARGEST_FILE), request.path.parent
            name = request.model_name(request.path.stem)
        else:
            content, folder = request.source.SerializeToString(), None
            name = request.model_name(request.source.graph.name or "model")
        graph = read_graph(content, request.where, folder)
        if any(node.op_type in _QUANTIZERS for node in graph.nodes):
            return _integers(graph, request.where, name)
        mlp = graph_to_mlp(graph, request.where, name)
        check_against_source(mlp, lambda x: run_graph(graph, x), request.where)
        return mlp


def _integers(graph: OnnxGraph, where: str, name: str) -> Network:
    network: Network = READERS.load("qonnx")(graph, where, name)
    return network
