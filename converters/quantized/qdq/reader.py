"""A graph with ONNX's quantizers, or a program with torch's, as the network that it states.

What is kept: every weight, every bias and every scale and zero point, as the file has them. Sums are those of the
file's integers. A quantizer gives round_half_even(x / scale) + zero point, clipped, of the exact real number x that the
file's numbers define; runtimes compute x in float32 and may give the neighbour where x lies within their rounding of
a tie.
"""

from __future__ import annotations

from dataclasses import replace

from edgeml.frontends.exported_program.program import Call, Program, Reference
from edgeml.frontends.exported_program.reader import program_to_mlp
from edgeml.frontends.float_operators.operator import Role
from edgeml.frontends.mlp import Mlp
from edgeml.frontends.onnx_model.graph import OnnxGraph
from edgeml.frontends.onnx_model.reader import graph_to_mlp
from edgeml.network import Network

from ..qonnx.operators import QuantizedConstants
from ..qonnx.reader import lowered
from .operators import LAST, quantized_operators
from .torch_operators import LAST as TORCH_LAST
from .torch_operators import torch_operators

__all__ = ["read_quantized_graph", "read_quantized_program"]

_OUTPUT = "edgeml_last"


def read_quantized_graph(graph: OnnxGraph, where: str, name: str) -> Mlp | Network:
    """The integer network that a quantized graph states; the float MLP, if only weights are quantized in it.

    Raises
    ------
    InputError : a value reaches a layer without a quantizer, or is not of an MLP: the node, what is wrong, what to do.
    """
    from onnx import helper

    constants = QuantizedConstants()
    last = helper.make_node(LAST, [graph.output], [_OUTPUT])
    whole = replace(graph, nodes=(*graph.nodes, last), output=_OUTPUT)
    mlp = graph_to_mlp(whole, where, name, quantized_operators(constants))
    return _network(mlp, constants, where)


def read_quantized_program(program: Program, where: str, name: str) -> Mlp | Network:
    """The same of a program of torch.export."""
    constants, graph = QuantizedConstants(), program.graph
    last = Call(TORCH_LAST, {"input": Reference(graph.outputs[0])}, (_OUTPUT,), "", "")
    whole = replace(program, graph=replace(graph, calls=(*graph.calls, last), outputs=(_OUTPUT,)))
    return _network(program_to_mlp(whole, where, name, torch_operators(constants)), constants, where)


def _network(mlp: Mlp, constants: QuantizedConstants, where: str) -> Mlp | Network:
    if not any(node.operator.role is Role.QUANTIZER for node in mlp.nodes):
        return mlp
    return lowered(mlp, constants, "", where)
