"""What stands between a DMA and a design: whole frames of right packets alone, words of other widths, packets' ends."""

from __future__ import annotations

import random
from collections import deque

import pytest

from tests.sweeps import seed_for

from .bench import Bench, Unit, needs_verilator, packed, slowly, units
from .drive import PAUSES, chunks, drive

_RNG = random.Random(seed_for(31))


def _gates(count: int) -> list[Unit]:
    """Gates of drawn sizes."""
    found: list[Unit] = []
    for _ in range(count):
        keep = _RNG.choice((4, 8, 16))
        size = {"WIDTH": _RNG.randint(1, 128), "WORDS": _RNG.randint(1, 9)}
        found += units("edgeml_packet_gate", size | {"KEEP": keep, "LAST_KEEP": _RNG.randint(1, keep)})
    return found


def _repackings(count: int) -> list[Unit]:
    """Repackings of drawn sizes."""
    sizes = [
        {
            "WIDTH": _RNG.randint(1, 20),
            "IN": _RNG.randint(1, 9),
            "OUT": _RNG.randint(1, 9),
            "UNITS": _RNG.randint(1, 40),
        }
        for _ in range(count)
    ]
    return units("edgeml_repack", *sizes)


BENCH = Bench(
    *slowly([*_gates(4), *_repackings(10)]),
    *units("edgeml_packet_gate", *({"WIDTH": w, "WORDS": n, "KEEP": 4, "LAST_KEEP": k} for w, n, k in (
        (8, 1, 4), (33, 3, 2)))),
    *units("edgeml_repack", *({"WIDTH": w, "IN": a, "OUT": b, "UNITS": u} for w, a, b, u in (
        (8, 1, 1, 3), (5, 1, 4, 8), (8, 4, 1, 6), (3, 3, 5, 11), (33, 2, 3, 2)))),
    *units("edgeml_packet_end", *({"WORDS": words} for words in (1, 4))),
)  # fmt: skip
pytestmark = needs_verilator


class _Gate:
    """What the header of the gate says, packet by packet."""

    def __init__(self, unit: Unit, frames: int) -> None:
        self.words, self.frames = unit["WORDS"], frames
        self.every, self.last_bytes = (1 << unit["KEEP"]) - 1, (1 << unit["LAST_KEEP"]) - 1
        self.through: deque[list[int]] = deque()  # frames that came through
        self.packet, self.frame = 0, list[int]()  # frames of this packet that came through; words of the next
        self.dropping = self.halted = False

    def take(self, data: int, keep: int, last: int) -> tuple[int, int, int]:
        """A word: whether a frame came through, the packet ended early, or ran on."""
        if self.dropping or self.halted:
            self.dropping = self.dropping and not last
            return 0, 0, 0
        frame_ends = len(self.frame) == self.words - 1
        ends = frame_ends and self.packet == self.frames - 1
        needed = self.last_bytes if frame_ends else self.every
        early = keep & needed != needed or (last and not ends)
        late = not early and ends and not last
        if early or late:
            self.frame, self.dropping, self.halted, self.packet = [], not last, self.packet > 0, 0
            return 0, int(early), int(late)
        self.frame.append(data)
        if frame_ends:
            self.through.append(self.frame)
            self.packet, self.frame = 0 if ends else self.packet + 1, []
        return int(frame_ends), 0, 0


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_packet_gate"))
def test_the_gate_lets_whole_frames_of_right_packets_through(unit: Unit) -> None:
    rng, gate, seen = random.Random(seed_for(32)), BENCH.start(unit), {"through": 0, "early": 0, "late": 0, "halted": 0}
    for pauses in PAUSES:
        frames, model, given, offered = 0, _Gate(unit, 1), 0, None
        restart = True
        for _ in range(600):
            if restart:
                frames = rng.randint(1, 3)
                gate.reset(frames=frames, in_valid=0, out_ready=0)
                model, given, offered = _Gate(unit, frames), 0, None
                restart = False
            valid, ready = rng.random() >= pauses[0], rng.random() >= pauses[1]
            word = len(model.frame)
            right = int(word == model.words - 1 and model.packet == frames - 1)
            last = right if rng.random() < 0.95 else 1 - right
            keep = model.every if rng.random() < 0.97 else rng.getrandbits(unit["KEEP"])
            if right and rng.random() < 0.5:
                keep = model.last_bytes
            data = rng.getrandbits(unit["WIDTH"])
            out = gate.step(in_valid=int(valid), in_data=data, in_keep=keep, in_last=last, out_ready=int(ready))
            assert out["halted"] == model.halted
            events = model.take(data, keep, last) if valid and out["in_ready"] else (0, 0, 0)
            assert (out["let_through"], out["ended_early"], out["ran_on"]) == events
            for name, event in zip(seen, (*events, model.halted), strict=True):
                seen[name] += int(event)
            if out["out_valid"]:
                assert offered in (None, out["out_data"])
                assert out["out_data"] == model.through[0][given]
                offered = None if ready else out["out_data"]
                given += ready
                if given == model.words:
                    model.through.popleft()
                    given = 0
            restart = rng.random() < (0.05 if model.halted else 0.005)
    assert min(seen.values()) > 5, seen


@pytest.mark.parametrize("pauses", PAUSES)
@pytest.mark.parametrize("unit", BENCH.cases("edgeml_repack"))
def test_units_go_out_in_order_and_frames_begin_in_words_of_their_own(unit: Unit, pauses: tuple[float, float]) -> None:
    rng, width = random.Random(seed_for(33)), unit["WIDTH"]
    frames = [[rng.getrandbits(width) for _ in range(unit["UNITS"])] for _ in range(8)]
    words = []
    for frame in frames:
        parts = [list(part) for part in chunks(frame, unit["IN"])]
        parts[-1] += [rng.getrandbits(width) for _ in range(unit["IN"] - len(parts[-1]))]
        words += [packed(part, width) for part in parts]
    expected = [packed(part, width) for frame in frames for part in chunks(frame, unit["OUT"])]
    flow = drive(BENCH.start(unit), words, len(expected), rng=rng, pauses=pauses, resets=2)
    assert flow.words == expected
    if pauses == (0.0, 0.0) and unit["UNITS"] % max(unit["IN"], unit["OUT"]) == 0:  # a word a clock on the busier side
        busier = flow.taken if unit["IN"] <= unit["OUT"] else flow.given
        assert busier == list(range(busier[0], busier[0] + len(busier)))


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_packet_end"))
def test_a_packet_ends_with_the_last_word_of_its_last_frame(unit: Unit) -> None:
    rng, counter = random.Random(seed_for(34)), BENCH.start(unit)
    for frames in (1, 2, 5):
        counter.reset(frames=frames, valid=0, ready=0)
        given = 0
        for _ in range(200):
            valid, ready = rng.randint(0, 1), rng.randint(0, 1)
            out = counter.step(valid=valid, ready=ready)
            assert out["last"] == ((given + 1) % (frames * unit["WORDS"]) == 0)
            given += valid & ready
            if rng.random() < 0.01:
                counter.reset(frames=frames, valid=1, ready=1)
                given = 0
