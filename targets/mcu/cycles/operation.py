"""What the time of an instruction hangs on: its kind, the registers that it reads and writes, how many it moves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["FLAGS", "Kind", "Operation", "bit", "mask"]

FLAGS = 32
"""The number that stands for the flags among the registers."""


class Kind(Enum):
    """Instructions that a core spends the same time on."""

    ARITHMETIC = "arithmetic"
    SIMD = "simd"
    MULTIPLY = "multiply"
    ACCUMULATE = "accumulate"
    LONG_MULTIPLY = "long multiply"
    LONG_ACCUMULATE = "long accumulate"
    DIVIDE = "divide"
    LOAD = "load"
    LOAD_NARROW = "load of a byte or a half"
    STORE = "store"
    LOAD_MULTIPLE = "load multiple"
    STORE_MULTIPLE = "store multiple"
    BRANCH = "branch"
    CALL = "call"
    JUMP = "jump"
    OTHER = "other"


@dataclass(frozen=True)
class Operation:
    """One instruction.

    Parameters
    ----------
    size : bytes, 2 or 4.
    kind : see `Kind`.
    reads, writes : sets of registers, a bit each (Arm: r0 to r15; RISC-V: x1 to x31); bit `FLAGS` is the flags.
    accumulates : of `reads`, those that are only added to a product.
    shifted : of `reads`, those that the barrel shifter takes, for other than a shift to the left by 3 at most.
    addresses : of `reads`, those that an address is made of.
    moves : number of registers that are loaded or stored.
    indexed : whether the address is the sum of two registers.
    jumps : whether the next instruction may be another than the one behind it.
    backward : whether a branch goes to lower addresses.
    """

    size: int
    kind: Kind
    reads: int = 0
    writes: int = 0
    accumulates: int = 0
    shifted: int = 0
    addresses: int = 0
    moves: int = 0
    indexed: bool = False
    jumps: bool = False
    backward: bool = False

    @property
    def loads(self) -> bool:
        """Whether registers come from memory."""
        return self.kind in (Kind.LOAD, Kind.LOAD_NARROW, Kind.LOAD_MULTIPLE)

    @property
    def stores(self) -> bool:
        """Whether registers go to memory."""
        return self.kind in (Kind.STORE, Kind.STORE_MULTIPLE)


def bit(*registers: int) -> int:
    """The set of these registers."""
    return mask(registers)


def mask(registers: tuple[int, ...]) -> int:
    """The set of these registers."""
    found = 0
    for register in registers:
        found |= 1 << register
    return found
