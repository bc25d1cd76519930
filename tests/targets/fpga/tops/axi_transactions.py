"""What cocotb runs inside a simulator: the packaged IP between AXI models, as a DMA and a processor use it.

The environment variable PLAN names a JSON file: the shape of the frames, the seed, and where inputs and the golden
outputs lie. `test_axi_transactions.py` writes it.
"""

from __future__ import annotations

import itertools
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from edgeml.targets.fpga.tops.registers import ADDRESS_BITS, registers

PLAN: dict[str, Any] = json.loads(Path(os.environ["PLAN"]).read_text()) if "PLAN" in os.environ else {}
MAGIC, VERSION, CONTROL, IN_FRAMES, OUT_FRAMES = 0x00, 0x04, 0x08, 0x34, 0x3C
ENABLE, PENDING, FRAMES, ERRORS, FAILURES = 0x54, 0x58, 0x5C, 0x60, 0x64
OKAY, SLVERR = 0, 2
EARLY, LATE, HALTED = 1, 2, 4


class Desk:
    """The IP with its clock, a DMA on either side and a processor on its registers."""

    def __init__(self, dut: Any) -> None:
        self.dut, self.rng = dut, random.Random(PLAN["seed"])
        self.q, self.y = np.load(PLAN["inputs"]), np.load(PLAN["outputs"])
        reset = {"reset": dut.aresetn, "reset_active_level": False}
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.aclk, **reset)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.aclk, **reset)
        self.registers = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), dut.aclk, **reset)
        cocotb.start_soon(Clock(dut.aclk, 10, "ns").start())

    async def begin(self, pauses: tuple[float, float] = (0.0, 0.0), frames: int = 1) -> None:
        """A reset, and so many frames a packet; with so large shares of clocks in which either side pauses."""
        await self.reset()
        for side, share in zip((self.source, self.sink), pauses, strict=True):
            side.set_pause_generator(self._pausing(share) if share else itertools.repeat(False))
        assert await self.read(MAGIC) == 0x45444D4C
        assert await self.read(VERSION) == 3
        if frames != 1:
            await self.write(FRAMES, frames)

    def _pausing(self, share: float) -> Iterator[bool]:
        while True:
            yield self.rng.random() < share

    async def reset(self) -> None:
        """Some clocks of reset; what was on its way is forgotten on all sides."""
        self.dut.aresetn.value = 0
        await ClockCycles(self.dut.aclk, self.rng.randint(1, 3))
        self.dut.aresetn.value = 1
        await RisingEdge(self.dut.aclk)
        self.source.clear()
        self.sink.clear()

    async def restart(self, frames: int) -> None:
        """A restart with so many frames a packet, and of the DMA that receives: it forgets what it had of a packet."""
        await self.write(FRAMES, frames)
        self.sink.assert_reset()
        self.sink.clear()

    async def read(self, address: int) -> int:
        return int(await self.registers.read_dword(address))

    async def write(self, address: int, value: int) -> None:
        await self.registers.write_dword(address, value)

    def packet(self, numbers: list[int], whole: bool = True) -> bytearray:
        """The bytes of some frames, each but the last in whole words, the last too where `whole`."""
        rows = np.zeros((len(numbers), PLAN["row_bytes"]), np.uint8)
        content = self.q[numbers].astype(PLAN["input_type"]).view(np.uint8).reshape(len(numbers), -1)
        rows[:, : content.shape[1]] = content
        sent = bytearray(rows.tobytes())
        return sent if whole else sent[: len(sent) - PLAN["row_bytes"] + content.shape[1]]

    async def results(self) -> npt.NDArray[np.int32]:
        """The outputs of the packet that comes next: int32 [frames, outputs], and zeros behind them."""
        frame = await with_timeout(self.sink.recv(), 2, "ms")
        rows = np.frombuffer(bytes(frame.tdata), "<i4").reshape(-1, PLAN["result_slots"])
        outputs = self.y.shape[1]
        assert not rows[:, outputs:].any()
        return rows[:, :outputs]

    async def expect(self, numbers: list[int]) -> None:
        """The packet that comes next is that of these frames."""
        np.testing.assert_array_equal(await self.results(), self.y[numbers])

    async def silent(self) -> None:
        """Nothing more comes."""
        await ClockCycles(self.dut.aclk, PLAN["patience"])
        assert self.sink.empty()
        assert not self.dut.m_axis_tvalid.value


