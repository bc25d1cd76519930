"""A whole network as one netlist, and where its inputs and outputs stand in it."""

from __future__ import annotations

from dataclasses import dataclass

from edgeml.network import Dense, Network

from ...verilog.text import Element, type_of
from .layers import Value, layer_logic, two_complement
from .netlist import Bit, CellKind, Netlist

__all__ = ["ADDER_GRAPHS", "Logic", "network_logic"]

ADDER_GRAPHS = ("edgeml", "da4ml")


@dataclass
class Logic:
    """A netlist with its ends.

    Parameters
    ----------
    input_element, output_element : types of an element. outputs : bits of each output, lowest first.
    layer_cells : by layer name, the range of its cells in the netlist.
    """

    netlist: Netlist
    input_element: Element
    output_element: Element
    outputs: list[list[Bit]]
    layer_cells: dict[str, range]


def network_logic(network: Network, *, sharing: bool = True, adder_graph: str = "edgeml") -> Logic:
    """`network` as a netlist; input element i stands at bits i · width.

    adder_graph : who shares sums in dense layers, one of `ADDER_GRAPHS`; MissingTool where it is not installed.
    """
    element = type_of(network.quantizer.low, network.quantizer.high)
    netlist = Netlist(network.input_size * element.bits)
    offset = element.low
    inputs = []
    for channel in range(network.input_size):
        bits = [Bit(-1, channel * element.bits + k) for k in range(element.bits)]
        if element.signed:
            bits[-1] = ~bits[-1]
        inputs.append(Value(tuple(bits), offset, 0, 2**element.bits - 1))
    values: dict[str, list[Value]] = {network.nodes[0].name: inputs}
    cells: dict[str, range] = {}
    for node in network.layers:
        start = len(netlist.cells)
        taken = [values[name] for name in node.inputs]
        chosen = {"adder_graph": adder_graph} if isinstance(node.layer, Dense) else {}
        values[node.name] = layer_logic(node)(netlist, node, network, taken, sharing=sharing, **chosen)
        cells[node.name] = range(start, len(netlist.cells))
    last = network.ranges[network.nodes[-1].name]
    output = type_of(*last.bounds)
    name = network.nodes[-1].name
    results = [
        _element_bits(netlist, value, output.bits, f"{name}[{channel}]") for channel, value in enumerate(values[name])
    ]
    return Logic(netlist, element, output, results, cells)


def _element_bits(netlist: Netlist, value: Value, width: int, note: str) -> list[Bit]:
    """A value as an element of `width` bits; an offset that is no sign bit (a threshold's base) is added by a table."""
    if value.offset == 0 or value.offset == -(2 ** (len(value.bits) - 1)):
        return two_complement(value, width)
    count = len(value.bits)
    tables = [sum((((u + value.offset) >> k) & 1) << u for u in range(2**count)) for k in range(width)]
    return netlist.add(CellKind.TABLE, value.bits, tables, width, note)
