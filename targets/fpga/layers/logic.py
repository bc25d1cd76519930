"""Hardware of Boolean functions: a lookup table each. There is no folded unit: a function has its inputs from anywhere
in a frame and shares nothing with others, so that one unit for many of them would be a memory of all their tables and
wires, larger than the functions are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from edgeml.network import Logic, Network, Node

from ..architectures.unrolled.boolean import Boolean, function_of, made_by, substituted
from ..architectures.unrolled.layer_logic import LayerLogic, LogicChoices
from ..architectures.unrolled.netlist import ONE, ZERO, Bit, CellKind, Netlist
from ..architectures.unrolled.tables import function_bits
from ..architectures.unrolled.value import Value
from ..layer_hardware import LayerHardware

__all__ = ["HARDWARE", "FunctionsLogic"]


class FunctionsLogic(LayerLogic):
    """A table for each function that differs from the others, their complements, its inputs and constants. Tables
    before it that nobody else takes become part of it if six bits reach it then."""

    def add(
        self, netlist: Netlist, node: Node, network: Network, inputs: Sequence[Sequence[Value]], choices: LogicChoices
    ) -> list[Value]:
        layer = node.layer
        assert isinstance(layer, Logic)
        bits = [_bit(netlist, value, f"{node.name}: input {place}") for place, value in enumerate(inputs[0])]
        exact = network.ranges[node.name]
        fixed = exact.low == exact.high
        tables = [int.from_bytes(np.packbits(table, bitorder="little").tobytes(), "little") for table in layer.tables]
        functions = {
            output: function_of([bits[source] for source in layer.sources[output]], tables[output])
            for output in np.flatnonzero(~fixed).tolist()
        }
        alone = sum(node.inputs[0] in taker.inputs for taker in network.layers) == 1
        if alone and node.inputs[0] != network.nodes[0].name:
            functions = _with_tables_before(netlist, functions)
        made: dict[Boolean, Bit] = {}
        results = []
        for output in range(layer.outputs):
            if fixed[output]:
                bit = ONE if exact.low[output] else ZERO
            else:
                bit = _made(netlist, functions[output], made, f"{node.name}[{output}]")
            results.append(Value((bit,), 0, 0, 1))
        return results


def _bit(netlist: Netlist, value: Value, note: str) -> Bit:
    """The one bit of an integer that is 0 or 1."""
    value = value.reduced
    if value.low == value.high:
        return ONE if value.low + value.offset else ZERO
    if value.offset == 0:
        return value.bits[0]
    results = [int(u + value.offset == 1) for u in range(1 << len(value.bits))]
    return function_bits(netlist, value.bits, results, 1, note)[0]


def _with_tables_before(netlist: Netlist, functions: dict[int, Boolean]) -> dict[int, Boolean]:
    """The functions with those tables before them taken in that are not needed then."""
    uses = Counter(bit for function in functions.values() for bit in function.inputs)
    found = {}
    for output, function in functions.items():
        for bit in function.inputs:
            inner = made_by(netlist, bit) if uses[bit] == 1 else None
            if inner is not None and bit in function.inputs:
                function = substituted(function, function.inputs.index(bit), inner) or function
        found[output] = function
    return found


def _made(netlist: Netlist, function: Boolean, made: dict[Boolean, Bit], note: str) -> Bit:
    """The bit of a function; functions that are 0 of no input are stored, others are their complements."""
    if not function.inputs:
        return ONE if function.table else ZERO
    inverted = bool(function.table & 1)
    table = function.table ^ ((1 << (1 << len(function.inputs))) - 1 if inverted else 0)
    key = Boolean(function.inputs, table)
    if key not in made:
        wire = len(function.inputs) == 1
        made[key] = function.inputs[0] if wire else netlist.add(CellKind.TABLE, key.inputs, [table], 1, note)[0]
    return ~made[key] if inverted else made[key]


HARDWARE = LayerHardware("logic", None, FunctionsLogic(), compared_form="quantized")
