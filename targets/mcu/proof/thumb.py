"""The Thumb instructions of Armv6-M, Armv7-M and the DSP extension as operations on words (Armv7-M ARM, DDI 0403)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from edgeml.proof.words.dataflow import Operand

from .machine import END, Instruction, Machine, Stopped
from .thumb_flags import condition_of

__all__ = ["Decoded", "Thumb", "Unknown", "following", "get", "put"]

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


class Thumb:
    """Decodes; keeps which instructions an IT makes conditional."""

    registers, stack, link = 15, SP, LR

    def __init__(self) -> None:
        self._predicates: dict[int, int] = {}
        self._rest: dict[int, tuple[int, ...]] = {}

    def decode(self, address: int, code: bytes) -> Instruction:
        """The instruction at an address. One that an IT makes conditional is asked for after that IT."""
        from .thumb_narrow import narrow
        from .thumb_wide import wide

        first, second = int.from_bytes(code[:2], "little"), int.from_bytes(code[2:4], "little")
        long = first >> 11 in (0b11101, 0b11110, 0b11111)
        rest = self._rest.get(address, ())
        try:
            found = wide(address, first, second) if long else narrow(address, first, within=bool(rest))
        except Unknown:
            word = f"{first:04x} {second:04x}" if long else f"{first:04x}"
            raise Stopped(f"at {address:#010x} stands {word}, an instruction that the proof does not know") from None
        if found.predicates:
            self._rest[address + found.size] = found.predicates
        if not rest:
            return found
        if rest[1:]:
            self._rest[address + found.size] = rest[1:]
        return _conditional(address, found, rest[0])


def _conditional(address: int, found: Decoded, code: int) -> Decoded:
    behind = address + found.size

    def run(m: Machine) -> None:
        condition = condition_of(m, code)
        known = m.flow.constant(condition)
        if known == 0:
            return
        if known == 1:
            found.run(m)
            return
        assert not isinstance(condition, int)
        m.both(condition, found.run, behind if found.targets == (behind,) else None)

    return replace(found, targets=tuple(dict.fromkeys((*found.targets, behind))), run=run)


__all__ += ["END", "LR", "PC", "SP"]
