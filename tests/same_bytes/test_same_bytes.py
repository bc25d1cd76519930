"""A fixed set of conversions gives the bytes that it gave before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conversions import Files, conversions
from .digests import digests, read_table

SET = dict(conversions())


@pytest.mark.parametrize("name", SET)
def test_a_conversion_of_the_fixed_set_gives_the_same_bytes(name: str) -> None:
    """`python -m tests.same_bytes` tells which files changed, and whether in their comments alone."""
    make: Callable[[], Files] = SET[name]
    assert digests(make()) == read_table()[name]


def test_the_table_holds_the_set_and_nothing_else() -> None:
    assert set(read_table()) == set(SET)
