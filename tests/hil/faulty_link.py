"""A link that loses, flips, doubles and delays bytes and resets the device in mid-frame; seeded."""

from __future__ import annotations

import numpy as np

from .compiled_device import CompiledDevice, PerfectLink


class FaultyLink(PerfectLink):
    """`rate` is the chance of a fault per byte and direction."""

    name = "faulty link"

    def __init__(self, device: CompiledDevice, seed: int, rate: float) -> None:
        super().__init__(device)
        self._random = np.random.default_rng(seed)
        self._rate = rate
        self._late = b""
        self.faults = dict.fromkeys(("dropped", "flipped", "doubled", "delayed", "reset"), 0)

    def _spoiled(self, content: bytes) -> bytes:
        count = int(self._random.binomial(len(content), self._rate))
        damaged = bytearray(content)
        for _ in range(count):
            if not damaged:
                break
            position = int(self._random.integers(len(damaged)))
            kind = ("dropped", "flipped", "doubled", "delayed", "reset")[int(self._random.integers(5))]
            self.faults[kind] += 1
            if kind == "dropped":
                length = int(self._random.integers(1, 4))
                del damaged[position : position + length]
            elif kind == "flipped":
                damaged[position] ^= 1 << int(self._random.integers(8))
            elif kind == "doubled":
                damaged.insert(position, damaged[position])
            elif kind == "delayed":
                self._late += bytes(damaged[position:])
                del damaged[position:]
            else:
                self.device.receive(bytes(damaged[:position]))
                self.device.reset()
                self.pending = self.pending[: int(self._random.integers(len(self.pending) + 1))]
                del damaged[:position]
        return bytes(damaged)

    def write(self, content: bytes) -> None:
        super().write(self._spoiled(content))

    def read(self, timeout: float) -> bytes:
        late, self._late = self._late, b""
        if late and self._random.random() < 0.5:
            self.pending += self.device.receive(late)  # what was delayed on its way to the device, or is noise to it
        elif late:
            self.pending += late
        content = super().read(timeout)
        return self._spoiled(content)
