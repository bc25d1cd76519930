"""How many membranes per clock a spiking network gets on a part, and what its units cost."""

from __future__ import annotations

from collections.abc import Mapping

from edgeml.network import Network

from ..budget import Family
from ..estimate import Cost
from ..folded.plan import Fold
from .plan import SpikingLayer, SpikingPlan, make_spiking_plan

__all__ = ["estimate_spiking", "spiking_plans"]

_LUTS_OF_CONTROL = 60.0


def estimate_spiking(plan: SpikingPlan, family: Family) -> dict[str, Cost]:
    """Cost by layer, counted from the RTL: memories and constants in logic, an adder and a subtractor per lane.

    Not calibrated against synthesis: an order of magnitude that leans high.
    """
    costs = {layer.name: _layer_cost(layer, family) for layer in plan.layers}
    first = plan.layers[0].name
    element = plan.input_element
    costs[first] = costs[first] + Cost(_LUTS_OF_CONTROL / 2 + 2.0 * element.bits, 2 * plan.source.size * element.bits)
    return costs


def _layer_cost(layer: SpikingLayer, family: Family) -> Cost:
    bits, pe, words = layer.membrane_bits, layer.pe, layer.words
    memory = float(words * pe * bits)
    per_table = 2.0 ** (family.lut_inputs - 2)
    luts = _LUTS_OF_CONTROL + pe * bits * (2.0 if layer.steps is None else 6.0)
    luts += pe * 1.5 * layer.weight_bits * layer.amount_bits
    luts += layer.channels * words * pe * layer.weight_bits / per_table
    constants = words * pe * bits * (1 + (1 if layer.equal else layer.levels))
    luts += constants / per_table
    registers = 40 + pe * (layer.weight_bits + 4)
    # iCE40 has no memory in logic that is read at once: membranes are flip-flops there, with a multiplexer.
    if family.name == "ice40":
        return Cost(luts + memory, registers + round(memory))
    return Cost(luts + memory / 8, registers)


def spiking_plans(network: Network) -> list[SpikingPlan]:
    """Plans from the most membranes per clock to one."""
    widest = max(layer.neurons for layer in make_spiking_plan(network, {}).layers)
    plans = []
    for k in range((widest - 1).bit_length(), -1, -1):
        layers = make_spiking_plan(network, {}).layers
        plans.append(make_spiking_plan(network, _folds({layer.name: layer.neurons for layer in layers}, 2**k)))
    return plans


def _folds(neurons: Mapping[str, int], most: int) -> dict[str, Fold]:
    return {name: Fold(min(count, most), 1) for name, count in neurons.items()}
