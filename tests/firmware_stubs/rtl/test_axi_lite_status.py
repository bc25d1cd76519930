"""The status registers against a model of them, clock by clock, whatever the master and the streams do."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from tests.sweeps import seed_for

from .bench import Bench, Unit, needs_verilator, slowly, units

_DIGITS = "45c0ffee" + "0123456789abcdef" * 3 + "fedc4321"
_RNG = random.Random(seed_for(90))
BENCH = Bench(
    *slowly(units("edgeml_axi_lite_status", *(
        {"MODEL_HASH": f"256'h{_DIGITS}", "CLASS_BITS": _RNG.randint(0, 31)}
        for _ in range(5)))),
    *units("edgeml_axi_lite_status", *(
        {"MODEL_HASH": f"256'h{_DIGITS}", "CLASS_BITS": bits} for bits in (0, 1, 3, 10))),
)  # fmt: skip
pytestmark = needs_verilator

OKAY, SLVERR = 0, 2
CONTROL, CLASS, WATCHED, WATCHED_FRAMES, ENABLE, PENDING = 0x08, 0x48, 0x4C, 0x50, 0x54, 0x58
FRAMES, ERRORS = 0x5C, 0x60
_COUNTERS = {
    0x0C: "clocks", 0x30: "in values", 0x34: "in frames", 0x38: "out values", 0x3C: "out frames", 0x40: "in stalls",
    0x44: "out stalls", WATCHED_FRAMES: "watched frames", 0x64: "failures",
}  # fmt: skip


@dataclass
class _Registers:
    """What the header of the module says, by names."""

    class_bits: int
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTERS.values(), 0))
    last: int = 0xFFFFFFFF
    watched: int = 0
    enabled: int = 0
    pending: int = 0
    frames: int = 1
    errors: int = 0

    def read(self, address: int, halted: int) -> tuple[int, int]:
        """(data, response)."""
        address &= ~3
        if CLASS <= address <= WATCHED_FRAMES and not self.class_bits:
            return 0, SLVERR
        if 0x10 <= address <= 0x2C:
            return int(_DIGITS[2 * (address - 0x10) :][:8], 16), OKAY
        if address in _COUNTERS:
            return self.counts[_COUNTERS[address]], OKAY
        others = {0: 0x45444D4C, 4: 3, FRAMES: self.frames, ERRORS: self.errors | halted << 2,
                  CONTROL: 0, CLASS: self.last, WATCHED: self.watched, ENABLE: self.enabled,
                  PENDING: self.pending}  # fmt: skip
        return (others[address], OKAY) if address in others else (0, SLVERR)

    def clock(self, streams: dict[str, int], write: tuple[int, int, int] | None) -> None:
        """One clock: what the streams did, and (address, data, strobes) if a write takes effect in it."""
        events = self._counted(streams)
        address, data, strobes = write or (None, 0, 0)
        mask = sum(0xFF << 8 * byte for byte in range(4) if strobes >> byte & 1)
        dismissed = data & mask if address == PENDING else 0
        self.pending = self.pending & ~dismissed | events
        if address == ENABLE:
            self.enabled = (self.enabled & ~mask | data & mask) & (7 if self.class_bits else 5)
        if address == WATCHED and self.class_bits:
            self.watched = (self.watched & ~mask | data & mask) & (1 << self.class_bits) - 1
        if address == FRAMES:
            self.frames = (self.frames & ~mask | data & mask) & 0xFFFF or 1
        cleared = data & mask if address == ERRORS else 0
        self.errors = self.errors & ~cleared | streams["ended_early"] | streams["ran_on"] << 1
        if address == CONTROL and data & mask & 1:
            self.counts = dict.fromkeys(self.counts, 0)
            self.last = 0xFFFFFFFF

    def _counted(self, streams: dict[str, int]) -> int:
        """Count what the streams did; the events that they give."""
        taken = streams["in_valid"] and streams["in_ready"]
        given = streams["out_valid"] and streams["out_ready"]
        frame, failure = bool(streams["out_frame"]), streams["ended_early"] | streams["ran_on"]
        watched = frame and bool(self.class_bits) and streams["out_class"] == self.watched
        more = {
            "clocks": 1, "in values": taken, "in frames": streams["in_frame"], "out values": given,
            "out frames": frame, "in stalls": streams["in_valid"] and not streams["in_ready"],
            "out stalls": streams["out_valid"] and not streams["out_ready"], "watched frames": watched,
            "failures": failure,
        }  # fmt: skip
        self.counts = {name: count + more[name] & 0xFFFFFFFF for name, count in self.counts.items()}
        if frame and self.class_bits:
            self.last = streams["out_class"]
        return frame | watched << 1 | failure << 2


class _Channel:
    """One of AXI's channels, the master's side: an offer stands until it is taken."""

    def __init__(self) -> None:
        self.offer: int | tuple[int, int] | None = None

    def taken(self, ready: int) -> int | tuple[int, int] | None:
        """What was taken in this clock."""
        found = self.offer if ready else None
        self.offer = None if ready else self.offer
        return found


def _address(rng: random.Random) -> int:
    """An address, often that of a register that can be written."""
    return rng.choice(
        (CONTROL, WATCHED, ENABLE, PENDING, FRAMES, ERRORS, rng.randrange(0x80), rng.randrange(0x80))
    ) | rng.choice((0, 0, 3))


def _streams(rng: random.Random, class_bits: int) -> dict[str, int]:
    """A clock of the streams."""
    names = ("in_valid", "in_ready", "out_valid", "out_ready", "out_frame", "in_frame", "halted")
    few = min(1 << class_bits, 4)
    return (
        {name: int(rng.random() < 0.7) for name in names}
        | {name: int(rng.random() < 0.05) for name in ("ended_early", "ran_on")}
        | {"out_class": rng.randrange(few)}
    )


@pytest.mark.parametrize("seed", [91, 92])
@pytest.mark.parametrize("unit", BENCH.cases("edgeml_axi_lite_status"))
def test_registers_are_those_of_the_model(unit: Unit, seed: int) -> None:
    rng, status, bits = random.Random(seed_for(seed)), BENCH.start(unit), unit["CLASS_BITS"]
    status.reset(awvalid=0, wvalid=0, arvalid=0, bready=0, rready=0)
    model = _Registers(bits)
    aw, w, ar = _Channel(), _Channel(), _Channel()
    address: int | None = None  # what was taken of a write
    data: tuple[int, int] | None = None
    answer: int | None = None  # the response on B, and on R with its data
    reading: tuple[int, int] | None = None
    read_addresses: set[int] = set()
    for _ in range(1500):
        streams = _streams(rng, bits)
        if aw.offer is None and rng.random() < 0.3:
            aw.offer = _address(rng)
        if w.offer is None and rng.random() < 0.3:
            w.offer = (rng.choice((0, 1, 2, 3, rng.getrandbits(32))), rng.choice((15, 15, 0, rng.getrandbits(4))))
        if ar.offer is None and rng.random() < 0.5:
            ar.offer = _address(rng) if rng.random() < 0.2 else rng.randrange(0x80)
        bready, rready, resetting = int(rng.random() < 0.5), int(rng.random() < 0.6), int(rng.random() < 0.003)
        outputs = status.step(
            rst=resetting, awvalid=int(aw.offer is not None), awaddr=aw.offer or 0, wvalid=int(w.offer is not None),
            wdata=w.offer[0] if w.offer else 0, wstrb=w.offer[1] if w.offer else 0, bready=bready,
            arvalid=int(ar.offer is not None), araddr=ar.offer or 0, rready=rready, **streams,
        )  # fmt: skip
        assert outputs["frames"] == model.frames
        assert outputs["restart"] == (data is not None and address is not None and address & ~3 == FRAMES)
        assert outputs["irq"] == bool(model.enabled & model.pending)
        assert outputs["awready"] == (address is None and answer is None)
        assert outputs["wready"] == (data is None and answer is None)
        assert outputs["bvalid"] == (answer is not None)
        assert answer is None or outputs["bresp"] == answer
        assert outputs["arready"] == (reading is None)
        assert outputs["rvalid"] == (reading is not None)
        assert reading is None or (outputs["rdata"], outputs["rresp"]) == reading
        if resetting:
            model, address, data, answer, reading = _Registers(bits), None, None, None, None
            aw, w, ar = _Channel(), _Channel(), _Channel()
            continue
        # A read sees what the registers held; a write takes effect in the clock after address and data were taken.
        taken = ar.taken(outputs["arready"])
        if reading is not None and rready:
            reading = None
        if taken is not None:
            reading = model.read(taken, streams["halted"])
            read_addresses.add(taken & ~3)
        if answer is not None and bready:
            answer = None
        writes = address is not None and data is not None
        model.clock(streams, (address & ~3, *data) if writes else None)
        if writes:
            writable = (CONTROL, ENABLE, PENDING, FRAMES, ERRORS, *((WATCHED,) if bits else ()))
            answer, address, data = OKAY if address & ~3 in writable else SLVERR, None, None
        elif (given := aw.taken(outputs["awready"])) is not None:
            address = given
        if not writes and (given := w.taken(outputs["wready"])) is not None:
            data = given
    assert len(read_addresses) > 28
