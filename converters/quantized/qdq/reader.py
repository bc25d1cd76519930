"""A graph with ONNX's quantizers as the network that it states.

What is kept: every weight, every bias and every scale and zero point, as the file has them. Sums are those of the
file's integers. A quantizer gives round_half_even(x / scale) + zero point, clipped, of the exact real number x that the
file's numbers define; runtimes compute x in float32 and may give the neighbour where x lies within their rounding of
a tie.
"""

from __future__ import annotations

from dataclasses import replace

from onnx import helper

from edgeml.frontends.float_operators.operator import Role
from edgeml.frontends.mlp import Mlp
from edgeml.frontends.onnx_model.graph import OnnxGraph
from edgeml.frontends.onnx_model.reader import graph_to_mlp
from edgeml.network import Network

from ..qonnx.operators import QuantizedConstants
from ..qonnx.reader import lowered
from .operators import LAST, quantized_operators

__all__ = ["read_quantized_graph"]

_OUTPUT = "edgeml_last"


def read_quantized_graph(graph: OnnxGraph, where: str, name: str) -> Mlp | Network:
    """The integer network that a quantized graph states; the float MLP, if only weights are quantized in it.

    Raises
    ------
    InputError : a value reaches a layer without a quantizer, or is not of an MLP: the node, what is wrong, what to do.
    """
    constants = QuantizedConstants()
    last = helper.make_node(LAST, [graph.output], [_OUTPUT])
    whole = replace(graph, nodes=(*graph.nodes, last), output=_OUTPUT)
    mlp = graph_to_mlp(whole, where, name, quantized_operators(constants))
    if not any(node.operator.role is Role.QUANTIZER for node in mlp.nodes):
        return mlp
    return lowered(mlp, constants, "", where)
