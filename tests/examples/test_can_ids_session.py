"""The example from a log to alarms on a bus, shortened: a tiny network, few steps, the real commands."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from edgeml.bundle import Bundle, load
from edgeml.errors import InputError
from examples.can_ids.bus import SHORTEST_FRAME_BITS
from examples.can_ids.command_line import app
from examples.can_ids.confidence import poisson_upper, wilson
from examples.can_ids.dataset import prepared
from examples.can_ids.deploy import Budget
from examples.can_ids.detector import Alarm, Detector
from examples.can_ids.evidence import EVIDENCE, QUIET, Evidence, fit, follow
from examples.can_ids.frames import FRAME, Frames, Traffic
from examples.can_ids.habits import HABITS, Habits
from examples.can_ids.inject import Attack, inject
from examples.can_ids.measures import measure
from examples.can_ids.monitor import Summary, frames_of_bus, frames_of_file, monitor
from examples.can_ids.readers import read_log
from examples.can_ids.windows import Recipe, Windows, features_of

ROOT = Path(__file__).parents[2]


def _traffic(frames: int) -> Traffic:
    """Ten identifiers in turn, a counter and a slow signal in their data."""
    records = np.zeros(frames, FRAME)
    number = np.arange(frames)
    records["time"] = 50 + number * 5e-4
    records["identifier"] = 0x100 + 0x20 * (number % 10)
    records["length"] = 8
    records["data"][:, 0], records["data"][:, 3] = number % 16, (100 + 20 * np.sin(number / 500)).astype(np.uint8)
    return Traffic(records, ("normal",), ("drive",))


def _write_hcrl(traffic: Traffic, path: Path) -> None:
    rows = []
    for frame in traffic.frames:
        data = "".join(f"{byte:02x}," for byte in frame["data"][: frame["length"]])
        flag = "T" if frame["label"] else "R"
        rows.append(f"{frame['time']:.6f},{frame['identifier']:04x},{frame['length']},{data}{flag}\n")
    path.write_text("".join(rows))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """What the command `train` leaves of an HCRL file with short rows and a flood, and a fuzzed one."""
    folder = tmp_path_factory.mktemp("can_ids")
    for kind, name in (("dos", "DoS_dataset.csv"), ("fuzzing", "Fuzzy_dataset.csv")):
        _write_hcrl(inject(_traffic(4000), Attack(kind, share=0.05, burst=20), seed=1), folder / name)
    logs = [str(folder / "DoS_dataset.csv"), str(folder / "Fuzzy_dataset.csv")]
    sizes = ["--widths", "24,12", "--steps", "250", "--quantized-steps", "250", "--most", "6000"]
    result = CliRunner().invoke(app, ["train", *logs, *sizes, "-o", str(folder / "out")], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "2 bit, seed 0: macro recall" in result.output
    return folder / "out"


def test_training_on_hcrl_files_gives_a_verified_bundle_and_figures(trained):
    bundle = load(trained / "quantized-host")
    assert bundle.network.output.labels == ("normal", "dos", "fuzzy")
    assert {each["name"]: each["status"] for each in bundle.manifest["verification"]}["golden"] == "exact"
    figures = json.loads((trained / "figures.json").read_text())
    recall = {each["name"]: each["recall"] for each in figures["classes"]}
    assert recall["dos"] > 0.9
    assert recall["normal"] > 0.8
    assert sum(map(sum, figures["confusion"])) == sum(each["windows"] for each in figures["classes"])
    assert {len(bundle.converted.nodes[1].layer.rule), bundle.network.input_size} == {4 * (75 + 8 + 42), 60}
    weights = [node.layer for node in bundle.network.nodes if node.layer.kind == "dense"]
    assert all(layer.weight_bits == 2 for layer in weights), "2 bits everywhere"


def test_an_hcrl_file_gives_the_windows_of_the_table_it_was_made_from(tmp_path, shared_data):
    with gzip.open(shared_data / "can" / "volvo_v40_240k.csv.gz", "rt") as whole:
        (tmp_path / "table.csv").write_text("".join(islice(whole, 48_001)))
    table = read_log(tmp_path / "table.csv")
    part = table.trace(1)
    traffic = Traffic(part, table.classes, table.traces)
    _write_hcrl(traffic, tmp_path / "DoS_dataset.csv")
    found = prepared(read_log(tmp_path / "DoS_dataset.csv"), Recipe(), 0.2, 0, 0)
    part["trace"] = 0
    expected = prepared(Traffic(part, table.classes[:2], ("dos",)), Recipe(), 0.2, 0, 0)
    assert found.arrays["labels"].tolist() == ["normal", "dos"]
    for name in ("x", "y", "x_test", "y_test"):
        np.testing.assert_array_equal(found.arrays[name], expected.arrays[name], err_msg=name)


def _attacked() -> Traffic:
    return inject(_traffic(600), Attack("dos", share=0.1, burst=30), seed=9)


def _expected_alarms(bundle: Bundle, rule: Evidence, habits: Habits, traffic: Traffic) -> list[float]:
    """Times of alarms, from all windows at once on golden."""
    x = np.lib.stride_tricks.sliding_window_view(features_of(traffic.frames, [habits]), 4, axis=0)
    outputs = bundle.run(np.moveaxis(x, -1, 1).reshape(-1, 60).astype(np.float32)).integers
    return [float(traffic.frames["time"][each.at + 3]) for each in follow(rule, outputs, np.arange(len(outputs)))]


def test_a_log_is_watched_frame_by_frame_as_golden_says(trained, tmp_path):
    bundle, traffic = load(trained / "quantized-host"), _attacked()
    rule, habits = Evidence.load(trained / EVIDENCE), Habits.load(trained / HABITS)
    _write_hcrl(traffic, tmp_path / "dos.csv")
    alarms: list[float] = []
    seen = monitor(
        frames_of_file(tmp_path / "dos.csv"), Detector(bundle, rule, habits), lambda alarm: alarms.append(alarm.time)
    )
    assert len(alarms) >= 2
    np.testing.assert_allclose(alarms, _expected_alarms(bundle, rule, habits, traffic), atol=1e-6)
    assert (seen.frames, seen.windows, seen.alarms) == (660, 657, len(alarms))


def test_a_virtual_bus_is_watched_until_it_is_stopped(trained):
    can = pytest.importorskip("can", reason="python-can is not installed")
    bundle, traffic = load(trained / "quantized-host"), _attacked()
    rule, habits = Evidence.load(trained / EVIDENCE), Habits.load(trained / HABITS)
    stop = threading.Event()
    alarms: list[Alarm] = []
    received: list[Frames] = []
    frames = frames_of_bus("test_can_ids", "virtual", stop)
    results: list[Summary] = []
    detector = Detector(bundle, rule, habits)

    def watched() -> None:
        kept = (received.append(frame) or frame for frame in frames)
        results.append(monitor(kept, detector, alarms.append, stop))

    watcher = threading.Thread(target=watched)
    with can.Bus(channel="test_can_ids", interface="virtual") as sender:
        watcher.start()
        for frame in traffic.frames:
            data = bytes(frame["data"][: frame["length"]])
            sender.send(can.Message(arbitration_id=int(frame["identifier"]), data=data, is_extended_id=False))
        sender.send(can.Message(arbitration_id=1, is_fd=True, data=bytes(12)))
        deadline = time.monotonic() + 60
        while watcher.is_alive() and detector.frames < len(traffic) and time.monotonic() < deadline:
            time.sleep(0.05)
        stop.set()
        watcher.join(10)
    assert not watcher.is_alive()
    # The bus says when frames arrived, and that is a feature: what is expected follows from the frames as received.
    heard = Traffic(np.concatenate(received), traffic.classes, traffic.traces)
    assert [alarm.time for alarm in alarms] == _expected_alarms(bundle, rule, habits, heard)
    assert len(alarms) >= 1
    assert results[0].frames == len(traffic)


def test_logs_that_python_can_reads_are_watched_too(tmp_path):
    can = pytest.importorskip("can", reason="python-can is not installed")
    traffic = _traffic(20)
    with can.Logger(str(tmp_path / "drive.asc")) as writer:
        for frame in traffic.frames:
            data, identifier = bytes(frame["data"]), int(frame["identifier"])
            writer(
                can.Message(timestamp=float(frame["time"]), arbitration_id=identifier, data=data, is_extended_id=False)
            )
    found = np.concatenate(list(frames_of_file(tmp_path / "drive.asc")))
    for name in ("identifier", "length", "data", "extended"):
        np.testing.assert_array_equal(found[name], traffic.frames[name], err_msg=name)
    np.testing.assert_allclose(np.diff(found["time"]), np.diff(traffic.frames["time"]), atol=2e-6)
    (tmp_path / "damaged.blf").write_bytes(b"LOGG" + bytes(40))
    with pytest.raises(InputError, match="damaged"):
        list(frames_of_file(tmp_path / "damaged.blf"))


def test_the_monitor_ends_on_ctrl_c_with_its_summary(trained):
    pytest.importorskip("can", reason="python-can is not installed")
    command = [sys.executable, "-m", "examples.can_ids", "monitor", "channel_of_nobody", "--interface", "virtual"]
    process = subprocess.Popen(
        [*command, "--bundle", str(trained / "quantized-host")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        assert "watching" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, errors) == (0, "")
    assert "0 frames, 0 windows, 0 called an attack, 0 alarms" in output


@pytest.mark.parametrize("strict", [False, True])
def test_the_monitor_warns_once_of_another_car_and_strict_ends_it_there(trained, tmp_path, strict):
    same, other = _traffic(700), _traffic(700)
    other.frames["identifier"] += 3
    for traffic, name in ((same, "same.csv"), (other, "other.csv")):
        _write_hcrl(traffic, tmp_path / name)
        arguments = ["monitor", str(tmp_path / name), "--bundle", str(trained / "quantized-host")]
        result = CliRunner().invoke(app, [*arguments, "--strict"] if strict else arguments)
        warnings = [line for line in result.output.splitlines() if line.startswith("WARNING")]
        if traffic is same:
            assert (result.exit_code, warnings) == (0, [])
            continue
        assert len(warnings) == 1
        assert "100% of its identifiers were not seen in training (103, 123, 143" in warnings[0]
        assert result.exit_code == int(strict)
        frames = int(result.output.splitlines()[-1].split(" frames")[0])
        assert frames == 700 if not strict else frames < 700


def test_a_bundle_without_a_known_bus_is_told_to_be_trained_anew(trained, tmp_path):
    shutil.copytree(trained / "quantized-host", tmp_path / "quantized-host")
    for name in (EVIDENCE, HABITS):
        shutil.copy(trained / name, tmp_path)
    result = CliRunner().invoke(app, ["monitor", "can0", "--bundle", str(tmp_path / "quantized-host")])
    assert isinstance(result.exception, InputError)
    assert "known_bus.json" in str(result.exception)
    assert "Run train first" in str(result.exception)


def test_mistakes_on_the_command_line_have_one_line_and_an_exit_code(tmp_path):
    for arguments, code, words in (
        (["monitor", "can_absent", "--interface", "no_such_kind", "--bundle", str(tmp_path)], 2, "is not a bundle"),
        (["prepare", str(tmp_path / "absent.log"), "-o", str(tmp_path / "x.npz")], 2, "absent.log"),
        (["deploy", str(tmp_path)], 2, "Run the command train first"),
        (["inject", str(tmp_path / "absent.log"), "-o", "x.csv", "--kind", "jamming"], 2, "jamming"),
    ):
        command = [sys.executable, "-m", "examples.can_ids", *arguments]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        assert result.returncode == code, result.stderr
        assert words in result.stderr
        assert "Traceback" not in result.stderr


def _outputs(margins: list[int]) -> np.ndarray:
    """Outputs [windows, 2] with these margins of the attack."""
    return np.stack([np.zeros(len(margins), np.int64), np.array(margins)], axis=1)


def test_evidence_adds_up_to_alarms_by_hand():
    rule = Evidence((1,), (6,))
    # Evidence by window, at most 3 each: 3 3 | alarm at 6, ceiling 12, down to 0, eight quiet windows, and once more.
    quiet = [-9] * (QUIET - 1)
    margins = [9, 9, 9, -2, -20, *quiet, 4, 4, -50, 0]
    found = follow(rule, _outputs(margins), np.arange(16))
    assert [tuple(each) for each in found] == [(1, 0, 1, 4), (1, 12, 13, 14)]
    assert not follow(rule, _outputs([9]), np.arange(1)), "one window raises no alarm"
    assert not follow(rule, _outputs([9, 9]), np.array([0, 2])), "evidence does not pass a gap"
    assert len(follow(rule, _outputs([9] * 50), np.arange(50))) == 1, "a flood is one alarm"


def test_what_follows_an_alarm_at_once_is_of_the_same_incident():
    rule, after = Evidence((1, 1), (6, 6)), QUIET + 4
    other = [[0, 9 if number < 3 else -20, -9] for number in range(30)]
    for number in (7, 8, 9):
        other[number][2] = 9
    assert [each.attack for each in follow(rule, np.array(other), np.arange(30))] == [1]
    for number in range(7, 20):
        other[number][2] = 9
    found = follow(rule, np.array(other), np.arange(30))
    assert [(each.attack, each.first, each.at) for each in found] == [(1, 0, 1), (2, 7, after - 1)], "if it lasts"
    del other[3:7]
    found = follow(rule, np.array(other), np.delete(np.arange(30), [3, 4, 5, 6]))
    assert [each.attack for each in found] == [1, 2], "evidence begins anew behind a gap"


def test_traffic_right_behind_an_attack_sets_no_threshold():
    margins = np.full(20_000, -5)
    margins[200:204], margins[205:209] = 5, 30
    y, position = np.isin(np.arange(20_000), range(200, 204)).astype(np.int64), np.arange(20_000)
    later = margins.copy()
    later[205:209], later[300:304] = -5, 30
    near, far = (fit(_outputs(each.tolist()), y, position, 1.0, 20.0, 4) for each in (margins, later))
    assert near.threshold < (30,) <= far.threshold


def test_a_threshold_lies_half_way_to_what_attacks_of_validation_traffic_give_in_their_first_windows():
    """Ten injections of six windows that give 10 each, one that begins as normal and one that gives nothing."""
    margins, y = np.full(20_000, -5), np.zeros(20_000, np.int64)
    for number in range(12):
        y[100 * number + 100 : 100 * number + 106] = 1
    margins[y == 1] = 10
    margins[100:102], margins[200:206] = -5, -5
    clean = margins.copy()
    clean[9000:9004] = 3
    rules = [fit(_outputs(each.tolist()), y, np.arange(20_000), 20.0, 20.0, 4) for each in (margins, clean)]
    # By hand: 0, 20 and ten times 40 are given, of which 22 is passed by nine in ten; clean traffic reaches 0, then 12.
    assert [rule.threshold for rule in rules] == [(11,), (14,)]


def test_a_threshold_is_above_all_of_the_validation_traffic_and_grows_as_fewer_alarms_are_wanted():
    generator = np.random.default_rng(2)
    outputs = _outputs(np.rint(generator.normal(-6, 4, 20_000)).astype(np.int64).tolist())
    quiet, position = np.zeros(20_000, np.int64), np.arange(20_000)
    rules = [fit(outputs, quiet, position, 20.0, rate, 4) for rate in (20.0, 1.0, 0.01)]
    assert rules[0].threshold < rules[1].threshold < rules[2].threshold
    assert all(not follow(rule, outputs, position) for rule in rules)
    with pytest.raises(InputError, match="rate"):
        fit(outputs, quiet, position, 20.0, 0.0, 4)


def test_intervals_are_those_of_the_books():
    assert poisson_upper(0) == pytest.approx(2.9957, abs=1e-3)
    assert poisson_upper(3) == pytest.approx(7.7537, abs=1e-3)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_measures_of_a_detector_by_hand():
    y = np.array([0, 0, 1, 1, 1, 1, *[0] * 12, 1])
    outputs = _outputs([-5, -5, 5, 5, 5, -5, *[-50] * 8, 5, 5, 5, -50, -5])
    windows = Windows(np.zeros((19, 60), np.uint8), y, np.arange(19.0), np.zeros((19, 4), bool), np.arange(19), 36.0)
    found = measure(windows, outputs, outputs.argmax(1), ("normal", "a"), Evidence((1,), (8,)))
    normal, attack = found.classes
    assert (normal.recall, attack.recall, attack.precision) == (11 / 14, 3 / 5, 3 / 6)
    assert (attack.injections, attack.found, attack.frames_to_alarm, attack.milliseconds_to_alarm) == (
        2,
        1,
        (2,),
        (1000.0,),
    )
    assert (found.false_alarms, found.false_alarms_per_hour) == (1, 100.0)


def test_a_budget_is_held_against_the_shortest_frame():
    budget = Budget("b", "verilator", "cycles", 94, 16, 200e6, "")
    assert budget.seconds == pytest.approx(0.47e-6)
    assert budget.share(1e6) == pytest.approx(0.47 / SHORTEST_FRAME_BITS)
    assert budget.share(500e3, data_bytes=8) == pytest.approx(0.47 / (2 * 111))


def test_a_bundle_that_is_no_detector_is_refused(trained, small_network):
    bundle = load(trained / "quantized-host")
    other = Bundle(bundle.folder, small_network, bundle.manifest)
    with pytest.raises(InputError, match="no whole number of CAN frames"):
        Detector(other, Evidence((0,), (2,)), Habits((), (), ()))
    with pytest.raises(InputError, match="is for 1 attacks"):
        Detector(bundle, Evidence((0,), (2,)), Habits((), (), ()))
