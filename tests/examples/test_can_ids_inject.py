"""The injector: the same seed gives the same frames, the bus carries them one at a time, and no true frame is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.errors import InputError
from examples.can_ids.bus import SHORTEST_FRAME_BITS, frame_seconds, most_bits, shortest_frame_seconds
from examples.can_ids.frames import FRAME, Traffic
from examples.can_ids.inject import ATTACKS, Attack, inject, read_identifier


def _clean(frames: int = 600, seed: int = 5) -> Traffic:
    """Ten identifiers every 10 ms on average, logged in clumps as some loggers do."""
    generator = np.random.default_rng(seed)
    records = np.zeros(frames, FRAME)
    records["time"] = 100 + np.sort(np.round(generator.random(frames) * frames * 1e-3, 4))
    records["identifier"] = generator.integers(1, 11, frames) * 0x50
    records["length"] = 8
    records["data"] = generator.integers(0, 256, (frames, 8))
    return Traffic(records, ("normal",), ("drive",))


@pytest.mark.parametrize("kind", ATTACKS)
@pytest.mark.parametrize("speed", [500_000.0, 1_000_000.0])
def test_an_attack_is_the_same_for_a_seed_and_fits_the_bus(kind, speed):
    clean = _clean()
    attacked = inject(clean, Attack(kind, share=0.1, burst=15), seed=4, bits_per_second=speed)
    again = inject(clean, Attack(kind, share=0.1, burst=15), seed=4, bits_per_second=speed)
    assert attacked.frames.tobytes() == again.frames.tobytes()
    assert attacked.frames.tobytes() != inject(clean, Attack(kind, 0.1, 15), 5, speed).frames.tobytes()
    assert attacked.counts() == {"normal": 600, kind: 60}
    time, takes = attacked.frames["time"], frame_seconds(attacked.frames, speed)
    assert np.all(np.diff(time) >= takes[1:] - 1e-9), "two frames overlap on the bus"
    true = attacked.frames[attacked.frames["label"] == 0]
    assert sorted(frame["data"].tobytes() for frame in true) == sorted(f["data"].tobytes() for f in clean.frames)
    by_content = {frame["data"].tobytes(): frame["time"] for frame in clean.frames}
    assert all(frame["time"] >= by_content[frame["data"].tobytes()] - 1e-9 for frame in true), "a frame came early"


def test_a_flood_takes_the_bus_until_it_is_over():
    attacked = inject(_clean(), Attack("dos", share=0.2, burst=60), seed=1)
    label = attacked.frames["label"]
    assert np.all(attacked.frames["identifier"][label == 1] == 0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], label, [0]])))
    assert (edges[1::2] - edges[::2]).tolist() == [60, 60]


def test_spoofing_imitates_an_identifier_in_use_and_fuzzing_many():
    clean = _clean()
    spoofed = inject(clean, Attack("spoofing", 0.1, gap=0.002), seed=2).frames
    false = spoofed[spoofed["label"] == 1]
    assert np.unique(false["identifier"]).size == 1
    assert false["identifier"][0] in clean.frames["identifier"]
    assert np.unique(false["data"], axis=0).shape[0] == 1
    chosen = inject(clean, Attack("spoofing", 0.1, identifier=0x1A0), seed=2).frames
    assert np.all(chosen["identifier"][chosen["label"] == 1] == 0x1A0)
    fuzzed = inject(clean, Attack("fuzzing", 0.1), seed=2).frames
    random = fuzzed[fuzzed["label"] == 1]
    assert np.unique(random["identifier"]).size > 50
    past = np.arange(8) >= random["length"][:, None]
    assert not np.any(random["data"][past])


def test_wrong_attacks_and_logs_are_refused():
    for wrong in (
        {"kind": "jamming"},
        {"kind": "dos", "share": 0.0},
        {"kind": "dos", "share": float("nan")},
        {"kind": "dos", "burst": 0},
        {"kind": "spoofing", "gap": -1.0},
        {"kind": "spoofing", "identifier": 0x800},
    ):
        with pytest.raises(InputError):
            Attack(**wrong)
    clean = _clean()
    with pytest.raises(InputError, match="attacks already"):
        inject(inject(clean, Attack("dos")), Attack("dos"))
    with pytest.raises(InputError, match="bits per second"):
        inject(clean, Attack("dos"), bits_per_second=8e6)
    with pytest.raises(InputError, match="hexadecimal"):
        read_identifier("can0")
    assert read_identifier("0x1A0") == read_identifier("1a0") == 0x1A0


@settings(max_examples=60)
@given(st.integers(0, 8), st.booleans())
def test_frame_times_follow_the_standard(length, extended):
    bits = int(most_bits(length, extended))
    fixed = (67 if extended else 47) + 8 * length
    assert bits == fixed + (fixed - 13 - 1) // 4
    assert SHORTEST_FRAME_BITS == 47
    assert shortest_frame_seconds(1e6) == pytest.approx(47e-6)


def test_the_longest_standard_frame_has_135_bits():
    assert int(most_bits(8, False)) == 135
    assert int(most_bits(8, True)) == 160
