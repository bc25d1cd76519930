"""Readers of CAN logs: what they read is what was written, and hostile lines are named by file and line."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.errors import EdgemlError, InputError
from examples.can_ids.frames import FRAME, NORMAL, Frames, Traffic
from examples.can_ids.readers import candump, hcrl, read_log, read_logs, table, write_table
from examples.can_ids.readers.lines import LONGEST_LINE

_FRAME = st.tuples(st.integers(0, 2**29 - 1), st.binary(max_size=8), st.integers(0, 10**6), st.integers(0, 1))


def _traffic(rows: list[tuple[int, bytes, int, int]]) -> Traffic:
    """Frames of (identifier, data, microseconds since the one before, label)."""
    frames: Frames = np.zeros(len(rows), FRAME)
    micros = 0
    for frame, (identifier, data, gap, label) in zip(frames, rows, strict=True):
        micros += gap
        frame["time"], frame["identifier"], frame["extended"] = micros / 1e6, identifier, identifier > 0x7FF
        frame["length"], frame["label"] = len(data), label
        frame["data"] = np.frombuffer(data.ljust(8, b"\0"), np.uint8)
    return Traffic(frames, (NORMAL, "dos"), ("drive",))


def _hcrl_text(traffic: Traffic) -> str:
    lines = []
    for frame in traffic.frames:
        data = [f"{byte:02x}" for byte in frame["data"][: frame["length"]]]
        flag = "T" if frame["label"] else "R"
        # Eight digits tell an extended identifier from a decimal one.
        identifier = f"{frame['identifier']:0{8 if frame['extended'] else 4}x}"
        lines.append(",".join([f"{frame['time']:.6f}", identifier, str(frame["length"]), *data, flag]))
    return "\n".join(lines) + "\n"


def _candump_text(traffic: Traffic) -> str:
    return "".join(
        f"({frame['time']:.6f}) can0 {frame['identifier']:0{8 if frame['extended'] else 3}X}"
        f"#{frame['data'][: frame['length']].tobytes().hex().upper()}\n"
        for frame in traffic.frames
    )


def _same(found: Frames, expected: Frames) -> None:
    for name in ("time", "identifier", "extended", "length", "data"):
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


@settings(max_examples=60)
@given(st.lists(_FRAME, min_size=1, max_size=12))
def test_every_format_gives_the_frames_that_were_written(tmp_path_factory, rows):
    traffic = _traffic(rows)
    folder = tmp_path_factory.mktemp("logs")
    (folder / "DoS_dataset.csv").write_text(_hcrl_text(traffic))
    (folder / "drive.log").write_text(_candump_text(traffic))
    write_table(traffic, folder / "table.csv")
    for name, labels in (("DoS_dataset.csv", True), ("drive.log", False), ("table.csv", True)):
        found = read_log(folder / name)
        _same(found.frames, traffic.frames)
        if labels:
            said = [found.classes[label] for label in found.frames["label"]]
            assert said == [traffic.classes[label] for label in traffic.frames["label"]]


def _log(folder: Path, text: str, name: str = "dos.log") -> Path:
    path = folder / name
    path.write_bytes(text.encode("latin-1"))
    return path


def test_candump_reads_remote_frames_extended_identifiers_and_several_interfaces(tmp_path):
    text = "(1436509052.249713) can0 044#2A366C2BBA\n(1436509052.3) can1 1ABCDEF0#R3\n\n(1436509053) can0 7FF#\n"
    found = candump.read(_log(tmp_path, text))
    assert found.frames["remote"].tolist() == [False, True, False]
    assert found.frames["length"].tolist() == [5, 3, 0]
    assert found.frames["identifier"].tolist() == [0x44, 0x1ABCDEF0, 0x7FF]
    assert found.frames["extended"].tolist() == [False, True, False]
    assert found.traces == ("dos.log:can0", "dos.log:can1")
    assert found.frames["data"][0].tolist() == [0x2A, 0x36, 0x6C, 0x2B, 0xBA, 0, 0, 0]


def test_hcrl_reads_short_rows_padded_rows_headers_and_the_attack_free_text(tmp_path):
    text = (
        "Timestamp, ID, DLC, DATA0, DATA1\n1478198376.389427,0316,8,05,21,68,09,21,21,00,6f,R\n"
        "1478198376.4,0440,2,ff,00,T\n1478198376.5,0440,1,0a,,,,,,,,R\n1478198376.6,05f0,0,R\n"
    )
    found = hcrl.read(_log(tmp_path, text, "RPM_dataset.csv"))
    assert found.classes == (NORMAL, "rpm")
    assert found.frames["label"].tolist() == [0, 1, 0, 0]
    assert found.frames["length"].tolist() == [8, 2, 1, 0]
    clean = "Timestamp: 1479121434.850202        ID: 0350    000    DLC: 8    05 28 84 66 6d 00 00 a2\n"
    frame = read_log(_log(tmp_path, clean, "normal_run_data.txt")).frames[0]
    assert (frame["identifier"], frame["data"].tolist()) == (0x350, [5, 0x28, 0x84, 0x66, 0x6D, 0, 0, 0xA2])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("(2.0) can0 044##1AABB", "CAN FD"),
        ("(2.0) can0 20000080#0000000000000000", "error frame"),
        ("(2.0) can0 44#00", "neither 3 nor 8"),
        ("(2.0) can0 FFF#00", "identifier"),
        ("(2.0) can0 044#0", "0 to 8 data bytes"),
        ("(2.0) can0 044#001122334455667788", "0 to 8 data bytes"),
        ("(2.0) can0 044#R9", "R0"),
        ("(-2.0) can0 044#00", "time"),
        ("(nan) can0 044#00", "time"),
        ("(1e400) can0 044#00", "time"),
        ("(0.5) can0 044#00", "lies before"),
        ("(2.0) can0 \u00ff44#00", "ASCII"),
        ("(2.0) can0 044#" + "0" * 2000, f"longer than {LONGEST_LINE}"),
        ("2.0,0316,0,R", "expected"),
    ],
)
def test_a_bad_line_of_a_candump_log_is_named(tmp_path, line, problem):
    path = _log(tmp_path, f"(1.0) can0 044#00\n{line}\n")
    with pytest.raises(InputError, match=problem) as caught:
        read_log(path)
    assert f"{path}, line 2" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2.0,0316,3,05,21,R", "DLC says 3"),
        ("2.0,0316,9,R", "a DLC"),
        ("2.0,0316,-1,R", "a DLC"),
        ("2.0,40000000,0,R", "ID"),
        ("2.0,0316,1,1ff,R", "data byte"),
        ("2.0,0316,1,xx,R", "data byte"),
        ("2.0,0316,1,05", "expected"),
        ("2.0,0316,1,05,X", "expected"),
        ("inf,0316,1,05,R", "time"),
    ],
)
def test_a_bad_row_of_an_hcrl_file_is_named(tmp_path, line, problem):
    path = _log(tmp_path, f"1.0,0316,1,05,R\n{line}\n", "dos.csv")
    with pytest.raises(InputError, match=problem) as caught:
        read_log(path)
    assert f"{path}, line 2" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a,2,5,9" + ",0" * 8 + ",normal", "dlc"),
        ("a,2,5,1,5,7,0,0,0,0,0,0,normal", "past its dlc"),
        ("a,2,5,1,256" + ",0" * 7 + ",normal", "data byte"),
        ("a,2,5,1,5,normal", "cells"),
        ("a,2,-5,1" + ",0" * 8 + ",normal", "can_id"),
        ("a,2,5,1" + ",0" * 8 + ",", "class"),
        ("a\x1b[2J,2,5,1" + ",0" * 8 + ",normal", "trace"),
    ],
)
def test_a_bad_row_of_a_table_is_named(tmp_path, line, problem):
    path = _log(tmp_path, f"{table.HEADER}\n{line}\n", "table.csv")
    with pytest.raises(InputError, match=problem) as caught:
        read_log(path)
    assert f"{path}, line 2" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_files_that_are_no_logs_are_refused(tmp_path):
    for name, text in (("a.csv", ""), ("b.csv", "\n\n"), ("c.csv", "x,y\n1,2\n"), ("d.csv", table.HEADER + "\n")):
        with pytest.raises(InputError, match=name):
            read_log(_log(tmp_path, text, name))
    with pytest.raises(InputError, match="cannot be read"):
        read_log(tmp_path / "absent.log")
    packed = gzip.compress(b"(1.0) can0 044#00\n" * 1000)
    (tmp_path / "cut.log.gz").write_bytes(packed[:-20])
    with pytest.raises(InputError, match="damaged"):
        read_log(tmp_path / "cut.log.gz")


def test_injected_frames_of_a_file_without_a_telling_name_need_one(tmp_path):
    path = _log(tmp_path, "1.0,0316,1,05,T\n", "log.csv")
    with pytest.raises(InputError, match="--attack"):
        read_log(path)
    assert read_log(path, "replay").classes == (NORMAL, "replay")


@settings(max_examples=150)
@given(st.binary(max_size=120), st.sampled_from(["(1.0) can0 044#00\n", "1.0,0316,1,05,R\n", table.HEADER + "\n", ""]))
def test_no_bytes_raise_anything_but_our_errors(tmp_path_factory, content, start):
    path = tmp_path_factory.mktemp("hostile") / "dos.log"
    path.write_bytes(start.encode() + content)
    try:
        problem = "" if len(read_log(path)) else "no frames"
    except EdgemlError as error:
        problem = "" if str(path) in str(error) else f"names no file: {error}"
    assert not problem


def test_logs_together_share_classes_and_keep_their_traces(tmp_path):
    first = _log(tmp_path, "1.0,0316,1,05,T\n2.0,0316,1,05,R\n", "dos.csv")
    second = _log(tmp_path, "1.0,0316,1,05,R\n2.0,0001,1,05,T\n", "fuzzy.csv")
    together = read_logs([first, second, first])
    assert together.classes == (NORMAL, "dos", "fuzzy")
    assert together.frames["label"].tolist() == [1, 0, 0, 2, 1, 0]
    assert together.frames["trace"].tolist() == [0, 0, 1, 1, 2, 2]


def test_a_table_with_short_frames_comes_back_as_it_was():
    traffic = _traffic([(5, b"ab", 10, 0), (2**20, b"", 10, 1)])
    stream = io.StringIO()
    table.write(traffic, stream)
    assert stream.getvalue().splitlines()[1] == "drive,0.000010,5,2,97,98,,,,,,,normal"
