"""Encode units: which result is next, and each result for all values of the one input that it looks at.

The model counts a frame's results: result value pos is made of input value pos // PARTS, which is taken with the last
of its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed

from ..evaluation import Evaluation
from ..induction import Steps, compare, next_values, reset_from_anything
from ..netlist import Netlist
from ..pipeline import latency
from .passing import compare_channel

__all__ = ["prove_encode", "prove_encoded", "state_of"]

Int64 = npt.NDArray[np.int64]


def state_of(netlist: Netlist, parameters: dict[str, int], pos: Int64) -> dict[str, Int64]:
    """What the registers hold before result value pos of a frame."""
    parts, words = parameters["PARTS"], parameters["WORDS"]
    found = {"part": pos % parts}
    if parameters["NF"] % parts:
        found["uneven.beat"] = pos
    if parameters["HAS_OPERANDS"]:
        found["compared.word"] = (pos if parameters["SHAPES"] == 1 else pos // parts) % words
    for name in found:
        if not any(each.endswith(name) for each in netlist.words):
            raise CheckFailed(f"register {name}", "is not there")
    return {next(each for each in netlist.words if each.endswith(name)): values for name, values in found.items()}


def prove_encode(netlist: Netlist, parameters: dict[str, int]) -> dict[str, int]:
    """A result is begun when its input value is there and it has a place, pushed one clock later; the input value is
    taken with the last of its results. Raises CheckFailed."""
    results, parts = parameters["NF"], parameters["PARTS"]
    count = 2 * results
    state, combination = np.tile(np.arange(count), 8), np.repeat(np.arange(8), count)
    pos, pushed = state >> 1, state & 1
    ports = {name: combination >> k & 1 for k, name in enumerate(("rst", "in_valid", "can_reserve"))}
    registers = {**state_of(netlist, parameters, pos), "push": pushed}
    steps = Steps(registers, ports)
    now = Evaluation(netlist, steps.count, steps.given(netlist))
    step = ports["in_valid"] * ports["can_reserve"]
    last = ((pos % parts == parts - 1) | (pos == results - 1)).astype(np.int64)
    compare(now, "in_ready", netlist.ports["in_ready"], ports["can_reserve"] * last)
    compare(now, "reserve", netlist.ports["reserve"], step)
    compare(now, "push", netlist.ports["push"], pushed)
    keep = 1 - ports["rst"]
    after = state_of(netlist, parameters, (pos + step) % results * keep)
    for name, values in {**after, "push": step * keep}.items():
        compare(now, f"next {name}", next_values(netlist, netlist.word(name)), values)
    reset_from_anything(netlist, dict.fromkeys(registers, 0))
    sources = [*netlist.ports["in_data"], *(bit for name in after for bit in netlist.word(name))]
    found = latency(netlist, netlist.ports["push_data"], sources, {netlist.ports["rst"][0]: 0})
    if found != 1:
        raise CheckFailed("push_data", f"comes {found} clocks after in_data, not 1")
    return {"states": count, "clocks": 1}


def prove_encoded(
    netlist: Netlist,
    parameters: dict[str, int],
    at: tuple[int, int],
    span: tuple[int, int],
    function: Callable[[Sequence[Int64]], Int64],
) -> int:
    """One result for all values of its input: how many were looked at.

    at : the result's channel, and the input's. span : the least and the largest integer of that. Raises WrongValue.
    """
    channel, source = at
    pos, lane = divmod(channel, parameters["PE"])
    beat, place = divmod(source, parameters["SIMD"])
    if beat != pos // parameters["PARTS"]:
        raise CheckFailed("result", f"is made of input value {pos // parameters['PARTS']}, and looks at {beat}")
    bits, out = parameters["INPUT_BITS"], parameters["OUTPUT_BITS"]
    known = {netlist.ports["rst"][0]: 0}
    for name, value in state_of(netlist, parameters, np.array([pos])).items():
        known |= {bit: int(value[0]) >> k & 1 for k, bit in enumerate(netlist.word(name))}
    taken = netlist.ports["in_data"][place * bits : (place + 1) * bits]
    made = netlist.ports["push_data"][lane * out : (lane + 1) * out]
    return compare_channel(netlist, (taken, made), known, span, lambda values: function([values]))
