"""A matrix-vector unit around its rows: which inputs, weights and constants each row gets in which clock.

The model counts positions: position pos = nf · SF + sf is the next step. A step is begun where the frame's inputs and
the place of the result allow it; TREE + 1 clocks later the accumulators take it, and one clock after the last of a sum
they are pushed. The states of the model: every position with every pattern of steps and pauses in the clocks before,
and those shortly after a reset.
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

__all__ = ["prove_mvu"]

Int64 = npt.NDArray[np.int64]
_MOST_STATES = 2**21


@dataclass(frozen=True, eq=False)
class _States:
    """pos [states]; steps [slots, states]: slot k was k + 1 clocks ago; cleared: a reset came after it."""

    pos: Int64
    steps: Int64
    cleared: Int64

    def repeated(self, times: int) -> _States:
        """Each state so many times, one set behind the other."""
        return _States(np.tile(self.pos, times), np.tile(self.steps, (1, times)), np.tile(self.cleared, (1, times)))


class _Model:
    """What a unit with some parameters holds in each state."""

    def __init__(self, parameters: dict[str, int]) -> None:
        self.sf, self.nf = parameters["SF"], parameters["NF"]
        self.size = self.sf * self.nf
        self.tree = (parameters["SIMD"] - 1).bit_length() // 2
        self.has_constant = bool(parameters["HAS_CONSTANT"])

    def states(self) -> _States:
        """All of them: at every position every pattern; and behind a reset as many clocks as the pattern is long."""
        slots = self.tree + 2
        if self.size << slots > _MOST_STATES:
            raise CheckFailed("schedule", f"has {self.size << slots} states, {_MOST_STATES} at most")
        patterns = np.arange(1 << slots)
        steps = (patterns >> np.arange(slots)[:, None]) & 1
        all_pos = np.repeat(np.arange(self.size), len(patterns))
        parts = [_States(all_pos, np.tile(steps, (1, self.size)), np.zeros((slots, len(all_pos)), np.int64))]
        for since in range(slots):
            recent = np.where(np.arange(slots)[:, None] < since, steps[:, : 1 << since], 0)
            cleared = np.repeat((np.arange(slots) >= since)[:, None].astype(np.int64), 1 << since, axis=1)
            parts.append(_States(recent.sum(axis=0) % self.size, recent, cleared))
        return _States(
            np.concatenate([part.pos for part in parts]),
            np.concatenate([part.steps for part in parts], axis=1),
            np.concatenate([part.cleared for part in parts], axis=1),
        )

    def place(self, state: _States, slot: int) -> Int64:
        """The position that was next in the clock of a slot."""
        return np.asarray((state.pos - state.steps[: slot + 1].sum(axis=0)) % self.size, np.int64)

    def is_last(self, pos: Int64) -> Int64:
        """Whether a position is the last of its sum."""
        return np.asarray(pos % self.sf == self.sf - 1, np.int64)

    def registers(self, state: _States) -> dict[str, Int64]:
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
            "address": state.pos,
            "going": going,
            "going_first": first,
            "going_last": last,
            "push_held": state.steps[end] * self.is_last(self.place(state, end)),
        }
        if self.has_constant:
            found["with_constant.index"] = (state.pos // self.sf - ended) % self.nf
        return found

    def step(self, state: _States, in_valid: Int64, can_reserve: Int64) -> tuple[Int64, Int64]:
        """(whether a step is begun, whether it would have a place)."""
        has_place = np.maximum(1 - self.is_last(state.pos), can_reserve)
        return has_place * np.maximum((state.pos >= self.sf).astype(np.int64), in_valid), has_place

    def following(self, state: _States, step: Int64, reset: Int64) -> _States:
        """The next state."""
        keep = 1 - reset
        steps = np.vstack([step[None, :], state.steps[:-1]]) * keep
        cleared = np.maximum(np.vstack([np.zeros_like(step)[None, :], state.cleared[:-1]]), reset)
        return _States(((state.pos + step) % self.size) * keep, steps, cleared)


def prove_mvu(netlist: Netlist, parameters: dict[str, int]) -> dict[str, int]:
    """That rows get what the schedule says, for ever, whatever stalls and resets come. Raises CheckFailed.

    In the clock after step pos = (nf, sf) of a frame each row has its part of word pos of the weights, and the frame's
    value sf; TREE clocks later `add`, with `first` at sf = 0 and then the constants of nf as `start`; after the last
    step of a sum, one clock behind its `add`, `push`.
    """
    model = _Model(parameters)
    states = model.states()
    _prove_rows_joined(netlist, parameters)
    repeated = states.repeated(8)
    combination = np.repeat(np.arange(8), len(states.pos))
    ports = {name: (combination >> k) & 1 for k, name in enumerate(("rst", "in_valid", "can_reserve"))}
    registers = _present(netlist, model.registers(repeated))
    stream = _use_stream(netlist, model, repeated)
    steps = Steps({**registers, **stream}, ports)
    now = Evaluation(netlist, steps.count, steps.given(netlist))
    step, has_place = model.step(repeated, ports["in_valid"], ports["can_reserve"])
    first_pass = (repeated.pos < model.sf).astype(np.int64)
    last = model.is_last(repeated.pos)
    compare(now, "in_ready", netlist.ports["in_ready"], first_pass * has_place)
    compare(now, "reserve", netlist.ports["reserve"], step * last)
    compare(now, "push", netlist.ports["push"], model.registers(repeated)["push_held"])
    after = model.following(repeated, step, ports["rst"])
    following = {**_present(netlist, model.registers(after)), **_use_stream(netlist, model, after)}
    for name, values in following.items():
        compare(now, f"next {name}", next_values(netlist, netlist.word(name)), values)
    reset_from_anything(netlist, {name: 1 if name in stream else 0 for name in following})
    _prove_row_ports(netlist, model, repeated, now)
    then = Evaluation(netlist, steps.count, _rows_of_registers(netlist, following))
    _prove_inputs(netlist, model, (now, then), step * first_pass, step * (1 - first_pass), ports["rst"])
    return {"states": len(states.pos), "clocks": 2 + model.tree}


def _present(netlist: Netlist, registers: dict[str, Int64]) -> dict[str, Int64]:
    """CheckFailed where one is missing; all of them are part of the state."""
    for name in registers:
        netlist.word(name)
    return registers


def _rows_of_registers(netlist: Netlist, registers: dict[str, Int64]) -> dict[int, int]:
    found: dict[int, int] = {}
    for name, values in registers.items():
        bits = netlist.word(name)
        found |= dict(zip(bits, rows_of(values, len(bits)), strict=True))
    return found


def _use_stream(netlist: Netlist, model: _Model, state: _States) -> dict[str, Int64]:
    """The register that says whether the inputs are those of the stream, where there is one."""
    names = [name for name in netlist.words if name.endswith("use_stream")]
    if not names:
        return {}
    was_first = model.place(state, 0) < model.sf
    return {names[0]: np.where(state.cleared[0] == 1, 1, was_first).astype(np.int64)}


def _rows(netlist: Netlist) -> list[Cell]:
    return [cell for cell in netlist.cells if cell.kind == "edgeml_mvu_row"]


def _row(netlist: Netlist, index: int) -> Cell:
    name = f"row[{index}].output_row"
    found = [cell for cell in _rows(netlist) if cell.name.endswith(name)]
    if len(found) != 1:
        raise CheckFailed(f"row {index}", "is not there once")
    return found[0]


def _prove_rows_joined(netlist: Netlist, parameters: dict[str, int]) -> None:
    """Each row has the unit's clock and reset, and gives its part of what is pushed."""
    ports, width = netlist.ports, parameters["SUM_BITS"]
    if len(_rows(netlist)) != parameters["PE"] or len(ports["push_data"]) != width * parameters["PE"]:
        raise CheckFailed("rows", "are not as many as outputs")
    for index in range(parameters["PE"]):
        cell = _row(netlist, index)
        joined = cell.ports["clk"] == ports["clk"] and cell.ports["rst"] == ports["rst"]
        if not joined or cell.ports["sum"] != ports["push_data"][index * width : (index + 1) * width]:
            raise CheckFailed(f"row {index}", "is not joined to clock, reset and its part of push_data")
        for name in ("SIMD", "INPUT_BITS", "INPUT_SIGNED", "WEIGHT_BITS", "SUM_BITS"):
            if cell.parameters[name] != parameters[name]:
                raise CheckFailed(f"row {index}", f"has another {name} than its unit")


