"""The input population: the core's integers as they are, or what the unit makes of them that gives spikes."""

from __future__ import annotations

import numpy as np

from edgeml.errors import CheckFailed
from edgeml.network import Network

from ...architectures.spiking_networks import SpikingNetwork
from ..folded.facts import Fact
from .blocks import prove_counter
from .core import Core
from .neurons import source_spikes
from .windows import Given, Spikes

__all__ = ["given_by_input", "running_from"]


def given_by_input(core: Core, network: Network, spikes: SpikingNetwork) -> tuple[Given, tuple[Fact, ...], str]:
    """(the population, what holds of its units, the instance that gives its bits; empty for the core's input)."""
    entry, quantizer = spikes.entry, network.quantizer
    data = core.netlist.ports["in_data"]
    width = len(data) // entry.size
    signed = quantizer.low < 0
    least = -(1 << width - 1) if signed else 0
    if width * entry.size != len(data) or not least <= quantizer.low <= quantizer.high < least + (1 << width):
        raise CheckFailed("in_data", "has no place for all integers")
    if not entry.low <= quantizer.low <= quantizer.high <= entry.high:
        raise CheckFailed("the input's unit", "does not encode all inputs")
    if entry.encoding in ("direct", "graded"):
        return Given(spikes.entry_name, entry.size, 0, 1, width, signed, 0, False), (), ""
    slots = entry.levels.bit_length() if entry.encoding == "sar" else entry.levels
    cell = core.take("input_unit", "edgeml_slot_source")
    if cell.ports["in_data"] != data or core.mark(cell, "take") != 0:
        raise CheckFailed("the input's unit", "takes something else than the input")
    fact, running = running_from(core, "input_slots", cell.ports["running"], cell.ports["slot"], slots)
    if running != 1:
        raise CheckFailed("the input's unit", "does not run from the clock behind its frame on")
    inside = core.inside(cell)
    given = source_spikes(inside, entry.size, slots, quantizer.low, quantizer.high)
    x = np.arange(quantizer.low, quantizer.high + 1)
    channel = Spikes(x, x - entry.low, given)
    numbers = {"values": len(x), "slots": slots}
    facts = (fact, Fact(cell.kind, dict(cell.parameters), "spikes", numbers))
    channels = [channel] * entry.size
    return (
        Given(spikes.entry_name, entry.size, entry.low, slots, 1, False, running + 1, True, channels),
        facts,
        cell.name,
    )


def running_from(
    core: Core, name: str, running: tuple[int, ...], slot: tuple[int, ...] | None, slots: int
) -> tuple[Fact, int]:
    """(what holds of a counter of so many slots, the clock of slot 0) of one that gives these bits. CheckFailed."""
    cell = core.take(name, "edgeml_slot_counter")
    if cell.ports["running"] != running or (slot is not None and cell.ports["slot"] != slot):
        raise CheckFailed(f"instance {name}", "does not count for the unit that it is for")
    counted = int(cell.parameters["SLOTS"])
    if counted != slots or slots > core.interval:
        raise CheckFailed(
            f"instance {name}", f"counts {counted} slots of {slots}; frames are {core.interval} clocks apart"
        )
    return Fact(cell.kind, dict(cell.parameters), "counts", prove_counter(core.inside(cell), slots)), core.mark(
        cell, "start"
    ) + 1
