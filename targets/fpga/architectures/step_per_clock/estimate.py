"""What an unrolled spiking network costs: its adder graphs as those of any unrolled network, its neurons bit by bit.

sum_once, sum, flowing : bits of potentials that are a current and a constant, that a current is added to, and of two
sums each where currents flow on. doubled, started : lookup tables of those that are doubled before, ones of their
starts. reached, reached_once : bits of comparisons with thresholds that change from slot to slot, and that do not.
chosen : lookup tables of bits of thresholds that change. steps, levels : comparisons of `stbif` neurons, and lookup
tables of their thresholds. read : bits of results. spikes : bits of what was given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...budget import Family
from ...estimate.memory import add_memory
from ...estimate.parts import Parts
from ..unrolled.estimate import FIFO_FLAGS, graph_amounts
from ..unrolled.kept_bits import kept_bits
from ..unrolled.mapped_cells import SHORTEST_CHAIN
from ..unrolled.netlist import Bit
from .plan import StepPerClockLayer, StepPerClockPlan
from .population import DOUBLED, FLOWING, VALUES

__all__ = ["step_per_clock_parts"]

_SHORTEST_SHIFT_REGISTER = 3
_SUMS = {DOUBLED: "doubled", FLOWING: "flowing"}
_CARRY_ENDS = {"ecp5": 3.0, "ice40": 0.5}
"""What a short carry chain takes more than its bits: cells of two bits each, and what leads carries in and out."""


def step_per_clock_parts(plan: StepPerClockPlan, family: Family) -> dict[str, Parts]:
    """What each layer is made of; the input population belongs to the first, the buffer of results to the last."""
    found = {}
    for position, layer in enumerate(plan.layers):
        parts = _graphs(layer, family)
        _neurons(parts, layer, family)
        for reached in layer.sources:
            population = reached.population
            _delay(parts, population.channels * population.element.bits, reached.delay, family)
        if position == 0:
            _source(parts, plan, family)
        if position == len(plan.layers) - 1:
            _results(parts, plan, family)
        found[layer.name] = parts
    return found


def _graphs(layer: StepPerClockLayer, family: Family) -> Parts:
    """The adder graphs of a layer's currents, as far as its neurons ask for them."""
    parts, logic = Parts(), layer.logic
    neurons = layer.gives is None or layer.gives.encoding != VALUES
    ends = [bit for n, bits in enumerate(logic.outputs) for bit in (_taken(layer, n, bits) if neurons else bits)]
    for found in graph_amounts(kept_bits(logic, layer.stages, ends), logic, family).values():
        for kind, amount in found.logic.items():
            parts.add(kind, amount)
        parts.flip_flops += found.flip_flops
    return parts


def _taken(layer: StepPerClockLayer, neuron: int, current: Sequence[Bit]) -> Sequence[Bit]:
    """The bits of a current that its neuron asks for: none of one that fires always or never; of one that compares each
    with one threshold, those from the lowest one of that on."""
    if not _varies(layer, neuron):
        return ()
    return current[_unasked(layer, neuron) :] if layer.window == 1 else current


def _varies(layer: StepPerClockLayer, neuron: int) -> bool:
    """Whether a neuron that has thresholds does not fire always or never."""
    if layer.thresholds is None:
        return True
    thresholds = layer.thresholds[neuron]
    return bool(np.any((thresholds > 0) & (thresholds <= layer.spans[neuron])))


def _slots(layer: StepPerClockLayer) -> int:
    """How many thresholds a neuron of the layer compares with."""
    if layer.neurons is None:
        return 0
    levels = layer.neurons.levels
    return levels.bit_length() if layer.neurons.encoding == "sar" else levels


def _unasked(layer: StepPerClockLayer, neuron: int) -> int:
    """How many bits of a potential do not matter: those below the lowest one of all its thresholds. Of `stbif` neurons
    all are added to."""
    if layer.thresholds is None or layer.neurons is None or layer.neurons.encoding == "stbif":
        return 0
    ones = int(np.bitwise_or.reduce(layer.thresholds[neuron]))
    return min((ones & -ones).bit_length() - 1, int(layer.bits[neuron]) - 1) if ones > 0 else 0


