"""Frames of the hardware-in-the-loop protocol, sent and received, against Python's COBS and CRC-32."""

from __future__ import annotations

import random

import pytest

from edgeml.hil.frames import frame, unframe
from tests.sweeps import seed_for

from .bench import Bench, Simulated, Unit, needs_verilator, slowly, units

_HEADER, _CRC = 5, 4
_RNG = random.Random(seed_for(71))
BENCH = Bench(
    *slowly(units("edgeml_hil_receive", *({"LONGEST": _RNG.randint(9, 4000)} for _ in range(5)))),
    *units("edgeml_hil_receive", *({"LONGEST": longest} for longest in (9, 64, 300, 1023))),
    *units("edgeml_hil_send"),
)
pytestmark = needs_verilator


def _payloads(rng: random.Random, longest: int) -> list[bytes]:
    """Payloads of every kind of block: full ones, zeros, random bytes, and few kinds of bytes."""
    sizes = [size for size in (1, 5, 6, 249, 250, 251, 254, 255, 256, 508, 600) if size <= longest] + [longest]
    payloads = [b"\x07" * size for size in sizes] + [bytes(size) for size in (1, 5, longest)]
    payloads += [b"\x07" * size + b"\0\x01" for size in sizes if size + 2 <= longest]
    return payloads + [bytes(rng.choices(range(rng.choice((2, 256))), k=rng.randint(1, longest))) for _ in range(12)]


def _receive(unit: Simulated, content: bytes, rng: random.Random, hold: int = -1) -> tuple[bytes, int, int]:
    """(payload bytes, times accepted, times dropped); `hold` is high with that byte, -1: with none."""
    given, accepted, dropped = bytearray(), 0, 0
    for place, byte in enumerate(content):
        for valid in [0] * rng.choice((0, 0, 0, 2)) + [1]:
            outputs = unit.step(
                valid=valid, data=byte if valid else rng.getrandbits(8), hold=int(valid and place == hold)
            )
            if outputs["byte_valid"]:
                given.append(outputs["byte_data"])
            accepted += outputs["accepted"]
            dropped += outputs["dropped"]
    return bytes(given), accepted, dropped


def _damaged(encoded: bytes, rng: random.Random) -> bytes:
    """A frame's bytes with one changed, left out or added, none of which is zero."""
    at, kind = rng.randrange(len(encoded) - 1), rng.randrange(3)
    other = rng.choice([byte for byte in range(1, 256) if byte != encoded[at]])
    return encoded[:at] + (bytes([other]), b"", bytes([other, encoded[at]]))[kind] + encoded[at + 1 :]


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_hil_receive"))
def test_a_frame_is_accepted_if_it_is_whole_and_of_a_size_that_fits(unit: Unit) -> None:
    rng, receiver, longest = random.Random(seed_for(71)), BENCH.start(unit), unit["LONGEST"]
    receiver.reset(valid=0, hold=0)
    verdicts = set()
    for payload in _payloads(rng, min(longest, 700)):
        encoded = frame(payload)
        for content in (encoded, _damaged(encoded, rng), encoded[: rng.randint(0, len(encoded) - 1)] + b"\0"):
            found = unframe(content[:-1])
            whole = found is not None and _HEADER <= len(found) <= longest - _CRC
            given, accepted, dropped = _receive(receiver, content, rng)
            assert (accepted, dropped) == (whole, not whole)
            assert not whole or given == found
            assert len(given) <= longest - _CRC + 1  # of a frame that is too long, one byte more
            verdicts.add(whole)
        if rng.random() < 0.3:  # a reset forgets the frame so far
            _receive(receiver, encoded[: len(encoded) // 2], rng)
            receiver.reset(valid=0)
    assert False in verdicts
    assert True in verdicts or longest < _HEADER + _CRC


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_hil_receive"))
def test_a_frame_of_which_any_byte_came_while_held_is_dropped(unit: Unit) -> None:
    rng, receiver = random.Random(seed_for(72)), BENCH.start(unit)
    encoded = frame(b"\0\1\2\3\4")
    for held in range(-1, len(encoded)):
        receiver.reset(valid=0, hold=0)
        given, accepted, dropped = _receive(receiver, encoded, rng, held)
        assert (accepted, dropped) == (int(held < 0), int(held >= 0))
        assert held != 0 or given == b""
        assert _receive(receiver, encoded, rng)[1:] == (1, 0)


@pytest.mark.parametrize("pauses", [(0.0, 0.0), (0.5, 0.0), (0.0, 0.8), (0.3, 0.5)])
@pytest.mark.parametrize("unit", BENCH.cases("edgeml_hil_send"))
def test_every_payload_is_sent_as_its_frame(unit: Unit, pauses: tuple[float, float]) -> None:
    rng, sender = random.Random(seed_for(73)), BENCH.start(unit)
    sender.reset(put=0, finish=0, tx_ready=0)
    for payload in _payloads(rng, 600):
        cut = rng.randint(0, 3 * len(payload)) if rng.random() < 0.2 else -1  # clocks until a reset
        sent = _send(sender, payload, rng, pauses, cut)
        if cut >= 0:
            sender.reset(put=1, finish=1, tx_ready=1)
            sent = _send(sender, payload, rng, pauses, -1)
        # A full block at the very end may, or may not, be followed by an empty one.
        assert sent in (frame(payload), frame(payload)[:-1] + b"\1\0")
        assert unframe(sent[:-1]) == payload


def _send(sender: Simulated, payload: bytes, rng: random.Random, pauses: tuple[float, float], cut: int) -> bytes:
    """The bytes that come out for a payload, until `done` or for `cut` clocks."""
    sent, place, held = bytearray(), 0, None
    for clock in range(100 * len(payload) + 200):
        if clock == cut:
            break
        offering, ready = rng.random() >= pauses[0], rng.random() >= pauses[1]
        put, finish = offering and place < len(payload), offering and place == len(payload)
        data = payload[place] if put else rng.getrandbits(8)
        outputs = sender.step(put=int(put), put_data=data, finish=int(finish), tx_ready=int(ready))
        place += (put or finish) and outputs["ready"]
        if held is not None:
            assert (outputs["tx_valid"], outputs["tx_data"]) == (1, held), "an offer changed before it was taken"
        held = outputs["tx_data"] if outputs["tx_valid"] and not ready else None
        if outputs["tx_valid"] and ready:
            sent.append(outputs["tx_data"])
        assert outputs["done"] == (bool(sent) and sent[-1] == 0 and outputs["tx_valid"] and ready)
        if outputs["done"]:
            return bytes(sent)
    assert cut >= 0, "no end of the frame"
    return bytes(sent)
