"""The parts of a core that move spikes and results and change nothing: slot counters, delays, the buffer of results."""

from __future__ import annotations

import numpy as np

from edgeml.errors import CheckFailed

from ..folded.bit_rows import rows_of
from ..folded.evaluation import Evaluation
from ..folded.induction import Steps, compare, next_values, reset_from_anything
from ..folded.netlist import Bits, Netlist

__all__ = ["prove_counter", "prove_delay", "prove_results"]

_MOST_STATES = 2**18


def prove_counter(netlist: Netlist, slots: int) -> dict[str, int]:
    """After `start` it runs for `slots` clocks, counted from 0; anew with each start; never behind a reset."""
    running = np.array([0, *[1] * slots], np.int64)
    slot = np.array([0, *range(slots)], np.int64)
    states = slots + 1
    chosen = np.repeat(np.arange(4), states)
    each, place = np.tile(running, 4), np.tile(slot, 4)
    steps = Steps({"running": each, "slot": place}, {"rst": chosen & 1, "start": chosen >> 1})
    now = Evaluation(netlist, steps.count, steps.given(netlist))
    start, last = (chosen >> 1) == 1, place == slots - 1
    runs = np.where(start, 1, each * ~last) * (1 - (chosen & 1))
    counts = np.where(start | last, 0, place + each) * (1 - (chosen & 1))
    for name, values in (("running", runs), ("slot", counts)):
        compare(now, f"next {name}", next_values(netlist, netlist.word(name)), np.asarray(values, np.int64))
    reset_from_anything(netlist, {"running": 0, "slot": 0})
    return {"states": states}


def prove_delay(netlist: Netlist, clocks: int) -> dict[str, int]:
    """What comes out is what went in so many clocks ago: as many registers, one behind the other, and nothing else."""
    bits = _joined(netlist, netlist.ports["out_data"])
    for _ in range(clocks):
        bits = _joined(netlist, next_values(netlist, bits))
    if bits != netlist.ports["in_data"]:
        raise CheckFailed("delay", f"does not give what it took {clocks} clocks before")
    return {"clocks": clocks}


def _joined(netlist: Netlist, bits: Bits) -> Bits:
    """Bits behind cells that only pass them on."""
    found = []
    for bit in bits:
        while bit in netlist.driver and netlist.driver[bit][0].kind == "$pos":
            cell, _, place = netlist.driver[bit]
            bit = cell.ports["A"][place]
        found.append(bit)
    return tuple(found)


def prove_results(netlist: Netlist, depth: int, late: int) -> dict[str, int]:
    """The buffer of results: what is pushed is given in its order, once, and stays until it is taken.

    If places are reserved only where one can be, and values pushed only for reserved places. By induction over where
    it reads, how many values it holds, how many places are promised, and whether it gave a value in the clock before.
    late : whether a place counts as free one clock behind that only (parameter LATE of `edgeml_fifo`).
    """
    states = np.array(
        [
            (r, f, p, gave)
            for r in range(depth)
            for f in range(depth + 1)
            for p in range(depth + 1 - f)
            for gave in range(2)
            if f + p + gave * late <= depth
        ],
        np.int64,
    )
    if len(states) > _MOST_STATES:
        raise CheckFailed("the buffer of results", f"has {len(states)} states, {_MOST_STATES} at most")
    chosen = np.repeat(np.arange(16), len(states))
    read, filled, promised, gave = np.tile(states, (16, 1)).T
    reset, reserve, push, ready = (chosen >> k & 1 for k in range(4))
    can = filled + promised + gave * late < depth
    allowed = ((reserve == 0) | can) & ((push == 0) | (promised > 0))
    read, filled, promised, can, gave = (each[allowed] for each in (read, filled, promised, can, gave))
    reset, reserve, push, ready = reset[allowed], reserve[allowed], push[allowed], ready[allowed]
    write = (read + filled) % depth
    indices = {"read_index": read, "write_index": write}
    taken = filled + promised + gave * late
    flags = {"room": can.astype(np.int64), "some": (filled > 0).astype(np.int64), "popped": gave}
    registers = {**indices, "reserved": taken, "filled": filled, **flags}
    steps = Steps(registers, {"rst": reset, "reserve": reserve, "push": push, "ready": ready})
    now = Evaluation(netlist, steps.count, steps.given(netlist))
    compare(now, "can_reserve", netlist.ports["can_reserve"], can.astype(np.int64))
    compare(now, "valid", netlist.ports["valid"], (filled > 0).astype(np.int64))
    pop, keep = (filled > 0) & (ready == 1), 1 - reset
    following = {
        "read_index": (read + pop) % depth * keep,
        "write_index": (write + push) % depth * keep,
        "reserved": (taken + reserve - (gave if late else pop)) * keep,
        "filled": (filled + push - pop) * keep,
        "popped": pop * keep,
    }
    following["room"] = np.where(following["reserved"] < depth, 1, 0)
    following["some"] = np.where(following["filled"] > 0, 1, 0)
    for name, values in following.items():
        compare(now, f"next {name}", next_values(netlist, netlist.word(name)), np.asarray(values, np.int64))
    anew = {**dict.fromkeys(following, 0), "room": 1}
    del anew["popped"]
    reset_from_anything(netlist, anew)
    free = Evaluation(netlist, 2, {netlist.ports["rst"][0]: 0b11, netlist.word("pop")[0]: 0b10})
    compare(free, "popped", next_values(netlist, netlist.word("popped")), np.zeros(2, np.int64))
    _memory(netlist, depth)
    return {"states": len(states)}


def _memory(netlist: Netlist, depth: int) -> None:
    """A word is written where `push` is, at `write_index`, with what is pushed; the one at `read_index` is given."""
    (memory,) = netlist.memories.values()
    data = netlist.ports["data"]
    reads = [cell for cell in netlist.cells if cell.kind == "$memrd"]
    if len(memory.writes) != 1 or len(reads) != 1 or memory.words != depth:
        raise CheckFailed("the buffer of results", "is written or read elsewhere")
    (write,), (read,) = memory.writes, reads
    if read.parameters.get("CLK_ENABLE") or not write.parameters["CLK_ENABLE"] or not write.parameters["CLK_POLARITY"]:
        raise CheckFailed("the buffer of results", "is written or read with another clock")
    if write.ports["CLK"] != netlist.ports["clk"] or _joined(netlist, data) != read.ports["DATA"]:
        raise CheckFailed("the buffer of results", "is written or read with another clock")
    places = np.arange(depth)
    for cell, name in ((write, "write_index"), (read, "read_index")):
        bits = netlist.word(name)
        given = dict(zip(bits, rows_of(places, len(bits)), strict=True))
        given |= {netlist.ports["push"][0]: (1 << depth) - 1}
        compare(Evaluation(netlist, depth, given), f"where it is, by {name},", cell.ports["ADDR"], places)
    for push in (0, 1):
        now = Evaluation(netlist, 1, {netlist.ports["push"][0]: push})
        if any(row != push for row in now.rows(write.ports["EN"])):
            raise CheckFailed("the buffer of results", "is written without a push, or not with one")
    size = len(netlist.ports["push_data"])
    for k in range(size):  # each bit by itself: 1 alone, then 0 alone
        for value in (0, 1):
            given = {bit: (value if j == k else 1 - value) for j, bit in enumerate(netlist.ports["push_data"])}
            now = Evaluation(netlist, 1, {**given, netlist.ports["push"][0]: 1})
            if now.rows(write.ports["DATA"]) != [value if j == k else 1 - value for j in range(size)]:
                raise CheckFailed("the buffer of results", "keeps another value than is pushed")
