"""What a potential is when a window of currents has come in: followed clock by clock, with currents as symbols.

A window is short, so that nothing needs induction: from registers that may hold anything, with `first` and `last`
in the clocks of the first and the last slot, the potential becomes a constant plus multiples of the currents, and
stays.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeml.errors import CheckFailed

from ..folded.evaluation import taken_by
from ..folded.induction import next_values
from ..folded.netlist import Bits, Netlist
from .linear_forms import ONE, Form, LinearForms, combined

__all__ = ["Charge", "charge_of"]

_LONGEST = 4


@dataclass(frozen=True)
class Charge:
    """potential = start + Σ weights[s] · current(s), modulo 2^bits, from `late` clocks behind the last slot on, until
    as many clocks behind that of the next window."""

    start: int
    weights: tuple[int, ...]
    late: int
    bits: int


def charge_of(netlist: Netlist, window: int, prefix: str = "") -> Charge:
    """The charge of a window of so many slots. Raises CheckFailed where it is none."""
    potential, current = netlist.word(f"{prefix}potential"), netlist.word("current")
    first, last = netlist.word("first")[0], netlist.word("last")[0]
    size = 1 << len(potential)
    control, words = _registers(netlist, potential, (first, last))
    following = {name: next_values(netlist, bits) for name, bits in words.items()}
    leaves = {**words, "current": current}
    marks: dict[int, int | None] = dict.fromkeys(control)
    state: dict[str, Form] = {name: {f"before {name}": 1} for name in words}
    found: tuple[int, Form] | None = None
    for clock in range(window + _LONGEST):
        given: dict[int, int | None] = {first: int(clock == 0), last: int(clock == window - 1)}
        if clock >= window:  # the next window may begin at once
            given = {first: None, last: None if window == 1 else 0}
        held = {bit: value for bit, value in {**given, **marks}.items() if value is not None}
        forms = LinearForms(netlist, leaves, held)
        values = {**state, "current": {f"slot {clock}": 1}}
        state = {name: _next(forms, name, bits, values, size, clock) for name, bits in following.items()}
        marks = {bit: held.get(next_values(netlist, (bit,))[0]) for bit in control}
        charged = state["potential"]
        if clock >= window - 1 and set(charged) <= {ONE, *(f"slot {k}" for k in range(window))}:
            found = clock - window + 2, charged
            break
    if found is None:
        raise CheckFailed("potential", "does not follow from a window's currents alone")
    late, form = found
    _stays(netlist, potential, (first, last, *control), late)
    return Charge(form.get(ONE, 0), tuple(form.get(f"slot {k}", 0) for k in range(window)), late, len(potential))


def _next(forms: LinearForms, name: str, bits: Bits, values: dict[str, Form], size: int, clock: int) -> Form:
    """What a register holds next; something of its own where that hangs on a mark that is not known."""
    try:
        return combined(forms.of(bits), values, size)
    except CheckFailed:
        return {f"{name} behind clock {clock}": 1}


def _registers(netlist: Netlist, potential: Bits, marks: tuple[int, int]) -> tuple[list[int], dict[str, Bits]]:
    """(registers that keep marks; words of registers by name) that the potential is made from."""
    control: list[int] = []
    words: dict[str, Bits] = {"potential": potential}
    waiting, seen = [*next_values(netlist, potential)], set(potential)
    while waiting:
        bit = waiting.pop()
        if bit in seen or bit < 2 or bit not in netlist.driver:
            continue
        seen.add(bit)
        cell, port, place = netlist.driver[bit]
        if cell.kind == "$dff":
            word = cell.ports["Q"]
            if len(word) == 1 and next_values(netlist, word)[0] in marks:
                control.append(bit)
            else:
                words[netlist.name_of(bit)] = word
                seen |= set(word)
                waiting += next_values(netlist, word)
            continue
        waiting += taken_by(cell, port, place)
    return control, words


def _stays(netlist: Netlist, potential: Bits, marks: tuple[int, ...], late: int) -> None:
    """Without a mark of a window's end the potential is what it was, whatever comes."""
    _first, last = marks[:2]
    ends = [bit for bit in marks[2:] if next_values(netlist, (bit,))[0] == last]
    held = dict.fromkeys([last] if late == 1 else ends, 0)
    if late > 1 and len(ends) != 1:
        raise CheckFailed("potential", "is not held until the next window has come in")
    forms = LinearForms(netlist, {"potential": potential}, held)
    if forms.of(next_values(netlist, potential)) != {"potential": 1}:
        raise CheckFailed("potential", "is not held until the next window has come in")
