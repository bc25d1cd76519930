"""An emulator ends with the process that started it, also where that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeml.system.bound_program import BoundProgram

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="without groups of processes nothing is bound")

_SPINS = "import os, sys; print(os.getpid(), file=open(sys.argv[1], 'w'), flush=True)\nwhile True: pass"
_STARTS = """
import sys, time
from edgeml.system.bound_program import BoundProgram
program = BoundProgram([sys.executable, "-c", sys.argv[1], sys.argv[2]])
print("started", flush=True)
time.sleep(600)
"""


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    # A zombie has ended; who collects it is not its matter.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def _until(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="Linux tells what a process does")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_the_process_that_started_it_is_killed(end: signal.Signals, tmp_path: Path) -> None:
    number = tmp_path / "pid"
    command = [sys.executable, "-c", _STARTS, _SPINS, str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"started\n"
        assert _until(lambda: number.exists() and number.read_text().endswith("\n"))
        pid = int(number.read_text())
        assert _is_there(pid)
        starter.send_signal(end)
        starter.wait()
    assert _until(lambda: not _is_there(pid))


def test_ending_it_gives_what_it_said_once() -> None:
    program = BoundProgram([sys.executable, "-c", "import sys; sys.exit('no such machine')"])
    assert _until(lambda: os.fstat(program._said.fileno()).st_size > 0)
    assert program.end() == "no such machine"
    assert program.end() == ""
