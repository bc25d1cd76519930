"""The table of mutants fits the source: every break can be made."""

from __future__ import annotations

import pytest

from .table import ROOT, Mutant, mutants


def test_there_are_sixty_and_each_text_occurs_once_in_its_file() -> None:
    found = mutants()
    assert len(found) >= 60
    for mutant in found:
        assert mutant.applied((ROOT / mutant.file).read_text("utf-8"))
        assert mutant.original != mutant.mutated
        assert mutant.tests
        assert all((ROOT / folder).exists() for folder in mutant.tests)


@pytest.mark.parametrize("text", ["a = 2\n", "a = 1\nb = 1\n"])
def test_a_mutant_whose_text_does_not_occur_exactly_once_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must occur once"):
        Mutant("file.py", "one is two", " 1\n", " 2\n", ("tests",)).applied(text)
