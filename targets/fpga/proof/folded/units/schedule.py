"""The schedule of units that sum terms of a frame's inputs for each output, as a model: its states, and what they hold.

Position pos = nf · SF + sf is the next step. A step is begun where the frame's inputs and the place of the result allow
it; some clocks later the accumulators take it, and one clock after the last of a sum they are pushed. The states: every
position with every pattern of steps and pauses in the clocks before, and those shortly after a reset.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed

from ..bit_rows import rows_of
from ..evaluation import Evaluation
from ..induction import Difference, Steps, compare, next_values, reset_from_anything
from ..netlist import Bits, Cell, Netlist
from ..ways import Ways

__all__ = ["Schedule", "ScheduleModel", "States", "prove_inputs", "prove_schedule"]

Int64 = npt.NDArray[np.int64]
_MOST_STATES = 2**21


@dataclass(frozen=True, eq=False)
class States:
    """pos [states]; steps [slots, states]: slot k was k + 1 clocks ago; cleared: a reset came after it."""

    pos: Int64
    steps: Int64
    cleared: Int64

    def repeated(self, times: int) -> States:
        """Each state so many times, one set behind the other."""
        return States(np.tile(self.pos, times), np.tile(self.steps, (1, times)), np.tile(self.cleared, (1, times)))


class ScheduleModel:
    """What a unit with some parameters holds in each state.

    before : clocks between the inputs and the terms of the tree. counter : the name of the register that counts steps.
    tree : clocks between the inputs and the accumulators.
    """

    def __init__(self, parameters: dict[str, int], before: int, counter: str) -> None:
        self.sf, self.nf = parameters["SF"], parameters["NF"]
        self.size = self.sf * self.nf
        self.tree = (parameters["SIMD"] - 1).bit_length() // 2 + before
        self.counter = counter
        self.has_constant = bool(parameters["HAS_CONSTANT"])

    def states(self) -> States:
        """All of them: at every position every pattern; and behind a reset as many clocks as the pattern is long."""
        slots = self.tree + 2
        if self.size << slots > _MOST_STATES:
            raise CheckFailed("schedule", f"has {self.size << slots} states, {_MOST_STATES} at most")
        patterns = np.arange(1 << slots)
        steps = (patterns >> np.arange(slots)[:, None]) & 1
        all_pos = np.repeat(np.arange(self.size), len(patterns))
        parts = [States(all_pos, np.tile(steps, (1, self.size)), np.zeros((slots, len(all_pos)), np.int64))]
        for since in range(slots):
            recent = np.where(np.arange(slots)[:, None] < since, steps[:, : 1 << since], 0)
            cleared = np.repeat((np.arange(slots) >= since)[:, None].astype(np.int64), 1 << since, axis=1)
            parts.append(States(recent.sum(axis=0) % self.size, recent, cleared))
        return States(
            np.concatenate([part.pos for part in parts]),
            np.concatenate([part.steps for part in parts], axis=1),
            np.concatenate([part.cleared for part in parts], axis=1),
        )

    def place(self, state: States, slot: int) -> Int64:
        """The position that was next in the clock of a slot."""
        return np.asarray((state.pos - state.steps[: slot + 1].sum(axis=0)) % self.size, np.int64)

    def is_last(self, pos: Int64) -> Int64:
        """Whether a position is the last of its sum."""
        return np.asarray(pos % self.sf == self.sf - 1, np.int64)

    def registers(self, state: States) -> dict[str, Int64]:
        """What the registers hold."""
        zero = np.zeros_like(state.pos)
        going, first, last, ended = zero.copy(), zero.copy(), zero.copy(), zero.copy()
        for slot in range(self.tree + 1):
            place, there = self.place(state, slot), 1 - state.cleared[slot]
            going |= state.steps[slot] << slot
            first |= ((place % self.sf == 0) & there) << slot
            last |= (self.is_last(place) & there) << slot
            ended += state.steps[slot] * self.is_last(place)
        end = self.tree + 1
        found = {
            "sf": state.pos % self.sf,
            "nf": state.pos // self.sf,
            self.counter: state.pos,
            "going": going,
            "going_first": first,
            "going_last": last,
            "push_held": state.steps[end] * self.is_last(self.place(state, end)),
        }
        if self.has_constant:
            found["with_constant.index"] = (state.pos // self.sf - ended) % self.nf
        return found

    def step(self, state: States, in_valid: Int64, can_reserve: Int64) -> tuple[Int64, Int64]:
        """(whether a step is begun, whether it would have a place)."""
        has_place = np.maximum(1 - self.is_last(state.pos), can_reserve)
        return has_place * np.maximum((state.pos >= self.sf).astype(np.int64), in_valid), has_place

    def following(self, state: States, step: Int64, reset: Int64) -> States:
        """The next state."""
        keep = 1 - reset
        steps = np.vstack([step[None, :], state.steps[:-1]]) * keep
        cleared = np.maximum(np.vstack([np.zeros_like(step)[None, :], state.cleared[:-1]]), reset)
        return States(((state.pos + step) % self.size) * keep, steps, cleared)


@dataclass(frozen=True, eq=False)
class Schedule:
    """A schedule that was proved. states : each once for all that may come in a clock. now : values in that clock."""

    model: ScheduleModel
    states: States
    count: int
    now: Evaluation


def prove_schedule(netlist: Netlist, model: ScheduleModel, inputs: Bits) -> Schedule:
    """That control follows the model for ever, and `inputs` are the frame's value of a step in the clock behind it.

    Raises CheckFailed.
    """
    states = model.states()
    repeated = states.repeated(8)
    combination = np.repeat(np.arange(8), len(states.pos))
    ports = {name: (combination >> k) & 1 for k, name in enumerate(("rst", "in_valid", "can_reserve"))}
    registers = {**model.registers(repeated), **_beside(netlist, model, repeated)}
    steps = Steps(registers, ports)
    now = Evaluation(netlist, steps.count, steps.given(netlist))
    step, has_place = model.step(repeated, ports["in_valid"], ports["can_reserve"])
    first_pass = (repeated.pos < model.sf).astype(np.int64)
    last = model.is_last(repeated.pos)
    compare(now, "in_ready", netlist.ports["in_ready"], first_pass * has_place)
    compare(now, "reserve", netlist.ports["reserve"], step * last)
    compare(now, "push", netlist.ports["push"], model.registers(repeated)["push_held"])
    after = model.following(repeated, step, ports["rst"])
    following = {**model.registers(after), **_beside(netlist, model, after)}
    for name, values in following.items():
        compare(now, f"next {name}", next_values(netlist, netlist.word(name)), values)
    reset_from_anything(netlist, {name: int(name.endswith("use_stream")) for name in following})
    then = Evaluation(netlist, steps.count, _rows_of_registers(netlist, following))
    prove_inputs(netlist, inputs, model, (now, then), step * first_pass, step * (1 - first_pass), ports["rst"])
    return Schedule(model, repeated, len(states.pos), now)


def _rows_of_registers(netlist: Netlist, registers: dict[str, Int64]) -> dict[int, int]:
    found: dict[int, int] = {}
    for name, values in registers.items():
        bits = netlist.word(name)
        found |= dict(zip(bits, rows_of(values, len(bits)), strict=True))
    return found


def _beside(netlist: Netlist, model: ScheduleModel, state: States) -> dict[str, Int64]:
    """Registers that only some units have: whether inputs are those of the stream, and the number of the last step."""
    found = {}
    for name in netlist.words:
        if name.endswith("use_stream"):
            was_first = model.place(state, 0) < model.sf
            found[name] = np.where(state.cleared[0] == 1, 1, was_first).astype(np.int64)
        elif name == "looked_up":
            found[name] = model.place(state, 0) * (1 - state.cleared[0])
    return found


def prove_inputs(
    netlist: Netlist,
    inputs: Bits,
    model: ScheduleModel,
    clocks: tuple[Evaluation, Evaluation],
    taken: Int64,
    kept: Int64,
    reset: Int64,
) -> None:
    """In the clock after a step all rows have the frame's value: from the stream in the first pass, later as kept."""
    now, then = clocks
    stream = netlist.ports["in_data"]
    if len(inputs) != len(stream):
        raise CheckFailed("inputs", "have another width")
    ways = Ways(netlist, now, then)
    there = rows_of(taken * (1 - reset), 1)[0]
    ways.require(inputs, stream, there, "inputs in the first pass")
    if model.nf == 1:
        return
    again = rows_of(kept * (1 - reset), 1)[0]
    if model.sf == 1:
        ways.require(inputs, inputs, again, "inputs in later passes")
        idle = rows_of((1 - reset) * (1 - taken) * (1 - kept), 1)[0]
        ways.require(inputs, inputs, idle, "inputs that are kept")
        return
    reads = [
        cell
        for cell in netlist.cells
        if cell.kind == "$memrd" and netlist.memories[str(cell.parameters["MEMID"])].writes
    ]
    if len(reads) != 1:
        raise CheckFailed("buffer", "is not read in one place")
    ways.require(inputs, reads[0].ports["DATA"], again, "inputs in later passes")
    sf = netlist.word("sf")
    if reads[0].ports["ADDR"] != sf[: len(reads[0].ports["ADDR"])] or len(reads[0].ports["ADDR"]) > len(sf):
        raise CheckFailed("buffer", "is not read at sf")
    _prove_writes(netlist, reads[0], ways, (now, taken, reset), stream)


def _prove_writes(netlist: Netlist, read: Cell, ways: Ways, at: tuple[Evaluation, Int64, Int64], stream: Bits) -> None:
    """The buffer takes in_data at sf in each step of the first pass, and nothing else while no reset is on."""
    now, taken, reset = at
    memory = netlist.memories[str(read.parameters["MEMID"])]
    if len(memory.writes) != 1 or memory.width != len(stream):
        raise CheckFailed("buffer", "is not written in one place")
    write = memory.writes[0]
    if write.ports["CLK"] != netlist.ports["clk"] or not write.parameters["CLK_POLARITY"]:
        raise CheckFailed("buffer", "does not follow the rising clock")
    for bit in set(write.ports["EN"]):
        compare(now, "writing to the buffer", (bit,), taken, reset == 0)
    there = rows_of(taken * (1 - reset), 1)[0]
    ways.require_now(write.ports["DATA"], stream, there, "what the buffer takes")
    sf, address = netlist.word("sf"), write.ports["ADDR"]
    if memory.words > 1 << len(sf) or not set(address[len(sf) :]) <= {0}:
        raise Difference("buffer", "is not written at sf", 0)
    ways.require_now(address[: len(sf)], sf[: len(address)], there, "where the buffer is written")
