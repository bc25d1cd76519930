"""Frames: what goes in comes out, from the C as from Python, and damage is noticed."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from edgeml.hil.frames import FrameReader, _decode, _encode, frame, unframe

payloads = st.one_of(
    st.binary(max_size=600),
    st.lists(st.sampled_from([0, 1, 255]), max_size=600).map(bytes),
    st.integers(250, 260).map(lambda count: b"\x07" * count),
    st.integers(505, 512).map(lambda count: b"\x07" * count + b"\0"),
)


@given(payloads)
def test_a_payload_survives_and_its_frame_holds_one_zero(payload: bytes) -> None:
    encoded = frame(payload)
    assert encoded.count(0) == 1
    assert encoded[-1] == 0
    assert len(encoded) <= len(payload) + 4 + 1 + (len(payload) + 4) // 254 + 1
    assert unframe(encoded[:-1]) == payload


def test_blocks_of_every_length_around_a_full_one_come_back() -> None:
    """COBS codes 254 bytes without a zero alone: such a block stands for no zero, at the end and before one."""
    for count in (253, 254, 255, 507, 508, 509):
        for payload in (b"\x07" * count, b"\x07" * count + b"\0", b"\x07" * count + b"\0\x07", b"\0" + b"\x07" * count):
            assert _decode(_encode(payload)) == payload
            assert unframe(frame(payload)[:-1]) == payload


@given(st.lists(payloads, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_frames_arrive_in_any_portions(sent: list[bytes], random: object) -> None:
    stream = b"".join(frame(payload) for payload in sent)
    reader = FrameReader(2000)
    found: list[bytes] = []
    while stream:
        count = random.randint(1, 40)
        found += reader.feed(stream[:count])
        stream = stream[count:]
    assert found == sent
    assert reader.damaged == 0


@given(payloads, st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_is_noticed(payload: bytes, position: int, change: int) -> None:
    encoded = bytearray(frame(payload))
    encoded[position % (len(encoded) - 1)] ^= change
    assert payload not in FrameReader(2000).feed(bytes(encoded))


@given(st.binary(max_size=2000))
def test_noise_gives_no_payload_without_its_crc(noise: bytes) -> None:
    for payload in FrameReader(1000).feed(noise + b"\0"):
        assert zlib.crc32(payload).to_bytes(4, "little") in noise


def test_a_frame_without_an_end_takes_no_more_memory_than_allowed() -> None:
    reader = FrameReader(100)
    for _ in range(1000):
        assert reader.feed(b"\x01" * 50) == []
        assert len(reader._pending) <= 150
    assert reader.feed(b"\0" + frame(b"after")) == [b"after"]
