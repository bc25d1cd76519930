"""QONNX files of anybody's (Brevitas, QKeras, FINN's model zoo, edgeml's own) as integer networks, exactly."""

from .reader import read_graph_network

__all__ = ["read_graph_network"]
