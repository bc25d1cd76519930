"""What the last unit does clock by clock: clears its membranes, takes events in, and gives word after word."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..folded.induction import compare, next_values, reset_from_anything
from .control import START, TAKE, States
from .unit import Unit

__all__ = ["prove_readout", "readout_states"]

_GIVE = 2


def readout_states(unit: Unit) -> States:
    """All states that can come."""
    states, words = np.repeat(np.arange(3), unit.words), np.tile(np.arange(unit.words), 3)
    return States(states, words, 0 * words, 0 * words)


def prove_readout(unit: Unit) -> dict[str, int]:
    """After a reset and after each frame all words are cleared; each event is added to each word once, then taken;
    behind `end` each word is given once, in their order, and stays until it is taken. Raises CheckFailed."""
    states = readout_states(unit)
    each = states.repeated(16)
    chosen = np.repeat(np.arange(16), len(states.state))
    reset, valid, end, ready = (chosen >> k & 1 for k in range(4))
    netlist, last = unit.netlist, each.word == unit.words - 1
    known: dict[Any, Any] = {
        "state": each.state,
        "word": each.word,
        "rst": reset,
        "in_valid": valid,
        "out_ready": ready,
    }
    now = unit.rows(len(chosen), {**known, (unit.event[2],): end})
    takes = (each.state == TAKE) & (valid == 1)
    ends, event, given = takes & (end == 1), takes & (end == 0), (each.state == _GIVE) & (ready == 1)
    compare(now, "in_ready", netlist.ports["in_ready"], (ends | (event & last)).astype(np.int64))
    compare(now, "out_valid", netlist.ports["out_valid"], (each.state == _GIVE).astype(np.int64))
    moves = (each.state == START) | event | given
    word = np.where(ends, 0, np.where(moves, (each.word + 1) % unit.words, each.word))
    state = np.where((each.state == START) & last, TAKE, each.state)
    state = np.where(ends, _GIVE, np.where(given & last, START, state))
    after = {"state": state * (1 - reset), "word": word * (1 - reset)}
    for name, values in after.items():
        compare(now, f"next {name}", next_values(netlist, netlist.word(name)), values)
    reset_from_anything(netlist, {"state": START, "word": 0})
    return {"states": len(states.state)}
