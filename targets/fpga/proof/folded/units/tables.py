"""A unit that sums tables: which inputs are looked up in which words, and how their entries are summed."""

from __future__ import annotations

from collections import Counter

from edgeml.errors import CheckFailed

from ..induction import compare, next_values
from ..netlist import Bits, Netlist
from ..pipeline import latency
from ..word_sums import WordSums
from .mvu import memory_read
from .schedule import Schedule, ScheduleModel, prove_schedule

__all__ = ["prove_tables"]


def prove_tables(netlist: Netlist, parameters: dict[str, int]) -> dict[str, int]:
    """That each sum is that of the entries that the frame's values name, for ever, whatever comes. Raises CheckFailed.

    In the clock after step pos = (nf, sf) of a frame the inputs are its value sf; one clock later input s has the
    entries of all rows at word pos, x of its memory; TREE clocks later the accumulators take their sum, from the
    constants of nf at sf = 0; one clock after the last of a sum it is pushed.
    """
    schedule = prove_schedule(netlist, ScheduleModel(parameters, 1, "step_number"), netlist.word("inputs"))
    _prove_entries(netlist, parameters)
    width = parameters["SUM_BITS"]
    for row in range(parameters["PE"]):
        total = netlist.word(f"row[{row}].sum")
        if netlist.ports["push_data"][row * width : (row + 1) * width] != total:
            raise CheckFailed(f"row {row}", "is not joined to its part of push_data")
        _prove_row(netlist, parameters, schedule, row)
    return {"states": schedule.count, "clocks": 2 + schedule.model.tree, "lanes": parameters["SIMD"]}


def entry_bits_of(netlist: Netlist, parameters: dict[str, int], column: int, row: int) -> Bits:
    """The bits of one entry."""
    size = parameters["ENTRY_BITS"]
    first = (column * parameters["PE"] + row) * size
    return netlist.word("entries")[first : first + size]


def _prove_entries(netlist: Netlist, parameters: dict[str, int]) -> None:
    """Entries are read at the number of the step and, below it, the value of the input; a memory for each column."""
    value, bits = parameters["VALUE_BITS"], parameters["INPUT_BITS"]
    width = parameters["PE"] * parameters["ENTRY_BITS"]
    for column in range(parameters["SIMD"]):
        word = netlist.word("entries")[column * width : (column + 1) * width]
        read = memory_read(netlist, next_values(netlist, word), 0, f"entries of input {column}")
        inputs = netlist.word("inputs")[column * bits : column * bits + value]
        steps = netlist.word("looked_up") if parameters["SF"] * parameters["NF"] > 1 else ()
        if read.ports["ADDR"] != (*inputs, *steps):
            raise CheckFailed(f"entries of input {column}", "are not read at the step's number and the input's value")


def _prove_row(netlist: Netlist, parameters: dict[str, int], schedule: Schedule, row: int) -> None:
    """A row's tree adds each of its entries once; its accumulator adds where the schedule says so."""
    size, simd, width = parameters["ENTRY_BITS"], parameters["SIMD"], parameters["SUM_BITS"]
    model, reset = schedule.model, netlist.ports["rst"][0]
    step_sum, total = netlist.word(f"row[{row}].step_sum"), netlist.word(f"row[{row}].sum")
    entries = netlist.word("entries")
    found = latency(netlist, step_sum, entries, {reset: 0})
    if found != model.tree - 1:
        raise CheckFailed(f"row {row}", f"has its sum {found} clocks after its terms, not {model.tree - 1}")
    sums = WordSums(netlist, {reset: 0}, entries)
    for column in range(simd):
        sums.enter(entry_bits_of(netlist, parameters, column, row), f"{column}", -(1 << size - 1), (1 << size - 1) - 1)
    if len(step_sum) != width or sums.sum_of(step_sum).terms != Counter(map(str, range(simd))):
        raise CheckFailed(f"row {row}", "does not sum each entry once")
    start = netlist.word("constants")[row * width : (row + 1) * width]
    add, first = netlist.word("going")[model.tree], netlist.word("going_first")[model.tree]
    following = next_values(netlist, total)
    for adds, begins in ((0, 0), (0, 1), (1, 0), (1, 1)):
        sums = WordSums(netlist, {reset: 0, add: adds, first: begins}, (*total, *entries))
        for name, bits in (("sum", total), ("start", start), ("step", step_sum)):
            sums.enter(bits, name, -(1 << width - 1), (1 << width - 1) - 1)
        expected = Counter(["start" if begins else "sum", "step"]) if adds else Counter(["sum"])
        if sums.sum_of(following).terms != expected:
            raise CheckFailed(f"row {row}", f"does not take over {' + '.join(expected)} where add = {adds}")
    state = schedule.states
    if model.has_constant:
        read = memory_read(netlist, start, row * width, f"constants of row {row}")
        taken = state.steps[model.tree] * (model.place(state, model.tree) % model.sf == 0)
        place = model.place(state, model.tree) // model.sf
        compare(schedule.now, f"place of constants, row {row}", read.ports["ADDR"], place, taken == 1)
    elif any(start):
        raise CheckFailed(f"row {row}", "starts from something else than zero")
