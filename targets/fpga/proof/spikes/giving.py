"""What a unit tells of its neurons: each that spiked in a look at its word gives one event before anything goes on."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeml.errors import CheckFailed

from ..folded.induction import compare, next_values
from ..folded.netlist import Bits
from .control import FIRE, GIVE, RELAY, States
from .unit import Unit

__all__ = ["prove_giving"]

_MOST_ROWS = 2**22


def prove_giving(unit: Unit, states: States) -> dict[str, int]:
    """That each neuron that told something gives one event, with its channel and amount. Raises CheckFailed."""
    for lane in range(unit.lanes):
        _waits(unit, lane)
    _one_at_a_time(unit)
    events = sum(_events(unit, states.of(GIVE), lane) for lane in range(unit.lanes))
    if unit.number("RELAY_TO") > unit.number("RELAY_FROM"):
        events += _passed_on(unit)
    return {"events": events, "lanes": unit.lanes}


def _waits(unit: Unit, lane: int) -> None:
    """A lane waits from the look at its word in which it told something to the clock in which it is given."""
    rows = np.arange(7 * 64)
    state, chosen = rows >> 6, rows & 63
    reset, ready, told, down, was, lowest = (chosen >> k & 1 for k in range(6))
    netlist = unit.netlist
    stbif = unit.encoding == "stbif"
    for name, sign in (("given_up", 0), ("given_down", 1)):
        if sign and not stbif:
            break
        word = netlist.word(name)
        given: dict[Any, Any] = {"state": state, "rst": reset, "out_ready": ready, (word[lane],): was}
        cut = {(netlist.word("told")[lane],): told, (netlist.word("lowest")[lane],): lowest}
        if stbif:
            cut[(netlist.word("down")[lane],)] = down
        now = unit.rows(len(rows), {**given, **cut})
        looks = (told & (down if sign else 1 - down)) if stbif else told
        after = np.where(state == FIRE, looks, np.where((state == GIVE) & (ready == 1), was & (1 - lowest), was))
        compare(now, f"next {name} of lane {lane}", next_values(netlist, (word[lane],)), after * (1 - reset))
    if not stbif:
        now = unit.rows(len(rows), {"state": state, "rst": reset, "out_ready": ready,
                                    (netlist.word("told")[lane],): told, (netlist.word("lowest")[lane],): lowest,
                                    (netlist.word("given_down")[lane],): 0 * was})  # fmt: skip
        compare(
            now, f"next given_down of lane {lane}", next_values(netlist, (netlist.word("given_down")[lane],)), 0 * was
        )


def _one_at_a_time(unit: Unit) -> None:
    """`lowest` is the lowest of those that wait, `others` the rest: x & −x and x ^ lowest, by what those cells mean."""
    waiting, lowest, others = (unit.netlist.word(name) for name in ("waiting", "lowest", "others"))
    up, down = unit.netlist.word("given_up"), unit.netlist.word("given_down")
    _is(unit, waiting, "$or", {up, down}, "those that wait")
    found = unit.netlist.driver[lowest[0]][0]
    negative = next((found.ports[port] for port in "AB" if found.ports.get(port, waiting) != waiting), ())
    _is(unit, lowest, "$and", {waiting, negative}, "the lowest of them")
    cell = unit.netlist.driver[negative[0]][0] if negative else None
    if cell is None or cell.kind != "$neg" or cell.ports["A"] != waiting or cell.ports["Y"] != negative:
        raise CheckFailed("the lowest of those that wait", "is not waiting & −waiting")
    _is(unit, others, "$xor", {waiting, lowest}, "the others")


def _is(unit: Unit, made: Bits, kind: str, terms: set[Bits], what: str) -> None:
    cell = unit.netlist.driver[made[0]][0]
    whole = {cell.ports[port] for port in "AB"} == terms if "B" in cell.ports else False
    if cell.kind != kind or cell.ports["Y"] != made or not whole:
        raise CheckFailed(what, "are made in another way")


def _events(unit: Unit, states: States, lane: int) -> int:
    """The event of a lane while it is the lowest that waits: its neuron and what its spike stands for."""
    counts = 1 << unit.count_bits
    combinations = counts * (2 if unit.encoding == "stbif" else 1)
    count_rows = len(states.state) * combinations
    if count_rows > _MOST_ROWS:
        raise CheckFailed("events", f"are of {count_rows} kinds, {_MOST_ROWS} at most")
    each = states.repeated(combinations)
    chosen = np.repeat(np.arange(combinations), len(states.state))
    count, down = chosen % counts, chosen // counts
    netlist, bits = unit.netlist, unit.count_bits
    own = netlist.word("count_word")[lane * bits : (lane + 1) * bits]
    lowest = netlist.word("lowest")
    given: dict[Any, np.ndarray] = {"state": each.state, "word": each.word, "slot": each.slot, own: count}
    given |= {(bit,): np.full(len(chosen), int(k == lane)) for k, bit in enumerate(lowest)}
    given[(netlist.word("given_down")[lane],)] = down
    if unit.encoding == "sar":
        amount = 1 << (unit.slots - 1 - each.slot)
    elif unit.encoding in ("ttfs", "graded"):
        amount = count
    else:
        amount = 1 - 2 * down
    now = unit.rows(len(chosen), given)
    channel, carried, _ = unit.given
    neuron = each.word * unit.lanes + lane
    real = neuron < unit.number("NEURONS")
    compare(now, f"the channel of lane {lane}", channel, np.where(real, neuron, 0), real)
    fits = real & ((amount >= 0) & (amount < 1 << (len(carried) - 1)) | (amount < 0))
    if not (fits | ~real | (count > unit.levels)).all():
        raise CheckFailed("amounts", f"do not fit {len(carried)} bits")
    compare(now, f"the amount of lane {lane}", carried, amount & ((1 << len(carried)) - 1), fits)
    return count_rows


def _passed_on(unit: Unit) -> int:
    """The event of a channel that is passed on goes out as it came, its channel behind the unit's own."""
    channel, amount, _ = unit.event
    out_channel, out_amount, _ = unit.given
    first, behind, width = unit.number("RELAY_FROM"), unit.number("RELAY_TO"), len(amount)
    if (behind - first) << width > _MOST_ROWS:
        raise CheckFailed("relayed events", f"are of {(behind - first) << width} kinds, {_MOST_ROWS} at most")
    rows = np.arange((behind - first) << width)
    came, value = first + (rows >> width), rows & ((1 << width) - 1)
    now = unit.rows(len(rows), {"state": np.full(len(rows), RELAY), channel: came, amount: value})
    compare(now, "the channel that is passed on", out_channel, came - first + unit.number("NEURONS"))
    wide = np.where(value >> (width - 1) & 1, value - (1 << width), value)
    if len(out_amount) < width:
        raise CheckFailed("relayed amounts", f"do not fit {len(out_amount)} bits")
    compare(now, "the amount that is passed on", out_amount, wide & ((1 << len(out_amount)) - 1))
    return len(rows)
