"""ONNX graphs with QONNX's quantizers, as `edgeml convert` reads them."""

from __future__ import annotations

from edgeml.frontends.onnx_model.graph import OnnxGraph
from edgeml.network import Network

__all__ = ["QonnxGraphReader"]

_QUANTIZERS = {"Quant", "IntQuant", "BipolarQuant", "MultiThreshold", "Trunc"}
"""Operators of QONNX's, which ONNX itself does not have."""


class QonnxGraphReader:
    """Gives the network of integers that such a graph computes."""

    def takes(self, graph: OnnxGraph) -> bool:
        """Whether one of the operators is a quantizer."""
        return any(node.op_type in _QUANTIZERS for node in graph.nodes)

    def read(self, graph: OnnxGraph, where: str, name: str) -> Network:
        """See `reader.read_graph_network`."""
        from .reader import read_graph_network

        return read_graph_network(graph, where, name)
