"""Limits of tools: in processor time of all that they start, whatever else the computer does."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from edgeml.system.processor_time import SpentTime
from edgeml.system.time_limit import TimedOut
from edgeml.system.tool import run_tool

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")

_BUSY = "while :; do :; done"


def test_time_that_a_program_computes_is_told_from_time_that_it_waits_for_a_processor() -> None:
    process = os.spawnlp(os.P_NOWAIT, "setsid", "setsid", "sh", "-c", _BUSY)
    try:
        spent = SpentTime(process)
        before = time.process_time(), time.monotonic()
        while spent.seconds() < 0.2:
            time.sleep(0.02)
            assert time.monotonic() - before[1] < 60
        os.kill(process, 19)  # stopped, it wants no processor
        held = spent.seconds()
        time.sleep(0.3)
        assert 0.25 < spent.seconds() - held < 5
    finally:
        os.kill(process, 9)
        os.waitpid(process, 0)


@pytest.mark.parametrize(
    "script", [_BUSY, f"({_BUSY}) & wait", "sleep 60"], ids=["computes", "starts another", "waits"]
)
def test_a_tool_beyond_its_limit_is_ended_and_the_error_names_the_option(tmp_path: Path, script: str) -> None:
    with pytest.raises(TimedOut, match=r"0\.2 s.*--time-limit"):
        run_tool(["sh", "-c", script], tmp_path, 0.2, "a tool")


def test_a_tool_that_may_stop_ends_by_itself_and_is_no_failure(tmp_path: Path) -> None:
    script = f"trap 'echo half; exit 3' INT; {_BUSY}"
    assert run_tool(["sh", "-c", script], tmp_path, 0.2, "a tool", stops=True).strip() == "half"
    with pytest.raises(TimedOut):
        run_tool(["sh", "-c", f"trap '' INT; {_BUSY}"], tmp_path, 0.1, "a tool", stops=True)
