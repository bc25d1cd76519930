"""The firmware of a network that adapts, on an emulated core, with one state."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.targets.c.adaptation.plan import AdaptationPlan

from .cores import Core
from .emulator import Call, Emulator
from .firmware import Firmware
from .image import Image
from .image_build import library_image
from .qemu_core import QEMU_CORE, QemuCore

__all__ = ["EmulatedAdaptation", "adaptation_image"]

_GAPS = 64


class _Machine(Protocol):
    """What Unicorn's and QEMU's cores have alike."""

    def allocate(self, size: int, alignment: int = 8) -> int: ...

    def write(self, address: int, content: bytes) -> None: ...

    def read(self, address: int, size: int) -> bytes: ...

    def call(self, function: str, *arguments: int) -> Call: ...


def adaptation_image(firmware: Firmware, core: Core, optimize: str = "-O2") -> Image:
    """The firmware with the functions of `<name>_adaptation.h`."""
    name, plan = firmware.program.layout.name, AdaptationPlan.of(firmware.program.layout.network)
    functions = ["adapted_invoke", "reset", "state_pack", "state_unpack", "state_save", "state_load"]
    if plan is not None:
        functions += ["learn", "rehearse"] if plan.last is not None else []
        functions += ["calibrate"] if plan.offsets is not None else []
    return library_image(firmware, core, sensor=True, optimize=optimize, also=tuple(f"{name}_{f}" for f in functions))


class EmulatedAdaptation:
    """What `AdaptingNetwork` is in golden, on a core of Unicorn or QEMU. InputError where nothing adapts."""

    def __init__(self, firmware: Firmware, core: Core, optimize: str = "-O2") -> None:
        layout = firmware.program.layout
        plan = AdaptationPlan.of(layout.network)
        if plan is None:
            raise InputError(f"network {layout.network.name}", "states nothing that adapts")
        image = adaptation_image(firmware, core, optimize)
        self.flash_bytes = image.flash
        self._machine: _Machine = QemuCore(core, image) if core.name == QEMU_CORE else Emulator(core, image)
        self._name, self._network, self._bytes = layout.name, layout.network, plan.image_bytes
        self._dtype = np.int8 if layout.network.quantizer.signed else np.uint8
        self._state = self._machine.allocate(plan.image_bytes + _GAPS)
        self._image = self._machine.allocate(plan.image_bytes)
        self._input = self._machine.allocate(layout.network.input_size)
        self._output = self._machine.allocate(4 * layout.network.output_size)
        self._arena = self._machine.allocate(firmware.program.arena_bytes, layout.dialect.alignment)
        self.reset()

    def call(self, function: str, *arguments: int) -> int:
        """What a function returns, as a signed number."""
        found = self._machine.call(f"{self._name}_{function}", *arguments).result & 0xFFFF_FFFF
        return found - (found >> 31 << 32)

    def _given(self, x: npt.NDArray[Any]) -> int:
        self._machine.write(self._input, np.ascontiguousarray(x, self._dtype).tobytes())
        return self._input

    def reset(self) -> None:
        """Back to the factory state."""
        self.call("reset", self._state)

    def outputs(self, q: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Output integers int32 [samples, outputs] for q [samples, inputs], as adapted."""
        outputs = np.empty((len(q), self._network.output_size), np.int32)
        for row, target in zip(q, outputs, strict=True):
            self.call("adapted_invoke", self._state, self._given(row), self._output, self._arena)
            target[:] = np.frombuffer(self._machine.read(self._output, target.nbytes), "<i4")
        return outputs

    def learn(self, x: npt.NDArray[Any], label: int) -> int:
        """The class that x [inputs] was taken for; −1 if it was not learned."""
        return self.call("learn", self._state, self._given(x), label, self._arena)

    def rehearse(self) -> int:
        """On how many windows weights changed; −1 while a calibration is under way."""
        return self.call("rehearse", self._state)

    def calibrate(self, windows: npt.NDArray[Any]) -> int:
        """How many windows are still wanted after those [samples, inputs], or after the last that was."""
        wanted = 0
        for row in windows:
            wanted = self.call("calibrate", self._state, self._given(row), self._arena)
            if not wanted:
                break
        return wanted

    def state(self, sequence: int = 1) -> bytes:
        """The image of the state."""
        self.call("state_pack", self._state, sequence, self._image)
        return self._machine.read(self._image, self._bytes)

    def load(self, image: bytes) -> int:
        """0 if the state of the image was taken; else why not (`<NAME>_STATE_…`)."""
        self._machine.write(self._image, image[: self._bytes])
        return self.call("state_unpack", self._state, self._image, len(image), 0)
