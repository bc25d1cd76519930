"""The detector as it runs on a bus: one frame in, perhaps an alarm out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeml.bundle import Bundle
from edgeml.errors import InputError
from edgeml.network import decisions

from .frames import Frames
from .windows import Recipe, features_of

__all__ = ["Alarm", "Detector"]


@dataclass(frozen=True)
class Alarm:
    """`need` windows in a row called an attack.

    Parameters
    ----------
    time : of the frame that raised it, in seconds, as the log or the interface says.
    attack : the class of the newest window.
    identifiers : of the frames in that window, oldest first.
    """

    time: float
    attack: str
    identifiers: tuple[int, ...]

    def __str__(self) -> str:
        identifiers = " ".join(f"{identifier:03X}" for identifier in self.identifiers)
        return f"{self.time:.6f}  {self.attack}  last frames {identifiers}"


class Detector:
    """Runs a bundle on every frame.

    Parameters
    ----------
    bundle : made from windows of this example; how many frames a window has follows from its number of inputs.
    need : windows in a row that raise an alarm.
    on : the executor.
    """

    def __init__(self, bundle: Bundle, need: int = 4, on: str = "native") -> None:
        network = bundle.network
        self.recipe = Recipe.of_features(network.input_size)
        if not 1 <= need <= 1000:
            raise InputError("option need", f"must lie in 1 … 1000, found {need}")
        if network.output_size < 2:
            raise InputError(f"bundle {bundle.folder}", "has one output; a detector has one for each class")
        self._bundle, self._need, self._executor = bundle, need, bundle.executor(on)
        self.labels = network.output.labels or tuple(f"class {i}" for i in range(network.output_size))
        # A feature is a byte: its quantized value is looked up.
        every = np.repeat(np.arange(256, dtype=np.float64)[:, None], network.input_size, axis=1)
        self._quantized = network.quantizer.quantize(every)
        self._columns = np.arange(network.input_size)
        self._features = np.zeros((self.recipe.frames, self.recipe.features_a_frame), np.uint8)
        self._identifiers: list[int] = []
        self._before: float | None = None
        self._in_a_row = 0
        self.frames = self.windows = self.called = 0

    def see(self, frame: Frames) -> Alarm | None:
        """Take the next frame, FRAME [1]; an alarm if it is the one that raises it, once for each run of windows."""
        self._features[:-1] = self._features[1:]
        self._features[-1] = features_of(frame, self.recipe, self._before)[0]
        self._before = float(frame["time"][0])
        self._identifiers = [*self._identifiers, int(frame["identifier"][0])][-self.recipe.frames :]
        self.frames += 1
        if self.frames < self.recipe.frames:
            return None
        q = self._quantized[self._features.ravel(), self._columns]
        outputs = self._executor.run(self._bundle, q[None, :], trace=False, options={}).outputs
        said = int(decisions(self._bundle.network, outputs)[0])
        self.windows += 1
        self._in_a_row = self._in_a_row + 1 if said else 0
        self.called += bool(said)
        if self._in_a_row != self._need:
            return None
        return Alarm(self._before, self.labels[said], tuple(self._identifiers))
