"""A simulated UART top as a device of the test links: bytes in, bytes out, and a reset."""

from __future__ import annotations

import subprocess
from pathlib import Path

from edgeml.network import Network
from edgeml.profile import load_profile
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.design import Built, Design, build
from edgeml.targets.fpga.tops.simulation import CLOCKS_PER_BIT, compile_board
from edgeml.targets.fpga.tops.uart import UartTop, uart_top

__all__ = ["SimulatedBoard"]


class SimulatedBoard:
    """`receive(bytes)` gives what the device sends back until it is quiet; `reset()` is its reset button."""

    def __init__(
        self, network: Network, design: Design, part: str, folder: Path, bit_time: float = CLOCKS_PER_BIT
    ) -> None:
        self.network = network
        self.built: Built = build(network, design)
        self.top: UartTop = uart_top(network, self.built, budget_of(load_profile(part)))
        self.program = compile_board(self.built, self.top, folder)
        self.start(bit_time)

    def start(self, bit_time: float = CLOCKS_PER_BIT, folder: Path | None = None) -> None:
        """Start the simulation; bit_time : clocks of a bit sent to the device. folder : of other memory images."""
        command = self.program.command("pipe", bit_time)
        self._process = subprocess.Popen(
            command, cwd=folder or self.program.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def _send(self, content: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(content)

    def _read(self, count: int) -> bytes:
        assert self._process.stdout is not None
        content = b""
        while len(content) < count:
            part = self._process.stdout.read(count - len(content))
            assert part, "the simulation ended"
            content += part
        return content

    def reset(self) -> None:
        """The reset button."""
        self._send(b"R")

    def receive(self, content: bytes) -> bytes:
        """Bytes for the device; what it answers."""
        self._send(b"B" + len(content).to_bytes(4, "little") + content)
        return self._read(int.from_bytes(self._read(4), "little"))

    def close(self) -> None:
        """End the simulation."""
        self._process.terminate()
        self._process.wait(10)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
