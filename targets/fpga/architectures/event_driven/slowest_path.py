"""How long the slowest logic of an event-driven layer takes."""

from __future__ import annotations

from ...timing.delay_model import DelayModel
from .plan import EventDrivenLayer

__all__ = ["slowest_of_layer"]


def slowest_of_layer(layer: EventDrivenLayer, delays: DelayModel) -> float:
    """From register to register, ns: the synapse times the amount onto a membrane out of its memory, or the potential
    against the threshold that its count of levels chooses."""
    bits, table = layer.membrane_bits, delays.route + delays.lut
    memory = delays.memory(layer.words, delays.way(layer.pe * bits))
    product = delays.product(layer.weight_bits, layer.amount_bits, delays.way(layer.pe), blocks=False)
    charged = delays.sum(bits, max(memory, product) + delays.route)
    chosen = delays.memory(max(layer.levels, 2), delays.way(bits)) + delays.route
    fires = delays.sum(bits, max(memory, chosen)) + 2 * table
    return delays.register + max(charged, fires)
