"""What a unit of spikes does clock by clock, by induction over all states of its control.

A state is (state, word, slot, starting); the registers of data are not among them, so that nothing of control depends
on them. What a frame's events are to do with the membranes follows from the model, which is in words: after a reset
and after each frame all words are cleared; each event is added to each word once, then taken (or passed on first);
behind `end` each word is looked at once in each slot, in their order, and what it told is given before the next; then
`end`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeml.errors import CheckFailed

from ..folded.evaluation import Evaluation
from ..folded.induction import compare, next_values, reset_from_anything
from ..folded.netlist import Bits
from .unit import Int64, Unit

__all__ = ["ADD", "END", "FIRE", "GIVE", "RELAY", "START", "TAKE", "States", "prove_control", "states_of", "zero_test"]

START, TAKE, ADD, FIRE, GIVE, END, RELAY = range(7)
_MOST_ROWS = 2**23
_INPUTS = ("rst", "in_valid", "end", "relayed", "out_ready", "rests", "last_given")


@dataclass(frozen=True, eq=False)
class States:
    """All states of a unit's control [states]."""

    state: Int64
    word: Int64
    slot: Int64
    starting: Int64

    def repeated(self, times: int) -> States:
        """Each so many times, one set behind the other."""
        return States(*(np.tile(each, times) for each in (self.state, self.word, self.slot, self.starting)))

    def registers(self) -> dict[str, Int64]:
        """What registers hold, by name."""
        return {"state": self.state, "word": self.word, "slot": self.slot, "starting": self.starting}

    def of(self, *states: int) -> States:
        """Those in which the unit is in one of some states."""
        there = np.isin(self.state, states)
        return States(self.state[there], self.word[there], self.slot[there], self.starting[there])


def states_of(unit: Unit) -> States:
    """All states that can come."""
    words, slots, found = range(unit.words), range(unit.slots), []
    if unit.encoding == "stbif":
        found += [(START, word, 0, 1) for word in words] + [(START, 0, 0, 0)]
        found += [(TAKE, word, 0, 0) for word in words] + [(ADD, word, 0, 0) for word in words]
        found += [(state, word, 0, start) for state in (FIRE, GIVE) for word in words for start in (0, 1)]
        found += [(END, 0, 0, 0), (RELAY, 0, 0, 0)]
    else:
        found += [(state, word, 0, 1) for state in (START, TAKE) for word in words]
        found += [(state, word, slot, 1) for state in (FIRE, GIVE) for word in words for slot in slots]
        found += [(END, 0, 0, 1), (RELAY, 0, 0, 1)]
    if not unit.number("RELAY_TO") - unit.number("RELAY_FROM"):
        found = [each for each in found if each[0] != RELAY]
    return States(*np.array(found, np.int64).T)


def zero_test(unit: Unit, bits: Bits, what: str) -> int:
    """The bit that says that all of some bits are 0, of a cell that compares them with zero. CheckFailed without."""
    for cell in unit.netlist.cells:
        taken = cell.ports.get("A", ())
        if taken == bits and (
            cell.kind == "$logic_not"
            or (cell.kind == "$eq" and not any(cell.ports["B"]) and len(cell.ports["B"]) == len(bits))
        ):
            return cell.ports["Y"][0]
    raise CheckFailed(what, "is not compared with zero")


def prove_control(unit: Unit) -> dict[str, int]:
    """That control follows the model for ever. Raises CheckFailed."""
    states = states_of(unit)
    combinations = 1 << len(_INPUTS)
    if len(states.state) * combinations > _MOST_ROWS:
        raise CheckFailed("control", f"has {len(states.state)} states, {_MOST_ROWS // combinations} at most")
    each = states.repeated(combinations)
    chosen = np.repeat(np.arange(combinations), len(states.state))
    inputs = {name: chosen >> k & 1 for k, name in enumerate(_INPUTS)}
    if not unit.number("RELAY_TO") - unit.number("RELAY_FROM"):
        inputs["relayed"] = np.zeros_like(chosen)
    netlist = unit.netlist
    bits: dict[Any, Int64] = {name: inputs[name] for name in ("rst", "in_valid", "out_ready")}
    bits |= {(unit.event[2],): inputs["end"], (unit.bit("relayed"),): inputs["relayed"]}
    rests = zero_test(unit, netlist.word("told"), "what neurons told")
    others = zero_test(unit, netlist.word("others"), "what is still to be given")
    bits |= {(rests,): inputs["rests"], (others,): inputs["last_given"]}
    now = unit.rows(len(chosen), {**each.registers(), **bits})
    _outputs(unit, now, each, inputs)
    following = _following(unit, each, inputs)
    for name, values in following.items():
        compare(now, f"next {name}", next_values(netlist, netlist.word(name)), values)
    _stay(states, following)
    reset_from_anything(netlist, {"state": START, "word": 0, "slot": 0, "starting": 1})
    _relayed(unit)
    return {"states": len(states.state)}


