"""A QONNX graph as a `Network`: what stands between two quantizers becomes thresholds, in rational arithmetic.

The file's numbers are taken as exact, and its float64 batch norms as they are; where a runtime in float32 rounds a
value across a quantizer's tie, the file itself means the network that is read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from edgeml.errors import InputError, NetworkError, printable
from edgeml.frontends.mlp import Mlp
from edgeml.frontends.onnx_model.graph import OnnxGraph
from edgeml.frontends.onnx_model.reader import graph_to_mlp
from edgeml.network import Network
from edgeml.verification.stated_scales import STATEMENT

from .as_stated import as_stated
from .lowering import Lowering
from .operators import QuantizedConstants, foreign_operators

__all__ = ["lowered", "read_graph_network"]


def read_graph_network(graph: OnnxGraph, where: str, name: str) -> Network:
    """The integer network that a QONNX graph computes, with the real numbers that a file of edgeml's states for it.

    Raises
    ------
    InputError : the graph is not a chain of quantized layers: the node, what is wrong, and what to do.
    """
    constants = QuantizedConstants()
    mlp: Mlp = graph_to_mlp(_without_top(graph), where, name, foreign_operators(constants))
    network = lowered(mlp, constants, graph.input_type, where)
    if STATEMENT not in graph.metadata:
        return network
    with _of_file(where):
        return as_stated(network, graph.metadata[STATEMENT], where)


def lowered(mlp: Mlp, constants: QuantizedConstants, input_type: str, where: str) -> Network:
    """The integer network of a model with staircases in it; InputError naming `where` and the place."""
    with _of_file(where, f"{where}, "):
        return Lowering(mlp, constants, input_type).network()


@contextmanager
def _of_file(where: str, before: str = "") -> Iterator[None]:
    """Errors in the block name the file `where`; `before` stands before the place that one of the user's names."""
    try:
        yield
    except NetworkError as error:
        raise InputError(where, f"is not an integer network: {printable(error, 400)}") from error
    except InputError as error:
        raise InputError(f"{before}{error.where}", error.problem, error.remedy) from error


def _without_top(graph: OnnxGraph) -> OnnxGraph:
    """The graph without a TopK at its end: it orders the outputs, and changes no number."""
    last = graph.nodes[-1]
    if last.op_type != "TopK" or graph.output not in last.output or not last.input or len(graph.nodes) < 2:
        return graph
    return replace(graph, nodes=graph.nodes[:-1], output=last.input[0])