@cocotb.test()
async def outputs_are_golden_whatever_the_pauses(dut: Any) -> None:
    desk, place = Desk(dut), 0
    for pauses, frames in (((0.0, 0.0), 1), ((0.5, 0.0), 3), ((0.0, 0.6), 2), ((0.3, 0.4), 1), ((0.8, 0.1), 5)):
        await desk.begin(pauses, frames)
        packets = [list(range(place + k * frames, place + (k + 1) * frames)) for k in range(-(-40 // frames))]
        packets = [[number % len(desk.q) for number in packet] for packet in packets]
        place += 40
        for packet in packets:
            await desk.source.send(AxiStreamFrame(desk.packet(packet, whole=desk.rng.random() < 0.5)))
        for packet in packets:
            await desk.expect(packet)
        await desk.silent()
        sent = sum(map(len, packets))
        assert (await desk.read(IN_FRAMES), await desk.read(OUT_FRAMES)) == (sent, sent)
        assert (await desk.read(ERRORS), await desk.read(FAILURES)) == (0, 0)


@cocotb.test()
async def a_packet_in_error_is_dropped_and_the_next_is_right(dut: Any) -> None:
    desk = Desk(dut)
    await desk.begin((0.3, 0.3))
    good, failures, word = [], 0, PLAN["width"] // 8
    for _ in range(60):
        number, kind = desk.rng.randrange(len(desk.q)), desk.rng.random()
        packet = desk.packet([number])
        if kind < 0.2:  # ends early, or lacks bytes of its last word
            packet = packet[: desk.rng.randrange(1, PLAN["row_bytes"] - PLAN["spare_bytes"])]
        elif kind < 0.4:
            packet += bytes(desk.rng.randrange(1, 4 * word))
        else:
            good.append(number)
        failures += kind < 0.4
        await desk.source.send(AxiStreamFrame(packet))
    for number in good:
        await desk.expect([number])
    await desk.source.wait()
    await desk.silent()
    assert await desk.read(FAILURES) == failures
    assert await desk.read(IN_FRAMES) == len(good)
    errors = await desk.read(ERRORS)
    assert errors in (EARLY, LATE, EARLY | LATE)
    await desk.write(ERRORS, 0)
    assert await desk.read(ERRORS) == errors
    await desk.write(ERRORS, EARLY)
    assert await desk.read(ERRORS) == errors & ~EARLY
    await desk.write(ERRORS, LATE)
    assert await desk.read(ERRORS) == 0


@cocotb.test()
async def each_error_has_its_bit_and_its_interrupt(dut: Any) -> None:
    desk = Desk(dut)
    for wrong, bit in (((-1, False), EARLY), ((PLAN["width"] // 8, True), LATE)):
        await desk.begin()
        await desk.write(ENABLE, 4)
        packet = desk.packet([0], whole=False)
        packet = packet[: wrong[0]] if wrong[0] < 0 else desk.packet([0]) + bytes(wrong[0])
        await desk.source.send(AxiStreamFrame(packet))
        await desk.source.wait()
        await ClockCycles(dut.aclk, 4)
        assert await desk.read(ERRORS) == bit
        assert dut.irq.value == 1
        await desk.write(PENDING, 4)
        await ClockCycles(dut.aclk, 2)
        assert dut.irq.value == 0
        await desk.source.send(AxiStreamFrame(desk.packet([1])))
        await desk.expect([1])


@cocotb.test()
async def a_packet_that_fails_behind_good_frames_stops_all_until_a_restart(dut: Any) -> None:
    desk = Desk(dut)
    await desk.begin((0.2, 0.2), 3)
    await desk.source.send(AxiStreamFrame(desk.packet([0, 1])))  # a frame too few
    await desk.source.send(AxiStreamFrame(desk.packet([2, 3, 4])))
    await desk.source.wait()
    await ClockCycles(dut.aclk, PLAN["patience"])
    assert desk.sink.empty()  # no packet came to its end
    assert await desk.read(ERRORS) == EARLY | HALTED
    await desk.restart(2)
    await desk.write(ERRORS, EARLY)
    assert await desk.read(ERRORS) == 0
    for packet in ([5, 6], [7, 8]):
        await desk.source.send(AxiStreamFrame(desk.packet(packet)))
    for packet in ([5, 6], [7, 8]):
        await desk.expect(packet)


@cocotb.test()
async def resets_and_restarts_at_any_time_leave_nothing(dut: Any) -> None:
    desk = Desk(dut)
    for turn in range(8):
        await desk.begin((0.3, 0.5))
        for number in range(6):
            await desk.source.send(AxiStreamFrame(desk.packet([number])))
        await ClockCycles(dut.aclk, desk.rng.randint(1, PLAN["patience"]))
        if turn % 2:
            desk.source.clear()
            while desk.source.active:  # what a stopped DMA had begun goes to its end
                await RisingEdge(dut.aclk)
            await desk.restart(1)
            await desk.write(ERRORS, EARLY | LATE)
        else:
            await desk.reset()
        numbers = [desk.rng.randrange(len(desk.q)) for _ in range(3)]
        for number in numbers:
            await desk.source.send(AxiStreamFrame(desk.packet([number])))
        for number in numbers:
            await desk.expect([number])
        await desk.silent()


@cocotb.test()
async def the_registers_are_those_of_the_description(dut: Any) -> None:
    desk = Desk(dut)
    await desk.begin()
    known = {register.offset: register for register in registers(PLAN["model_hash"], PLAN["classes"])}
    for offset in range(0, 1 << ADDRESS_BITS, 4):
        answer = await desk.registers.read(offset, 4)
        if offset not in known:
            assert answer.resp == SLVERR, hex(offset)
            assert (await desk.registers.write(offset, bytes(4))).resp == SLVERR, hex(offset)
            continue
        register = known[offset]
        assert answer.resp == OKAY, register.name
        value = int.from_bytes(answer.data, "little")
        assert register.reset is None or value == register.reset, register.name
        written = await desk.registers.write(offset, (register.reset or 0).to_bytes(4, "little"))
        assert (written.resp == OKAY) == register.writable, register.name
