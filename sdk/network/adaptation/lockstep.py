"""A device that adapts beside golden: the same steps, and the same bytes of state after each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ...errors import CheckFailed
from .state_machine import AdaptingNetwork

__all__ = ["AdaptingDevice", "follow", "steps_of"]

Step = tuple[str, npt.NDArray[Any] | None, int]
"""What to do (learn, rehearse, calibrate, reload), with which window [inputs], of which class."""

_REHEARSED, _RELOADED, _CALIBRATED = 20, 33, 97


class AdaptingDevice(Protocol):
    """What runs the C of a network that adapts: the methods of `AdaptingNetwork` of the same names."""

    def outputs(self, q: npt.NDArray[Any]) -> npt.NDArray[np.int32]: ...

    def learn(self, x: npt.NDArray[Any], label: int) -> int: ...

    def rehearse(self) -> int: ...

    def calibrate(self, windows: npt.NDArray[Any]) -> int: ...

    def state(self, sequence: int = 1) -> bytes: ...

    def load(self, image: bytes) -> Any: ...


def steps_of(
    golden: AdaptingNetwork, q: npt.NDArray[Any], y: npt.NDArray[Any], count: int, seed: int
) -> Iterator[Step]:
    """`count` steps of every kind that the network has, drawn by `seed`, on windows q [samples, inputs] of classes y.

    Most of them learn; some windows are labelled wrongly, so that weights move far.
    """
    generator = np.random.default_rng(seed)
    adaptation = golden.network.adaptation
    assert adaptation is not None
    for number in range(count):
        row = int(generator.integers(len(q)))
        label = int(y[row]) if generator.integers(4) else int(generator.integers(golden.network.output_size))
        begins = adaptation.offsets is not None and number % _CALIBRATED == _CALIBRATED // 2
        if begins or golden.calibrating or adaptation.last_layer is None:
            yield "calibrate", q[row], 0
        elif number % _REHEARSED == _REHEARSED - 1:
            yield "rehearse", None, 0
        else:
            yield "learn", q[row], label
        if number % _RELOADED == _RELOADED - 1:
            yield "reload", None, 0


def follow(golden: AdaptingNetwork, device: AdaptingDevice, steps: Iterator[Step], where: str) -> int:
    """Take every step on both; the number of steps. CheckFailed naming the first after which they differ."""
    count = 0
    for kind, x, label in steps:
        found: tuple[Any, Any] = (0, 0)
        if kind == "learn" and x is not None:
            found = golden.learn(x, label), device.learn(x, label)
        elif kind == "calibrate" and x is not None:
            found = golden.calibrate(x[None, :]), device.calibrate(x[None, :])
        elif kind == "rehearse":
            found = golden.rehearse(), device.rehearse()
        else:
            image = golden.state(count)
            golden.load(image)
            device.load(image)
        count += 1
        if found[0] != found[1]:
            raise CheckFailed(where, f"answers step {count}, {kind}, with {found[1]}; golden with {found[0]}")
        if golden.state(count) != device.state(count):
            raise CheckFailed(where, f"has another state than golden behind step {count}, {kind}")
        if x is not None and not np.array_equal(golden.outputs(x[None, :]), device.outputs(x[None, :])):
            raise CheckFailed(where, f"gives other outputs than golden behind step {count}, {kind}")
    return count