def _memory_read(netlist: Netlist, bits: Bits, first: int, what: str) -> Cell:
    """The cell that reads `bits`, from bit `first` of a word on."""
    cells = {id(netlist.driver[bit][0]): netlist.driver[bit][0] for bit in bits if bit in netlist.driver}
    cell = next(iter(cells.values()), None)
    if (
        len(cells) != 1
        or cell is None
        or cell.kind != "$memrd"
        or cell.ports["DATA"][first : first + len(bits)] != bits
    ):
        raise CheckFailed(what, "is not what is read from its memory, in its order")
    return cell


def _prove_row_ports(netlist: Netlist, model: _Model, state: _States, now: Evaluation) -> None:
    """weights: in the next clock the word at `address`; add, first and start as the model has them."""
    tree = model.tree
    add, begins = state.steps[tree], (model.place(state, tree) % model.sf == 0).astype(np.int64)
    for index in range(len(_rows(netlist))):
        cell = _row(netlist, index)
        weights = next_values(netlist, cell.ports["weights"])
        read = _memory_read(netlist, weights, index * len(weights), f"weights of row {index}")
        if read.ports["ADDR"] != netlist.word("address")[: len(read.ports["ADDR"])]:
            raise CheckFailed(f"weights of row {index}", "are not read at `address`")
        compare(now, f"add of row {index}", cell.ports["add"], add)
        compare(now, f"first of row {index}", cell.ports["first"], begins, add == 1)
        if not model.has_constant:
            compare(now, f"start of row {index}", cell.ports["start"], np.zeros_like(add))
            continue
        read = _memory_read(netlist, cell.ports["start"], index * len(cell.ports["start"]), f"start of row {index}")
        place = model.place(state, tree) // model.sf
        compare(now, f"place of constants, row {index}", read.ports["ADDR"], place, (add * begins) == 1)


def _prove_inputs(
    netlist: Netlist, model: _Model, clocks: tuple[Evaluation, Evaluation], taken: Int64, kept: Int64, reset: Int64
) -> None:
    """In the clock after a step all rows have the frame's value: from the stream in the first pass, later as kept."""
    now, then = clocks
    inputs, stream = _row(netlist, 0).ports["inputs"], netlist.ports["in_data"]
    for index in range(len(_rows(netlist))):
        if _row(netlist, index).ports["inputs"] != inputs or len(inputs) != len(stream):
            raise CheckFailed(f"inputs of row {index}", "are not those of the others")
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
