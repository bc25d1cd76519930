"""The Thumb instructions of Armv6-M, Armv7-M and the DSP extension as operations on words (Armv7-M ARM, DDI 0403), and
those of Armv8.1-M with vectors."""

from __future__ import annotations

from dataclasses import replace

from .machine import Instruction, Machine, Stopped
from .mve import vector
from .thumb_flags import condition_of
from .thumb_instruction import LR, SP, Decoded, Unknown
from .thumb_narrow import narrow
from .thumb_v81 import added_in_v81
from .thumb_wide import wide

__all__ = ["Thumb"]


class Thumb:
    """Decodes; keeps which instructions an IT makes conditional. vectors : whether those of Armv8.1-M are known."""

    registers, stack, link, result = 15, SP, LR, 0

    def __init__(self, vectors: bool = False) -> None:
        self._vectors = vectors
        self._rest: dict[int, tuple[int, ...]] = {}

    def decode(self, address: int, code: bytes) -> Instruction:
        """The instruction at an address. One that an IT makes conditional is asked for after that IT."""
        first, second = int.from_bytes(code[:2], "little"), int.from_bytes(code[2:4], "little")
        long = first >> 11 in (0b11101, 0b11110, 0b11111)
        rest = self._rest.get(address, ())
        try:
            found = self._long(address, first, second) if long else narrow(address, first, within=bool(rest))
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

    def _long(self, address: int, first: int, second: int) -> Decoded:
        added = added_in_v81(address, first, second) or vector(address, first, second) if self._vectors else None
        return added or wide(address, first, second)


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
