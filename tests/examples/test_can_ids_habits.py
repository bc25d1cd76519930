"""What is usual on a bus: learned from normal training traffic alone, told bit by bit, kept in a file."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeml.errors import InputError
from examples.can_ids.frames import FRAME, Frames, Traffic
from examples.can_ids.habits import Counts, Habits
from examples.can_ids.state import state_features
from examples.can_ids.windows import Recipe, habits_of, split

WORD = st.integers(0, 2**64 - 1)


def _drive(rounds: int, start: float = 0.0) -> Frames:
    """Identifiers 1, 2, 3 in turn every 3 ms; a counter in the highest nibble of each, and 1 swaps with 2 at times."""
    frames: Frames = np.zeros(3 * rounds, FRAME)
    number = np.arange(3 * rounds)
    frames["time"], frames["identifier"], frames["length"] = start + number / 1000, 1 + number % 3, 8
    frames["data"][:, 0] = (number // 3 % 16) << 4
    return frames


def _habits(frames: Frames) -> Habits:
    return Counts([frames]).habits()


def test_company_and_steps_are_learned_and_told_bit_by_bit():
    habits = _habits(_drive(400))
    assert habits.keys == (1, 2, 3)
    assert [list(row) for row in habits.company] == [[0, 0, 2], [2, 0, 0], [0, 2, 0]]
    assert habits.steps[1] == (1 << 1, *[1] * 15), "a counter goes on by one, 15 nibbles stay"
    counted, stood, other = 0x5 << 60, 0x4 << 60, 0x5 << 60 | 0xFFF
    earlier = (0x4 << 60, 0x3 << 60)
    assert habits.unusual(2, (1, 3), counted, earlier) == 0
    assert habits.unusual(2, (9, 1), counted, earlier) == 0b011, "behind an injected frame: the one before is usual"
    assert habits.unusual(2, (3, 3), counted, earlier) == 0b111
    assert habits.unusual(2, (1, 3), stood, earlier) == 0b1000, "one step from the last but one"
    assert habits.unusual(2, (1, 3), 0x9 << 60, earlier) == 0b101000
    assert habits.unusual(2, (1, 3), other, earlier) == 0b1111000
    assert habits.unusual(2, (1, 3), other | 0xFFFF0, earlier) == 0b11111000
    assert habits.unusual(2, (-1, -1), other, None) == 0, "nothing is known of the bus's first frame"
    assert habits.unusual(8, (1, 3), counted, None) == 255
    assert habits.unusual(2 + 2**31, (1, 3), counted, earlier) == 255, "29 bits are another identifier"


@given(WORD, WORD)
def test_steps_are_differences_of_nibbles_modulo_16(payload, then):
    steps = [((payload >> shift) - (then >> shift)) & 15 for shift in range(60, -4, -4)]
    unusual = Habits((7,), (b"\x02",), (tuple(0xFFFF & ~(1 << step) for step in steps),))
    usual = Habits((7,), (b"\x02",), (tuple(1 << step for step in steps),))
    assert usual.unusual(7, (7, 7), payload, (then, then)) == 0
    assert unusual.unusual(7, (7, 7), payload, (then, then)) == 0b11111000


def test_what_is_seldom_is_not_usual_and_often_is_frequent():
    frames = _drive(4200)
    for number in (300, 600):  # of 4,200: behind another frame, one in 2,100; and a step
        frames["identifier"][[number, number + 1]] = 2, 1
    once, twice = _habits(frames[:1500]), _habits(frames)
    assert once.company[1][2] == 1, "2 right behind 3"
    assert twice.company[1][2] == 0
    assert twice.company[1][0] == 2


def test_injected_frames_and_time_that_is_not_for_training_teach_nothing():
    frames = _drive(1000)
    frames["label"][[300, 600]] = 1
    frames["identifier"][[300, 600]], frames["data"][[300, 600]] = (3, 9), 0xFF
    frames["identifier"][2000:] += 4
    traffic = Traffic(frames, ("normal", "a"), ("t",))
    clean = traffic.frames.copy()
    clean = np.delete(clean, [300, 600])
    found = habits_of(traffic)
    assert found.keys == (1, 2, 3)
    assert found.steps == habits_of(Traffic(clean, ("normal", "a"), ("t",))).steps
    assert all(level != 1 for row in found.company for level in row)


def test_the_state_tells_an_injected_frame_and_only_its_company_of_those_behind_it():
    frames = _drive(400)
    attacked = np.insert(frames[:60], 31, frames[7])
    found = state_features(attacked, [_habits(frames)])[:, 4].tolist()
    assert attacked["identifier"][28:35].tolist() == [2, 3, 1, 2, 2, 3, 1]
    # The injected frame's counter is old; the next of its identifier takes a usual step from the last but one.
    assert found[30:34] == [0, 0b101000, 0b001011, 0], "2 comes behind 2, and behind 1 in the place before"
    assert sum(found[:30]) == sum(found[34:]) == 0


def test_training_windows_are_held_against_habits_of_other_moments_and_others_against_all():
    """What came once in training, and is there again in validation, is unusual in the first place and not later."""
    frames = _drive(2000)
    for number in (1000, 4000):
        frames["data"][number, 7] = 0x70
    training, validation, _ = split(Traffic(frames, ("normal",), ("t",)), Recipe(1), 0.2)
    for windows, places in ((training, 2), (validation, 0)):
        flagged = np.flatnonzero(windows.x[:, 14] & 0b1000)
        assert len(flagged) == places, "the frame, and the next of its identifier"


def test_a_moment_that_two_traces_share_counts_once():
    one, two = _drive(400), _drive(400)
    counts, again = Counts([one]), Counts([one, two])
    np.testing.assert_array_equal(counts.company, again.company)
    np.testing.assert_array_equal(counts.steps, again.steps)


def test_habits_are_kept_and_a_file_of_others_is_refused(tmp_path):
    habits, path = _habits(_drive(400)), tmp_path / "habits.json"
    habits.save(path)
    assert Habits.load(path) == habits
    whole = json.loads(path.read_text())
    for key, value in (
        ("keys", [1, 2]),
        ("keys", [1, 2, 2]),
        ("keys", [1, 2, 2**32]),
        ("keys", [1, 2, True]),
        ("company", ["000", "000", "003"]),
        ("company", ["000", "000", "0x0"]),
        ("company", ["000", "000"]),
        ("steps", [[1] * 16] * 2),
        ("steps", [[1] * 16, [1] * 15, [1] * 16]),
        ("steps", [[1] * 16, [65536] * 16, [1] * 16]),
        ("steps", 7),
    ):
        path.write_text(json.dumps({**whole, key: value}))
        with pytest.raises(InputError, match="habits"):
            Habits.load(path)
    path.write_text("[" * 100_000)
    with pytest.raises(InputError, match="not what train writes"):
        Habits.load(path)
    with pytest.raises(InputError, match="Run train first"):
        Habits.load(tmp_path / "absent.json")
