"""Without a terminal, long work says where it is in plain lines, and short work says nothing."""

from __future__ import annotations

import time

from edgeml.progress_lines import progress_lines
from edgeml.terminal import Terminal


def test_a_place_is_written_once_and_only_where_work_stays_there():
    lines: list[str] = []
    with progress_lines(lines.append, 0.05) as announce:
        announce("soon done")
        announce("folded: proving fc1")
        time.sleep(0.3)
        announce("library: proving edgeml_fifo")
        time.sleep(0.3)
        announce("soon done, too")
    time.sleep(0.1)
    assert lines == ["folded: proving fc1", "library: proving edgeml_fifo"]


def test_lines_go_to_stderr_and_not_where_quiet_is_asked_for(capsys):
    for terminal in (Terminal(), Terminal(quiet=True)):
        with terminal.progress(lines=True) as (_, announce):
            announce("soon done")
    with Terminal().progress() as (_, announce):
        announce("silent without a terminal")
    assert capsys.readouterr() == ("", "")
