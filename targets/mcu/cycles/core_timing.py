"""How many cycles the instructions of a block take on a core, with memory that answers at once.

Two kinds of cores. Cortex-M0, M0+, M3 and M4 have no results that come late: an instruction takes the cycles of the
table in its manual. Cortex-M33, M7 and RV32 start an instruction or two a cycle, as soon as what they read is there.

Sources: Arm DDI 0432C (Cortex-M0 r0p0, table 3-1), DDI 0484C (Cortex-M0+ r0p1, table 3-1), DDI 0337I (Cortex-M3 r2p1,
table 3-1), DDI 0439D (Cortex-M4 r0p1, table 3-1). Arm gives none for the others. Cortex-M33: what SLOTHY's model of it
reports as measured on an RP2350 (github.com/slothy-optimizer/slothy). Cortex-M7: SLOTHY's model, and
quinapalus.com/cm7cycles.html, measured on an STM32H730. RV32: SiFive's E31 (FE310-G000 manual, chapter 3); the cores of
ESP32-C3 and CH32V have no published table, and are taken for such a one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from edgeml.errors import InputError

from .operation import Kind, Operation

__all__ = ["CoreTiming", "core_timing", "has_timing", "timing_names"]


@dataclass(frozen=True)
class CoreTiming:
    """The cycles of a core's instructions.

    Parameters
    ----------
    name : of the core, as in `cores.py`; `m0classic` is the Cortex-M0.
    costs : cycles of each kind, 1 where it is not named; of instructions that move several registers, what comes on top
        of one for each.
    taken : what a jump takes more than going on, by kind; `LOAD_MULTIPLE` is a return that pops the program counter.
    wide_target : what a jump to a 32-bit instruction costs that does not lie on a word.
    pipelined : whether a load right behind a load or store hides one of its cycles.
    indexed_store : what a store to the sum of two registers takes more.
    late : cycles from the start of an instruction to its result, by kind, 1 where it is not named; all 1 on cores
        without interlocks.
    accumulates_early : cycles that a product's sum is there earlier for the next one.
    shifts_early : cycles that an operand of the shifter must be there earlier.
    loads_forwarded : cycles that what was loaded is there earlier for sums and logic without the shifter.
    issues : instructions started in a cycle, at most.
    moves_a_cycle : registers that an instruction moves in a cycle.
    """

    name: str
    costs: Mapping[Kind, int] = field(default_factory=dict)
    taken: Mapping[Kind, int] = field(default_factory=dict)
    wide_target: int = 0
    pipelined: bool = False
    indexed_store: int = 0
    late: Mapping[Kind, int] = field(default_factory=dict)
    accumulates_early: int = 0
    shifts_early: int = 0
    loads_forwarded: int = 0
    issues: int = 1
    moves_a_cycle: int = 1

    def block(self, operations: Sequence[Operation]) -> int:
        """Cycles of these instructions, one after the other, none of them a jump that is taken."""
        return self._in_turn(operations) if not self.late else self._scheduled(operations)

    def jump(self, last: Operation, target: Operation, address: int) -> int:
        """What it takes more if `last` goes to `target` at `address` and not to what lies behind it."""
        kind = Kind.LOAD_MULTIPLE if last.loads else last.kind
        unaligned = target.size == 4 and address % 4 != 0
        return self.taken.get(kind, self.taken.get(Kind.BRANCH, 0)) + (self.wide_target if unaligned else 0)

    def _alone(self, one: Operation) -> int:
        cost = self.costs.get(one.kind, 1)
        if one.kind in (Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE):
            cost = self.costs.get(one.kind, 0) - (-one.moves // self.moves_a_cycle)
        return max(1, cost)

    def _in_turn(self, operations: Sequence[Operation]) -> int:
        total, before = 0, None
        for one in operations:
            cost = self._alone(one) + (self.indexed_store if one.kind is Kind.STORE and one.indexed else 0)
            single = one.kind in (Kind.LOAD, Kind.LOAD_NARROW)
            if self.pipelined and single and before is not None and _goes_on(before, one):
                cost -= 1
            total, before = total + cost, one
        return total

    def _scheduled(self, operations: Sequence[Operation]) -> int:
        ready: dict[int, int] = {}
        loaded = 0  # registers whose value comes from a load
        start, free = -1, 0  # when the last instruction started, and when the next one may at the earliest
        partner: Operation | None = None
        for one in operations:
            readable = self._readable(one, ready, loaded)
            at = max(free, readable)
            if partner is not None and readable <= start and _pairs(partner, one):
                at, cost, partner = start, 1, None
            else:
                cost = self._alone(one)
                partner = one if self.issues == 2 and cost == 1 and not one.jumps else None
            start, free = at, max(free, at + cost)
            late = cost - 1 + self.late.get(one.kind, 1)
            loaded = loaded & ~one.writes | (one.writes & ~one.addresses if one.loads else 0)
            for register in _members(one.writes):
                moved_on = one.addresses >> register & 1 and (one.stores or one.moves > 1)
                ready[register] = at + (1 if moved_on else late)
        return free

    def _readable(self, one: Operation, ready: Mapping[int, int], loaded: int) -> int:
        """The first cycle in which what `one` reads is there."""
        found = 0
        for register in _members(one.reads):
            at = ready.get(register, 0)
            if one.accumulates >> register & 1:
                at -= self.accumulates_early
            elif one.shifted >> register & 1:
                at += self.shifts_early
            elif one.kind is Kind.ARITHMETIC and loaded >> register & 1:
                at -= self.loads_forwarded
            found = max(found, at)
        return found


def _members(registers: int) -> Iterator[int]:
    register = 0
    while registers >> register:
        if registers >> register & 1:
            yield register
        register += 1


def _goes_on(before: Operation, one: Operation) -> bool:
    """Whether a load's address goes out while the one before still waits for its data: it must not need that."""
    single = before.kind in (Kind.LOAD, Kind.LOAD_NARROW) or (before.kind is Kind.STORE and not before.indexed)
    return single and not before.writes & one.addresses


