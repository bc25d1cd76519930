"""What a user or a file calls things is shown as it stands: no markup, no control characters."""

from __future__ import annotations

import pytest

from edgeml.terminal import Terminal
from edgeml.verification.verify import Verdict


def test_names_are_no_markup_and_send_nothing_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    names = ["[/]", "[bold]x[/bold]", "a\x1b[2Jb"]
    terminal.table("of [/x]", ["sample", "[b]"], [[index, name] for index, name in enumerate(names)])
    terminal.plain("note [/] \x1b[1m")
    terminal.warning("class [/red] \x07")
    terminal.remark("[/] \x1b[1m")
    out, err = capsys.readouterr()
    for said in ("of [/x]", "[b]", "[/]", "[bold]x[/bold]", "a [2Jb", "note [/]", "! class [/red]"):
        assert said in out
    assert not set(out + err) & {"\x1b", "\x07"}


def test_a_verdict_shows_its_word_and_its_detail(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().verdicts([Verdict("vvp", "error", detail="died [/]"), Verdict("golden", "exact", 3)])
    out = capsys.readouterr().out
    assert "failed" in out
    assert "exact" in out
    assert "died [/]" in out
