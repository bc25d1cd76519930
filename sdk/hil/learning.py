"""A device whose network adapts: learning, calibrating, saving and loading over the link."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import CheckFailed, InputError
from ..network.adaptation.state_image import numbered
from .device import Device
from .messages import ADAPTED, CALIBRATE, LEARN, LOAD, REHEARSE, RESET, SAVE, integers

__all__ = ["LearningDevice"]

_RESULT_BYTES = 4


class LearningDevice:
    """What `AdaptingNetwork` is in golden, on a device. Each request is done once, however often it must be asked.

    device : connected. InputError where its network states nothing that adapts.
    """

    def __init__(self, device: Device) -> None:
        self._device, self.network = device, device.network
        self._state_bytes = len(self.network.adapting().state())
        self._dtype = np.int8 if self.network.quantizer.signed else np.uint8

    def _given(self, q: npt.NDArray[Any]) -> bytes:
        return np.ascontiguousarray(self.network.check_input(np.asarray(q)), self._dtype).tobytes()

    def _result(self, kind: int, number: int = 0, content: bytes = b"") -> int:
        return int.from_bytes(self._device.ask(kind, _RESULT_BYTES, number, content), "little", signed=True)

    def outputs(self, q: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Output integers int32 [samples, outputs] for q [samples, inputs], as adapted."""
        step, size = self._device.info.most_samples, self.network.output_size
        parts = [np.zeros((0, size), np.int32)]
        for start in range(0, len(q), step):
            part = q[start : start + step]
            body = self._device.ask(ADAPTED, 4 + 4 * size * len(part), len(part), self._given(part))
            parts.append(integers(body[4:], size * len(part)).reshape(len(part), size))
        return np.concatenate(parts)

    def learn(self, x: npt.NDArray[Any], label: int) -> int:
        """The class that x [inputs] was taken for. InputError where there is no such class, or a calibration is under
        way."""
        if isinstance(label, bool) or not 0 <= label < self.network.output_size:
            raise InputError("class", f"must be 0 … {self.network.output_size - 1}, found {label!r}")
        return self._done(self._result(LEARN, int(label), self._given(np.asarray(x)[None, :])))

    def rehearse(self) -> int:
        """On how many windows weights changed. InputError while a calibration is under way."""
        return self._done(self._result(REHEARSE))

    def _done(self, result: int) -> int:
        if result < 0:
            raise InputError("calibration", "is under way", "Give it the windows that it wants, or reset it")
        return result

    def calibrate(self, windows: npt.NDArray[Any]) -> int:
        """How many windows are still wanted after those [samples, inputs], or after the last that was."""
        wanted, step = 0, self._device.info.most_samples
        for start in range(0, len(windows), step):
            part = windows[start : start + step]
            wanted = self._result(CALIBRATE, len(part), self._given(part))
            if not wanted:
                break
        return wanted

    def reset(self) -> None:
        """Back to the factory state."""
        self._result(RESET)

    def state(self, sequence: int = 1) -> bytes:
        """The image of the device's state, with the number that it is given."""
        return numbered(self._device.ask(SAVE, self._state_bytes), sequence)

    def load(self, image: bytes) -> None:
        """Hand over the state of an image; CheckFailed where the device refuses it."""
        if len(image) != self._state_bytes:
            raise InputError("saved state", f"has {len(image)} bytes, expected {self._state_bytes}")
        if why := self._result(LOAD, len(image), image):
            raise CheckFailed(self._device.name, f"refuses the state, with {why} of NAME_adaptation.h", "Reset it")
