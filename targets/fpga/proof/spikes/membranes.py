"""What a unit's membranes hold: each word starts as it must, and takes amount · weight of each event.

Their memory is written in three ways, one at a time: the sum with an event (in the clock behind the one in which it
came), the start, and what neurons left behind when they were looked at. Nothing else changes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeml.errors import CheckFailed

from ..folded.bit_rows import rows_of
from ..folded.evaluation import Evaluation
from ..folded.induction import compare, next_values
from ..folded.netlist import Bits, Memory
from ..folded.ways import Ways
from .control import FIRE, START, TAKE, States
from .unit import Int64, Unit, signed

__all__ = ["prove_membranes", "prove_weights"]

_MOST_OPERAND_BITS = 20
_MOST_ROWS = 2**22


def prove_membranes(unit: Unit, states: States, prefix: str = "neurons.") -> dict[str, int]:
    """That membranes (and the counts of spikes) are written as they must be. states : of the unit's control.

    Raises CheckFailed.
    """
    _adding(unit, states, prefix)
    _read(unit, states, prefix)
    _writes(unit, states, prefix)
    if unit.fires:
        _counts(unit, states)
    operands = _products(unit, prefix)
    for lane in range(unit.lanes):
        _added(unit, lane, prefix)
    return {"operands": operands, "lanes": unit.lanes}


def _adding(unit: Unit, states: States, prefix: str) -> None:
    """An event is added, to the word that it is looked at with, one clock later."""
    _, amount, end = unit.event
    each = states.repeated(8)
    chosen = np.repeat(np.arange(8), len(states.state))
    reset, valid, ends = chosen & 1, chosen >> 1 & 1, chosen >> 2
    ports: dict[Any, Int64] = {"rst": reset, "in_valid": valid, (end,): ends}
    now = unit.rows(len(chosen), {"state": each.state, "word": each.word, **ports})
    comes = (each.state == TAKE) & (valid == 1) & (ends == 0) & (reset == 0)
    netlist = unit.netlist
    compare(now, "next adding", next_values(netlist, netlist.word(prefix + "adding")), comes.astype(np.int64))
    where = next_values(netlist, netlist.word(prefix + "adding_at"))
    compare(now, "where an event is added", where, each.word, comes)
    amounts = np.arange(1 << len(amount))
    kept = next_values(netlist, netlist.word(prefix + "adding_amount"))
    compare(unit.rows(len(amounts), {amount: amounts, "rst": 0 * amounts}), "the amount that is added", kept, amounts)


def _read(unit: Unit, states: States, prefix: str) -> None:
    """What is seen of the membranes is their word `word`; what an event is added to is the word that it was with."""
    reads = {cell.ports["DATA"]: cell.ports["ADDR"] for cell in unit.reads(prefix + "memory")}
    words = {
        unit.netlist.ports["out_data"] if not unit.fires else unit.netlist.word("membranes"): "word",
        unit.netlist.word(prefix + "old_word"): prefix + "adding_at",
    }
    seen = {_behind(unit, bits): name for bits, name in words.items()}
    if reads.keys() != seen.keys():
        raise CheckFailed("membranes", "are read in other places")
    for bits, name in seen.items():
        _address(unit, reads[bits], name, "membranes are read")


def _behind(unit: Unit, bits: Bits) -> Bits:
    """The bits that some are only joined to."""
    found = []
    for bit in bits:
        while bit in unit.netlist.driver and unit.netlist.driver[bit][0].kind == "$pos":
            cell, _, place = unit.netlist.driver[bit]
            if place >= len(cell.ports["A"]):
                break
            bit = cell.ports["A"][place]
        found.append(bit)
    return tuple(found)


def _address(unit: Unit, address: Bits, name: str, what: str) -> None:
    """An address is a register, as wide as the memory needs."""
    word = unit.netlist.word(name)
    if _behind(unit, address) != word[: len(address)] or unit.words > 1 << len(address):
        raise CheckFailed(what, f"elsewhere than at {name}")


def _writes(unit: Unit, states: States, prefix: str) -> None:
    """The ways in which the membranes are written, one at a time."""
    memory = unit.memory(prefix + "memory")
    if len(memory.writes) != 3 or memory.words != unit.words:
        raise CheckFailed("membranes", "are not written in three ways")
    each = states.repeated(2)
    adding = np.repeat(np.arange(2), len(states.state))
    now = unit.rows(len(adding), {"state": each.state, prefix + "adding": adding})
    clears = (1 - adding) * (each.state == START)
    fires = (1 - adding) * (each.state == FIRE) if unit.fires else 0 * adding
    netlist = unit.netlist
    sources = [netlist.word(prefix + "new_word"), _starts(unit, prefix)]
    sources += [netlist.word("fired_membranes")] if unit.fires else []
    for which, (when, at) in enumerate(((adding, prefix + "adding_at"), (clears, "word"), (fires, "word"))):
        source = sources[which] if which < len(sources) else ()
        _written(unit, memory, which, now, when, (at, source), "membranes")


def _written(
    unit: Unit, memory: Memory, which: int, now: Evaluation, when: Int64, what: tuple[str, Bits], said: str
) -> None:
    """One of the ways in which a memory is written: when, at which register, and what (nothing where it never is)."""
    write = memory.writes[which]
    if write.ports["CLK"] != unit.netlist.ports["clk"] or not write.parameters["CLK_POLARITY"]:
        raise CheckFailed(said, "do not follow the rising clock")
    if len(write.ports["DATA"]) != memory.width or len(write.ports["EN"]) != memory.width:
        raise CheckFailed(said, "are not written whole")
    rows, ways = rows_of(when, 1)[0], Ways(unit.netlist, now, now)
    for bit in set(write.ports["EN"]):
        ways.require_now((bit,), (1,), rows, f"when {said} are written")
        ways.require_now((bit,), (0,), now.mask & ~rows, f"when {said} are not written")
    if not rows:
        return
    (at, source), address = what, write.ports["ADDR"]
    if unit.words > 1 << len(address):
        raise CheckFailed(said, "are written at too short an address")
    ways.require_now(address, unit.netlist.word(at)[: len(address)], rows, f"where {said} are written")
    ways.require_now(write.ports["DATA"], source, rows, f"what {said} take")


def _starts(unit: Unit, prefix: str) -> Bits:
    """The word `word` of the memory of starts, which membranes take where they are cleared."""
    starts = unit.memory(prefix + "starts")
    (read,) = unit.reads(prefix + "starts")
    if starts.writes or starts.words != unit.words:
        raise CheckFailed("starts", "change, or are of other words")
    _address(unit, read.ports["ADDR"], "word", "starts are read")
    return read.ports["DATA"]


def _counts(unit: Unit, states: States) -> None:
    """Counts of spikes are 0 at the start, and what a look at the neurons leaves; they are seen at `word`."""
    memory = unit.memory("counts")
    if len(memory.writes) != 2 or memory.words != unit.words:
        raise CheckFailed("counts", "are not written in two ways")
    now = unit.rows(len(states.state), {"state": states.state})
    for which, state in enumerate((START, FIRE)):
        source = unit.netlist.word("fired_counts") if which else (0,) * memory.width
        when = (states.state == state).astype(np.int64)
        _written(unit, memory, which, now, when, ("word", source), "counts")
    reads = {cell.ports["DATA"]: cell.ports["ADDR"] for cell in unit.reads("counts")}
    if list(reads) != [_behind(unit, unit.netlist.word("count_word"))]:
        raise CheckFailed("counts", "are read in another place")
    _address(unit, next(iter(reads.values())), "word", "counts are read")


def _products(unit: Unit, prefix: str) -> int:
    """`more` of each lane is the product of its weight and the event's amount, for all of both."""
    weight_bits, amount_bits = unit.number("WEIGHT_BITS"), unit.number("IN_AMOUNT_BITS")
    if weight_bits + amount_bits > _MOST_OPERAND_BITS:
        raise CheckFailed(
            "products", f"have {weight_bits + amount_bits} bits of operands, {_MOST_OPERAND_BITS} at most"
        )
    operands = np.arange(1 << (weight_bits + amount_bits))
    weight, amount = operands & ((1 << weight_bits) - 1), operands >> weight_bits
    product = signed(weight, weight_bits) * signed(amount, amount_bits)
    membrane = unit.number("MEMBRANE_BITS")
    row, held = unit.netlist.word(prefix + "row"), unit.netlist.word(prefix + "adding_amount")
    for lane in range(unit.lanes):
        own = row[lane * weight_bits : (lane + 1) * weight_bits]
        now = unit.rows(len(operands), {own: weight, held: amount})
        more = unit.netlist.word(f"{prefix}lane[{lane}].more")
        compare(now, f"product of lane {lane}", more, product & ((1 << membrane) - 1))
    return len(operands)


