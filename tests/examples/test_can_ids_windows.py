"""Windows of CAN frames: their features and classes by hand, a split that nothing leaks across, and the balance."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.data.dataset import as_dataset
from edgeml.errors import InputError
from examples.can_ids.balance import balanced, redrawn, training_arrays, transplanted
from examples.can_ids.bits import encode_layer, encoded
from examples.can_ids.frames import FRAME, Frames, Traffic
from examples.can_ids.habits import COMPANY, MOST_IDENTIFIERS, Habits
from examples.can_ids.readers import read_log
from examples.can_ids.state import BusState
from examples.can_ids.windows import Recipe, Windows, features_of, held_back_times, labels_of, split

NO_HABITS = Habits((), (), ())


def _frames(time: list[float], label: list[int] | None = None, trace: int = 0) -> Frames:
    """Frames whose data is their time in microseconds, so that each is known by its content."""
    frames: Frames = np.zeros(len(time), FRAME)
    frames["time"], frames["trace"], frames["length"] = time, trace, 8
    frames["data"] = np.round(np.array(time) * 1e6).astype(">u8").view(np.uint8).reshape(-1, 8)
    frames["identifier"] = 0x123
    if label is not None:
        frames["label"] = label
    return frames


def _contents(x: np.ndarray, recipe: Recipe) -> set[bytes]:
    """The frames, by content, that windows hold."""
    return {row.tobytes() for row in x.reshape(-1, recipe.features_a_frame)[:, 2:10]}


def test_features_are_identifier_data_and_the_state_of_the_bus():
    frames = _frames([1.0, 1.000001, 1.06])
    frames["identifier"] = [0x7A5, 0x1ABC1234, 0]
    frames["data"][0] = [1, 2, 3, 0, 0, 0, 0, 255]
    x = features_of(frames, [NO_HABITS])
    assert x[0].tolist() == [7, 0xA5, 1, 2, 3, 0, 0, 0, 0, 255, 64, 128, 0, 0, 255]
    assert (int(x[1, 0]) << 8 | int(x[1, 1])) == 0x1234 ^ 0x1ABC


def test_the_state_tells_a_frame_before_its_time_and_the_true_one_behind_it():
    state = BusState(NO_HABITS)
    times = [0, 10_000, 20_000, 25_000, 30_000, 40_000]
    data = [0, 1, 3, 0xFF00, 3, 3]
    found = [state.see(time, 0x123, False, payload)[:4] for time, payload in zip(times, data, strict=True)]
    # By hand: the period is 10,000 µs until the early frame, then (7 · 10,000 + 5,000) // 8 = 9,375, then 8,828.
    assert found[:4] == [(64, 128, 0, 0), (64, 128, 1, 1), (64, 128, 1, 2), (32, 96, 10, 9)]
    assert found[4] == (64 * 5000 // 9375, 64 * 10000 // 9375, 10, 0)
    assert found[5] == (64 * 10000 // 8828, 64 * 15000 // 8828, 0, 10)


def test_times_that_no_bus_allows_are_one_time_and_a_clock_may_wrap_or_step_back():
    rows = []
    for gap in (0, 2, 200, 256, -50):
        state = BusState(NO_HABITS)
        for time in (0, 10_000):
            state.see(time, 1, False, 0)
        rows.append(state.see(10_000 + gap, 1, False, 0)[0])
    assert {*rows} == {64 * 256 // 10_000}
    wrapped, plain = BusState(NO_HABITS), BusState(NO_HABITS)
    for time in (0, 10_000, 20_000, 27_000):
        assert wrapped.see(time + 2**32 - 15_000, 5, True, 7) == plain.see(time, 5, True, 7)


def test_the_state_is_bounded_and_the_identifier_longest_unseen_goes():
    state = BusState(NO_HABITS)
    for identifier in range(MOST_IDENTIFIERS + 1):
        state.see(identifier * 1000, identifier, False, 9)
    assert state.see(900_000, 1, False, 8)[2] == 1, "1 is known still"
    assert state.see(900_000, 0, False, 8)[:4] == (64, 128, 0, 0), "0 had to go"


def test_the_integer_layer_of_bits_gives_what_the_float_model_is_trained_on():
    recipe = Recipe(2)
    x = np.random.default_rng(1).integers(0, 256, (300, recipe.features)).astype(np.uint8)
    for extended in (False, True):
        layer = encode_layer(recipe, extended)
        assert layer.inputs == recipe.features
        np.testing.assert_array_equal(layer.evaluate(x.astype(np.int32)), encoded(layer, x))


@settings(max_examples=80)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=30), st.integers(1, 4))
def test_a_window_is_called_after_most_of_its_injected_frames(labels, size):
    found = labels_of(np.array(labels, np.uint8), size)
    for start, said in enumerate(found):
        window = labels[start : start + size]
        votes = {label: window.count(label) for label in window if label}
        if not votes:
            assert said == 0
            continue
        newest_first = [label for label in reversed(window) if votes.get(label) == max(votes.values())]
        assert said == newest_first[0]


@settings(max_examples=60)
@given(st.data())
def test_no_frame_of_a_moment_is_on_both_sides_of_the_cut(data):
    recipe = Recipe(frames=data.draw(st.integers(1, 4)))
    share = data.draw(st.sampled_from([0.1, 0.2, 0.4]))
    traces = []
    for number in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, 60))
        traces.append(_frames([start + 0.25 * step for step in range(200)], trace=number))
    traffic = Traffic(np.concatenate(traces), ("normal",), tuple("abc"[: len(traces)]))
    try:
        training, validation, testing = split(traffic, recipe, share)
    except InputError:
        return  # Everything may lie in time that some trace holds back.
    for one, other in ((training, testing), (training, validation), (validation, testing)):
        assert not _contents(one.x, recipe) & _contents(other.x, recipe)
        assert not {*one.time} & {*other.time}
    for windows in (training, validation, testing):
        moments = np.array(
            [int.from_bytes(row[2:10].tobytes(), "big") for row in windows.x.reshape(-1, recipe.features_a_frame)]
        )
        steps = np.diff(moments.reshape(-1, recipe.frames), axis=1)
        assert np.all(steps == 250_000), "a window spans a cut"
        assert len({*map(bytes, windows.x)}) == len(windows), "a moment counts twice"
    last = max(float(trace["time"][-1]) for trace in traces)
    assert testing.time.max() == last


def test_what_one_trace_holds_back_is_held_back_of_all():
    traffic = Traffic(
        np.concatenate([_frames(list(np.arange(0, 100.5, 0.5))), _frames(list(np.arange(70, 170.5, 0.5)), trace=1)]),
        ("normal",),
        ("a", "b"),
    )
    assert held_back_times(traffic, 0.2) == [(80.0, 100.0), (150.0, 170.0)]
    training, _, testing = split(traffic, Recipe(1), 0.2)
    assert set(np.unique(np.floor(testing.time))) == {*range(80, 101), *range(150, 171)}
    assert training.time.max() < 150
    assert testing.seconds == pytest.approx(40)


def test_transplants_carry_the_injected_frames_in_their_places_into_other_traffic():
    recipe = Recipe(3)
    traffic = Traffic(
        _frames(list(np.arange(20.0)), [int(i == 4) for i in range(20)]),
        ("normal", "x"),
        ("a",),
    )
    training, _, _ = split(traffic, recipe)
    attacks, normal = np.flatnonzero(training.y == 1), np.flatnonzero(training.y == 0)
    made = transplanted(training, attacks, np.full(len(attacks), normal[-1]), recipe).reshape(-1, 3, 15)
    host = training.x[normal[-1]].reshape(3, 15)
    for window, row in zip(made, attacks, strict=True):
        place = int(np.flatnonzero(training.injected[row])[0])
        assert window[place].tolist() == training.x[row].reshape(3, 15)[place].tolist()
        assert np.delete(window, place, axis=0).tolist() == host[:2].tolist()


def test_a_transplanted_window_keeps_the_company_of_the_places_and_the_steps_of_the_frames():
    recipe = Recipe(3)
    x = np.random.default_rng(7).integers(0, 256, (2, recipe.features)).astype(np.uint8)
    fields = {each.name: np.zeros(2, np.int64) for each in dataclasses.fields(Windows)}
    injected = np.array([[False, True, False], [False, False, False]])
    windows = Windows(**{**fields, "x": x, "injected": injected})
    made = transplanted(windows, np.array([0]), np.array([1]), recipe).reshape(3, 15)
    patient, host = x.reshape(2, 3, 15)
    for place, frame in enumerate((host[0], patient[1], host[1])):
        assert made[place, :14].tolist() == frame[:14].tolist()
        steps, company = (int(each[14]) for each in (frame, patient[place]))
        assert made[place, 14] == (steps & ~COMPANY) | (company & COMPANY)


def test_payloads_are_redrawn_where_an_identifier_is_of_no_true_frame_and_nowhere_else():
    recipe = Recipe(2)
    generator = np.random.default_rng(5)
    made = generator.integers(0, 256, (300, recipe.features)).astype(np.uint8)
    frames = made.reshape(300, 2, 15)
    frames[:, :, 0], frames[:, :, 1] = 1, np.where(np.arange(300)[:, None] % 2, 0x88, 0x45)
    frames[:, :, 2] = 0b1010_0110
    injected = generator.random((300, 2)) < 0.5
    new = redrawn(made, injected, np.array([0x145]), recipe, generator).reshape(300, 2, 15)
    unknown = injected & (frames[:, :, 1] == 0x88)
    assert np.array_equal(new[~unknown], frames[~unknown])
    assert np.array_equal(np.delete(new[unknown], np.s_[3:10], 1), np.delete(frames[unknown], np.s_[3:10], 1))
    old_payloads, new_payloads = ({row.tobytes() for row in each[unknown][:, 3:10]} for each in (frames, new))
    assert len(new_payloads) == np.sum(unknown)
    assert not new_payloads & old_payloads
    share = np.unpackbits(new[unknown][:, 3:10]).mean()
    assert 0.47 < share < 0.53, "bits are as frequent as they were"
    assert np.array_equal(redrawn(made, injected, np.array([0x145, 0x188]), recipe, generator), made)


def test_the_balance_is_as_asked_and_the_same_for_the_same_seed():
    labels = [0] * 400
    labels[10] = labels[20] = 1
    labels[100:200] = [2] * 100
    traffic = Traffic(_frames(list(np.arange(400.0)), labels), ("normal", "rare", "often"), ("a",))
    training, _, testing = split(traffic, Recipe())
    x, y = balanced(training, Recipe(), 200, seed=3)
    assert np.bincount(y).tolist() == [100, 50, 50]
    again = balanced(training, Recipe(), 200, seed=3)
    assert np.array_equal(x, again[0])
    assert np.array_equal(y, again[1])
    data = as_dataset(training_arrays(training, testing, Recipe(), traffic.classes, most=0))
    assert data.labels == traffic.classes
    assert (len(data.x), len(data.x_test)) == (len(training), len(testing))
    with pytest.raises(InputError, match="class absent"):
        training_arrays(training, testing, Recipe(), (*traffic.classes, "absent"))


@pytest.mark.parametrize(("identifier", "anew"), [(0x123, False), (0x188, True)])
def test_the_balance_redraws_payloads_of_identifiers_that_no_true_frame_bears(identifier, anew):
    frames = _frames(list(np.arange(400.0)), [int(i in (10, 20)) for i in range(400)])
    frames["identifier"][[10, 20]] = identifier
    frames["data"][10], frames["data"][20] = 0x0F, 0x55
    training, _, _ = split(Traffic(frames, ("normal", "rare"), ("a",)), Recipe())
    x, y = balanced(training, Recipe(), 200, seed=3)
    payloads = {bytes(row[2:10]) for row in x[y == 1].reshape(-1, 15) if row[2]}  # a true one begins with 0
    assert payloads >= {b"\x0f" * 8, b"\x55" * 8}
    assert (len(payloads) > 2) == anew


@settings(max_examples=80)
@given(st.integers(1, 60), st.lists(st.integers(1, 300), max_size=6), st.integers(1, 400), st.integers(0, 2**31))
def test_half_of_the_samples_are_normal_and_attacks_share_the_rest_whatever_the_mix(normal, attacks, most, seed):
    recipe = Recipe(2)
    y = np.repeat(np.arange(1 + len(attacks)), [normal, *attacks])
    x = np.random.default_rng(seed).integers(0, 256, (len(y), recipe.features)).astype(np.uint8)
    injected = np.repeat((y > 0)[:, None], 2, axis=1)
    fields = {each.name: np.zeros(len(y), np.int64) for each in dataclasses.fields(Windows)}
    windows = Windows(**{**fields, "x": x, "y": y, "injected": injected})
    found_x, found = balanced(windows, recipe, most, seed)
    counts = np.bincount(found, minlength=1 + len(attacks))
    assert len(found_x) == len(found) <= max(most + 1, 2 * len(attacks))
    assert counts.min() > 0, "no class is lost"
    if attacks:
        assert counts[0] == counts[1:].sum()
        assert np.ptp(counts[1:]) <= 1
        times = np.unique(found_x[found == 0], axis=0, return_counts=True)[1]
        assert times.max() <= max(1, -(-len(attacks) // normal)), "a normal window is repeated only if it must be"
    originals = {row.tobytes() for row in x[y == 0]}
    assert all(row.tobytes() in originals for row in found_x[found == 0])


def test_more_attacks_than_normal_windows_are_thinned():
    labels = [0] * 120 + [1] * 2000 + [0] * 80
    traffic = Traffic(_frames(list(np.arange(2200.0)), labels), ("normal", "flood"), ("a",))
    windows = split(traffic, Recipe(), 0.02)[0]
    counts = np.bincount(balanced(windows, Recipe(), 100_000)[1])
    assert counts.tolist() == [int(np.sum(windows.y == 0))] * 2
    assert counts[0] < np.sum(windows.y == 1) / 10


def test_wrong_recipes_and_logs_are_refused():
    for make in (lambda: Recipe(0), lambda: Recipe(65), lambda: Recipe.of_features(7), lambda: Recipe.of_features(0)):
        with pytest.raises(InputError):
            make()
    assert Recipe.of_features(60) == Recipe(4)
    traffic = Traffic(_frames([0.0, 1.0]), ("normal",), ("a",))
    with pytest.raises(InputError, match="no window"):
        split(traffic, Recipe())
    with pytest.raises(InputError, match="share"):
        split(traffic, Recipe(), 1.0)


def test_the_volvo_traces_share_no_frame_across_the_cut(shared_data):
    recipe = Recipe()
    training, _, testing = split(read_log(shared_data / "can" / "volvo_v40_240k.csv.gz"), recipe)
    assert not {*training.time} & {*testing.time}
    assert {*np.unique(training.y)} == {*np.unique(testing.y)} == {0, 1, 2, 3, 4, 5}
