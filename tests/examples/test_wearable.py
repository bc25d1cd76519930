"""The watch example: nobody is in both halves, features are what they say, and the shortened run is exact."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError
from examples.wearable.windows import FEATURES, LENGTH, STEP, events_input, features, windows

pytest.importorskip("seglearn", reason="seglearn, which holds the watch recordings, is not installed")

from examples.wearable.recordings import load_recordings, split_by_person


def test_people_are_held_back_whole() -> None:
    recordings = load_recordings()
    assert len(recordings) == 140
    training, testing = split_by_person(recordings, (8, 9, 10))
    assert {recording.person for recording in testing} == {8, 9, 10}
    assert {recording.person for recording in training} == set(range(1, 8))
    assert len(training) + len(testing) == 140
    for wrong in ((), (11,), tuple(range(1, 11))):
        with pytest.raises(InputError, match="option people"):
            split_by_person(recordings, wrong)


def test_windows_span_no_two_recordings() -> None:
    recordings = load_recordings()[:3]
    x, exercises = windows(recordings)
    expected = sum((len(recording.samples) - LENGTH) // STEP + 1 for recording in recordings)
    assert x.shape == (expected, LENGTH, 6)
    np.testing.assert_array_equal(x[1], recordings[0].samples[STEP : STEP + LENGTH])
    assert set(exercises) == {recording.exercise for recording in recordings}


def test_features_are_sums_and_comparisons() -> None:
    x = np.random.default_rng(0).normal(size=(2, LENGTH, 6))
    found = dict(zip(FEATURES, features(x).T, strict=True))
    axis = x[:, :, 4]
    assert found["wy_mean"] == pytest.approx(axis.mean(axis=1), rel=1e-5, abs=1e-6)
    assert found["wy_low"] == pytest.approx(axis.min(axis=1), rel=1e-5)
    assert found["wy_high"] == pytest.approx(axis.max(axis=1), rel=1e-5)
    assert found["wy_change"] == pytest.approx(np.abs(axis[:, 1:] - axis[:, :-1]).mean(axis=1), rel=1e-5)
    assert events_input(x).shape == (2, 32 * 6)


def test_a_sensor_that_has_moved_moves_levels_alone() -> None:
    from edgeml.network import Dense, InputQuantizer, Network, Node, Output
    from examples.wearable.calibration import drifted

    quantizer = InputQuantizer(len(FEATURES), np.ones(1), np.zeros(1), 0, 8, False)
    dense = Dense(np.ones((2, len(FEATURES)), np.int32), 2, np.zeros(2, np.int32))
    network = Network("watch", (Node("input", quantizer), Node("dense", dense, ("input",))), Output(np.ones(1)))
    moved = drifted(network, np.full((3, len(FEATURES)), 128, np.int32)) - 128
    for axis in range(6):
        of_axis = {FEATURES[place].split("_")[1]: moved[0, place] for place in range(axis, len(FEATURES), 6)}
        assert of_axis["mean"] == of_axis["low"] == of_axis["high"] != 0
        assert of_axis["spread"] == of_axis["change"] == 0
    assert drifted(network, np.full((1, len(FEATURES)), 255, np.int32)).max() == 255


@pytest.mark.slow
def test_a_shortened_run_end_to_end(tmp_path: Path) -> None:
    pytest.importorskip("unicorn", reason="unicorn, which emulates the Cortex-M4, is not installed")
    from typer.testing import CliRunner

    from examples.wearable.command_line import app

    arguments = ["--epochs", "2", "--quantized-epochs", "1", "--spiking-epochs", "0", "-o", str(tmp_path), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["windows"] == {"training": 2460, "held_back": 1145}
    assert document["recall"]["2-bit"] == document["recall"]["its spikes"]
    assert document["accuracy"]["2-bit"] > 0.4
    assert [each["bundle"] for each in document["bundles"]] == ["quantized-cortex-m4", "spiking-cortex-m4"]
    assert all("unicorn-m4" in each["exact"] for each in document["bundles"])
    assert all(each["instructions"] > 1000 for each in document["bundles"])
