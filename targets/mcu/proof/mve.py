"""The instructions of the M-profile vector extension (Helium) that dense layers are made of, as operations on words.

Armv8-M ARM (DDI 0553), MVE. The vector registers are bytes of memory at addresses that no 32-bit pointer has, so that
branches and stages keep and change them as they do memory. Instructions that predicate others (VPT, VCTP, DLSTP …) are
not known: what is followed runs in all lanes.
"""

from __future__ import annotations

from collections.abc import Callable

from edgeml.proof.words.dataflow import Operand

from .machine import Machine, Stopped
from .memory import Byte, Memory
from .thumb_instruction import SP, Decoded, following

__all__ = ["VECTORS", "VECTOR_BYTES", "clear_vectors", "vector"]

VECTORS, VECTOR_BYTES = 1 << 32, 128
"""Where the eight vector registers Q0 … Q7 lie, Q0 first, and how many bytes they are: D0 … D15 lie there, too."""
_LANES = 16


def clear_vectors(memory: Memory) -> None:
    """All vector registers zero, as the caller has them."""
    cleared: dict[int, Byte] = dict.fromkeys(range(VECTORS, VECTORS + VECTOR_BYTES), 0)
    memory.written.update(cleared)


def vector(address: int, first: int, second: int) -> Decoded | None:
    """The vector instruction; None where it is none that is known."""
    for decoder in (_load_or_store, _and, _immediate, _shift_right, _products, _stack):
        run = decoder(first, second)
        if run is not None:
            return following(address, 4, run)
    return None


def _place(register: int) -> int:
    return VECTORS + _LANES * register


def _load_or_store(first: int, second: int) -> Callable[[Machine], None] | None:
    """VLDRB.U8, VLDRH.U16, VLDRW.U32, VSTRB.8, VSTRH.16 and VSTRW.32 of contiguous lanes."""
    size = second >> 7 & 3
    before, write_back = first >> 8 & 1, first >> 5 & 1
    if first & 0xFE40 != 0xEC00 or second & 0x1E00 != 0x1E00 or size == 3 or not (before or write_back):
        return None
    offset, rn, place = (second & 127) << size, first & 15, _place(second >> 13)
    if rn == 15 or (rn == SP and write_back):
        return None
    offset = offset if first >> 7 & 1 else -offset
    loads = first >> 4 & 1

    def run(m: Machine) -> None:
        base = m.registers[rn]
        moved = m.flow.make("add", base, offset & 0xFFFF_FFFF)
        start = m.flow.constant(moved if before else base)
        if start is None or start % (1 << size):
            raise Stopped(f"at {m.at:#010x} it reads or writes a vector at an address that it must not have")
        for lane in range(_LANES):
            if loads:
                m.memory.store(place + lane, 1, m.load(start + lane, 1))
            else:
                m.store(start + lane, 1, m.memory.load(place + lane, 1))
        if write_back:
            m.registers[rn] = moved

    return run


def _and(first: int, second: int) -> Callable[[Machine], None] | None:
    """VAND of two registers."""
    if first & 0xFFF1 != 0xEF00 or second & 0x1FF1 != 0x0150:
        return None
    one, other, to = _place(first >> 1 & 7), _place(second >> 1 & 7), _place(second >> 13)

    def run(m: Machine) -> None:
        for word in range(0, _LANES, 4):
            m.memory.store(
                to + word, 4, m.flow.make("and", m.memory.load(one + word, 4), m.memory.load(other + word, 4))
            )

    return run


def _immediate(first: int, second: int) -> Callable[[Machine], None] | None:
    """VMOV.I8 of a number."""
    if first & 0xEFF8 != 0xEF80 or second & 0x1FF0 != 0x0E50:
        return None
    number, to = (first >> 12 & 1) << 7 | (first & 7) << 4 | (second & 15), _place(second >> 13)

    def run(m: Machine) -> None:
        for lane in range(_LANES):
            m.memory.store(to + lane, 1, number)

    return run


def _shift_right(first: int, second: int) -> Callable[[Machine], None] | None:
    """VSHR.U8 by a number."""
    if first & 0xFFF8 != 0xFF88 or second & 0x1FF1 != 0x0050:
        return None
    count, taken, to = 16 - (first & 15), _place(second >> 1 & 7), _place(second >> 13)

    def run(m: Machine) -> None:
        for lane in range(_LANES):
            m.memory.store(to + lane, 1, m.flow.make("shr", m.memory.load(taken + lane, 1), count))

    return run


def _products(first: int, second: int) -> Callable[[Machine], None] | None:
    """VMLADAV.U8 and VMLADAVA.U8: the sum of all products of two vectors' bytes, modulo 2^32."""
    if first & 0xFFF1 != 0xFEF0 or second & 0x1FD1 != 0x0F00:
        return None
    one, other, rd = _place(first >> 1 & 7), _place(second >> 1 & 7), second >> 12 & 14
    adds = second >> 5 & 1

    def run(m: Machine) -> None:
        total: Operand = m.registers[rd] if adds else 0
        for lane in range(_LANES):
            product = m.flow.make("mul", m.memory.load(one + lane, 1), m.memory.load(other + lane, 1))
            total = m.flow.make("add", total, product)
        m.registers[rd] = total

    return run


def _stack(first: int, second: int) -> Callable[[Machine], None] | None:
    """VPUSH and VPOP of D registers."""
    pushes, start, size = first == 0xED2D, second >> 12, (second & 255) * 4
    if first not in (0xED2D, 0xECBD) or second & 0x0F01 != 0x0B00 or not size or 8 * start + size > VECTOR_BYTES:
        return None
    place = VECTORS + 8 * start

    def run(m: Machine) -> None:
        bottom = m.stack_pointer() - size * pushes
        for word in range(0, size, 4):
            if pushes:
                m.store(bottom + word, 4, m.memory.load(place + word, 4))
            else:
                m.memory.store(place + word, 4, m.load(bottom + word, 4))
        m.registers[SP] = bottom + size * (not pushes)

    return run
