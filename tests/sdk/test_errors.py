"""Messages: what a file says in them is fit for a terminal, whoever quotes it."""

from __future__ import annotations

from edgeml.errors import CheckFailed, InputError


def test_a_message_holds_no_character_that_a_terminal_acts_on_and_is_never_endless() -> None:
    error = InputError("a\x1b[31m\r.npz", "holds 'x\x07\u202ey'", "do\x00that")
    assert str(error) == "a [31m .npz: holds 'x  y'. do that"
    assert len(str(InputError("a" * 10**6, "b" * 10**6, "c" * 10**6))) < 4000


def test_lines_stay_lines() -> None:
    assert str(CheckFailed("target t", "breaks rules:\n  one\n  two\x1b")) == "target t: breaks rules:\n  one\n  two "
