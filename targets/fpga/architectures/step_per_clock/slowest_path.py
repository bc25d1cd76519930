"""How long the slowest logic of an unrolled spiking layer takes."""

from __future__ import annotations

from ...timing.delay_model import DelayModel
from ..unrolled.pipelining import delays_in
from ..unrolled.stages import slowest_stage
from .plan import StepPerClockLayer
from .population import VALUES

__all__ = ["slowest_of_layer"]


def slowest_of_layer(layer: StepPerClockLayer, delays: DelayModel) -> float:
    """From register to register, ns: of its adder graphs, or of its neurons."""
    logic, delays = layer.logic, delays_in(layer.logic, delays, layer.part)
    graphs = slowest_stage(logic.netlist, logic.outputs, delays, layer.stages)
    if layer.gives is not None and layer.gives.encoding == VALUES:
        return graphs
    bits, table = int(layer.bits.max()), delays.route + delays.lut
    charged = delays.sum(bits, delays.way(layer.size * bits) + delays.lut + delays.route)
    if layer.thresholds is None:
        return max(graphs, delays.register + charged)
    chosen = delays.memory(max(layer.thresholds.shape[1], 2), delays.way(layer.size))
    fires = delays.sum(bits, chosen + delays.route) + table
    return max(graphs, delays.register + max(charged, fires))
