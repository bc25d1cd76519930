"""Registers on the ways through a module that never waits: how many clocks later it gives what it makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from edgeml.errors import CheckFailed

from .evaluation import Evaluation, taken_by
from .netlist import UNKNOWN, Netlist

__all__ = ["latency", "stages"]


def stages(
    netlist: Netlist, targets: Iterable[int], sources: Iterable[int], held: Mapping[int, int]
) -> dict[int, int | None]:
    """Registers between the sources and each bit on the way to the targets; None of constants.

    held : bits that are constant meanwhile, such as a reset that is off: 0 or 1. Raises CheckFailed where two ways
    differ, a signal feeds back, or something else than the sources is taken.
    """
    constants = Evaluation(netlist, 1, held)
    found: dict[int, int | None] = {0: None, 1: None, UNKNOWN: None, **dict.fromkeys(held, None)}
    found |= dict.fromkeys(sources, 0)
    waiting, entered = list(targets), set[int]()
    while waiting:
        bit = waiting[-1]
        if bit in found:
            waiting.pop()
            continue
        if bit not in netlist.driver:
            raise CheckFailed(f"signal {netlist.name_of(bit)}", "is taken, and is not an input that is looked at")
        cell, port, place = netlist.driver[bit]
        taken: Sequence[int] = taken_by(cell, port, place)
        if cell.kind == "$mux":
            select = cell.ports["S"][0]
            taken = (select,)
            if select in found:
                zero, one = cell.ports["A"][place], cell.ports["B"][place]
                fixed = constants.rows([select])[0] if found[select] is None else None
                taken = (select, zero, one) if fixed is None else (one if fixed else zero,)
        missing = [each for each in taken if each not in found]
        if missing:
            if not entered.isdisjoint(missing):
                raise CheckFailed(f"signal {netlist.name_of(bit)}", "feeds back into itself")
            entered.add(bit)
            waiting += missing
            continue
        late = {stage for each in taken if (stage := found[each]) is not None}
        if len(late) > 1:
            clocks = " and ".join(map(str, sorted(late)))
            raise CheckFailed(f"signal {netlist.name_of(bit)}", f"takes signals that are {clocks} clocks late")
        stage = min(late) if late else None
        found[bit] = stage + 1 if cell.kind == "$dff" and stage is not None else stage
        waiting.pop()
    return found


def latency(netlist: Netlist, targets: Sequence[int], sources: Iterable[int], held: Mapping[int, int]) -> int:
    """Clocks from the sources to the targets, the same on every way; 0 where the targets are constants."""
    found = stages(netlist, targets, sources, held)
    late = {stage for bit in targets if (stage := found[bit]) is not None}
    if len(late) > 1:
        raise CheckFailed(netlist.name_of(targets[0]), f"has bits that are {sorted(late)} clocks late")
    return min(late, default=0)
