"""What cocotb runs inside a simulator: a SoC of LiteX, whose bus a processor drives that is not there.

The environment variable PLAN names a JSON file: addresses of registers and memory, the shape of the frames, the seed,
and where inputs and the golden outputs lie. `test_litex.py` writes it.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge

PLAN: dict[str, Any] = json.loads(Path(os.environ["PLAN"]).read_text()) if "PLAN" in os.environ else {}
EARLY, LATE, HALTED = 1, 2, 4
CLEAR_ERRORS, CLEAR_COUNTERS = 1, 2
FRAME, ERROR = 1, 2
_MOST_CLOCKS = 1000


class Desk:
    """The SoC with its clock; reads and writes on its bus."""

    def __init__(self, dut: Any) -> None:
        self.dut, self.rng = dut, random.Random(PLAN["seed"])
        self.q, self.y = np.load(PLAN["inputs"]), np.load(PLAN["outputs"])
        cocotb.start_soon(Clock(dut.clk, 10, "ns").start())

    async def begin(self) -> None:
        self.dut.rst.value = 1
        for name in ("cyc", "stb", "we", "adr", "dat_w", "sel", "cti", "bte"):
            getattr(self.dut, f"bus_{name}").value = 0
        await ClockCycles(self.dut.clk, 4)
        self.dut.rst.value = 0
        await FallingEdge(self.dut.clk)

    async def _word(self, address: int, value: int | None) -> int:
        """A transfer of the bus, from falling edge to falling edge."""
        dut = self.dut
        dut.bus_adr.value, dut.bus_sel.value = address >> 2, 0xF
        dut.bus_we.value, dut.bus_dat_w.value = int(value is not None), value or 0
        dut.bus_cyc.value = dut.bus_stb.value = 1
        for _ in range(_MOST_CLOCKS):
            await FallingEdge(dut.clk)
            if dut.bus_ack.value == 1:
                found = int(dut.bus_dat_r.value) if value is None else 0
                break
        else:
            raise AssertionError(f"no answer at {address:#x}")
        dut.bus_cyc.value = dut.bus_stb.value = 0
        await FallingEdge(dut.clk)
        return found

    async def read(self, name: str, word: int = 0) -> int:
        """A register of the module, or a word of it."""
        return await self._word(PLAN["registers"][f"device_{name}"] + 4 * word, None)

    async def write(self, name: str, value: int, word: int = 0) -> None:
        await self._word(PLAN["registers"][f"device_{name}"] + 4 * word, value)

    async def store(self, address: int, content: bytes) -> None:
        for place in range(0, len(content), 4):
            await self._word(address + place, int.from_bytes(content[place : place + 4], "little"))

    async def load(self, address: int, count: int) -> bytes:
        words = [await self._word(address + place, None) for place in range(0, count, 4)]
        return b"".join(word.to_bytes(4, "little") for word in words)

    def packet(self, numbers: list[int]) -> bytes:
        """The bytes of some frames; what is left of each frame's last word holds anything."""
        rows = np.array([self.rng.randrange(256) for _ in range(len(numbers) * PLAN["row_bytes"])], np.uint8)
        rows = rows.reshape(len(numbers), -1)
        content = self.q[numbers].astype(PLAN["input_type"]).view(np.uint8).reshape(len(numbers), -1)
        rows[:, : content.shape[1]] = content
        return rows.tobytes()

    async def start(self, sent: bytes, taken: int) -> None:
        """A packet into memory, and both DMAs off."""
        await self.store(PLAN["memory"], sent)
        for side, place, length in (("reader", 0, len(sent)), ("writer", PLAN["results_at"], taken)):
            await self.write(f"{side}_base", 0, 0)
            await self.write(f"{side}_base", PLAN["memory"] + place, 1)
            await self.write(f"{side}_length", length)
        await self.write("writer_enable", 1)
        await self.write("reader_enable", 1)

    async def stop(self) -> None:
        await self.write("reader_enable", 0)
        await self.write("writer_enable", 0)

    async def run(self, numbers: list[int]) -> npt.NDArray[np.int32]:
        """The outputs of a packet: int32 [frames, outputs]."""
        size = 4 * PLAN["result_slots"]
        await self.start(self.packet(numbers), size * len(numbers))
        for _ in range(PLAN["patience"] * len(numbers)):  # looks, of some clocks each
            if await self.read("writer_done"):
                break
        else:
            said = ("network_errors", "network_in_frames", "network_out_frames", "reader_offset", "writer_offset")
            found = {name: await self.read(name) for name in said}
            raise AssertionError(f"the results of {len(numbers)} frames do not come: {found}")
        await self.stop()
        content = await self.load(PLAN["memory"] + PLAN["results_at"], size * len(numbers))
        rows = np.frombuffer(content, "<i4").reshape(len(numbers), -1)
        assert not rows[:, self.y.shape[1] :].any()
        return rows[:, : self.y.shape[1]]


