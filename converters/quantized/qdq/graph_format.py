"""ONNX graphs with ONNX's own quantizers, as `edgeml convert` reads them."""

from __future__ import annotations

from edgeml.frontends.mlp import Mlp
from edgeml.frontends.onnx_model.graph import OnnxGraph
from edgeml.network import Network

__all__ = ["QdqGraphReader"]

_QUANTIZERS = {
    "QuantizeLinear",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "MatMulInteger",
    "QLinearMatMul",
    "QLinearAdd",
    "QGemm",
}


class QdqGraphReader:
    """Gives the network of integers that such a graph states; where only weights are integers, the float MLP."""

    def takes(self, graph: OnnxGraph) -> bool:
        """Whether one of the operators quantizes, or computes on what is quantized."""
        return any(node.op_type in _QUANTIZERS for node in graph.nodes)

    def read(self, graph: OnnxGraph, where: str, name: str) -> Mlp | Network:
        """See `reader.read_quantized_graph`."""
        from .reader import read_quantized_graph

        return read_quantized_graph(graph, where, name)
