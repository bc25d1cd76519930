"""The detector as it runs on a bus: one frame in, perhaps an alarm out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeml.bundle import Bundle
from edgeml.errors import InputError

from .evidence import Accumulator, Evidence
from .frames import Frames
from .habits import Habits
from .state import BusState
from .windows import Recipe, bytes_of

__all__ = ["Alarm", "Detector"]


@dataclass(frozen=True)
class Alarm:
    """Enough evidence of an attack (`evidence.py`).

    Parameters
    ----------
    time : of the frame that raised it, in seconds, as the log or the interface says.
    attack : the class that the evidence is for.
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
    rule, habits : what `train` wrote beside the bundle.
    on : the executor.
    """

    def __init__(self, bundle: Bundle, rule: Evidence, habits: Habits, on: str = "native") -> None:
        network = bundle.network
        self.recipe = Recipe.of_features(network.input_size)
        if network.output_size < 2:
            raise InputError(f"bundle {bundle.folder}", "has one output; a detector has one for each class")
        if network.output_size != len(rule.drift) + 1:
            raise InputError(
                "evidence", f"is for {len(rule.drift)} attacks, the bundle has {network.output_size} classes"
            )
        self._bundle, self._executor = bundle, bundle.executor(on)
        self._evidence, self._state = Accumulator(rule), BusState(habits)
        self.labels = network.output.labels or tuple(f"class {i}" for i in range(network.output_size))
        # A feature is a byte: its quantized value is looked up.
        every = np.repeat(np.arange(256, dtype=np.float64)[:, None], network.input_size, axis=1)
        self._quantized = network.quantizer.quantize(every)
        self._columns = np.arange(network.input_size)
        self._features = np.zeros((self.recipe.frames, self.recipe.features_a_frame), np.uint8)
        self._identifiers: list[int] = []
        self.frames = self.windows = self.called = 0

    def see(self, frame: Frames) -> Alarm | None:
        """Take the next frame, FRAME [1]; an alarm if it is the one that raises it."""
        one = frame[0]
        time, identifier = float(one["time"]), int(one["identifier"])
        data = int.from_bytes(one["data"].tobytes(), "big")
        state = self._state.see(round(time * 1e6), identifier, bool(one["extended"]), data)
        self._features[:-1] = self._features[1:]
        self._features[-1] = np.concatenate([bytes_of(frame)[0], np.array(state, np.uint8)])
        self._identifiers = [*self._identifiers, identifier][-self.recipe.frames :]
        self.frames += 1
        if self.frames < self.recipe.frames:
            return None
        q = self._quantized[self._features.ravel(), self._columns]
        outputs = self._executor.run(self._bundle, q[None, :], trace=False, options={}).outputs
        row = [int(value) for value in outputs[0]]
        self.windows += 1
        self.called += row.index(max(row)) > 0
        attack = self._evidence.add(row)
        return Alarm(time, self.labels[attack], tuple(self._identifiers)) if attack else None
