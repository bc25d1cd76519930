"""What event-driven layers are made of: amounts of each kind of logic, and registers, block RAMs and multipliers.

The amounts follow `edgeml_spiking`, `edgeml_spiking_readout`, `edgeml_membranes` and `edgeml_spike_encoder`; which
memory becomes which cells follows what yosys weighs (`estimate.memory`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...budget import Family
from ...estimate.memory import add_memory, add_rom, distinct_columns, rom_luts
from ...estimate.parts import Parts, multiplier_blocks
from .plan import EventDrivenLayer, EventDrivenPlan

__all__ = ["event_driven_parts"]

Int64 = npt.NDArray[np.int64]

_PHASES = {"readout": 3, "stbif": 6}
_PHASES_BY_SLOTS = 5


def _multiplies(parts: Parts, a_bits: int, b_bits: int, result_bits: int, family: Family) -> bool:
    """Whether a product takes a multiplier block, which is then counted."""
    blocks = multiplier_blocks(a_bits, b_bits, min(a_bits + b_bits, result_bits), family)
    parts.dsps += blocks
    return blocks > 0


def _address(parts: Parts, index_bits: int, factor: int, result_bits: int, family: Family) -> None:
    """index · factor + something, with a constant factor; its zeros at the end are places and no logic."""
    places = (factor & -factor).bit_length() - 1
    odd, result_bits = factor >> places, result_bits - places
    if odd > 1 and not _multiplies(parts, index_bits, odd.bit_length(), result_bits, family):
        parts.add("add", result_bits * (odd.bit_count() - 1))


def _bits(count: int) -> int:
    """Bits that count to below `count`; none where there is nothing to count."""
    return max((count - 1).bit_length(), 1) if count > 1 else 0


def _by_word(layer: EventDrivenLayer, values: Int64, filler: int) -> Int64:
    """Values [neurons] as [words, lanes], what stands beyond the last neuron filled."""
    padded = np.full(layer.words * layer.pe, filler, np.int64)
    padded[: layer.neurons] = values
    return padded.reshape(layer.words, layer.pe)


def _membranes(parts: Parts, layer: EventDrivenLayer, family: Family) -> None:
    """An `edgeml_membranes`: weights in a ROM, products, sums, and the membranes themselves."""
    pe, words, bits = layer.pe, layer.words, layer.membrane_bits
    weight = np.zeros((layer.channels, words * pe), np.int64)
    weight[:, : layer.neurons] = layer.weight.T
    depth = layer.channels * words
    add_rom(parts, weight.reshape(depth, pe), layer.weight_bits, family)
    _address(parts, layer.channel_bits, words, (depth - 1).bit_length(), family)
    if words > 1:
        parts.add("add", (depth - 1).bit_length())
    # An amount is never negative but for stbif, so its sign bit is not a register.
    amount_bits = layer.amount_bits - (layer.amount[0] >= 0)
    # The register of a word's address stands once more in front of the port that is read by it.
    parts.flip_flops += 1 + 2 * _bits(words) + amount_bits
    product = layer.weight_bits + layer.amount_bits
    for _ in range(pe):
        if not _multiplies(parts, layer.weight_bits, layer.amount_bits, product, family):
            parts.add("multiplier", layer.weight_bits * amount_bits)
    parts.add("add", pe * bits)
    parts.add("select", pe * bits * (1 if layer.increments is None else 2))
    start = _by_word(layer, layer.start, -1)
    used = distinct_columns(start, bits)
    if words > 2:
        parts.flip_flops += used
        parts.add("rom", used * rom_luts(words, family))
    add_memory(parts, words, pe * bits, 2, family)


def _firing(parts: Parts, layer: EventDrivenLayer, family: Family) -> None:
    """What decides which neurons of a word fire, and what they pay: compare, subtract or climb; counts of spikes."""
    assert layer.increments is not None
    pe, words, bits, levels = layer.pe, layer.words, layer.membrane_bits, layer.levels
    count_bits = levels.bit_length()
    add_memory(parts, words, pe * count_bits, 1, family)
    both = layer.encoding == "stbif"
    increments = layer.increments[:, : 1 if layer.equal else levels]
    increment_words = words * increments.shape[1]
    columns = 0
    for lane in range(pe):
        table = np.stack([_by_word(layer, increments[:, k], 0)[:, lane] for k in range(increments.shape[1])], axis=1)
        columns += distinct_columns(table.reshape(-1, 1), bits)
    if increment_words > 2:
        parts.add("rom", (2 if both else 1) * columns * rom_luts(increment_words, family))
    if increments.shape[1] == 1 and words > 2:
        parts.flip_flops += columns
    if increments.shape[1] > 1:
        address_bits = (increment_words - 1).bit_length()
        if words > 1:
            _address(parts, _bits(words), levels, address_bits, family)
            parts.add("add", (2 if both else 1) * (1 if layer.encoding == "ttfs" else pe) * address_bits)
    parts.add("add", pe * bits * (3 if both else 2))
    if layer.encoding == "ttfs":
        ceilings = _by_word(layer, layer.increments.sum(axis=1), 0)
        used = distinct_columns(ceilings, bits)
        parts.add("rom", used * rom_luts(words, family))
        parts.flip_flops += used if words > 2 else 0
    parts.add("select", pe * (bits * (2 if both else 1) + count_bits * (3 if both else 2)))


def _events(parts: Parts, layer: EventDrivenLayer, following: EventDrivenLayer, family: Family) -> None:
    """What gives the spikes of a word one after the other."""
    pe = layer.pe
    count_bits = layer.levels.bit_length()
    both = layer.encoding == "stbif"
    parts.flip_flops += 2 * pe
    parts.add("lane", pe * (3.0 if both else 2.0) + following.channel_bits)
    if layer.encoding in ("ttfs", "graded") and pe > 1:
        parts.add("lane", count_bits * (pe - 1))
        _address(parts, _bits(pe), count_bits, count_bits.bit_length() + _bits(pe), family)
    if layer.words > 1:
        _address(parts, _bits(layer.words), pe, following.channel_bits, family)


def _layer(layer: EventDrivenLayer, following: EventDrivenLayer | None, family: Family) -> Parts:
    parts = Parts()
    _membranes(parts, layer, family)
    counters = _bits(layer.words)
    if following is not None:
        _firing(parts, layer, family)
        _events(parts, layer, following, family)
        counters += layer.levels.bit_length() if layer.encoding != "stbif" else 1
    phases = _PHASES.get(layer.encoding or "readout", _PHASES_BY_SLOTS)
    parts.flip_flops += phases + counters
    parts.add("control", phases + counters)
    return parts


def _encoder(parts: Parts, plan: EventDrivenPlan, family: Family) -> None:
    """An `edgeml_spike_encoder`."""
    source, element = plan.source, plan.input_element
    channel_bits = plan.layers[0].channel_bits
    counters = channel_bits + 1
    if source.encoding not in ("direct", "graded"):
        slot_bits = source.levels.bit_length()
        counters += 1 + (slot_bits if source.levels > 1 else 0)
        add_memory(parts, source.size, slot_bits, 1, family)
        parts.add("select", 2.0 * slot_bits)
    parts.flip_flops += counters
    parts.add("control", counters + element.bits)


def event_driven_parts(plan: EventDrivenPlan, family: Family) -> dict[str, Parts]:
    """What each layer is made of; the input's encoder belongs to the first.

    rom : lookup tables of weights, starts and increments. multiplier : bit products in
    logic. add : bits of sums and comparisons. select : bits of multiplexers. lane : what gives the spikes of a word
    in turn, per neuron. control : bits of states and counters.
    """
    following = [*plan.layers[1:], None]
    found = {layer.name: _layer(layer, after, family) for layer, after in zip(plan.layers, following, strict=True)}
    _encoder(found[plan.layers[0].name], plan, family)
    return found
