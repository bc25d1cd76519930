"""A bus that is not the one that a detector was trained on is told, once and with its reason; the same bus is not."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from edgeml.errors import InputError
from examples.can_ids.frames import FRAME, Frames, Traffic
from examples.can_ids.inject import Attack, inject
from examples.can_ids.known_bus import Identifier, KnownBus, Watch, known_bus_of, watched
from examples.can_ids.readers import read_log


def _drive(seconds: float, start: float = 0.0, seed: int = 0) -> Traffic:
    """Twelve identifiers at 5 to 40 ms, with jitter: a constant half of the payload, a counter and a signal."""
    generator = np.random.default_rng(seed)
    constants = np.random.default_rng(99).integers(0, 256, (12, 8))
    parts = []
    for number in range(12):
        period = (0.005, 0.01, 0.02, 0.04)[number % 4]
        count = int(seconds / period)
        part = np.zeros(count, FRAME)
        part["time"] = start + period * (np.arange(count) + generator.uniform(0, 0.2, count))
        part["identifier"], part["length"] = 0x100 + 0x31 * number, 8
        part["data"] = constants[number]
        part["data"][:, 1] = np.arange(count) % 16
        part["data"][:, 2] = 100 + 60 * np.sin(part["time"] / 3 + number)
        parts.append(part)
    frames = np.concatenate(parts)
    return Traffic(frames[np.argsort(frames["time"], kind="stable")], ("normal",), ("drive",))


@pytest.fixture(scope="module")
def known() -> KnownBus:
    return known_bus_of(_drive(12.0), 0.2)


def _said(known: KnownBus, frames: Frames) -> list[str]:
    said: list[str] = []
    passed = list(watched((frames[i : i + 1] for i in range(len(frames))), Watch(known), said.append))
    assert np.array_equal(np.concatenate(passed), frames), "every frame goes on to the detector"
    return said


def _other_identifiers(frames: Frames) -> Frames:
    changed = frames.copy()
    changed["identifier"] += 1
    return changed


def _traded_identifiers(frames: Frames) -> Frames:
    changed, identifiers = frames.copy(), np.unique(frames["identifier"])
    changed["identifier"] = np.roll(identifiers, 4)[np.searchsorted(identifiers, frames["identifier"])]
    return changed


def _traded_bytes(frames: Frames) -> Frames:
    changed = frames.copy()
    changed["data"] = frames["data"][:, [4, 6, 5, 0, 7, 2, 3, 1]]
    return changed


def _slower(frames: Frames) -> Frames:
    changed = frames.copy()
    changed["time"] *= 3
    return changed


def _shorter(frames: Frames) -> Frames:
    changed = frames.copy()
    changed["length"] = 4
    return changed


def test_the_same_car_at_another_time_is_not_warned_of(known):
    assert _said(known, _drive(20.0, start=500.0, seed=5).frames) == []


@pytest.mark.parametrize(
    ("other", "reasons"),
    [
        (_other_identifiers, ["100% of its identifiers were not seen", "100% of the training traffic's identifiers"]),
        (_traded_identifiers, ["payload bits that never changed"]),
        (_traded_bytes, ["payload bits that never changed"]),
        (_shorter, ["payload bits that never changed"]),
        (_slower, ["come twice as often or half as often"]),
    ],
)
def test_another_car_is_warned_of_once_within_a_block_with_the_reason(known, other, reasons):
    frames = other(_drive(20.0, start=500.0, seed=5).frames)
    said = _said(known, frames)
    assert len(said) == 1
    assert said[0].startswith("the bus does not look like")
    assert all(reason in said[0] for reason in reasons)
    assert said[0].count(";") == 2 * len(reasons) - 1, "and for no other reason"
    assert _said(known, frames[: known.block]) == said, "the first block is enough"
    assert not _said(known, frames[:63])
    assert len(_said(known, frames[: known.block - 1])) == 1, "shorter traffic is judged at its end"


def test_a_warning_comes_again_only_when_something_changes(known):
    first, second, third = (_drive(8.0, start=start, seed=3).frames for start in (0.0, 10.0, 20.0))
    other = _other_identifiers(second)
    said = _said(known, np.concatenate([first, other, third, _slower(third)]))
    assert ["does not" in each for each in said] == [True, False, True]
    assert "identifiers were not seen" in said[0]
    assert "half as often" in said[2]
    block = known.block
    assert _said(known, np.concatenate([first[: 2 * block], other[:block], first[2 * block : 6 * block]])) == []


def test_a_reason_stands_until_its_measure_has_fallen_to_half_its_limit(known):
    frames = _drive(12.0, start=500.0, seed=5).frames
    renamed = frames["identifier"].copy()
    # Of 45 frames 8 belong to each of the three quickest identifiers: 364 of 1024 are missing, then 182, then none.
    third = len(frames) // 3
    for identifier, end in ((0x100, third), (0x100 + 4 * 0x31, 2 * third)):
        renamed[:end][frames["identifier"][:end] == identifier] += 1
    frames["identifier"] = renamed
    said = _said(known, frames)
    assert ["does not" in each for each in said] == [True, False]
    assert _said(known, frames[: 2 * third]) == said[:1], "while a sixth is missing it stands"
    assert _said(known, frames[third:]) == []


@pytest.mark.parametrize("kind", ["dos", "fuzzing", "spoofing"])
def test_an_attack_on_the_same_car_is_left_to_the_detector(known, kind):
    attacked = inject(_drive(12.0, start=500.0, seed=7), Attack(kind, share=0.3, burst=100), seed=2)
    assert np.mean(attacked.frames["label"] > 0) > 0.2
    assert _said(known, attacked.frames) == []


def test_what_is_known_of_a_bus_by_hand():
    frames: Frames = np.zeros(100, FRAME)
    frames["time"], frames["identifier"], frames["length"] = np.arange(100) * 0.01, 0x123, 2
    frames["identifier"][::4], frames["extended"][::4] = 0x1ABCDEF0, True
    frames["data"][:, 0] = 0xF0 | (np.arange(100) % 2)
    known = known_bus_of(Traffic(frames, ("normal",), ("a",)), 0.2)
    # 0.2 of 0.99 s held back, a fifth of the rest to validate: frames 0 … 63 are for training.
    extended = Identifier(0x9ABCDEF0, 16, 40_000, 2**64 - 1 - (0xF0 << 56), 0xF0 << 56, 4)
    standard = Identifier(0x123, 48, 10_000, 2**64 - 1 - (0xF0 << 56), 0xF1 << 56, 4)
    assert known.identifiers == (standard, extended)
    assert known.block == 64
    assert known.limits == (256, 256, 180, 256)
    assert [each.share for each in known.measures(frames[:64])] == [0, 0, 0, 0]
    frames["data"][:, 7] = 3
    # Of 63 constant bits of the standard identifier and 64 of the extended one two each have the other value.
    expected = (48 * (1024 * 2 // 63) + 16 * (1024 * 2 // 64)) // 64
    assert known.measures(frames[:64])[2].share == expected


def test_the_file_is_read_back_and_a_hostile_one_is_refused(known, tmp_path):
    path = tmp_path / "known_bus.json"
    known.save(path)
    assert KnownBus.load(path) == known
    good = json.loads(path.read_text())
    row = good["identifiers"][0]
    for change in (
        {"block": 0},
        {"block": 10**9},
        {"block": True},
        {"block": 1024.0},
        {"limits": {}},
        {"limits": dict.fromkeys(good["limits"], -1)},
        {"identifiers": []},
        {"identifiers": [row, row]},
        {"identifiers": [row[:5]]},
        {"identifiers": [[*row[:5], -1]]},
        {"identifiers": [[2**32, *row[1:]]]},
        {"identifiers": [[*row[:3], 2**64, *row[4:]]]},
        {"identifiers": [[number, *row[1:]] for number in range(5000)]},
        {"identifiers": 7},
    ):
        path.write_text(json.dumps({**good, **change}))
        with pytest.raises(InputError):
            KnownBus.load(path)
    for content in (b"", b"[" * 100_000, b"\xff\xfe", b"[]", b" " * 2**21):
        path.write_bytes(content)
        with pytest.raises(InputError, match="known_bus"):
            KnownBus.load(path)
    with pytest.raises(InputError, match="Run train first"):
        KnownBus.load(tmp_path / "absent.json")


def test_on_a_real_car_other_moments_are_the_same_bus_and_traded_identifiers_are_another(shared_data, tmp_path):
    with gzip.open(shared_data / "can" / "volvo_v40_240k.csv.gz", "rt") as stream:
        lines = stream.readlines()
    # The file has six traces of 40,000 frames: the first, and some of each other.
    parts = [lines[:40_001], *(lines[1 + 44_000 * trace :][:4000] for trace in range(1, 6))]
    (tmp_path / "some.csv").write_text("".join(line for part in parts for line in part))
    traffic = read_log(tmp_path / "some.csv")
    known = known_bus_of(Traffic(traffic.trace(0), traffic.classes, ("clean",)), 0.2)
    for index in range(1, 6):
        frames = traffic.trace(index)
        assert len(frames) == 4000
        assert _said(known, frames) == [], traffic.traces[index]
        identifiers = np.unique(frames["identifier"])
        other = np.random.default_rng(index).permutation(identifiers)
        frames["identifier"] = other[np.searchsorted(identifiers, frames["identifier"])]
        assert len(_said(known, frames)) == 1