def _added(unit: Unit, lane: int, prefix: str) -> None:
    """The sum of a lane is what the membrane was and the product, modulo its bits."""
    bits = unit.number("MEMBRANE_BITS")
    netlist = unit.netlist
    made, old = (netlist.word(prefix + name)[lane * bits : (lane + 1) * bits] for name in ("new_word", "old_word"))
    more, made = _behind(unit, netlist.word(f"{prefix}lane[{lane}].more")), _behind(unit, made)
    cell = netlist.driver[made[0]][0]
    terms = {_behind(unit, cell.ports[port]) for port in "AB"} if cell.kind == "$add" else set()
    if cell.ports.get("Y") != made or terms != {_behind(unit, old), more} or len(more) != bits:
        raise CheckFailed(f"sum of lane {lane}", "is not the membrane and its product")


def prove_weights(unit: Unit, weights: Int64, prefix: str = "neurons.") -> None:
    """The row that comes with an event of channel c at word w holds weights [channels, words, lanes]; CheckFailed."""
    channels, words, lanes = weights.shape
    if channels * words > _MOST_ROWS:
        raise CheckFailed("weights", f"stand in {channels * words} words, {_MOST_ROWS} at most")
    bits, place = unit.number("WEIGHT_BITS"), np.arange(channels * words)
    channel, word = place // words, place % words
    now = unit.rows(len(place), {unit.event[0]: channel, "word": word})
    row = next_values(unit.netlist, unit.netlist.word(prefix + "row"))
    for lane in range(lanes):
        wanted = weights[channel, word, lane] & ((1 << bits) - 1)
        compare(now, f"weights of lane {lane}", row[lane * bits : (lane + 1) * bits], wanted)
