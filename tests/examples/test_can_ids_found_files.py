"""Files made from HCRL's, as they are found: each variant gives the frames that it was made from."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError
from examples.can_ids.readers import read_log

_FRAMES = [
    (1478198376.389427, 0x316, bytes.fromhex("052168092121006f"), 0),
    (1478198376.389636, 0x5F0, bytes.fromhex("0100"), 0),
    (1478198376.389864, 0x000, bytes(8), 1),
    (1478198376.390125, 0x43F, bytes.fromhex("fe5b00"), 0),
]
_NAMED = "Timestamp,ID,DLC,D0,D1,D2,D3,D4,D5,D6,D7,Label"


def _rows(
    separator: str = ",",
    *,
    identifier: str = "{:04x}",
    byte: str = "{:02x}",
    fill: str | None = None,
    join: str | None = None,
    length: bool = True,
    labels: tuple[str, ...] = ("R", "T"),
    quote: str = "",
    index: bool = False,
) -> str:
    """The frames as rows. `fill` stands in cells past the DLC, `join` between the bytes of one cell."""
    lines = []
    for number, (time, frame_id, data, label) in enumerate(_FRAMES):
        cells = [byte.format(value) for value in data] + [fill] * (8 - len(data) if fill is not None else 0)
        cells = [join.join(map(str, cells))] if join is not None else cells
        row = [f"{time:.6f}", identifier.format(frame_id), *([str(len(data))] if length else []), *cells]
        row = [*([str(number)] if index else []), *row, *(labels[label : label + 1])]
        lines.append(separator.join(f"{quote}{cell}{quote}" for cell in row))
    return "\n".join(lines) + "\n"


_FOUND = {
    "as published": _rows(),
    "byte order mark": "\ufeff" + _rows(),
    "zeros past the DLC": _rows(fill="00"),
    "empty cells past the DLC": _rows(fill=""),
    "carriage returns": _rows().replace("\n", "\r\n"),
    "byte order mark, header, zeros": "\ufeff" + _NAMED + "\r\n" + _rows(fill="00").replace("\n", "\r\n"),
    "header over short rows": _NAMED + "\n" + _rows(),
    "header over short rows, cut and filled": _NAMED + "\n" + _rows().replace("R\n", "R,,\n"),
    "header without a label over rows with one": _NAMED.removesuffix(",Label") + "\n" + _rows(fill="0"),
    "header of the first columns": "Timestamp, ID, DLC, Data\n" + _rows(fill="00"),
    "labels 0 and 1": _NAMED.replace("Label", "Flag") + "\n" + _rows(fill="00", labels=("0", "1")),
    "labels 0 and 1, no header": _rows(fill="00", labels=("0", "1")),
    "labels by name": _NAMED + "\n" + _rows(fill="00", labels=("Normal", "DoS")),
    "quoted cells": _NAMED + "\n" + _rows(fill="00", quote='"'),
    "quoted cells, no header": _rows(quote='"'),
    "semicolons": _rows(";", fill="00"),
    "semicolons and decimal commas": _rows(";").replace(".", ","),
    "tabs": _NAMED.replace(",", "\t") + "\n" + _rows("\t", fill=""),
    "upper case": _rows(identifier="{:03X}", byte="{:02X}"),
    "with 0x": _rows(identifier="0x{:03x}", byte="0x{:02X}", fill="0x00"),
    "8 digits, bytes without zeros": _rows(identifier="{:08X}", byte="{:x}", fill="0"),
    "hex string": "timestamp,can_id,dlc,data,label\n" + _rows(join="", labels=("0", "1")),
    "hex string filled with zeros": "timestamp,can_id,dlc,data,label\n" + _rows(join="", fill="00"),
    "hex string, no header": _rows(join=""),
    "spaced bytes": "Timestamp,Arbitration_ID,DLC,Data,Class\n" + _rows(join=" ", labels=("Normal", "Attack")),
    "spaced bytes in quotes": "timestamp,can_id,dlc,data,flag\n" + _rows(join=" ", quote='"'),
    "hex string without DLC": "timestamp,arbitration_id,data_field,attack\n"
    + _rows(join="", length=False, labels=("0", "1")),
    "index in front": ",Timestamp,CAN ID,DLC,DATA[0],DATA[1],DATA[2],DATA[3],DATA[4],DATA[5],DATA[6],DATA[7],Flag\n"
    + _rows(fill="00", index=True),
    "index in front, tabs": ("," + _NAMED + "\n" + _rows(fill="", index=True)).replace(",", "\t"),
    "bytes counted from 1": _NAMED.replace("D", "data").replace("dataLC", "DLC").replace("Idata", "ID")
    + "\n"
    + _rows(fill="00"),
    "decimal, written by pandas": _NAMED + "\n" + _rows(identifier="{}", byte="{}.0", fill=""),
    "decimal": _NAMED + "\n" + _rows(identifier="{}", byte="{}", fill="0"),
}


def _same(path: Path, labels: list[int], classes: tuple[str, ...]) -> None:
    found = read_log(path)
    np.testing.assert_allclose(found.frames["time"], [row[0] for row in _FRAMES], atol=1e-6)
    assert found.frames["identifier"].tolist() == [row[1] for row in _FRAMES]
    assert not found.frames["extended"].any()
    assert found.frames["length"].tolist() == [len(row[2]) for row in _FRAMES]
    assert [bytes(each) for each in found.frames["data"]] == [row[2].ljust(8, b"\0") for row in _FRAMES]
    assert found.frames["label"].tolist() == labels
    assert found.classes == classes


@pytest.mark.parametrize("variant", _FOUND)
def test_a_file_as_it_is_found_gives_the_frames_it_was_made_from(tmp_path, variant):
    path = tmp_path / "DoS_dataset.csv"
    path.write_bytes(_FOUND[variant].encode())
    _same(path, [0, 0, 1, 0], ("normal", "dos"))
    (tmp_path / "DoS_dataset.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    _same(tmp_path / "DoS_dataset.csv.gz", [0, 0, 1, 0], ("normal", "dos"))


def test_classes_of_a_second_label_column_are_those_that_say_more(tmp_path):
    path = tmp_path / "day.csv"
    rows = _rows(join=" ", labels=("Normal,Normal", "Attack,Flooding"))
    path.write_text("Timestamp,Arbitration_ID,DLC,Data,Class,SubClass\n" + rows)
    _same(path, [0, 0, 1, 0], ("normal", "flooding"))


@pytest.mark.parametrize("header", ["", "Timestamp,ID,DLC,D0,D1,D2,D3,D4,D5,D6,D7\n", "Timestamp,ID,DLC\n"])
@pytest.mark.parametrize("fill", [None, "00", ""])
def test_without_labels_the_user_or_the_name_says_the_class_or_all_is_normal(tmp_path, header, fill):
    text = header + _rows(labels=(), fill=fill)
    for name, classes, label in (("drive.csv", ("normal",), 0), ("Fuzzy_dataset.csv", ("normal", "fuzzy"), 1)):
        (tmp_path / name).write_text(text)
        _same(tmp_path / name, [label] * 4, classes)
    assert read_log(tmp_path / "Fuzzy_dataset.csv", "normal").classes == ("normal",)
    assert read_log(tmp_path / "drive.csv", "replay").frames["label"].tolist() == [1] * 4


def test_the_text_of_the_normal_run_may_be_filled_with_zeros_and_end_in_carriage_returns(tmp_path):
    lines = []
    for time, identifier, data, _ in _FRAMES:
        filled = " ".join(f"{byte:02x}" for byte in data.ljust(8, b"\0"))
        lines.append(f"Timestamp: {time:.6f}        ID: {identifier:04x}    000    DLC: {len(data)}    {filled}\r\n")
    path = tmp_path / "normal_run_data.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "".join(lines).encode())
    _same(path, [0] * 4, ("normal",))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1478198377,0316,2,05,21,01,00,00,00,00,00,R", "past its DLC of 2"),
        ("1478198377,0316,2,05,,00,00,00,00,00,00,R", "data byte"),
        ("1478198377,0316,9,05,21,01,00,00,00,00,00,R", "a DLC"),
        ("1478198377,0316,2,05,21,01,00,00,00,00,00,Q", "R or T"),
        ("1478198377,0316,8,05,21,R", "DLC says 8 data bytes, the row has 2"),
        ('1478198377,"0316,8,05,21,R', "quotes do not close"),
        ("1478198377,0316,1,1e5,00,00,00,00,00,00,00,R", "data byte"),
        ("1478198377,03 16,1,05,00,00,00,00,00,00,00,R", "ID"),
        ("today,0316,1,05,00,00,00,00,00,00,00,R", "time"),
    ],
)
@pytest.mark.parametrize("header", ["", _NAMED + "\n"])
def test_a_wrong_row_is_named_by_file_and_line(tmp_path, header, line, problem):
    path = tmp_path / "DoS_dataset.csv"
    path.write_text(header + _rows(fill="00") + line + "\n")
    with pytest.raises(InputError, match=problem) as caught:
        read_log(path)
    assert f"{path}, line {5 + bool(header)}" in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "problem"),
    [("052", "two digits"), ("052168092121006f00", "two digits"), ("05 21 68", "past its DLC"), ("05 2x", "data byte")],
)
def test_a_wrong_cell_of_all_data_is_named(tmp_path, cell, problem):
    path = tmp_path / "drive.csv"
    path.write_text("timestamp,can_id,dlc,data\n" + _rows(join="", labels=()) + f"1478198377,0316,2,{cell}\n")
    with pytest.raises(InputError, match=problem) as caught:
        read_log(path)
    assert f"{path}, line 6" in str(caught.value)


def test_bases_that_do_not_go_together_are_named_and_never_guessed_row_by_row(tmp_path):
    path = tmp_path / "DoS_dataset.csv"
    path.write_text(_NAMED + "\n" + _rows(identifier="{}", byte="{}") + "1478198377,790,1,ff,R\n")
    with pytest.raises(InputError, match=r"line 2: data byte '104' is not a hexadecimal"):
        read_log(path)


def test_decimal_identifiers_before_hexadecimal_data_are_told_by_what_base_16_would_make_of_them(tmp_path):
    path = tmp_path / "DoS_dataset.csv"
    path.write_text("timestamp,can_id,dlc,data,attack\n" + _rows(identifier="{}", join="", labels=("0", "1")))
    _same(path, [0, 0, 1, 0], ("normal", "dos"))


def test_numbers_without_letters_are_read_in_the_base_of_the_file(tmp_path):
    path = tmp_path / "drive.csv"
    for rows, identifiers in (
        (["1.0,18901234,2,01,22", "2.0,10000000,2,01,22"], [0x18901234, 0x10000000]),
        (["1.0,100,2,1,200", "2.0,316,2,1,22"], [100, 316]),
        (["1.0,100,2,1,20", "2.0,316,2,1,22"], [0x100, 0x316]),
        (["1.0,1349,2,ab,20", "2.0,316,2,1,22"], [1349, 316]),
    ):
        path.write_text("\n".join(rows) + "\n")
        assert read_log(path).frames["identifier"].tolist() == identifiers, rows
