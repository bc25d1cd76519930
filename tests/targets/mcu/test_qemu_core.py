"""Functions are called on QEMU's Cortex-M55, instruction by instruction where that is asked for; faults end a call."""

from __future__ import annotations

import shutil

import pytest

from edgeml.errors import CheckFailed
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.image import Image, Segment, Symbol
from edgeml.targets.mcu.qemu_core import QemuCore

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

PLACES = {"sum": 0x100, "callee": 0x108, "bad": 0x110, "undefined": 0x120, "load": 0x130}
CODE = bytearray(0x140)
CODE[0x100:0x108] = bytes.fromhex("00b5 00f001f8 00bd")  # push {lr}; bl callee; pop {pc}
CODE[0x108:0x10E] = bytes.fromhex("4018 1060 7047")  # adds r0, r0, r1; str r0, [r2]
CODE[0x110:0x116] = bytes.fromhex("0148 0068 7047")  # ldr r0, [pc, #4]; ldr r0, [r0]; bx lr
CODE[0x118:0x11C] = bytes.fromhex("0000000f")  # nothing lies there
CODE[0x120:0x122] = bytes.fromhex("ffde")  # udf
CODE[0x130:0x134] = bytes.fromhex("1068 7047")  # ldr r0, [r2]; bx lr


@pytest.fixture(scope="module")
def emulated() -> QemuCore:
    symbols = {name: Symbol(name, place, 8, ".text", True) for name, place in PLACES.items()}
    return QemuCore(core("m55"), Image(0, (Segment(0, 0, bytes(CODE), len(CODE)),), {}, symbols))


def test_a_call_gives_its_result_and_what_it_wrote(emulated):
    place = emulated.allocate(4)
    assert emulated.call("sum", 5, 7, place).result == 12
    assert emulated.read(place, 4) == bytes([12, 0, 0, 0])


def test_each_instruction_is_told_with_its_registers(emulated):
    place = emulated.allocate(4)
    found = emulated.blocks("sum", 40, 2, place)
    assert [address for address, *_ in found] == [0x100, 0x102, 0x108, 0x10A, 0x10C, 0x106]
    assert {count for _, count, *_ in found} == {1}
    assert [registers[0] for _, _, *registers in found] == [40, 40, 40, 42, 42, 42]
    assert all(registers[2] == place for _, _, *registers in found)
    assert emulated.blocks("sum", 40, 2, place) == found


def test_what_memory_holds_when_a_function_begins_can_be_set(emulated):
    """The callee writes before what is put there when it begins."""
    place = emulated.allocate(8)
    for content in (bytes([1, 2, 3, 4]), bytes([9, 0, 0, 1])):
        at = {"entry": PLACES["callee"], "contents": {place: bytes(4), place + 4: content}, "place": place, "size": 8}
        assert emulated.call_holding("sum", 3, 4, place, **at) == bytes([7, 0, 0, 0]) + content
        assert emulated.call("load", 0, 0, place + 4).result == int.from_bytes(content, "little")


def test_an_access_is_seen_where_it_is_made(emulated):
    place = emulated.allocate(8)
    made = [
        emulated.makes_access("sum", 1, 1, place, at=at, address=address, size=4, write=write)
        for at, address, write in ((0x10A, place, True), (0x10A, place + 4, True), (0x10A, place, False),
                                   (0x106, place, True))
    ]  # fmt: skip
    assert made == [True, False, False, False]
    assert emulated.makes_access("load", 0, 0, place, at=0x130, address=place, size=4, write=False)


@pytest.mark.parametrize(("function", "at"), [("bad", "0x00000112"), ("undefined", "0x00000120")])
def test_a_fault_is_named_and_the_next_call_begins_anew(emulated, function, at):
    with pytest.raises(CheckFailed, match=f"faults in {function} at {at}"):
        emulated.call(function)
    with pytest.raises(CheckFailed, match=f"faults in {function} at {at}"):
        emulated.blocks(function)
    assert emulated.call("sum", 5, 7, emulated.allocate(4)).result == 12


def test_an_image_that_does_not_fit_is_refused():
    image = Image(0, (Segment(0x6000_0000, 0, b"1234", 4),), {})
    with pytest.raises(CheckFailed, match="does not fit the memory of QEMU's"):
        QemuCore(core("m55"), image)
