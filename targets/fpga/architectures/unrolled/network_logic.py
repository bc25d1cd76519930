"""A whole network as one netlist, and where its inputs and outputs stand in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from edgeml.errors import InputError
from edgeml.network import Network, Node

from ...layer_hardware import layer_hardware, layer_logic
from ...verilog.element import Element, type_of
from .layer_logic import FLAT, LogicChoices
from .netlist import Bit, CellKind, Netlist
from .value import Value, two_complement

__all__ = ["Logic", "check_unrolled", "multiplications", "network_logic"]


@dataclass
class Logic:
    """A netlist with its ends.

    Parameters
    ----------
    input_element, output_element : types of an element. outputs : bits of each output, lowest first.
    layer_cells : by layer name, the range of its cells in the netlist.
    values : by node name, where the value of each channel stands; None if no output depends on it.
    """

    netlist: Netlist
    input_element: Element
    output_element: Element
    outputs: list[list[Bit]]
    layer_cells: dict[str, range]
    values: dict[str, list[Value | None]]


def network_logic(
    network: Network, *, sharing: bool = True, adder_graph: str = "edgeml", table_inputs: int = 6
) -> Logic:
    """`network` as a netlist; input element i stands at bits i · width.

    adder_graph : who shares sums in dense layers, one of `ADDER_GRAPHS`; MissingTool if it is not installed.
    table_inputs : of how many bits any function is one table on the part; where the graph is flat.
    """
    flat = adder_graph == FLAT
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
        free = _offset_is_free(node, network)
        choices = LogicChoices(sharing and not flat, adder_graph, free, table_inputs if flat else 0)
        made = layer_logic(node).add(netlist, node, network, taken, choices)
        if len(made) != network.sizes[node.name]:
            raise InputError(f"layer {node.name}", f"its logic gave {len(made)} values for {network.sizes[node.name]}")
        values[node.name] = made
        cells[node.name] = range(start, len(netlist.cells))
    last = network.ranges[network.nodes[-1].name]
    output = type_of(*last.bounds)
    name = network.nodes[-1].name
    results = [
        _element_bits(netlist, value, output.bits, f"{name}[{channel}]") for channel, value in enumerate(values[name])
    ]
    found: dict[str, list[Value | None]] = {name: list(made) for name, made in values.items()}
    return _without_unused(Logic(netlist, element, output, results, cells, found))


def _without_unused(logic: Logic) -> Logic:
    """Without the cells that no output depends on: neurons that nobody takes, tables that others took in."""
    netlist = logic.netlist
    place = netlist.place_of_used(bit for bits in logic.outputs for bit in bits)
    if len(place) == len(netlist.cells):
        return logic

    def moved(bits: Iterable[Bit]) -> list[Bit]:
        return [replace(bit, cell=place.get(bit.cell, bit.cell)) for bit in bits]

    cells = [netlist.cells[index] for index in place]
    kept = Netlist(netlist.input_bits, [replace(cell, inputs=tuple(moved(cell.inputs))) for cell in cells])
    ranges, start = {}, 0
    for layer, owned in logic.layer_cells.items():
        count = sum(index in place for index in owned)
        ranges[layer] = range(start, start + count)
        start += count
    outputs = [moved(bits) for bits in logic.outputs]

    def stands(value: Value | None) -> Value | None:
        there = value is not None and all(bit.cell < 0 or bit.cell in place for bit in value.bits)
        return replace(value, bits=tuple(moved(value.bits))) if value is not None and there else None

    values = {name: [stands(value) for value in made] for name, made in logic.values.items()}
    return Logic(kept, logic.input_element, logic.output_element, outputs, ranges, values)


def _offset_is_free(node: Node, network: Network) -> bool:
    """Whether all that take a node's values compare them with constants."""
    takers = [taker for taker in network.layers if node.name in taker.inputs]
    return bool(takers) and all(layer_hardware(taker).takes_constants for taker in takers)


def check_unrolled(network: Network) -> None:
    """InputError naming the first layer that has no logic, or too much of it."""
    for node in network.layers:
        layer_logic(node).check(node, network)


def multiplications(network: Network) -> int:
    """Multiplications by constants: how large a network would be unrolled, before it is tried."""
    return sum(layer_logic(node).multiplications(node) for node in network.layers)


def _element_bits(netlist: Netlist, value: Value, width: int, note: str) -> list[Bit]:
    """A value as an element of `width` bits; a table adds an offset that is not a sign bit (a threshold's base)."""
    if value.offset == 0 or value.offset == -(2 ** (len(value.bits) - 1)):
        return two_complement(value, width)
    count = len(value.bits)
    tables = [sum((((u + value.offset) >> k) & 1) << u for u in range(2**count)) for k in range(width)]
    return netlist.add(CellKind.TABLE, value.bits, tables, width, note)
