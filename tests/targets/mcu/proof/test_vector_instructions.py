"""Instructions of Armv8.1-M that proofs know do what QEMU's Cortex-M55 does: random fields, registers, memory."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from edgeml.proof.words.dataflow import Dataflow
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.image import Image, Segment
from edgeml.targets.mcu.proof.machine import Machine, Stopped
from edgeml.targets.mcu.proof.memory import Memory, Region
from edgeml.targets.mcu.proof.mve import VECTOR_BYTES, VECTORS
from edgeml.targets.mcu.proof.thumb import Thumb
from edgeml.targets.mcu.qemu_core import QemuCore
from tests.sweeps import cases, seed_for
from tests.targets.mcu.proof.instruction_kinds import ADDRESS, encoded
from tests.targets.mcu.proof.test_instructions import flags, known_flags, word

needs_qemu = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

CODE, RAM, SIZE = 0x8000, 0x2000_0000, 0x800
MIDDLE = RAM + SIZE // 2
_XPSR, _D0 = 25, 26
VECTOR_KINDS = {
    **{f"vector {what} before {size}": f"1110110 1 q 0 w {load} bbbb vvv 1111 {size:02b} iiiiiii"
       for load, what in ((1, "load"), (0, "store")) for size in range(3)},
    **{f"vector {what} behind {size}": f"1110110 0 q 0 1 {load} bbbb vvv 1111 {size:02b} iiiiiii"
       for load, what in ((1, "load"), (0, "store")) for size in range(3)},
    "vector and": "11101111 0000 uuu 0 vvv 0 0001 0101 xxx 0",
    "vector number": "111 i 1111 1 0000 iii vvv 0 1110 0101 iiii",
    "vector shift": "11111111 10001 iii vvv 0 0000 0101 xxx 0",
    "vector products": "11111110 1111 uuu 0 ggg 0 1111 00 j 0 xxx 0",
    "vector push": "1110110100101101 1000 1011 00010000", "vector push some": "1110110100101101 0100 1011 00001000",
    "vector pop": "1110110010111101 1000 1011 00010000", "vector pop some": "1110110010111101 0000 1011 00000110",
}  # fmt: skip
OTHER_KINDS = {
    "begin loop": "111100000100 nnnn 1110000000000001", "begin loop or pass": "111100000100 nnnn 1100 i iiiiiiiiii 1",
    "end of loop": "1111000000001111 1100 i 0000iiiiii 1", "end of turn": "1111000000101111 1100 i 0000iiiiii 1",
    **{f"select {k}": f"111010100101 nnnn 10 {k:02b} dddd {code:04b} mmmm"
       for k in range(4) for code in (0, 1, 3, 8, 11, 12, 13)},
    "zero or one": "1110101001011111 1001 dddd 0001 1111",
    **{f"long shift {k}": f"1110101001010 ll 0 0 iii hhh 1 ii {k:02b} 1111" for k in range(3)},
    **{f"long shift by register {k}": f"1110101001010 ll 0 oooo hhh 1 00 {k:02b} 1101" for k in (0, 2)},
}  # fmt: skip


@pytest.fixture(scope="module")
def silicon():
    return QemuCore(core("m55"), Image(CODE, (Segment(CODE, CODE, bytes(8), 8),), {}))


def differs(silicon: QemuCore, code: bytes, rng: np.random.Generator, kind: str) -> str:
    """How an instruction does otherwise in the proof than in QEMU; empty if it does not."""
    registers = [word(rng) for _ in range(15)]
    registers[ADDRESS], registers[13] = MIDDLE, MIDDLE
    if "loop" in kind or "by register" in kind:
        registers = [int(rng.integers(0, 70)) if k not in (ADDRESS, 13) and rng.integers(2) else value
                     for k, value in enumerate(registers)]  # fmt: skip
    if kind.startswith("end"):
        registers[14] = int(rng.choice([0, 1, 2, 3, 70, 1 << 31, (1 << 32) - 1]))
    kept, status = flags(rng)
    vectors, content = rng.bytes(VECTOR_BYTES), rng.bytes(SIZE)
    remote = silicon.remote
    remote.write(CODE, code)
    remote.write(RAM, content)
    for number, value in enumerate(registers):
        remote.write_register(number, value)
    for number in range(16):
        remote.write_register(_D0 + number, int.from_bytes(vectors[8 * number : 8 * number + 8], "little"), 8)
    remote.write_register(_XPSR, 1 << 24 | status)
    remote.write_register(15, CODE)
    flow = Dataflow()
    memory = Memory(flow, {CODE: code, RAM: content})
    memory.written.update({VECTORS + k: byte for k, byte in enumerate(vectors)})
    memory.regions = [Region("code", CODE, CODE + 4, False), Region("ram", RAM, RAM + SIZE, True)]
    m = Machine(Thumb(vectors=True), flow, memory)
    m.pc, m.flags = CODE, kept
    m.registers = list(registers)
    m.step()  # Stopped comes before QEMU is asked: of an address that it must not have it makes a fault
    remote.step()
    *theirs, at = remote.registers(16)
    if m.registers != theirs or m.pc != at:
        return f"{kind}, {code.hex()}: {m.registers} at {m.pc:#x}, not {theirs} at {at:#x}"
    status_now = remote.register(_XPSR)
    wrong = [bit for bit, value in known_flags(m, True) if status_now >> bit & 1 != value]
    ours = bytes(memory.load(VECTORS + k, 1) for k in range(VECTOR_BYTES))
    held = b"".join(remote.register(_D0 + k).to_bytes(8, "little") for k in range(16))
    after = bytes(memory.load(RAM + k, 1) for k in range(SIZE))
    if wrong or ours != held or after != remote.read(RAM, SIZE):
        return f"{kind}, {code.hex()}: flags {wrong}, vectors {ours.hex()}, not {held.hex()}, or memory"
    return ""


@needs_qemu
def test_a_shift_of_64_bits_by_a_number_that_depends_on_inputs(silicon):
    """LSLL r0, r1, r2 for all bytes, the same for constants."""
    rng = np.random.default_rng(0)
    low, high = word(rng) | 1, word(rng) | 1 << 31
    for count in [0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 191, 192, 193, 223, 224, 225, 255, 0x1205]:
        code = bytes.fromhex("50ea0d21")
        silicon.remote.write(CODE, code)
        for number, value in ((0, low), (1, high), (2, count), (15, CODE)):
            silicon.remote.write_register(number, value)
        silicon.remote.step()
        for nodes in (False, True):
            flow = Dataflow()
            m = Machine(Thumb(vectors=True), flow, Memory(flow, {CODE: code}))
            m.pc, m.flags = CODE, flags(rng)[0]
            m.registers[:3] = [low, high, flow.input(0, 1 << 30, count) if nodes else count]
            m.step()
            ours = [each if isinstance(each, int) else each.sample for each in m.registers[:2]]
            assert ours == silicon.remote.registers(2), count


def sweep(silicon: QemuCore, count: int) -> None:
    rng = np.random.default_rng(seed_for(count))
    for kind, pattern in (VECTOR_KINDS | OTHER_KINDS).items():
        done = 0
        for _ in range(8 * count):
            try:
                found = differs(silicon, encoded(pattern, False, rng), rng, kind)
            except Stopped:
                continue
            assert not found, found
            done += 1
            if done == count:
                break
        assert done >= max(1, count // 4), f"{kind}: only {done} of {count} were instructions"


@needs_qemu
def test_each_instruction_does_what_the_emulator_does(silicon):
    sweep(silicon, 2)


@pytest.mark.slow(scaled=True)
@needs_qemu
def test_many_of_each_do_what_the_emulator_does(silicon):
    sweep(silicon, cases(20))


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("41f005e0", "dlstp.8 lr, r1"),
        ("1ff005c0", "letp lr, …"),
        ("71fe4d0f", "vpst"),
        ("00ff58c1", "veor q6, q0, q4"),
        ("feee2a6f", "vmladava.s8"),
        ("8cef5660", "vshr.s8 q3, q3, #4"),
        ("53ea2d43", "sqrshrl r2, r3, #64, r4"),
    ],
)
def test_what_predicates_lanes_and_what_is_not_listed_is_not_known(code, what):
    """Loops whose lanes end early, blocks of predicated instructions, other types."""
    memory = Memory(Dataflow(), {CODE: bytes.fromhex(code)})
    m = Machine(Thumb(vectors=True), Dataflow(), memory)
    m.pc, m.flags = CODE, (("result", 1, 0), (0, 0, 0, 0))
    with pytest.raises(Stopped, match="does not know"):
        m.step()


def test_without_the_extension_none_of_it_is_known():
    for code in ("b3ec10be", "45f001e0", "52ea0381", "50ea4f11"):
        memory = Memory(Dataflow(), {CODE: bytes.fromhex(code)})
        m = Machine(Thumb(), Dataflow(), memory)
        m.pc, m.flags = CODE, (("result", 1, 0), (0, 0, 0, 0))
        with pytest.raises(Stopped, match="does not know"):
            m.step()
