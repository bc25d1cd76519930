"""What cocotb runs inside a simulator: the driver for PYNQ, whose DMA and registers are AXI models before the IP.

The driver runs in a thread and polls; what it reads and writes are transactions of the simulation.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
import pytest
from cocotb.task import bridge, resume
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiStreamFrame

from .axi_transactions import PLAN, Desk


class Channel:
    """A channel of AXI DMA in simple mode, as `pynq.lib.dma` shows it."""

    def __init__(self, desk: Desk, sends: bool) -> None:
        self.desk, self.sends, self.cut, self.running = desk, sends, 0, False
        self.waiting: tuple[Any, int] | None = None

    def start(self) -> None:
        self.running = True

    def transfer(self, array: Any, start: int = 0, nbytes: int = 0) -> None:
        assert self.running
        assert self.waiting is None
        resume(self._begin)(array, nbytes)

    async def _begin(self, array: Any, nbytes: int) -> None:
        if self.sends:
            content = bytearray(array.view(np.uint8)[: nbytes - self.cut].tobytes())
            await self.desk.source.send(AxiStreamFrame(content))
        else:
            self.waiting = array, nbytes

    @property
    def idle(self) -> bool:
        return bool(resume(self._look)())

    async def _look(self) -> bool:
        await ClockCycles(self.desk.dut.aclk, 20)
        if self.sends:
            return bool(self.desk.source.idle())
        if self.waiting is not None and not self.desk.sink.empty():
            array, nbytes = self.waiting
            came = np.frombuffer(bytes(self.desk.sink.recv_nowait().tdata), np.uint8)
            assert len(came) == nbytes
            array.view(np.uint8)[:nbytes] = came
            self.waiting = None
        return self.waiting is None


class Dma:
    """AXI DMA with both channels; its reset forgets what they had begun."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.sendchannel, self.recvchannel = desk, Channel(desk, True), Channel(desk, False)

    def read(self, offset: int) -> int:
        return 0

    def write(self, offset: int, value: int) -> None:
        assert (offset, value) == (0, 4)
        for channel in (self.sendchannel, self.recvchannel):
            channel.waiting, channel.running = None, False
        resume(self._reset)()

    async def _reset(self) -> None:
        for side in (self.desk.source, self.desk.sink):
            side.assert_reset()
            side.clear()


class Registers:
    """The IP's registers."""

    def __init__(self, desk: Desk) -> None:
        self.read, self.write = resume(desk.read), resume(desk.write)


def _use(driver: Any, desk: Desk) -> None:
    """What a user does, and what goes wrong for him."""
    dma = Dma(desk)
    allocate = np.zeros
    network = driver.Network(dma, Registers(desk), allocate, frames=24, seconds=20.0)
    np.testing.assert_array_equal(network.run(desk.q), desk.y)
    assert network.errors() == (0, 0)
    assert network.run(desk.q[:0]).shape == (0, desk.y.shape[1])
    for wrong in (desk.q[:, :-1], desk.q[0], desk.q.astype(float), desk.q * 0 + driver.HIGH + 1):
        with pytest.raises(ValueError, match="q must be"):
            network.run(wrong)
    dma.sendchannel.cut = PLAN["width"] // 8  # a DMA that sends a word too few
    network._seconds = 1.0
    with pytest.raises(driver.NetworkError, match="ended too early"):
        network.run(desk.q[:4])
    dma.sendchannel.cut, network._seconds = 0, 20.0
    np.testing.assert_array_equal(network.run(desk.q[4:9]), desk.y[4:9])
    driver.MODEL_HASH = "0" * 64
    with pytest.raises(driver.NetworkError, match="bitstream is of model"):
        driver.Network(dma, Registers(desk), allocate)


@cocotb.test()
async def the_driver_gives_golden_outputs_and_says_what_failed(dut: Any) -> None:
    path = Path(os.environ["DRIVER"])
    spec = importlib.util.spec_from_file_location("driver", path)
    assert spec is not None
    assert spec.loader is not None
    driver = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(driver)
    desk = Desk(dut)
    await desk.begin((0.2, 0.2))
    await bridge(_use)(driver, desk)
