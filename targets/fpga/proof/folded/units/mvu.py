"""A matrix-vector unit around its rows: which inputs, weights and constants each row gets in which clock."""

from __future__ import annotations

import numpy as np

from edgeml.errors import CheckFailed

from ..induction import compare, next_values
from ..netlist import Bits, Cell, Netlist
from .schedule import Schedule, ScheduleModel, prove_schedule

__all__ = ["memory_read", "prove_mvu"]


def prove_mvu(netlist: Netlist, parameters: dict[str, int]) -> dict[str, int]:
    """That rows get what the schedule says, for ever, whatever stalls and resets come. Raises CheckFailed.

    In the clock after step pos = (nf, sf) of a frame each row has its part of word pos of the weights, and the frame's
    value sf; TREE clocks later `add`, with `first` at sf = 0 and then the constants of nf as `start`; after the last
    step of a sum, one clock behind its `add`, `push`.
    """
    _prove_rows_joined(netlist, parameters)
    inputs = _row(netlist, 0).ports["inputs"]
    for index in range(len(_rows(netlist))):
        if _row(netlist, index).ports["inputs"] != inputs:
            raise CheckFailed(f"inputs of row {index}", "are not those of the others")
    schedule = prove_schedule(netlist, ScheduleModel(parameters, 0, "address"), inputs)
    _prove_row_ports(netlist, schedule)
    return {"states": schedule.count, "clocks": 2 + schedule.model.tree}


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


def memory_read(netlist: Netlist, bits: Bits, first: int, what: str) -> Cell:
    """The cell that reads `bits`, from bit `first` of a word on. CheckFailed where they are not read so."""
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


def _prove_row_ports(netlist: Netlist, schedule: Schedule) -> None:
    """weights: in the next clock the word at `address`; add, first and start as the model has them."""
    model, state, now = schedule.model, schedule.states, schedule.now
    tree = model.tree
    add, begins = state.steps[tree], (model.place(state, tree) % model.sf == 0).astype(np.int64)
    for index in range(len(_rows(netlist))):
        cell = _row(netlist, index)
        weights = next_values(netlist, cell.ports["weights"])
        read = memory_read(netlist, weights, index * len(weights), f"weights of row {index}")
        if read.ports["ADDR"] != netlist.word("address")[: len(read.ports["ADDR"])]:
            raise CheckFailed(f"weights of row {index}", "are not read at `address`")
        compare(now, f"add of row {index}", cell.ports["add"], add)
        compare(now, f"first of row {index}", cell.ports["first"], begins, add == 1)
        if not model.has_constant:
            compare(now, f"start of row {index}", cell.ports["start"], np.zeros_like(add))
            continue
        read = memory_read(netlist, cell.ports["start"], index * len(cell.ports["start"]), f"start of row {index}")
        place = model.place(state, tree) // model.sf
        compare(now, f"place of constants, row {index}", read.ports["ADDR"], place, (add * begins) == 1)