def _chosen(layer: StepPerClockLayer, neuron: int) -> int:
    """How many bits of a neuron's threshold differ from slot to slot."""
    if layer.thresholds is None:
        return 0
    thresholds = layer.thresholds[neuron]
    return (int(np.bitwise_or.reduce(thresholds)) & ~int(np.bitwise_and.reduce(thresholds))).bit_count()


def _of_a_chosen_bit(asked: int, family: Family) -> float:
    """Lookup tables of a bit of a threshold that so many bits choose, beside those of the comparison: on Xilinx its
    tables take three of them too."""
    if family.lut_inputs == 6:
        return float(asked > 3)
    return 2.0 ** max(asked - family.lut_inputs, 0)


def _neurons(parts: Parts, layer: StepPerClockLayer, family: Family) -> None:
    if layer.gives is not None and layer.gives.encoding == VALUES:
        return
    encoding = "" if layer.neurons is None else layer.neurons.encoding
    levels = 0 if layer.neurons is None else layer.neurons.levels
    single = layer.window == 1
    slots = _slots(layer)
    known = set()
    for neuron, bits in enumerate(layer.bits.tolist()):
        thresholds = () if layer.thresholds is None else tuple(layer.thresholds[neuron].tolist())
        # Neurons that are alike in all are made once.
        alike = (tuple(layer.logic.outputs[neuron]), bits, int(layer.starts[neuron]), thresholds)
        if not _varies(layer, neuron) or alike in known:
            continue
        known.add(alike)
        asked = bits - _unasked(layer, neuron)
        if single:
            # What a current adds to a constant has no more bits than differ in it.
            differing = len({bit for bit in _taken(layer, neuron, layer.logic.outputs[neuron]) if bit.cell != -2})
            bits, asked = min(bits, differing + bits - asked), min(asked, differing)
        chain = _chain(bits, family)
        if single:
            # A sum with a constant takes fewer lookup tables, on parts whose carries are beside the tables.
            parts.add("sum_once", _added(min(bits, _from_lowest_one(int(layer.starts[neuron]), bits)), family))
        else:
            parts.add(_SUMS.get(layer.rule, "sum"), _doubled(bits, family) if layer.rule == DOUBLED else chain)
        if layer.rule == DOUBLED and not single:
            # Its start is a third summand of the last slot.
            parts.add("started", int(layer.starts[neuron]).bit_count())
        parts.flip_flops += asked
        if encoding == "stbif":
            count = levels.bit_length()
            if bits + count <= family.lut_inputs:
                parts.add("table", 2.0)
            elif family.fitted == "ice40":
                # Carries take what stands still in a threshold, or is the count, without a table.
                parts.add("steps", 2 * _chosen(layer, neuron))
            else:
                parts.add("steps", 2 * chain)
                parts.add("levels", 2 * bits * max(levels / 2**family.lut_inputs, 0.5))
            parts.add("spikes", count * (count + 1) + 2)
            parts.flip_flops += count + 2
            continue
        if not single:
            parts.flip_flops += bits * (2 if layer.rule == FLOWING else 1) - (layer.rule == DOUBLED)
        if not encoding:
            continue
        _add_comparison(parts, layer, neuron, asked, family)
        # What sar neurons gave is kept, cleared, and asked for in each slot.
        parts.add("spikes", {"sar": slots * slots - (slots == 2), "ttfs": 2}.get(encoding, 1))
        # What a sar neuron gave in its last slot is asked for no more.
        parts.flip_flops += {"sar": slots, "ttfs": 2}.get(encoding, 1)
    if layer.rule == FLOWING and not single:
        parts.flip_flops += 2
    if layer.gives is not None:
        _counter(parts, layer.gives.slots, family)


def _add_comparison(parts: Parts, layer: StepPerClockLayer, neuron: int, asked: int, family: Family) -> None:
    """A comparison with the threshold of a slot. On Xilinx what a lookup table reaches is one: the potential, and the
    slot or, of `sar`, what was given before; of more bits each is a place of a carry chain."""
    assert layer.neurons is not None
    encoding, slots, chosen = layer.neurons.encoding, _slots(layer), _chosen(layer, neuron)
    choices = (slots - 1).bit_length() + (slots - 1 if encoding == "sar" else 0) if chosen else 0
    if family.lut_inputs == 6 and asked + choices <= family.lut_inputs:
        parts.add("table", 1.0)
        return
    same = asked - chosen
    if family.fitted == "ecp5":
        parts.add("reached" if chosen else "reached_once", _chain(asked, family))
    else:
        parts.add("reached", chosen)
        parts.add("reached" if slots == 1 and family.lut_inputs == 6 else "reached_once", same)
    parts.add("chosen", chosen * _of_a_chosen_bit(choices, family))


