"""What the Thumb instructions of all widths share: what a decoded one is, registers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgeml.proof.words.dataflow import Operand

from .machine import Machine

__all__ = ["LR", "PC", "SP", "Decoded", "Unknown", "following", "get", "put"]

SP, LR, PC = 13, 14, 15


@dataclass(frozen=True)
class Decoded:
    """An instruction: see `machine.Instruction`."""

    size: int
    targets: tuple[int, ...]
    run: Callable[[Machine], None]
    predicates: tuple[int, ...] = ()
    """Of an IT instruction: the conditions of those behind it."""


class Unknown(Exception):
    """No instruction that is known."""


def following(address: int, size: int, run: Callable[[Machine], None]) -> Decoded:
    """An instruction after which the next one comes."""
    return Decoded(size, (address + size,), run)


def get(m: Machine, register: int) -> Operand:
    """A register; of r15 the address of the instruction + 4."""
    return (m.at + 4) & 0xFFFF_FFFF if register == PC else m.registers[register]


def put(m: Machine, register: int, value: Operand) -> None:
    """Set a register; a jump where it is r15."""
    if register == PC:
        m.jump(value)
        m.returned()
    else:
        m.registers[register] = value
