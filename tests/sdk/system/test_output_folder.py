"""An output appears whole or not at all: two runs at once, a killed one, and whatever stands in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import edgeml
from edgeml.bundle import MANIFEST, seal
from edgeml.errors import InputError
from edgeml.system.files import write_beside
from edgeml.system.output_folder import unfinished_folder


def bundle(folder: Path, name: str = "old") -> None:
    folder.mkdir(exist_ok=True)
    (folder / "content.txt").write_text(name)
    seal(folder, {"name": name})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_two_runs_to_one_place_end_whole_and_the_last_to_end_stays(tmp_path: Path) -> None:
    final = tmp_path / "out"
    with unfinished_folder(final) as first:
        bundle(first, "first")
        with unfinished_folder(final) as second:
            bundle(second, "second")
            assert first.is_dir(), "a living run's folder stays"
        assert (final / "content.txt").read_text() == "second"
    assert (final / "content.txt").read_text() == "first"
    assert names(tmp_path) == ["out"]


def test_the_folder_of_a_killed_run_goes_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from edgeml.system.output_folder import unfinished_folder
with unfinished_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half")
    print(folder.name, flush=True)
    time.sleep(60)
"""
    command = [sys.executable, "-c", script, str(tmp_path / "out")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        folders = [process.stdout.readline().strip() for process in running]  # type: ignore[union-attr]
        running[0].kill()
        running[0].wait()
        assert folders[0] in names(tmp_path)
        with unfinished_folder(tmp_path / "out") as folder:
            bundle(folder)
            assert names(tmp_path) == sorted([folder.name, folders[1]])
        assert names(tmp_path) == sorted(["out", folders[1]])
    finally:
        for process in running:
            process.kill()
            process.communicate()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda final: final.write_text("a file"), "is a file"),
        (lambda final: (final.mkdir(), (final / "thesis.tex").write_text("years")), "not a bundle"),
        (lambda final: (bundle(final), (final / "notes.txt").write_text("mine")), "notes.txt"),
        (lambda final: (bundle(final), (final / "mine").mkdir(), (final / "mine" / "x").write_text("")), "mine/x"),
        (lambda final: (final.mkdir(), (final / MANIFEST).write_text('{"name": "app"}')), "not of edgeml"),
        (lambda final: final.symlink_to("elsewhere"), "is a link"),
    ],
)
def test_what_is_not_a_bundle_alone_is_never_replaced(tmp_path: Path, make, says: str) -> None:  # type: ignore[no-untyped-def]
    final = tmp_path / "out"
    make(final)
    before = sorted(final.rglob("*"))
    with pytest.raises(InputError, match="not overwritten") as raised, unfinished_folder(final):
        pass
    assert says in str(raised.value)
    assert sorted(final.rglob("*")) == before
    assert names(tmp_path) == ["out"]


def test_what_came_there_meanwhile_is_not_replaced_either(tmp_path: Path) -> None:
    def write() -> None:
        with unfinished_folder(tmp_path / "out") as folder:
            bundle(folder)
            (tmp_path / "out").write_text("a file")

    with pytest.raises(InputError, match="not overwritten"):
        write()
    assert (tmp_path / "out").read_text() == "a file"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("length", [200, 255])
def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path, length: int) -> None:
    for _ in range(2):
        with unfinished_folder(tmp_path / ("n" * length)) as folder:
            bundle(folder)
    assert names(tmp_path) == ["n" * length]


@pytest.mark.parametrize("name", ["n" * 256, "file/out", "x\0y", "..", "a\nb"])
def test_a_name_that_cannot_be_is_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as raised, unfinished_folder(tmp_path / name):
        pass
    assert raised.value.remedy
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("number", [28, 27, 30, 13, 122])
def test_an_error_of_the_system_while_writing_names_the_path_and_what_to_do(tmp_path: Path, number: int) -> None:
    def write() -> None:
        with unfinished_folder(tmp_path / "out") as folder:
            bundle(folder)
            raise OSError(number, os.strerror(number))

    with pytest.raises(InputError, match="cannot be written") as raised:
        write()
    assert str(tmp_path / "out") in str(raised.value)
    assert os.strerror(number) in str(raised.value)
    assert raised.value.remedy
    assert names(tmp_path) == []


def test_a_file_is_written_through_a_link_and_to_a_device_and_over_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_beside(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    write_beside(Path(os.devnull), b"nothing")
    assert not Path(os.devnull).is_file()
    os.mkfifo(tmp_path / "fifo")
    for other in ("fifo", "."):
        with pytest.raises(InputError):
            write_beside(tmp_path / other, b"new")
    if Path("/dev/full").exists():
        with pytest.raises(InputError, match="Free some space"):
            write_beside(Path("/dev/full"), b"new")
    assert names(tmp_path) == ["fifo", "link", "real"]


def test_an_output_that_cannot_be_is_told_before_the_model_is_read(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="is a file"):
        edgeml.convert(tmp_path / "absent.pt2", to="quantized", target="host", output=tmp_path / "out")