def _chain(bits: int, family: Family) -> float:
    """Bits of a sum or comparison and what its carry chain takes more; on ECP5 a short one takes tables alone."""
    if not bits or (family.fitted == "ecp5" and bits < SHORTEST_CHAIN):
        return float(bits)
    return bits + _CARRY_ENDS.get(family.fitted, 0.0)


def _doubled(bits: int, family: Family) -> float:
    """Lookup tables of a potential that is doubled, or 0 in the first slot, before a current is added: none of its
    lowest bit; on Xilinx a place of the carry chain takes both, elsewhere a table before it keeps what was doubled."""
    if family.lut_inputs == 6:
        return bits - 1.0
    return max(2.0 * bits - (1 if family.fitted == "ecp5" else 3), 0.0)


def _added(bits: int, family: Family) -> float:
    """Bits of a sum with a constant; on ECP5 of the cells of its carry chain, two bits each, and a table before."""
    if family.fitted != "ecp5" or bits < SHORTEST_CHAIN:
        return float(bits)
    return 2.0 * -(-bits // 2) + 1


def _from_lowest_one(constant: int, bits: int) -> int:
    """How many of the bits of what a constant is added to change: those from its lowest one on, none if it is 0."""
    return max(bits - (constant & -constant).bit_length() + 1, 0) if constant else 0


def _counter(parts: Parts, slots: int, family: Family) -> None:
    """A counter of slots; of one slot only whether it runs, which on Xilinx a register with a reset alone tells."""
    if slots == 1:
        parts.luts += family.lut_inputs == 4
        parts.flip_flops += 1
        return
    bits = (slots - 1).bit_length()
    parts.luts += bits + 1 if family.lut_inputs == 6 else 2 * bits + 1
    parts.flip_flops += bits + 1


def _delay(parts: Parts, width: int, clocks: int, family: Family) -> None:
    if family.name in ("xc7", "xcup") and clocks >= _SHORTEST_SHIFT_REGISTER:
        parts.add("delay", width * -(-clocks // 32))
    else:
        parts.flip_flops += width * clocks


def _source(parts: Parts, plan: StepPerClockPlan, family: Family) -> None:
    if plan.inputs.encoding == VALUES:
        return
    bits, moved = plan.source.levels.bit_length(), plan.source.low != plan.input_element.low
    parts.flip_flops += plan.source.size * (bits + 1)
    parts.luts += plan.source.size * (_given(plan.inputs.encoding, bits, family) + moved)
    _counter(parts, plan.inputs.slots, family)


def _given(encoding: str, bits: int, family: Family) -> float:
    """Lookup tables that give the spikes of a number of so many bits: shifted for `sar`, else held against the slot."""
    if encoding == "sar":
        return bits
    if 2 * bits < family.lut_inputs:
        return 1.0
    if family.lut_inputs == 6:
        return 2.0 if bits == 3 or encoding == "ttfs" else bits + 1.0
    return 1.5 * bits if encoding == "ttfs" else bits + 1.0


def _results(parts: Parts, plan: StepPerClockPlan, family: Family) -> None:
    element, last = plan.output_element, plan.layers[-1]
    for low in last.lows.tolist():
        parts.add("read", _added(_from_lowest_one(low % 2**element.bits, element.bits), family))
    depth = (plan.latency + 1) // plan.interval + 1
    add_memory(parts, depth, plan.network.output_size * element.bits, 1, family, choice="mux")
    counters = 2 * max((depth - 1).bit_length(), 1) + 2 * depth.bit_length()
    rest = (plan.interval - 1).bit_length()
    parts.flip_flops += counters + FIFO_FLAGS + rest + plan.latency
    parts.add("core", 1.0 + (counters + rest) / 12.0)
