"""The gallery shows each example, by pictures that say what the example's own page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.gallery import FOLDER, bars, pictures, table

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gallery.md").read_text("utf-8")


def test_pictures_are_those_of_the_examples_own_tables() -> None:
    drawn = pictures()
    assert set(drawn) == {path.name for path in FOLDER.iterdir()}
    for name, svg in drawn.items():
        assert (FOLDER / name).read_text("utf-8") == svg, "run: python -m docs.gallery"
        assert f"gallery/{name}" in PAGE


def test_every_example_is_in_the_gallery_with_its_picture() -> None:
    for page in (ROOT / "examples").glob("*/README.md"):
        assert f"`examples/{page.parent.name}`" in PAGE
        assert f"gallery/{page.parent.name}.svg" in PAGE


def test_a_bar_is_as_long_as_its_value() -> None:
    names, rows = table(" kind   float  small\n a  50.0%  25%\n b  100%  0.0%\n\n", "kind", 2)
    assert (names, rows) == (["float", "small"], [("a", [50.0, 25.0]), ("b", [100.0, 0.0])])
    svg = bars("shares", names, rows)
    assert [svg.count(f'width="{wide}" height="11"') for wide in ("275.0", "137.5", "550.0", "0.0")] == [1, 1, 1, 1]


def test_a_table_that_is_not_there_is_told() -> None:
    with pytest.raises(ValueError, match="no table whose first column is 'class'"):
        table("nothing here", "class", 1)
