"""How units are driven: streams with pauses and resets, and pipelines that answer a fixed number of clocks later."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from .bench import Simulated

__all__ = ["PAUSES", "Flow", "drive", "extremes", "pipeline", "sums_of_frames"]

PAUSES = ((0.0, 0.0), (0.5, 0.0), (0.0, 0.6), (0.4, 0.4), (0.9, 0.1))
"""Shares of clocks in which the source offers nothing, and in which the sink takes nothing."""


def extremes(bits: int, is_signed: bool, rng: random.Random, count: int) -> list[int]:
    """`count` numbers of so many bits: the ends of the range, those around zero, and random ones of every size."""
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
    numbers = [low, high, 0, low + 1, high - 1, 1, -1, high // 2, high // 2 + 1]
    numbers = [min(max(number, low), high) for number in numbers]
    while len(numbers) < count:
        size = rng.randint(0, bits)
        number = rng.getrandbits(size) if size else 0
        numbers.append(min(max(number if rng.random() < 0.5 else -number, low), high))
    rng.shuffle(numbers)
    return numbers[:count]


class Flow:
    """What a stream gave: words, the clocks in which they were given, and those in which inputs were taken."""

    def __init__(self) -> None:
        self.words: list[int] = []
        self.beside: list[dict[str, int]] = []
        self.given: list[int] = []
        self.taken: list[int] = []


def drive(
    unit: Simulated,
    words: Sequence[int],
    expected: int,
    *,
    rng: random.Random,
    pauses: tuple[float, float] = (0.0, 0.0),
    resets: int = 0,
    patience: int = 2000,
) -> Flow:
    """Send `words` through a unit with a stream on either side until `expected` words came out, and some clocks more.

    An offer stands until it is taken; in between the inputs are random. Resets come in random clocks, after which all
    begins again with the first word. Asserts that what the unit offers stands until it is taken.
    """
    unit.reset(in_valid=0, out_ready=0)
    flow = Flow()
    reset_at = sorted(rng.randint(1, 2 + len(words)) for _ in range(resets))
    offering = False
    held: dict[str, int] | None = None
    silence = clock = since = 0
    width = unit.width("in_data")
    while True:
        if reset_at and since >= reset_at[0]:
            reset_at.pop(0)
            unit.reset(in_valid=rng.randint(0, 1), out_ready=rng.randint(0, 1))
            flow, offering, held, since = Flow(), False, None, 0
        offering = offering or (len(flow.taken) < len(words) and rng.random() >= pauses[0])
        ready = rng.random() >= pauses[1]
        data = words[len(flow.taken)] if offering else rng.getrandbits(width)
        outputs = unit.step(in_valid=int(offering), in_data=data, out_ready=int(ready))
        offer = {name: value for name, value in outputs.items() if name not in ("in_ready", "out_valid")}
        if held is not None:
            assert outputs["out_valid"], "an offer was taken back"
            assert offer == held, "an offer changed before it was taken"
        held = offer if outputs["out_valid"] and not ready else None
        silence += 1
        if offering and outputs["in_ready"]:
            flow.taken.append(clock)
            offering, silence = False, 0
        if outputs["out_valid"] and ready:
            flow.words.append(offer.pop("out_data"))
            flow.beside.append(offer)
            flow.given.append(clock)
            silence = 0
        clock += 1
        since += 1
        if (len(flow.words) >= expected and silence > 20) or len(flow.words) > expected + 50:
            return flow
        assert silence < patience, f"stands still after {len(flow.words)} of {expected} words"


def pipeline(
    unit: Simulated,
    inputs: Sequence[dict[str, int]],
    answer: Callable[[dict[str, int]], int],
    *,
    latency: int,
    output: str,
) -> None:
    """Give a unit of data alone one input a clock; assert that each answer comes `latency` clocks later."""
    waiting: list[int | None] = [None] * latency
    for clock, given in enumerate(inputs):
        outputs = unit.look(**given)
        waiting.append(answer(given))
        expected = waiting.pop(0)
        if expected is not None:
            assert outputs[output] == expected, f"clock {clock}: {given}"
        unit.tick()


def sums_of_frames(
    unit: Simulated,
    words: Sequence[int],
    expected: Sequence[int],
    *,
    values: int,
    results: int,
    latency: int,
    rng: random.Random,
    pauses: tuple[float, float],
) -> None:
    """Send frames of `values` words through a unit that starts a chain, and assert that it pushes `results` words for
    each, once, in order, `latency` clocks after it reserved a place for each, and never without a place.

    With pauses there are resets too, after which all begins again; without, a step is asserted in each clock.
    """
    width = unit.width("in_data")
    reset_at = [rng.randint(1, 3 * values * results) for _ in range(2)] if pauses != (0.0, 0.0) else []
    taken: list[int] = []
    reserved: list[int] = []
    pushed: list[int] = []
    offering = False
    places, clock, since = 3, 0, 0  # free places behind the unit
    unit.reset(in_valid=0, can_reserve=0)
    while len(pushed) < len(expected) or clock - (reserved or [clock])[-1] < latency + 10:
        assert clock < 20 * len(expected) * values + 2000, "stands still"
        if reset_at and since == reset_at[0]:
            reset_at.pop(0)
            unit.reset(in_valid=1, can_reserve=1)
            taken, reserved, pushed, offering, places, since = [], [], [], False, 3, 0
        offering = offering or (len(taken) < len(words) and rng.random() >= pauses[0])
        data = words[len(taken)] if offering else rng.getrandbits(width)
        outputs = unit.step(in_valid=int(offering), in_data=data, can_reserve=int(places > 0))
        if offering and outputs["in_ready"]:
            taken.append(clock)
            offering = False
        if outputs["reserve"]:
            assert places > 0, "reserved a place that is not there"
            reserved.append(clock)
            places -= 1
        if outputs["push"]:
            assert clock == reserved[len(pushed)] + latency
            assert outputs["push_data"] == expected[len(pushed)]
            pushed.append(clock)
        elif places < 3 and len(reserved) - len(pushed) < 3 - places and rng.random() >= pauses[1]:
            places += 1
        if not pauses[1]:
            places = 3
        clock += 1
        since += 1
    if pauses == (0.0, 0.0):  # a step each clock
        assert reserved == [taken[0] + values * (number + 1) - 1 for number in range(len(expected))]
        frames = range(len(words) // values)
        assert [pushed[results * number] for number in frames] == [
            taken[values * (number + 1) - 1] + latency for number in frames
        ]


def chunks(words: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Runs of `size` words, the last perhaps shorter."""
    for start in range(0, len(words), size):
        yield words[start : start + size]
