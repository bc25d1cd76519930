"""Every kind of instruction that proofs know does what it does in Unicorn: random fields, registers, flags, memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")

import unicorn
from unicorn import arm_const, riscv_const

from edgeml.proof.words.dataflow import Dataflow, Operand
from edgeml.targets.mcu.cores import CORES
from edgeml.targets.mcu.proof.machine import Machine, Stopped
from edgeml.targets.mcu.proof.memory import Memory, Region
from edgeml.targets.mcu.proof.riscv import RiscV
from edgeml.targets.mcu.proof.thumb import Thumb
from edgeml.targets.mcu.proof.thumb_flags import condition_of, ge_of
from tests.sweeps import cases, seed_for
from tests.targets.mcu.proof.instruction_kinds import ADDRESS, OFFSET, RISCV, THUMB, THUMB_M0, THUMB_M3, encoded

CODE, AROUND, RAM, SIZE = 0x0020_8000, 0x8000, 0x2000_0000, 0x4000
MIDDLE = RAM + SIZE // 2
EDGES = (0, 1, 2, 31, 32, 33, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
MOVING = ("branch", "load", "store", "by ", "from", "to stack", "stack", "push", "pop", "call", "jump", "12 bits",
          "before", "behind", "register (", "address", "compressed", "auipc")  # fmt: skip


KINDS = {"rv32": RISCV, "m0": THUMB_M0, "m3": THUMB_M3}


def word(rng: np.random.Generator) -> int:
    """Any, of bytes at their edges, an edge of words, or near one."""
    kind = int(rng.integers(4))
    if kind == 0:
        return int(rng.integers(1 << 32))
    if kind == 1:
        return int.from_bytes(rng.choice([0, 1, 127, 128, 129, 254, 255], 4).astype(np.uint8).tobytes(), "little")
    return (int(rng.choice(EDGES)) + int(rng.integers(-1, 2)) * (kind == 3)) % (1 << 32)


class Silicon:
    """A core in Unicorn that runs one instruction."""

    def __init__(self, core: str) -> None:
        self.riscv, self.dsp = core == "rv32", CORES[core].dsp
        if self.riscv:
            self.uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
            self.registers = [riscv_const.UC_RISCV_REG_X0 + k for k in range(32)]
            self.pc = riscv_const.UC_RISCV_REG_PC
        else:
            self.uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
            self.uc.ctl_set_cpu_model(getattr(arm_const, f"UC_CPU_ARM_CORTEX_{core.upper()}"))
            self.registers = [arm_const.UC_ARM_REG_R0 + k for k in range(13)]
            self.registers += [arm_const.UC_ARM_REG_SP, arm_const.UC_ARM_REG_LR]
            self.pc = arm_const.UC_ARM_REG_PC
        self.uc.mem_map(CODE - AROUND, 2 * AROUND)
        self.uc.mem_map(RAM, SIZE)
        self.uc.mem_write(CODE - AROUND, bytes.fromhex("81fa42f0"))

    def run(self, code: bytes, registers: list[int], status: int, memory: bytes, steps: int) -> None:
        if self.dsp:  # GE is set by an instruction alone: UADD8 r0, r1, r2
            self.uc.reg_write(self.registers[1], sum(0xFF << 8 * k for k in range(4) if status >> 16 + k & 1))
            self.uc.reg_write(self.registers[2], 0x01010101)
            self.uc.emu_start(CODE - AROUND | 1, 0, count=1)
        self.uc.mem_write(CODE, code)
        self.uc.mem_write(RAM, memory)
        self.uc.ctl_remove_cache(CODE, CODE + 16)
        for register, value in zip(self.registers, registers, strict=True):
            self.uc.reg_write(register, value)
        if not self.riscv:
            self.uc.reg_write(arm_const.UC_ARM_REG_XPSR, status)
        # A conditional instruction that is left out does not count.
        self.uc.emu_start(CODE | (not self.riscv), CODE + len(code) if steps > 1 else 0, count=2 - steps)

    def status(self) -> int:
        return int(self.uc.reg_read(arm_const.UC_ARM_REG_XPSR))


def flags(rng: np.random.Generator) -> tuple[tuple[object, ...], int]:
    """Flags as the proof keeps them, and as the register does."""
    a, b, carry, ge = word(rng), word(rng), int(rng.integers(2)), [int(each) for each in rng.integers(0, 2, 4)]
    total = a + b + carry
    result = total & 0xFFFF_FFFF
    over = (~(a ^ b) & (a ^ result)) >> 31 & 1
    status = (result >> 31) << 31 | (result == 0) << 30 | (total >> 32) << 29 | over << 28
    return (("adc", a, b, carry), tuple(ge)), status | sum(each << 16 + k for k, each in enumerate(ge))


def known_flags(m: Machine, dsp: bool) -> Iterator[tuple[int, int]]:
    """The bits of the status register that the proof knows, and what they are."""
    for bit, code in ((31, 4), (30, 0), (29, 2), (28, 6)):
        try:
            found = condition_of(m, code)
        except Stopped:
            continue
        yield bit, found if isinstance(found, int) else found.sample
    for k, found in enumerate(ge_of(m) if dsp else ()):
        yield 16 + k, found if isinstance(found, int) else found.sample


def differs(silicon: Silicon, code: bytes, rng: np.random.Generator, *, nodes: bool, steps: int = 1) -> str:
    """How an instruction does otherwise in the proof than in Unicorn; empty if it does not."""
    registers = [word(rng) for _ in silicon.registers]
    registers[ADDRESS + 8 * silicon.riscv], registers[OFFSET + 8 * silicon.riscv] = MIDDLE, int(rng.integers(256))
    registers[2 if silicon.riscv else 13] = MIDDLE
    registers[0] *= not silicon.riscv
    kept, status = flags(rng)
    content = rng.bytes(SIZE)
    silicon.run(code, registers, status, content, steps)
    flow = Dataflow()
    memory = Memory(flow, {CODE: code + silicon.uc.mem_read(CODE + len(code), 2048), RAM: content})
    memory.regions = [Region("code", CODE, CODE + 2048, False), Region("ram", RAM, RAM + SIZE, True)]
    m = Machine(RiscV() if silicon.riscv else Thumb(), flow, memory)
    m.pc, m.flags = CODE, () if silicon.riscv else kept
    base = 2 if silicon.riscv else 13
    held: list[Operand] = [
        flow.input(-(1 << 31), (1 << 31) - 1, value) if nodes and k and k != base else value
        for k, value in enumerate(registers)
    ]
    m.registers = held
    for _ in range(steps):
        m.step()
    ours = [each if isinstance(each, int) else each.sample for each in m.registers]
    theirs = [silicon.uc.reg_read(register) & 0xFFFF_FFFF for register in silicon.registers]
    if ours != theirs or m.pc != silicon.uc.reg_read(silicon.pc) & ~1:
        return f"{code.hex()}: {ours} at {m.pc:#x}, not {theirs} at {silicon.uc.reg_read(silicon.pc):#x}"
    if not silicon.riscv:
        wrong = [bit for bit, value in known_flags(m, silicon.dsp) if silicon.status() >> bit & 1 != value]
        if wrong:
            return f"{code.hex()}: flags {wrong} of {registers}"
    after = bytearray(content)
    for address, byte in m.memory.written.items():
        item = byte if isinstance(byte, int) else byte[0].sample >> 8 * byte[1] & 255
        after[address - RAM] = item
    return "" if after == silicon.uc.mem_read(RAM, SIZE) else f"{code.hex()}: memory"


def sweep(core: str, count: int) -> None:
    rng, silicon = np.random.default_rng(seed_for(count)), Silicon(core)
    for kind, pattern in KINDS.get(core, THUMB).items():
        moving = kind.startswith(MOVING)
        done = 0
        for turn in range(8 * count):
            code = encoded(pattern, core == "rv32", rng)
            try:
                found = differs(silicon, code, rng, nodes=not moving and turn % 4 == 3)
            except (Stopped, unicorn.UcError):
                continue  # none of the kind, or a word of Unicorn's that is none
            assert not found, f"{kind}: {found}"
            done += 1
            if done == count:
                break
        assert done >= max(1, count // 4), f"{kind}: only {done} of {count} were instructions"


@pytest.mark.parametrize(("core", "count"), [("m0", 10), ("m4", 3), ("rv32", 12)])
def test_each_kind_of_instruction_does_what_the_emulator_does(core, count):
    sweep(core, count)


@pytest.mark.parametrize("condition", range(14))
def test_an_instruction_behind_it_runs_where_its_condition_holds(condition):
    rng, silicon = np.random.default_rng(condition), Silicon("m4")
    kinds = [
        each for name, each in THUMB.items() if name.startswith(("alu", "shift", "number", "parallel", "multiply"))
    ]
    for pattern in [kinds[k] for k in rng.integers(0, len(kinds), 10)]:
        code = (0xBF08 | condition << 4).to_bytes(2, "little") + encoded(pattern, False, rng)
        assert not differs(silicon, code, rng, nodes=False, steps=2)


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("core", ["m0", "m3", "m4", "m7", "m33", "rv32"])
def test_many_of_each_kind_do_what_the_emulator_does(core):
    sweep(core, cases(120))
