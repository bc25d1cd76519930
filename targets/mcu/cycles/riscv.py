"""RV32IMC instructions (The RISC-V Instruction Set Manual, volume I, 20191213), as far as their time is concerned."""

from __future__ import annotations

from ..proof.riscv_compressed import expanded
from .operation import Kind, Operation

__all__ = ["riscv"]


def riscv(word: int, size: int) -> Operation:
    """The instruction of these 32 bits, or of the low 16 of them where it has 2 bytes."""
    full = word if size == 4 else expanded(word & 0xFFFF)
    return Operation(size, Kind.OTHER) if full is None else _full(full, size)


def _bit(register: int) -> int:
    return 1 << register if register else 0


def _full(word: int, size: int) -> Operation:
    rd, first, second = _bit(word >> 7 & 31), _bit(word >> 15 & 31), _bit(word >> 20 & 31)
    opcode, funct3 = word & 127, word >> 12 & 7
    if opcode == 0x03:
        kind = Kind.LOAD if funct3 == 2 else Kind.LOAD_NARROW
        return Operation(size, kind, first, rd, addresses=first, moves=1)
    if opcode == 0x23:
        return Operation(size, Kind.STORE, first | second, addresses=first, moves=1)
    if opcode == 0x63:
        return Operation(size, Kind.BRANCH, first | second, jumps=True, backward=bool(word >> 31))
    if opcode == 0x6F:
        return Operation(size, Kind.CALL if rd else Kind.BRANCH, 0, rd, jumps=True, backward=bool(word >> 31))
    if opcode == 0x67:
        return Operation(size, Kind.JUMP, first, rd, jumps=True)
    if opcode in (0x37, 0x17):
        return Operation(size, Kind.ARITHMETIC, 0, rd)
    if opcode == 0x13:
        return Operation(size, Kind.ARITHMETIC, first, rd)
    if opcode == 0x33:
        if word >> 25 == 1:
            kind = Kind.DIVIDE if funct3 >= 4 else Kind.MULTIPLY if funct3 == 0 else Kind.LONG_MULTIPLY
            return Operation(size, kind, first | second, rd)
        return Operation(size, Kind.ARITHMETIC, first | second, rd)
    return Operation(size, Kind.OTHER)
