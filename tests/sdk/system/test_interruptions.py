"""Runs that cannot end: a signal, a full disk, a limit. Real processes; nothing is left, and the exit code says why."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeml.network import Network, network_file
from edgeml.system.scratch import ScratchFolder, scratch_place

from ..installed_plugin import install

SLOW_EXECUTOR = """
from pathlib import Path
from edgeml.system.scratch import ScratchFolder
from edgeml.system.tool import run_tool, side_by_side


class Executor:
    def applies(self, bundle):
        return True

    def missing(self, bundle):
        return ""

    def run(self, bundle, q, *, trace, options):
        with ScratchFolder("slow") as folder:
            script = f"echo $$ > {folder}/../pid$$ && sleep 300 & sleep 301"
            side_by_side(lambda n: run_tool(["sh", "-c", script], folder, 60, "sleep"), range(threads()), 2)


def threads():
    import os
    return int(os.environ["EDGEML_TEST_THREADS"])
"""


@pytest.fixture
def place(tmp_path: Path, small_network: Network, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network, and a temporary folder of its own."""
    for name in ("work", "temporary"):
        (tmp_path / name).mkdir()
    network_file.write(small_network, tmp_path / "work" / "small.edgeml")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    return tmp_path / "work"


def convert(place: Path, target: str = "host", **more: str) -> list[str]:
    command = [sys.executable, "-m", "edgeml", "convert", str(place / "small.edgeml"), "--to", "quantized"]
    return [*command, "--target", target, "-o", str(place / "out"), "-q", *(f"--{k}={v}" for k, v in more.items())]


def left(place: Path) -> list[str]:
    """What lies in the folder beside the network, and in edgeml's temporary folder."""
    temporary = place.parent / "temporary"
    others = [path.name for path in temporary.iterdir() if not path.name.startswith("edgeml-")]
    ours = [path.name for folder in temporary.glob("edgeml-*") for path in folder.iterdir()]
    return sorted([path.name for path in place.iterdir() if path.name != "small.edgeml"] + others + ours)


def _heed_signals() -> None:
    """Tests that run in the background (nohup, &) have some signals ignored, and whatever they start would too."""
    for each in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc to look for processes in")
@pytest.mark.parametrize(("name", "threads"), [("SIGTERM", 1), ("SIGINT", 1), ("SIGHUP", 1), ("SIGTERM", 2)])
def test_a_signal_ends_the_tools_and_leaves_nothing(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, threads: int
) -> None:
    install(tmp_path, monkeypatch, "slow_package", SLOW_EXECUTOR, executors="slow = slow_package:Executor")
    site = str(tmp_path / "site-slow_package")
    environment = {**os.environ, "PYTHONPATH": site, "EDGEML_TEST_THREADS": str(threads)}
    process = subprocess.Popen(
        convert(place), env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=_heed_signals
    )
    marks: list[Path] = []
    end = time.monotonic() + 60
    while len(marks) < threads and time.monotonic() < end and process.poll() is None:
        time.sleep(0.05)
        marks = list((place.parent / "temporary").glob("edgeml-*/pid*"))
    assert len(marks) == threads, process.communicate()
    pids = [int(mark.name[3:]) for mark in marks]
    for mark in marks:
        mark.unlink()
    assert any(".partial-" in each for each in left(place))
    process.send_signal(getattr(signal, name))
    _, words = process.communicate(timeout=60)
    assert process.returncode == 128 + getattr(signal, name)
    assert "interrupted" in words
    assert left(place) == []
    assert not any(alive(pid) for pid in pids), "the tools ended with it"


def test_what_a_killed_process_left_in_the_temporary_folder_goes_with_the_next(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """
import os, signal
from edgeml.system.scratch import ScratchFolder
scratch = ScratchFolder("killed")
folder = scratch.path
(folder / "large").write_bytes(bytes(10**6))
print(folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    abandoned = Path(done.stdout.strip())
    assert abandoned.is_dir()
    monkeypatch.setattr("tempfile.tempdir", None)
    with ScratchFolder("one") as one, ScratchFolder("two") as two:
        assert one.parent == two.parent == scratch_place() == abandoned.parent
        assert not abandoned.exists()
        assert one.is_dir()
        assert one.parent.stat().st_mode & 0o777 == 0o700
    assert list(scratch_place().iterdir()) == []


def test_a_temporary_folder_of_that_name_that_is_somebody_elses_is_not_used(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", None)
    (place / "elsewhere").mkdir()
    scratch_place().symlink_to(place / "elsewhere")
    with ScratchFolder("one") as one:
        assert one.parent == scratch_place().parent
    assert list((place / "elsewhere").iterdir()) == []


def test_a_limit_of_file_sizes_is_exit_code_2_with_what_to_do_and_nothing_left(place: Path) -> None:
    pytest.importorskip("resource")
    script = """
import resource, sys
from edgeml.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
sys.exit(main(sys.argv[1:]))
"""
    command = [sys.executable, "-c", script, *convert(place)[3:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert str(place / "out") in done.stderr
    assert "ulimit -f" in done.stderr
    assert "Traceback" not in done.stderr
    assert left(place) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_exit_code_2_with_what_to_do_and_nothing_left(place: Path, small_disk: Path) -> None:
    command = [*convert(place)[:-3], "-o", str(small_disk / "out"), "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert str(small_disk / "out") in done.stderr
    assert "Free some space" in done.stderr
    assert list(small_disk.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("arguments", [["targets"], ["targets", "--json"], ["--help"]])
def test_an_output_that_takes_nothing_is_told_without_a_traceback(arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "edgeml", *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "standard output: cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_exit_code_2(place: Path) -> None:
    (place / "closed").mkdir(mode=0o500)
    command = [*convert(place)[:-3], "-o", str(place / "closed" / "out"), "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "a folder that is yours" in done.stderr