@cocotb.test()
async def outputs_are_golden(dut: Any) -> None:
    desk, sent = Desk(dut), 0
    await desk.begin()
    words = [await desk.read("network_model_hash", word) for word in range(8)]
    assert "".join(f"{word:08x}" for word in words) == PLAN["model_hash"]
    assert await desk.read("network_frames") == 1
    for frames in (1, 4, 7):
        await desk.write("network_frames", frames)
        for _ in range(-(-PLAN["vectors"] // (3 * frames))):
            numbers = [(sent + place) % len(desk.q) for place in range(frames)]
            np.testing.assert_array_equal(await desk.run(numbers), desk.y[numbers])
            sent += frames
            if PLAN["classes"]:
                assert await desk.read("network_last_class") == int(np.argmax(desk.y[numbers[-1]]))
    assert (await desk.read("network_in_frames"), await desk.read("network_out_frames")) == (sent, sent)
    assert (await desk.read("network_errors"), await desk.read("network_failures")) == (0, 0)
    await desk.write("network_clear", CLEAR_COUNTERS)
    assert await desk.read("network_out_frames") == 0


@cocotb.test()
async def packets_in_error_are_dropped_and_said(dut: Any) -> None:
    desk, word = Desk(dut), PLAN["row_bytes"] // PLAN["input_words"]
    await desk.begin()
    await desk.write("network_ev_enable", ERROR)
    wrong = [(desk.packet([0]) + bytes(word), LATE)]
    if PLAN["input_words"] > 1:
        wrong.append((desk.packet([0])[:-word], EARLY))
    for failures, (sent, error) in enumerate(wrong, 1):
        assert dut.irq.value == 0
        await desk.start(sent, 4 * PLAN["result_slots"])
        await ClockCycles(dut.clk, PLAN["patience"])
        assert await desk.read("network_errors") == error
        assert await desk.read("network_failures") == failures
        assert dut.irq.value == 1
        assert await desk.read("writer_done") == 0
        await desk.stop()
        await desk.write("network_clear", CLEAR_ERRORS)
        assert await desk.read("network_errors") == 0
        await desk.write("network_ev_pending", ERROR)
        np.testing.assert_array_equal(await desk.run([1]), desk.y[[1]])
    # Frames of a packet that fails later had gone in: all is held until a restart.
    await desk.write("network_frames", 3)
    await desk.start(desk.packet([0, 1]), 4 * PLAN["result_slots"] * 3)
    await ClockCycles(dut.clk, PLAN["patience"])
    assert await desk.read("network_errors") == EARLY | HALTED
    await desk.stop()
    await desk.write("network_frames", 0)  # taken as 1
    await desk.write("network_clear", CLEAR_ERRORS)
    assert await desk.read("network_errors") == 0
    np.testing.assert_array_equal(await desk.run([2]), desk.y[[2]])


@cocotb.test()
async def a_transfer_that_is_stopped_leaves_nothing(dut: Any) -> None:
    desk = Desk(dut)
    await desk.begin()
    await desk.write("network_frames", 8)
    for clocks in (3, 9, 20, 41, 77):
        await desk.start(desk.packet(list(range(8))), 4 * PLAN["result_slots"] * 8)
        await ClockCycles(dut.clk, clocks)
        await desk.stop()
        await desk.write("network_frames", 8)
        numbers = [desk.rng.randrange(len(desk.q)) for _ in range(8)]
        np.testing.assert_array_equal(await desk.run(numbers), desk.y[numbers])