def _outputs(unit: Unit, now: Evaluation, each: States, inputs: dict[str, Int64]) -> None:
    """When an event is taken, and when one is offered."""
    state, last = each.state, each.word == unit.words - 1
    valid, end = inputs["in_valid"], inputs["end"]
    relayed = inputs["relayed"] == 1
    ready = (state == TAKE) & (valid == 1) & (end == 1)
    if unit.encoding == "stbif":
        settled = (state == FIRE) & (each.starting == 0) & (inputs["rests"] == 1) & last
        ready |= settled & ~relayed
    else:
        ready |= (state == TAKE) & (valid == 1) & last & ~relayed
    ready |= (state == RELAY) & (inputs["out_ready"] == 1)
    compare(now, "in_ready", unit.netlist.ports["in_ready"], ready.astype(np.int64))
    offered = np.isin(state, (GIVE, END, RELAY)).astype(np.int64)
    compare(now, "out_valid", unit.netlist.ports["out_valid"], offered)
    compare(now, "the end of given events", (unit.given[2],), (state == END).astype(np.int64), offered == 1)


def _following(unit: Unit, each: States, inputs: dict[str, Int64]) -> dict[str, Int64]:
    """The next state of the model."""
    state, word, slot, starting = (values.copy() for values in each.registers().values())
    last, next_word = each.word == unit.words - 1, (each.word + 1) % unit.words
    was, stbif = each.state, unit.encoding == "stbif"
    relayed, ready = inputs["relayed"] == 1, inputs["out_ready"] == 1
    there = was == START
    word, starting = np.where(there, next_word, word), np.where(there, 1, starting)
    state = np.where(there & last, FIRE if stbif else TAKE, state)
    comes = (was == TAKE) & (inputs["in_valid"] == 1)
    ends = comes & (inputs["end"] == 1)
    state, word = np.where(ends, END if stbif else FIRE, state), np.where(ends, 0, word)
    event = comes & ~ends
    done = was == FIRE
    told = done & (inputs["rests"] == 0)
    state = np.where(told, GIVE, state)
    if stbif:
        state = np.where(event, ADD, state)
        state = np.where(was == ADD, FIRE, state)
        quiet = done & ~told
        state = np.where(quiet & (each.starting == 0), np.where(last & relayed, RELAY, TAKE), state)
        state = np.where(quiet & (each.starting == 1) & last, TAKE, state)
        starting = np.where(quiet & (each.starting == 1) & last, 0, starting)
        word = np.where(quiet, next_word, word)
        given = (was == GIVE) & ready & (inputs["last_given"] == 1)
        state = np.where(given, FIRE, state)
    else:
        word = np.where(event, next_word, word)
        state = np.where(event & last & relayed, RELAY, state)
        given = (was == GIVE) & ready & (inputs["last_given"] == 1)
        on = (done & ~told) | given
        state = np.where(given, FIRE, state)
        final = each.slot == unit.slots - 1
        word = np.where(on, next_word, word)
        slot = np.where(on & last, np.where(final, 0, each.slot + 1), slot)
        state = np.where(on & last & final, END, state)
    state = np.where((was == RELAY) & ready, TAKE, state)
    state = np.where((was == END) & ready, START, state)
    keep = 1 - inputs["rst"]
    return {"state": state * keep, "word": word * keep, "slot": slot * keep, "starting": np.where(keep, starting, 1)}


def _stay(states: States, following: dict[str, Int64]) -> None:
    """The next state is one of those that are looked at."""

    def keys(values: dict[str, Int64]) -> Int64:
        found = np.zeros(len(values["state"]), np.int64)
        for name in ("word", "slot", "state", "starting"):
            found = found << 20 | values[name] if name != "starting" else found << 1 | values[name]
        return found

    if not np.isin(keys(following), keys(states.registers())).all():
        raise CheckFailed("control", "comes to a state that is not among those that are looked at")


def _relayed(unit: Unit) -> None:
    """`relayed` says of each channel whether its events are passed on; there is no other channel."""
    first, behind = unit.number("RELAY_FROM"), unit.number("RELAY_TO")
    channels = np.arange(unit.number("CHANNELS"))
    now = unit.rows(len(channels), {unit.event[0]: channels})
    wanted = ((channels >= first) & (channels < behind)).astype(np.int64)
    compare(now, "relayed", (unit.bit("relayed"),), wanted)
