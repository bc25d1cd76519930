"""Units that never wait: a value goes in with `in_push` and its result comes out so many clocks later.

thresholds, thresholds on lines, requantization, lookup. Control is proved by induction over all states (which word of
its memory is next, and where values are on their way), the function by all values of each channel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed

from ..bit_rows import numbers_of, rows_of
from ..evaluation import Evaluation
from ..induction import Steps, compare, next_values, reset_from_anything
from ..netlist import Bits, Netlist
from ..pipeline import latency

__all__ = ["MOST_VALUES", "WrongValue", "clocks_of", "compare_channel", "prove_channel", "prove_passing"]

Int64 = npt.NDArray[np.int64]
MOST_VALUES = 2**22
"""Values of a channel that are all looked at."""
_MOST_STATES = 2**21
_INDEXED = {"edgeml_threshold": 2, "edgeml_threshold_line": 4}


class WrongValue(CheckFailed):
    """A channel gives another value. value : as it comes in. expected, found : bits of what goes out."""

    def __init__(self, value: int, expected: int, found: int) -> None:
        super().__init__(f"value {value}", f"must give the bits {expected}, and gives {found}")
        self.value, self.expected, self.found = value, expected, found


def clocks_of(module: str, parameters: dict[str, int]) -> int:
    """Clocks from `in_push` to `push`."""
    return int(parameters["LATENCY"]) if module == "edgeml_requantize" else _INDEXED.get(module, 1)


def prove_passing(netlist: Netlist, module: str, parameters: dict[str, int]) -> dict[str, int]:
    """`push` is `in_push` so many clocks later, with what was in the unit dropped by a reset; the n-th value since a
    reset meets word n mod FOLD of the memory. Raises CheckFailed."""
    clocks, fold = clocks_of(module, parameters), int(parameters.get("FOLD", 1))
    indexed = "index" in netlist.words
    if fold << clocks > _MOST_STATES:
        raise CheckFailed("schedule", f"has {fold << clocks} states, {_MOST_STATES} at most")
    states = np.arange(fold << clocks)
    repeated, combination = np.tile(states, 4), np.repeat(np.arange(4), len(states))
    index, going = repeated >> clocks, repeated & ((1 << clocks) - 1)
    reset, comes = combination & 1, combination >> 1
    name = "going" if "going" in netlist.words else "push"
    registers = {name: going} | ({"index": index} if indexed else {})
    steps = Steps(registers, {"rst": reset, "in_push": comes})
    now = Evaluation(netlist, steps.count, steps.given(netlist))
    compare(now, "push", netlist.ports["push"], going >> (clocks - 1))
    after = {name: ((going << 1 | comes) & ((1 << clocks) - 1)) * (1 - reset)}
    if indexed:
        after["index"] = (index + comes) % fold * (1 - reset)
    for register, values in after.items():
        if len(netlist.word(register)) != (clocks if register == name else max((fold - 1).bit_length(), 1)):
            raise CheckFailed(f"register {register}", "has another width")
        compare(now, f"next {register}", next_values(netlist, netlist.word(register)), values)
    reset_from_anything(netlist, dict.fromkeys(after, 0))
    sources = [*netlist.ports["in_data"], *(netlist.word("index") if indexed else ())]
    found = latency(netlist, netlist.ports["push_data"], sources, {netlist.ports["rst"][0]: 0})
    if found != clocks:
        raise CheckFailed("push_data", f"comes {found} clocks after in_data, push {clocks}")
    return {"states": len(states), "clocks": clocks}


def prove_channel(
    netlist: Netlist,
    parameters: dict[str, int],
    place: tuple[int, int],
    span: tuple[int, int],
    function: Callable[[Sequence[Int64]], Int64],
    offset: int,
) -> int:
    """All values of one channel: how many were looked at.

    place : (word of the memory, lane). span : the least and the largest integer that comes in. function : of the
    integer and `offset`, which the module does not see. Raises WrongValue.
    """
    word, lane = place
    bits, out = parameters["INPUT_BITS"], parameters["OUTPUT_BITS"]
    taken = netlist.ports["in_data"][lane * bits : (lane + 1) * bits]
    made = netlist.ports["push_data"][lane * out : (lane + 1) * out]
    known = {netlist.ports["rst"][0]: 0}
    if "index" in netlist.words:
        known |= {bit: word >> k & 1 for k, bit in enumerate(netlist.word("index"))}
    return compare_channel(netlist, (taken, made), known, span, lambda values: function([values + offset]))


def compare_channel(
    netlist: Netlist,
    ports: tuple[Bits, Bits],
    known: Mapping[int, int],
    span: tuple[int, int],
    function: Callable[[Int64], Int64],
) -> int:
    """What the bits of a channel give, behind all registers, for all integers of a span at the bits that it takes.

    ports : bits that are taken, and given. known : bits that are 0 or 1 meanwhile. Raises WrongValue, or CheckFailed
    where it depends on anything else.
    """
    (taken, made), (low, high) = ports, span
    count = high - low + 1
    if count > MOST_VALUES:
        raise CheckFailed("function", f"has {count} values to look at, {MOST_VALUES} at most")
    values, mask = np.arange(low, high + 1), (1 << count) - 1
    given = {bit: mask if value else 0 for bit, value in known.items()}
    given |= dict(zip(taken, rows_of(values, len(taken)), strict=True))
    evaluation = Evaluation(netlist, count, given, through=True)
    expected = np.asarray(function(values), np.int64) & ((1 << len(made)) - 1)
    found = evaluation.rows(made)
    wrong = 0
    for right, each in zip(rows_of(expected, len(made)), found, strict=True):
        wrong |= right ^ each
    if wrong:
        row = (wrong & -wrong).bit_length() - 1
        raise WrongValue(int(values[row]), int(expected[row]), int(numbers_of(found, count)[row]))
    return count
