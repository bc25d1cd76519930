"""Attacks added to clean traffic, so that a user without an attack log can start.

- `dos`: bursts of identifier 0, the highest priority, back to back: they win every arbitration.
- `fuzzing`: single frames of random identifier, length and payload.
- `spoofing`: frames of an identifier that the car uses, each with the same false payload, sent regularly in a burst
  between the true ones.

A bus carries one frame at a time. Injected frames join the traffic as on a real bus: whoever is ready when the bus
falls free sends, the lowest identifier first, so a flood pushes the true frames back in time and none is lost. The log
says when a frame was received; a true frame is taken to be ready then, at the earliest. A frame's time on the bus is
counted with all stuff bits that it can have (`bus.frame_seconds`), so no two frames of the result are nearer to each
other than a bus of that speed allows, whatever the logger that wrote the log did.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from edgeml.errors import InputError

from .bus import frame_seconds
from .frames import FRAME, Frames, Traffic

__all__ = ["ATTACKS", "Attack", "inject", "read_identifier"]

ATTACKS = ("dos", "fuzzing", "spoofing")
_LARGEST_STANDARD = 0x7FF
_MOST_INJECTED = 10_000_000


@dataclass(frozen=True)
class Attack:
    """What to inject.

    Parameters
    ----------
    kind : one of ATTACKS.
    share : injected frames for each frame of the log, 0 … 1.
    burst : frames that follow one another (`fuzzing` sends singly).
    gap : seconds between the frames of a spoofing burst; a flood sends as fast as the bus takes it.
    identifier : of spoofed frames; None: one of those in the log, drawn.
    """

    kind: str
    share: float = 0.02
    burst: int = 50
    gap: float = 0.005
    identifier: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in ATTACKS:
            raise InputError(f"attack {self.kind!r}", "is not known", f"Known: {', '.join(ATTACKS)}")
        if not 0 < self.share <= 1:
            raise InputError(f"attack {self.kind}, share", f"must lie in 0 … 1, found {self.share:g}")
        if not 1 <= self.burst <= 1_000_000:
            raise InputError(f"attack {self.kind}, burst", f"must lie in 1 … 1000000, found {self.burst}")
        if not 0 <= self.gap <= 10:
            raise InputError(f"attack {self.kind}, gap", f"must lie in 0 … 10 s, found {self.gap:g}")
        if self.identifier is not None and not 0 <= self.identifier <= _LARGEST_STANDARD:
            raise InputError(f"attack {self.kind}, identifier", f"must lie in 0 … 2047, found {self.identifier}")


def read_identifier(text: str) -> int:
    """`1A0` or `0x1A0`; InputError where it is not a standard identifier."""
    try:
        number = int(text, 16)
    except ValueError:
        number = -1
    if not 0 <= number <= _LARGEST_STANDARD:
        raise InputError(f"identifier {text!r}", "is not a hexadecimal number in 0 … 7FF")
    return number


def inject(traffic: Traffic, attack: Attack, seed: int = 0, bits_per_second: float = 500_000.0) -> Traffic:
    """`traffic` of one trace with an attack in it, as the class `attack.kind`; the same seed gives the same frames.

    Raises InputError where the log has several traces or attacks of its own, or its frames are more than such a bus
    can carry.
    """
    if len(traffic.traces) != 1:
        raise InputError("the log", f"has {len(traffic.traces)} traces; attacks are added to one at a time")
    if np.any(traffic.frames["label"]):
        raise InputError("the log", "holds attacks already", "Take a log of clean traffic")
    if not 10_000 <= bits_per_second <= 1_000_000:
        raise InputError("bits per second", f"must lie in 10000 … 1000000 for classic CAN, found {bits_per_second:g}")
    frames = traffic.frames
    generator = np.random.default_rng(seed)
    number = max(1, round(attack.share * len(frames)))
    if number > _MOST_INJECTED:
        raise InputError(f"attack {attack.kind}, share", f"asks for {number} frames; at most {_MOST_INJECTED}")
    added = _INJECTORS[attack.kind](frames, attack, number, generator)
    added["label"] = 1
    together = np.concatenate([frames, added])
    return Traffic(_on_a_bus(together, bits_per_second), (traffic.classes[0], attack.kind), traffic.traces)


def _starts(frames: Frames, bursts: int, generator: np.random.Generator) -> np.ndarray:
    """Times of so many bursts: one in each of as many equal parts of the log, anywhere in it."""
    begin, end = float(frames["time"][0]), float(frames["time"][-1])
    starts: np.ndarray = begin + (np.arange(bursts) + generator.random(bursts)) * (end - begin) / bursts
    return starts


def _flood(frames: Frames, attack: Attack, number: int, generator: np.random.Generator) -> Frames:
    added = np.zeros(number, FRAME)
    starts = _starts(frames, -(-number // attack.burst), generator)
    added["time"] = np.repeat(starts, attack.burst)[:number]
    added["length"] = 8
    return added


def _fuzzing(frames: Frames, attack: Attack, number: int, generator: np.random.Generator) -> Frames:
    added = np.zeros(number, FRAME)
    added["time"] = _starts(frames, number, generator)
    added["identifier"] = generator.integers(0, _LARGEST_STANDARD + 1, number)
    added["length"] = generator.integers(0, 9, number)
    data = generator.integers(0, 256, (number, 8), dtype=np.uint8)
    added["data"] = np.where(np.arange(8) < added["length"][:, None], data, 0)
    return added


def _spoofing(frames: Frames, attack: Attack, number: int, generator: np.random.Generator) -> Frames:
    standard = frames[~frames["extended"] & ~frames["remote"]]
    if attack.identifier is None and not len(standard):
        raise InputError("attack spoofing", "the log has no standard data frame to imitate", "Name an identifier")
    used = np.unique(standard["identifier"])
    identifier = int(generator.choice(used)) if attack.identifier is None else attack.identifier
    same = standard[standard["identifier"] == identifier]
    added = np.zeros(number, FRAME)
    starts = _starts(frames, -(-number // attack.burst), generator)
    added["time"] = (starts[:, None] + np.arange(attack.burst) * attack.gap).ravel()[:number]
    added["identifier"] = identifier
    added["length"] = int(same["length"][0]) if len(same) else 8
    added["data"] = np.where(np.arange(8) < added["length"][0], generator.integers(0, 256, 8, dtype=np.uint8), 0)
    return added


_INJECTORS = {"dos": _flood, "fuzzing": _fuzzing, "spoofing": _spoofing}


def _on_a_bus(frames: Frames, bits_per_second: float) -> Frames:
    """The frames as a bus carries them: one at a time, ready ones by priority, at the time they were received."""
    frames = frames[np.argsort(frames["time"], kind="stable")]
    ready = frames["time"].tolist()
    takes = frame_seconds(frames, bits_per_second).tolist()
    # A standard identifier wins against an extended one that begins with the same 11 bits.
    priority = np.where(frames["extended"], frames["identifier"], frames["identifier"].astype(np.int64) << 18)
    rank = (2 * priority + frames["extended"]).tolist()
    waiting: list[tuple[int, int]] = []
    order: list[int] = []
    received: list[float] = []
    free, following = -np.inf, 0
    while following < len(ready) or waiting:
        if not waiting:
            free = max(free, ready[following] - takes[following])
        while following < len(ready) and ready[following] - takes[following] <= free:
            heapq.heappush(waiting, (rank[following], following))
            following += 1
        _, sender = heapq.heappop(waiting)
        free += takes[sender]
        order.append(sender)
        received.append(free)
    if received[-1] - ready[-1] > max(1.0, ready[-1] - ready[0]):
        raise InputError("the log", f"holds more frames than a bus of {bits_per_second:g} bit/s carries")
    carried = frames[order]
    carried["time"] = received
    return carried
