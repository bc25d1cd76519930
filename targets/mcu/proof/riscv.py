"""RV32IMC: instructions as operations on words (The RISC-V Instruction Set Manual, volume I, 20191213)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgeml.proof.words.dataflow import Operand

from .machine import END, Instruction, Machine, Stopped, Trapped
from .riscv_compressed import expanded

__all__ = ["RiscV"]

_ALL = 0xFFFF_FFFF


@dataclass(frozen=True)
class _Decoded:
    size: int
    targets: tuple[int, ...]
    run: Callable[[Machine], None]


def _signed(number: int, bits: int) -> int:
    return number - (1 << bits) if number >> (bits - 1) & 1 else number


def _field(word: int, low: int, count: int) -> int:
    return word >> low & ((1 << count) - 1)


_ALU = {
    (0, 0): "add", (0, 32): "sub", (1, 0): "shl", (2, 0): "slt", (3, 0): "ult", (4, 0): "xor", (5, 0): "shr",
    (5, 32): "sar", (6, 0): "or", (7, 0): "and", (0, 1): "mul", (1, 1): "mulhs", (3, 1): "mulhu",
}  # fmt: skip
_BRANCHES = {0: ("eq", 0), 1: ("eq", 1), 4: ("slt", 0), 5: ("slt", 1), 6: ("ult", 0), 7: ("ult", 1)}
_LOADS = {0: (1, True), 1: (2, True), 2: (4, False), 4: (1, False), 5: (2, False)}


class RiscV:
    """RV32IMC without system instructions, divisions and mulhsu."""

    registers, stack, link, result = 32, 2, 1, 10

    def decode(self, address: int, code: bytes) -> Instruction:
        """The instruction at an address."""
        half = int.from_bytes(code[:2], "little")
        if half & 3 == 3:
            return _decoded(address, int.from_bytes(code[:4], "little"), 4)
        if half in (0, 0x9002):  # UNIMP, EBREAK
            return _Decoded(2, (), _trap)
        word = expanded(half)
        if word is None:
            raise Stopped(f"at {address:#010x} stands {half:#06x}, an instruction that the proof does not know")
        return _decoded(address, word, 2)


def _trap(machine: Machine) -> None:
    raise Trapped


def _set(machine: Machine, register: int, value: Operand) -> None:
    if register:
        machine.registers[register] = value


def _decoded(address: int, word: int, size: int) -> _Decoded:
    opcode, rd, funct3 = word & 127, _field(word, 7, 5), _field(word, 12, 3)
    rs1, rs2, funct7 = _field(word, 15, 5), _field(word, 20, 5), _field(word, 25, 7)
    immediate = _signed(word >> 20, 12) & _ALL
    behind = (address + size,)
    if opcode == 0x37:
        return _Decoded(size, behind, lambda m: _set(m, rd, word & 0xFFFFF000))
    if opcode == 0x17:
        return _Decoded(size, behind, lambda m: _set(m, rd, (address + (word & 0xFFFFF000)) & _ALL))
    if opcode == 0x13 and funct3 in (1, 5):
        name = {(1, 0): "shl", (5, 0): "shr", (5, 32): "sar"}.get((funct3, funct7))
        if name:
            return _Decoded(size, behind, lambda m: _set(m, rd, m.flow.make(name, m.registers[rs1], rs2)))
    elif opcode == 0x13:
        by = _ALU[funct3, 0]
        return _Decoded(size, behind, lambda m: _set(m, rd, m.flow.make(by, m.registers[rs1], immediate)))
    if opcode == 0x33 and (funct3, funct7) in _ALU:
        return _Decoded(size, behind, _register_operation(_ALU[funct3, funct7], rd, rs1, rs2))
    if opcode == 0x03 and funct3 in _LOADS:
        return _Decoded(size, behind, _load(rd, rs1, immediate, *_LOADS[funct3]))
    if opcode == 0x23 and funct3 in (0, 1, 2):
        offset = _signed(funct7 << 5 | rd, 12) & _ALL
        return _Decoded(size, behind, _store(rs1, rs2, offset, 1 << funct3))
    if opcode in (0x63, 0x67, 0x6F):
        return _transfer(address, word, size)
    raise Stopped(f"at {address:#010x} stands {word:#010x}, an instruction that the proof does not know")


def _register_operation(name: str, rd: int, rs1: int, rs2: int) -> Callable[[Machine], None]:
    def run(m: Machine) -> None:
        count = m.registers[rs2]
        if name in ("shl", "shr", "sar"):
            count = m.flow.make("and", count, 31)
        _set(m, rd, m.flow.make(name, m.registers[rs1], count))

    return run


def _load(rd: int, rs1: int, offset: int, size: int, signed: bool) -> Callable[[Machine], None]:
    def run(m: Machine) -> None:
        value = m.load(m.flow.make("add", m.registers[rs1], offset), size)
        if signed:
            value = m.flow.make("sar", m.flow.make("shl", value, 32 - 8 * size), 32 - 8 * size)
        _set(m, rd, value)

    return run


def _store(rs1: int, rs2: int, offset: int, size: int) -> Callable[[Machine], None]:
    return lambda m: m.store(m.flow.make("add", m.registers[rs1], offset), size, m.registers[rs2])


def _transfer(address: int, word: int, size: int) -> _Decoded:
    opcode, rd, funct3 = word & 127, _field(word, 7, 5), _field(word, 12, 3)
    rs1, rs2 = _field(word, 15, 5), _field(word, 20, 5)
    behind = address + size
    if opcode == 0x63 and funct3 in _BRANCHES:
        offset = _field(word, 31, 1) << 12 | _field(word, 7, 1) << 11 | _field(word, 25, 6) << 5
        target = (address + _signed(offset | _field(word, 8, 4) << 1, 13)) & _ALL
        name, inverted = _BRANCHES[funct3]

        def branch(m: Machine) -> None:
            condition = m.flow.make(name, m.registers[rs1], m.registers[rs2])
            m.branch(m.flow.make("xor", condition, 1) if inverted else condition, target)

        return _Decoded(size, (behind, target), branch)
    if opcode == 0x6F:
        offset = _field(word, 31, 1) << 20 | _field(word, 12, 8) << 12 | _field(word, 20, 1) << 11
        target = (address + _signed(offset | _field(word, 21, 10) << 1, 21)) & _ALL
        return _Decoded(size, (behind,) if rd else (target,), _jump(rd, behind, lambda m: target))
    if opcode == 0x67 and funct3 == 0:
        offset = _signed(word >> 20, 12) & _ALL
        return _Decoded(
            size, (behind,) if rd else (END,), _jump(rd, behind, lambda m: m.flow.make("add", m.registers[rs1], offset))
        )
    raise Stopped(f"at {address:#010x} stands {word:#010x}, an instruction that the proof does not know")


def _jump(rd: int, behind: int, target: Callable[[Machine], Operand]) -> Callable[[Machine], None]:
    def run(m: Machine) -> None:
        place = target(m)
        if rd:
            m.called()
        _set(m, rd, behind)
        m.jump(place)
        if not rd:
            m.returned()

    return run