_MULTIPLIER = (Kind.MULTIPLY, Kind.ACCUMULATE, Kind.LONG_MULTIPLY, Kind.LONG_ACCUMULATE)


def _pairs(first: Operation, second: Operation) -> bool:
    """Whether a Cortex-M7 starts both in one cycle, as far as their units are concerned: one multiplier, one store, one
    shifter; what the SIMD unit does only as the first of both; several registers moved only alone."""
    if first.writes & (second.reads | second.writes) & ~(1 << 32):
        return False
    if second.kind in (Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE, Kind.DIVIDE, Kind.OTHER, Kind.SIMD):
        return False
    if first.kind in _MULTIPLIER and second.kind in _MULTIPLIER:
        return False
    if (first.stores and (second.stores or second.loads)) or (first.loads and second.stores):
        return False
    return not (first.shifted and second.shifted)


_M0_MULTIPLE = {Kind.LOAD_MULTIPLE: 1, Kind.STORE_MULTIPLE: 1}
_M0_COSTS = {Kind.LOAD: 2, Kind.LOAD_NARROW: 2, Kind.STORE: 2, **_M0_MULTIPLE}
_M4_COSTS = {Kind.LOAD: 2, Kind.LOAD_NARROW: 2, Kind.DIVIDE: 12, **_M0_MULTIPLE}
_LATE = {
    Kind.LOAD: 2,
    Kind.LOAD_NARROW: 2,
    Kind.LOAD_MULTIPLE: 2,
    Kind.MULTIPLY: 2,
    Kind.ACCUMULATE: 2,
    Kind.LONG_MULTIPLY: 2,
    Kind.LONG_ACCUMULATE: 2,
}
"""Results that come a cycle after the next instruction may begin, on Cortex-M33 and M7."""
_M4_TAKEN = {Kind.BRANCH: 1, Kind.CALL: 1, Kind.JUMP: 2, Kind.LOAD_MULTIPLE: 2}

_CORES = {
    each.name: each
    for each in (
        CoreTiming("m0classic", _M0_COSTS, {Kind.BRANCH: 2, Kind.CALL: 3, Kind.JUMP: 2, Kind.LOAD_MULTIPLE: 3}),
        CoreTiming("m0", _M0_COSTS, {Kind.BRANCH: 1, Kind.CALL: 2, Kind.JUMP: 1, Kind.LOAD_MULTIPLE: 2}),
        CoreTiming(
            "m3",
            {**_M4_COSTS, Kind.ACCUMULATE: 2, Kind.LONG_MULTIPLY: 4, Kind.LONG_ACCUMULATE: 5},
            _M4_TAKEN,
            wide_target=1,
            pipelined=True,
            indexed_store=1,
        ),
        CoreTiming("m4", _M4_COSTS, _M4_TAKEN, wide_target=1, pipelined=True, indexed_store=1),
        CoreTiming(
            "m33",
            {Kind.DIVIDE: 8, Kind.LOAD_MULTIPLE: 0, Kind.STORE_MULTIPLE: 0},
            {Kind.BRANCH: 2, Kind.CALL: 2, Kind.JUMP: 2, Kind.LOAD_MULTIPLE: 2},
            late={**_LATE, Kind.SIMD: 2},
            accumulates_early=1,
        ),
        CoreTiming(
            "m7",
            {Kind.DIVIDE: 8, Kind.LOAD_MULTIPLE: 0, Kind.STORE_MULTIPLE: 0},
            {Kind.BRANCH: 0, Kind.CALL: 1, Kind.JUMP: 1, Kind.LOAD_MULTIPLE: 3},
            late=_LATE,
            accumulates_early=1,
            shifts_early=1,
            loads_forwarded=1,
            issues=2,
            moves_a_cycle=2,
        ),
        CoreTiming(
            "rv32",
            {Kind.DIVIDE: 33, Kind.MULTIPLY: 1, Kind.LONG_MULTIPLY: 1},
            {Kind.BRANCH: 0, Kind.CALL: 1, Kind.JUMP: 1},
            late={Kind.LOAD: 2, Kind.LOAD_NARROW: 3, Kind.MULTIPLY: 5, Kind.LONG_MULTIPLY: 5},
        ),
    )
}


def timing_names() -> tuple[str, ...]:
    """The cores that there is a model of."""
    return tuple(_CORES)


def has_timing(name: str) -> bool:
    """Whether there is a model of the core called `name`."""
    return name in _CORES


def core_timing(name: str) -> CoreTiming:
    """The timing of the core called `name` (`cores.py`, or `m0classic`); InputError where there is no model of it."""
    if name not in _CORES:
        raise InputError(f"cycles of core {name!r}", "there is no model of it", f"Modelled: {', '.join(_CORES)}")
    return _CORES[name]
